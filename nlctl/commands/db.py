"""nlctl db: ask the database anything, as anybody."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from nlctl import console, project, targets
from nlctl.commands import options
from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from nlctl.queries import Outcome, Result
    from nlctl.targets import Target

app = options.group("db", "Ask the database anything, as anybody.")

As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="WHO",
        help="Act as anon, authenticated, service_role or a person (e-mail address or id), with "
        "the role, claims, search path and time limits the Data API sets.",
    ),
]
Csv = Annotated[bool, typer.Option("--csv", help="Answer with CSV.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Let the server refuse any write.")]
Write = Annotated[
    bool, typer.Option("--write", help="Allow writing on a target other than the local stack.")
]


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One or more statements; - reads standard input.")],
    who: As = None,
    target: options.TargetName = None,
    read_only: ReadOnly = False,
    write: Write = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    csv: Csv = False,
    json: options.Json = False,
) -> None:
    """Run SQL in one transaction and show what it answers; writes are committed.

    On the local stack a query may write. Any other target is read-only unless --write is given,
    and production asks for confirmation then (--yes in scripts).

    Example: nlctl db query "select get_active_theme_tokens()" --as anon
    """
    from nlctl import queries

    where = targets.resolve(project.find(), target)
    may_write = _may_write(where, read_only=read_only, write=write, yes=yes)
    script = queries.parse(_standard_input() if sql == "-" else _as_typed(sql))
    with console.progress("Running", None):
        outcome = queries.run(
            where.database_url, script, who=who, read_only=not may_write, dry_run=dry_run
        )
    _say(outcome, dry_run=dry_run, csv=csv, json=json)


@app.command()
def file(
    path: Annotated[str, typer.Argument(help="An SQL script; - reads standard input.")],
    who: As = None,
    target: options.TargetName = None,
    read_only: ReadOnly = False,
    write: Write = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    csv: Csv = False,
    json: options.Json = False,
) -> None:
    """Run a script in one transaction: all of it happens, or none.

    It may write where `nlctl db query` may. An error names the file, the line and the column.

    Example: nlctl db file report.sql --as ada@example.test --read-only
    """
    from nlctl import queries

    where = targets.resolve(project.find(), target)
    may_write = _may_write(where, read_only=read_only, write=write, yes=yes)
    script = queries.parse(_read(path), "standard input" if path == "-" else path)
    with console.progress("Running", None):
        outcome = queries.run(
            where.database_url, script, who=who, read_only=not may_write, dry_run=dry_run
        )
    _say(outcome, dry_run=dry_run, csv=csv, json=json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(
    context: typer.Context,
    who: As = None,
    target: options.TargetName = None,
    read_only: ReadOnly = False,
    write: Write = False,
    yes: options.Yes = False,
    json: options.Json = False,
) -> None:
    """Open psql on the database; what nlctl does not know goes to psql, all of it after --.

    It may write where `nlctl db query` may. The password travels in the environment, never in the
    arguments. --json says what would be started, without the password.

    Example: nlctl db psql --as anon -- -c "table themes"
    """
    from nlctl import shells

    where = targets.resolve(project.find(), target)
    may_write = _may_write(where, read_only=read_only, write=write, yes=yes)
    shell = shells.prepare(where.database_url, context.args, who=who, read_only=not may_write)
    if json:
        console.say_json(shell.as_dict())
        return
    raise typer.Exit(shell.start())


def _may_write(target: Target, *, read_only: bool, write: bool, yes: bool) -> bool:
    if read_only and write:
        raise InvalidInput("--read-only and --write contradict each other.")
    if read_only or not (write or target.is_local):
        return False
    if target.is_production:
        targets.confirm(target, "Running SQL that may write", yes=yes)
    return True


def _read(path: str) -> str:
    from pathlib import Path

    if path == "-":
        return _standard_input()
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8.", hint="Save it as UTF-8.") from error


def _as_typed(argument: str) -> str:
    """The argument's own UTF-8, where the locale made Python read it as something else."""
    return os.fsencode(argument).decode("utf-8", errors="replace")


def _standard_input() -> str:
    import sys

    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


def _say(outcome: Outcome, *, dry_run: bool, csv: bool, json: bool) -> None:
    if json:
        results = [result.as_dict() for result in outcome.results]
        console.say_json({"results": results, "committed": outcome.committed})
        return
    for result in outcome.results:
        (_say_csv if csv else _say_result)(result)
    if outcome.wrote:
        settled = "Rolled back (dry run)" if dry_run else "Committed"
        console.note(f"{settled}: {_count(outcome.written)} written.")


def _say_result(result: Result) -> None:
    if not result.columns:
        console.say(result.status)
        return
    if result.document is not None:
        console.say(console.as_json(result.document))
        return
    rows = [[_on_one_line(cell) for cell in row] for row in result.cells]
    console.say_table(result.columns, rows)
    console.say(f"({_count(len(rows))})")


def _say_csv(result: Result) -> None:
    import csv
    import sys

    if result.columns:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([result.columns, *result.cells])


def _on_one_line(cell: str | None) -> str:
    return "NULL" if cell is None else cell.replace("\r", "").replace("\n", "↵")


def _count(rows: int) -> str:
    return f"{rows} row" if rows == 1 else f"{rows} rows"
