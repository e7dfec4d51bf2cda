"""What every command shares, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer


def group(name: str, purpose: str) -> typer.Typer:
    """A group of commands. Without rich, whose import would double the time of --help."""
    return typer.Typer(name=name, help=purpose, no_args_is_help=True, rich_markup_mode=None)


def complete_target(incomplete: str) -> list[str]:
    """Names for the shell to offer after --target."""
    from nlctl import project, targets
    from nlctl.errors import NlctlError

    try:
        known = targets.names(project.find())
    except NlctlError:  # a shell in the middle of a line has no use for it
        return []
    return [name for name in known if name.startswith(incomplete)]


Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
TargetName = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        help="Target of nlctl.toml; local by default.",
        metavar="NAME",
        autocompletion=complete_target,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a destructive act.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do everything, then roll it back.")]
