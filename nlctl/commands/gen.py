"""nlctl gen: files for clients, written from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nlctl import console, project, targets
from nlctl.commands.options import Json, TargetName, group

if TYPE_CHECKING:
    from psycopg import Connection

    from nlctl.project import Project

app = group("gen", "Write files for clients from the database.")


@app.callback()
def gen() -> None:
    """Write files for clients from the database."""


@app.command()
def types(
    lang: Annotated[
        Literal["typescript", "python"], typer.Option("--lang", help="Who reads it.")
    ] = "typescript",
    schemas: Annotated[
        list[str] | None,
        typer.Option(
            "--schema",
            "-s",
            metavar="NAME",
            help="Schema to describe, more than once if need be; those that "
            "supabase/config.toml exposes if left out.",
        ),
    ] = None,
    target: TargetName = None,
    as_json: Json = False,
) -> None:
    """Print the types of tables, views and functions, for supabase-js or supabase-py.

    TypeScript is the type Database as `supabase gen types` has it. Python is a module of pydantic
    models for rows, and of typed dictionaries for what inserts, updates and functions take.

    Example: nlctl gen types > src/database.types.ts
    """
    from nlctl import database
    from nlctl.typegen import python, shape, typescript

    here = project.find()
    url = targets.resolve(here, target).database_url
    with database.connect(url) as connection:
        found = shape.read(connection, schemas or _exposed(here, connection))
    text = typescript.write(found) if lang == "typescript" else python.write(found)
    if as_json:
        console.say_json({"lang": lang, "schemas": found.schemas, "text": text})
    else:
        console.say(text.rstrip("\n"))


def _exposed(here: Project, connection: Connection) -> list[str]:
    """The schemas of the Data API; one whose migrations are still to come is left out."""
    from nlctl.typegen import shape

    named = here.platform_settings.get("api", {}).get("schemas", ["public"])
    return shape.existing(connection, [str(each) for each in named])
