"""nlctl migrate: write migrations, apply them, and see where a database stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nlctl import console, project, targets
from nlctl.commands import migrate_drift
from nlctl.commands.options import DryRun, Json, TargetName, Yes, group

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nlctl.migrations import down as downs
    from nlctl.migrations.down import Undone
    from nlctl.migrations.runner import Applied, Outcome
    from nlctl.migrations.status import Entry

app = group("migrate", "Write migrations, apply them, see where they stand.")

ProjectName = Annotated[
    str | None,
    typer.Option(
        "--project", metavar="NAME", help="Project of nlctl.toml; its default if left out."
    ),
]
Versions = Annotated[list[str], typer.Argument(help="Versions: the digits files begin with.")]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What it is about, in a few words.")],
    project_name: ProjectName = None,
    as_json: Json = False,
) -> None:
    """Make an empty migration, later than every other, and print its path.

    One file runs in one transaction. A file whose first comment lines hold

        -- nlctl: no-transaction

    runs outside of one, statement by statement: `create index concurrently` needs it.

    Example: nlctl migrate new "borrowed items"
    """
    from nlctl.migrations import files

    here = project.find()
    path = files.create(here.migrations(project_name or here.default_name), name)
    if as_json:
        console.say_json({"path": path})
    else:
        console.say(str(_from_here(path)))


@app.command()
def up(
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="Stop after this version.")
    ] = None,
    allow_out_of_order: Annotated[
        bool,
        typer.Option(
            "--allow-out-of-order",
            help="Also apply files older than the newest applied, and record it.",
        ),
    ] = False,
    lock_timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="How long to wait for another runner."),
    ] = 60,
    table_lock_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=86_400,
            help="How long a statement may wait for a busy table before its file is tried again; "
            "0 waits for ever. Statements with `concurrently` always wait.",
        ),
    ] = 5,
    tries: Annotated[
        int, typer.Option(min=1, help="How often to try a file that meets a busy table.")
    ] = 5,
    dry_run: DryRun = False,
    target: TargetName = None,
    as_json: Json = False,
) -> None:
    """Apply the pending migrations, each in a transaction with its row of the history.

    Runners that start together take turns, so every file is applied once. This needs a direct
    connection or a pooler in session mode (port 5432 on Supabase), not one in transaction mode.

    Exit codes: 0 done, 4 files and history disagree, 5 a file failed, 130 interrupted.

    Example: nlctl migrate up --dry-run
    """
    from nlctl.migrations import runner

    here = project.find()
    where = targets.resolve(here, target)
    options = runner.Options(
        lock_timeout=lock_timeout,
        table_lock_timeout=table_lock_timeout,
        tries=tries,
        to=to,
        allow_out_of_order=allow_out_of_order,
        dry_run=dry_run,
    )
    folder = here.migrations(where.project)
    _warn_of_skipped(folder)
    with console.progress("Applying", None) as advance:

        def report(applied: Applied) -> None:
            advance(applied.file)
            if not as_json:
                console.say(_describe(applied, dry_run=dry_run))

        outcome = runner.up(
            where.database_url,
            folder,
            where.project,
            options=options,
            report=report,
            notice=console.note,
        )
    if as_json:
        console.say_json({"dry_run": dry_run, **_as_dict(outcome)})
    else:
        _say_outcome(outcome, dry_run=dry_run)


@app.command()
def down(
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="VERSION", help="Undo what came after this version; 0 undoes all."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="How many files to undo; one by default.")
    ] = None,
    dry_run: DryRun = False,
    target: TargetName = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo applied files, newest first, by the ways back that were written for them.

    The way back of 20260110120000_loans.sql is down/20260110120000_loans.down.sql beside it. It
    runs in one transaction with the deletion of its row of the history. A file without one is
    irreversible: then nothing is done at all.

    Exit codes: 0 done, 1 irreversible, 4 files and history disagree, 5 a way back failed.

    Example: nlctl migrate down --steps 2
    """
    from nlctl.migrations import down as downs

    here = project.find()
    where = targets.resolve(here, target)
    options = downs.Options(to=to, steps=steps, dry_run=dry_run)
    if not dry_run:
        targets.confirm(where, "Undoing migrations, with the rows they hold,", yes=yes)
    undone = downs.down(
        where.database_url,
        here.migrations(where.project),
        where.project,
        options=options,
        report=lambda step: None if as_json else console.say(_describe_undone(step, options)),
        notice=console.note,
    )
    if as_json:
        from dataclasses import asdict

        console.say_json({"dry_run": dry_run, "undone": [asdict(step) for step in undone]})
    elif not undone:
        console.say("Nothing to undo.")


@app.command()
def status(
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit with 3 when something is pending, 4 when an applied file is changed or "
            "missing, 5 when one failed half-way; the gravest wins.",
        ),
    ] = False,
    target: TargetName = None,
    as_json: Json = False,
) -> None:
    """Show every version that the folder or the database knows, and how it stands.

    With --exit-code, for CI: 0 up to date, 3 pending, 4 changed or missing, 5 failed.

    Example: nlctl migrate status --exit-code
    """
    from nlctl.migrations import status as standings

    here = project.find()
    where = targets.resolve(here, target)
    folder = here.migrations(where.project)
    _warn_of_skipped(folder)
    entries = standings.read(where.database_url, folder, where.project)
    if as_json:
        console.say_json([_entry_as_dict(entry) for entry in entries])
    else:
        _say_entries(entries)
    if exit_code:
        raise typer.Exit(standings.exit_code(entries))


app.command()(migrate_drift.check)


@app.command()
def repair(
    versions: Versions,
    verdict: Annotated[
        Literal["applied", "reverted"],
        typer.Option("--status", help="What the history shall say of them."),
    ],
    drop_invalid_indexes: Annotated[
        bool,
        typer.Option(
            "--drop-invalid-indexes",
            help="First drop what `create index concurrently` left half built.",
        ),
    ] = False,
    target: TargetName = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Correct the history; no migration is run.

    `applied` takes the file as it is now for what was run: after finishing it by hand, or to accept
    an edit. `reverted` forgets the version, so that the next `up` runs its file (again).

    Example: nlctl migrate repair 20260110120000 --status reverted
    """
    from nlctl.migrations import repair as repairs

    here = project.find()
    where = targets.resolve(here, target)
    targets.confirm(where, f"Recording {', '.join(versions)} as {verdict}", yes=yes)
    dropped = repairs.repair(
        where.database_url,
        here.migrations(where.project),
        where.project,
        versions,
        repairs.Verdict(verdict),
        drop_invalid_indexes=drop_invalid_indexes,
        notice=console.note,
    )
    if as_json:
        console.say_json({"versions": versions, "status": verdict, "dropped": dropped})
        return
    for drop in dropped:
        console.say(f"Done: {drop}")
    console.say(f"Recorded as {verdict}: {', '.join(versions)}")


app.command()(migrate_drift.baseline)


def _from_here(path: Path) -> Path:
    from pathlib import Path

    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _warn_of_skipped(folder: Path) -> None:
    from nlctl.migrations import files

    for name in files.skipped(folder):
        console.note(f"Skipped {name}: migrations are called <14 digits>_<name>.sql.")


def _describe(applied: Applied, *, dry_run: bool) -> str:
    verb = "Would apply" if dry_run else "Applied"
    late = ", out of order" if applied.is_out_of_order else ""
    return f"{verb} {applied.file} ({applied.duration_ms} ms{late})"


def _describe_undone(step: Undone, options: downs.Options) -> str:
    verb = "Would undo" if options.dry_run else "Undone"
    return f"{verb}: {step.version} {step.name} ({step.duration_ms} ms)"


def _say_outcome(outcome: Outcome, *, dry_run: bool) -> None:
    for name in outcome.left_out:
        console.say(f"Cannot try {name}: it runs outside of a transaction.")
    if not outcome.applied and not outcome.left_out:
        console.say("Nothing to apply.")
    if dry_run:
        console.note("Dry run: everything was rolled back.")


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(outcome)


def _say_entries(entries: Iterable[Entry]) -> None:
    rows = []
    for entry in entries:
        record = entry.record
        at = record.applied_at if record else None
        took = record.duration_ms if record else None
        rows.append(
            (
                entry.version,
                entry.name,
                "yes" if entry.migration else "no",
                "yes" if record and record.is_applied else "no",
                entry.state,
                f"{at:%Y-%m-%d %H:%M}" if at else "",
                f"{took} ms" if took is not None else "",
            )
        )
    console.say_table(("Version", "Name", "Local", "Applied", "State", "When", "Took"), rows)
    for entry in entries:
        for drop in entry.leftovers:
            console.note(f"{entry.label} left an invalid index behind: {drop}")


def _entry_as_dict(entry: Entry) -> dict[str, Any]:
    record = entry.record
    return {
        "version": entry.version,
        "name": entry.name,
        "state": entry.state,
        "is_local": entry.migration is not None,
        "is_applied": record is not None and record.is_applied,
        "sha256": entry.migration.sha256 if entry.migration else None,
        "applied_sha256": record.sha256 if record else None,
        "applied_at": record.applied_at if record else None,
        "applied_by": record.applied_by if record else None,
        "duration_ms": record.duration_ms if record else None,
        "is_out_of_order": record.is_out_of_order if record else False,
        "error": record.error if record else None,
        "invalid_indexes": entry.leftovers,
    }
