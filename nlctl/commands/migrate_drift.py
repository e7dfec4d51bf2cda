"""nlctl migrate check and baseline: what a database is, held against what its files make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlctl import console, project, targets
from nlctl.commands import findings
from nlctl.commands.options import Json, TargetName, Yes

if TYPE_CHECKING:
    from nlctl import lints
    from nlctl.local.scratch import Scratch
    from nlctl.migrations.drift import Report
    from nlctl.migrations.status import Entry
    from nlctl.targets import Target


def check(
    sql: Annotated[
        bool,
        typer.Option("--sql", help="Print the SQL that would mend it, to be read before it runs."),
    ] = False,
    lint: Annotated[
        bool, typer.Option("--lint/--no-lint", help="Look for what the files do badly, too.")
    ] = True,
    target: TargetName = None,
    as_json: Json = False,
) -> None:
    """Find what the database has that no file says, and what files say that it has not.

    The applied files are run in a scratch database on the local server, and the catalogues are
    compared: one line for each difference. What the platform owns is left aside, but not our
    policies, triggers and buckets there. Files with a way back (down/) go up, down and up again,
    which must change nothing. Nothing of the target is changed.

    Then the lints of `nlctl rls lint` look at what all files make, and squawk at those that are not
    applied yet: locks and changes that are dangerous on a busy database.

    Exit codes: 0 as the files say and nothing to mend, 1 not.

    Example: nlctl migrate check --target production
    """
    from nlctl.local import scratch
    from nlctl.migrations import drift

    here = project.find()
    where = targets.resolve(here, target)
    of = drift.Database(where.database_url, here.migrations(where.project), where.project)
    with scratch.server(here, like_hosted=not where.is_local) as room:
        report = drift.check(of, room)
        promises = _lint(where, report, room) if lint and not sql else None
    if as_json:
        console.say_json({**_as_dict(report), "lint": promises and promises.as_dict()})
    elif sql:
        _say_sql(report)
    else:
        _say(report)
    if promises and not as_json:
        findings.say_report(promises)
    raise typer.Exit(0 if report.is_clean and (promises is None or promises.is_clean) else 1)


def baseline(
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="The last file that it has.")
    ] = None,
    without_proof: Annotated[
        bool,
        typer.Option("--without-proof", help="Believe it without comparing the catalogues."),
    ] = False,
    target: TargetName = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Adopt a database that already has what the files make: record them, run none.

    First the files are run in a scratch database and the catalogues are compared. A single
    difference refuses everything.

    Example: nlctl migrate baseline --target production --to 20260110120000
    """
    from nlctl.local import scratch
    from nlctl.migrations import baseline as baselines
    from nlctl.migrations import drift

    here = project.find()
    where = targets.resolve(here, target)
    of = drift.Database(where.database_url, here.migrations(where.project), where.project)
    chosen = baselines.choose(of, to)
    _confirm(where, chosen, without_proof=without_proof, yes=yes)
    if not without_proof:
        with scratch.server(here, like_hosted=not where.is_local) as room:
            baselines.prove(of, chosen, room)
    recorded = baselines.record(of, chosen, console.note)
    if as_json:
        versions = [entry.version for entry in recorded]
        console.say_json({"recorded": versions, "proved": not without_proof})
        return
    for entry in recorded:
        console.say(f"Recorded {entry.label}")
    if not recorded:
        console.say("Nothing to record.")


def _lint(where: Target, report: Report, room: Scratch) -> lints.Report:
    """What all files make, held to every promise; squawk reads the files that are still to run."""
    from nlctl import lints

    unapplied = [entry.migration.path for entry in report.unapplied if entry.migration]
    with room.migrated(where.project) as url:
        return lints.examine(
            room.stack.project, url, where.project, files=unapplied, notice=console.note
        )


def _confirm(where: Target, chosen: tuple[Entry, ...], *, without_proof: bool, yes: bool) -> None:
    proof = " without proof" if without_proof else ""
    targets.confirm(where, f"Recording {len(chosen)} files as applied{proof}", yes=yes)


def _say(report: Report) -> None:
    for line in _findings(report):
        console.say(line)
        console.annotate(line)
    if report.is_clean:
        console.say("The database is what its files say.")
    if report.unapplied:
        labels = ", ".join(entry.label for entry in report.unapplied)
        console.note(f"Not applied yet, and left aside: {labels}")
    if report.statements:
        console.note("With --sql: the statements that would mend it.")


def _say_sql(report: Report) -> None:
    for line in _findings(report):
        console.say(f"-- {line}")
    for statement in report.statements:
        console.say(statement)


def _findings(report: Report) -> list[str]:
    return [
        *(f"migration {entry.label}: {entry.state}" for entry in report.disputed),
        *map(str, report.differences),
        *report.ways_back,
    ]


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "clean": report.is_clean,
        "history": [_entry_as_dict(entry) for entry in report.disputed],
        "unapplied": [_entry_as_dict(entry) for entry in report.unapplied],
        "drift": [
            {
                "kind": difference.kind,
                "name": difference.name,
                "fact": difference.fact,
                "expected": difference.expected,
                "found": difference.found,
                "line": str(difference),
            }
            for difference in report.differences
        ],
        "sql": report.statements,
        "ways_back": report.ways_back,
    }


def _entry_as_dict(entry: Entry) -> dict[str, str]:
    return {"version": entry.version, "name": entry.name, "state": entry.state}
