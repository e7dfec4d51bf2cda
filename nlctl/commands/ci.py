"""nlctl ci: what a repository's CI does with migrations."""

from __future__ import annotations

from typing import Annotated

import typer

from nlctl import console, project
from nlctl.commands.options import Json


def ci(
    branch: Annotated[
        str, typer.Option("--branch", metavar="NAME", help="The branch that is applied.")
    ] = "main",
    as_json: Json = False,
) -> None:
    """Print a GitHub Actions workflow: plan on pull requests, apply on main.

    Each target of nlctl.toml becomes an environment with its secret, production after the others.
    In such a run, failures also show beside the line of the file that is at fault.

    Example: nlctl ci > .github/workflows/migrations.yml
    """
    from nlctl import workflows

    text = workflows.write(project.find(), branch)
    if as_json:
        console.say_json({"path": workflows.PATH, "text": text})
    else:
        console.say(text.rstrip("\n"))
