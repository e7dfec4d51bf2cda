"""nlctl rules: pages for people, written from the database and its comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlctl import console, project, targets
from nlctl.commands import options

if TYPE_CHECKING:
    from nlctl.catalogue import Catalogue
    from nlctl.project import Project
    from nlctl.rules import Page

app = options.group("rules", "Keep rules/, the pages that say what exists, true.")

ProjectName = Annotated[
    str | None,
    typer.Option(
        "--project", metavar="NAME", help="Project of nlctl.toml; its default if left out."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        metavar="NAME",
        help="Target of nlctl.toml to read; if left out, a scratch database with all migrations.",
        autocompletion=options.complete_target,
    ),
]


@app.command()
def build(
    project_name: ProjectName = None, target: Target = None, json: options.Json = False
) -> None:
    """Write the pages anew from the database, and keep what people wrote around them.

    Each page belongs to the domain that the first line of a migration names
    (`-- Themes: the tokens every page starts from.`). Between AUTO:BEGIN and AUTO:END it is
    written; the rest of a page is yours.

    Example: nlctl rules build
    """
    from nlctl import rules

    here = project.find()
    name, planned = _planned(here, project_name, target)
    rules.write(rules.folder_of(here, name), planned)
    _say(planned, json=json, with_diff=False)


@app.command()
def check(
    project_name: ProjectName = None, target: Target = None, json: options.Json = False
) -> None:
    """Compare the pages with the database; exit with 1 when one no longer says what is there.

    Example: nlctl rules check
    """
    from nlctl.rules import State

    _name, planned = _planned(project.find(), project_name, target)
    _say(planned, json=json, with_diff=True)
    if any(page.state is not State.FRESH for page in planned):
        raise typer.Exit(1)


def _planned(here: Project, name: str | None, target: str | None) -> tuple[str, list[Page]]:
    from nlctl import rules

    if target is None:
        chosen = name or here.default_name
        return chosen, rules.plan(here, chosen, _scratch_catalogue(here, chosen))
    resolved = targets.resolve(here, target)
    chosen = name or resolved.project
    return chosen, rules.plan(here, chosen, _read(resolved.database_url))


def _scratch_catalogue(here: Project, name: str) -> Catalogue:
    from nlctl.local import scratch

    with scratch.migrated(here, name) as url:
        return _read(url)


def _read(url: str) -> Catalogue:
    from nlctl import catalogue, database

    with database.connect(url) as connection:
        return catalogue.read(connection)


def _say(planned: list[Page], *, json: bool, with_diff: bool) -> None:
    from nlctl.rules import State

    if json:
        console.say_json({"pages": [_facts(page, with_diff=with_diff) for page in planned]})
        return
    news = [page for page in planned if page.state is not State.FRESH]
    for page in news:
        console.say(_line(page, with_diff=with_diff))
    if not news:
        console.say(f"{len(planned)} pages say what the database says.")


def _line(page: Page, *, with_diff: bool) -> str:
    from nlctl.rules import State

    if page.state is State.LEFT_OVER:
        return f"{page.name}: its domain is gone; delete it, or its AUTO part."
    if with_diff:
        return "\n".join([f"{page.name}: {page.state}", *page.diff])
    return f"{page.name}: {'made' if page.state is State.NEW else 'written anew'}"


def _facts(page: Page, *, with_diff: bool) -> dict[str, Any]:
    diff = {"diff": page.diff} if with_diff else {}
    return {"page": page.name, "state": page.state, **diff}
