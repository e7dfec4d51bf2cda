"""nlctl rls: who may do what, proved by doing it, and whether the database keeps its promises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlctl import console, project, targets
from nlctl.commands import options
from nlctl.commands.output import write

if TYPE_CHECKING:
    from nlctl.access import Matrix

app = options.group("rls", "Prove who may do what, and that the database keeps its promises.")

Html = Annotated[
    Path | None, typer.Option("--html", help="Also write one page with filters.", metavar="FILE")
]
Expect = Annotated[
    Path | None,
    typer.Option(
        "--expect",
        help="Compare with a declared matrix, a file or a folder; exit with 1 when it differs.",
        metavar="PATH",
    ),
]
Scene = Annotated[
    Path | None,
    typer.Option("--scene", help="SQL to begin with: rows to try things on.", metavar="FILE"),
]


@app.command()
def matrix(
    html: Html = None,
    expect: Expect = None,
    scene: Scene = None,
    yes: options.Yes = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Try every operation on rows of one's own, of others and of nobody, as everybody.

    Each attempt runs as that person, with the role and claims the Data API sets, in a transaction
    that is rolled back: nothing stays and nobody hears of it, though sequences may move. People are
    those of the database, one of each kind; kinds it lacks are made for the moment, and so are
    rows. --scene brings others for the length of the measurement. No lock is waited for longer
    than half a second. Production asks for confirmation.

    Example: nlctl rls matrix --html access.html
    """
    from nlctl import access

    here = project.find()
    where = targets.resolve(here, target)
    expected = access.read(expect) if expect else None
    begin_with = access.read_text(scene) if scene else ""
    if where.is_production:
        targets.confirm(where, "Trying every write, then rolling it back,", yes=yes)
    with console.progress("Trying", None) as advance:
        measured = access.measure(
            where.database_url, here.exposed_schemas, scene=begin_with, tell=advance
        )
    if html:
        _write_page(measured, f"Access to {where.project} ({where.name})", html)
    differences = [] if expected is None else access.compare(expected, measured.lines())
    if json:
        console.say_json({**measured.as_dict(), "differences": differences})
    else:
        _say(measured, differences)
    if differences:
        raise typer.Exit(1)


@app.command()
def lint(target: options.TargetName = None, json: options.Json = False) -> None:
    """Look for what breaks a promise: row level security, policies, grants, indexes, comments.

    It covers Supabase's database lints. What may break a promise, and why, is in lints.toml.
    It changes nothing. Exit codes: 0 every promise is kept, 1 something is to mend.

    Example: nlctl rls lint --target staging
    """
    from nlctl import lints
    from nlctl.commands import findings

    here = project.find()
    where = targets.resolve(here, target)
    report = lints.examine(here, where.database_url, where.project)
    if json:
        console.say_json(report.as_dict())
    else:
        findings.say_report(report)
    raise typer.Exit(0 if report.is_clean else 1)


def _say(measured: Matrix, differences: list[str]) -> None:
    from nlctl.access import LEGEND

    lines = measured.lines()
    people = [person.name for person in measured.people]
    console.say_table(["who", *people], [[line.title, *line.marks.values()] for line in lines])
    for marks, meaning in LEGEND:
        console.note(f"{marks.rjust(7)}  {meaning}")
    for difference in differences:
        console.say(difference)


def _write_page(measured: Matrix, title: str, path: Path) -> None:
    from nlctl.access import page

    write(page.render(measured, title), path)
    console.note(f"{path} written.")
