"""nlctl seed: write the reference rows, show what they would change, make files of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlctl import console, project, targets
from nlctl.commands import options
from nlctl.commands.output import Output, deliver

if TYPE_CHECKING:
    from nlctl.seeds import Change, Report

app = options.group("seed", "Write and compare the seed files.")

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="reference (the default), demo or test.", metavar="SET"),
]
Prune = Annotated[
    bool, typer.Option("--prune", help="Also delete rows of seeded tables that no file names.")
]


@app.command()
def apply(
    sets: Sets = None,
    prune: Prune = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Make the tables say what the files in seeds/ say, in one transaction.

    Example: nlctl seed apply --set reference --set demo
    """
    from nlctl import seeds

    here = project.find()
    wanted = sets or ["reference"]
    database = targets.resolve(here, target)
    seeds.allow(wanted, is_production=database.is_production)
    if prune and not dry_run:
        targets.confirm(database, "Deleting rows that no seed names", yes=yes)
    with console.progress("Applying", None):
        report = seeds.apply(
            database.database_url, here.seeds, sets=wanted, dry_run=dry_run, prune=prune
        )
    if json:
        console.say_json({"dry_run": dry_run, **_describe(report)})
        return
    _say_tables(report)
    if dry_run:
        console.note("Dry run: everything was rolled back.")


@app.command()
def diff(
    sets: Sets = None,
    prune: Prune = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when something differs.")
    ] = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Show, row by row, what `apply` would change. Scripts (.sql) are not compared.

    Example: nlctl seed diff --exit-code
    """
    from nlctl import seeds

    here = project.find()
    database = targets.resolve(here, target)
    report = seeds.diff(database.database_url, here.seeds, sets=sets or ["reference"], prune=prune)
    if json:
        console.say_json(_describe(report))
    else:
        _say_changes(report)
    if exit_code and report.changes:
        raise typer.Exit(1)


@app.command()
def export(
    tables: Annotated[list[str], typer.Argument(help="Tables as schema.name.")],
    key: Annotated[
        str, typer.Option("--key", help="Columns that tell rows apart; the primary key by default.")
    ] = "",
    output: Output = None,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Write tables as a seed file, sorted by key.

    Example: nlctl seed export public.user_types --output seeds/user_types.yaml
    """
    from nlctl import seeds

    database = targets.resolve(project.find(), target)
    columns = [name.strip() for name in key.split(",") if name.strip()]
    deliver(seeds.export(database.database_url, tables, key=columns), output, json=json)


def _say_tables(report: Report) -> None:
    console.say_table(
        ["table", "inserted", "updated", "deleted", "unchanged"],
        [
            [line.table, line.inserted, line.updated, line.deleted, line.unchanged]
            for line in report.tables
        ],
    )
    for script in report.scripts:
        console.say(f"{script.name}: {script.rows} rows written")


def _say_changes(report: Report) -> None:
    if not report.changes:
        console.say("The database says what the files say.")
    for change in report.changes:
        place = f"  ({change.place})" if change.place else ""
        console.say(f"{change.kind} {change.table} {_key(change)}{place}")
        for name, (old, new) in change.fields.items():
            line = _value(new) if change.kind == "insert" else f"{_value(old)} → {_value(new)}"
            console.say(f"    {name}: {line}")


def _describe(report: Report) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "tables": [asdict(line) for line in report.tables],
        "scripts": [asdict(script) for script in report.scripts],
        "changes": [
            {
                "table": change.table,
                "kind": change.kind,
                "key": change.key,
                "fields": {
                    name: {"old": old, "new": new} for name, (old, new) in change.fields.items()
                },
                "place": change.place,
            }
            for change in report.changes
        ],
    }


def _key(change: Change) -> str:
    return ", ".join(f"{name}={value}" for name, value in change.key.items())


def _value(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:199] + "…"
