"""Themes in the database: `public.themes`, one of them active."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from nlctl import database
from nlctl.database import load_sql
from nlctl.errors import ThemeRefused
from nlctl.themes import files, grammar
from nlctl.themes.files import Theme

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PACKAGE = "nlctl.themes"
Outcome = Literal["created", "updated", "unchanged", "left alone"]

ACTIVE = "select name from public.themes where is_default"
ACTIVATE = "select app.activate_theme(id) from public.themes where name = %s and deleted_at is null"
# As app.activate_theme does: pushes and activations wait for each other, readers wait for none.
TAKE_TURN = """
set local lock_timeout = '60s';
lock table public.themes in share row exclusive mode
"""


@dataclass(frozen=True)
class Pushed:
    """What a push did with each theme, and which one it activated because none was."""

    outcomes: dict[str, Outcome]
    activated: str | None


def fetch(url: str) -> list[Theme]:
    """Every theme of the database, `is_default` on the active one."""
    with database.connect(url, name="nlctl theme") as connection, _kindly():
        return _fetch(connection)


def active_name(url: str) -> str | None:
    """The name of the active theme, if there is one."""
    with database.connect(url, name="nlctl theme") as connection, _kindly():
        return _active_name(connection)


def push(url: str, folder: Path, *, only_missing: bool = False, dry_run: bool = False) -> Pushed:
    """Create and update themes by name, all or none.

    The active theme stays the active one. When there is none, the default of the files becomes it.
    With `only_missing`, what people changed or deleted stays as they left it.
    """
    themes = files.read(folder)
    for theme in themes:
        grammar.check(theme)
    given = {"themes": json.dumps([{"name": t.name, "tokens": t.tokens} for t in themes])}
    with database.connect(url, name="nlctl theme") as connection, _kindly():
        connection.execute(TAKE_TURN)
        updated = set() if only_missing else _write(connection, "update", given)
        created = _write(connection, "insert", {**given, "respect_deleted": only_missing})
        activated = _activate_default(connection, themes)
        if dry_run:
            connection.rollback()
    rest: Outcome = "left alone" if only_missing else "unchanged"
    outcomes: dict[str, Outcome] = {theme.name: rest for theme in themes}
    outcomes.update(dict.fromkeys(updated, "updated"))
    outcomes.update(dict.fromkeys(created, "created"))
    return Pushed(outcomes, activated)


def pull(url: str, folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Write the database's themes (all, or those named) to their files; returns what changed."""
    stored = fetch(url)
    wanted = [files.find(stored, name) for name in names] if names else stored
    kept = files.read(folder)
    written = []
    for theme in wanted:
        file = _as_file(theme, kept)
        kept.append(file)
        path = files.write_file(folder, file)
        if path:
            written.append(path)
    return written


def activate(url: str, wanted: str) -> Theme:
    """Make the theme of this name the active one, the only one, in one transaction."""
    with database.connect(url, name="nlctl theme") as connection, _kindly():
        connection.execute(TAKE_TURN)
        theme = files.find(_fetch(connection), wanted)
        connection.execute(ACTIVATE, (theme.name,))
        return theme


def _fetch(connection: psycopg.Connection) -> list[Theme]:
    return [
        Theme(files.slug_of(name), name, is_default, files.arrange(tokens, {}))
        for name, is_default, tokens in connection.execute(load_sql(PACKAGE, "fetch"))
    ]


def _active_name(connection: psycopg.Connection) -> str | None:
    row = connection.execute(ACTIVE).fetchone()
    return row[0] if row else None


def _write(connection: psycopg.Connection, statement: str, given: dict[str, Any]) -> set[str]:
    return {name for (name,) in connection.execute(load_sql(PACKAGE, statement), given)}


def _activate_default(connection: psycopg.Connection, themes: list[Theme]) -> str | None:
    default = next((theme.name for theme in themes if theme.is_default), None)
    if default is None or _active_name(connection) is not None:
        return None
    connection.execute(ACTIVATE, (default,))
    return default


def _as_file(theme: Theme, kept: list[Theme]) -> Theme:
    """In the file that has its name, or a free one; tokens in the order of the files.

    What is active here is no reason to change the files' default, unless they have none.
    """
    own = next((file for file in kept if file.name == theme.name), None)
    default = next((file for file in kept if file.is_default), None)
    like = own or default or theme
    return Theme(
        slug=own.slug if own else _free_slug(theme.slug, {file.slug for file in kept}),
        name=theme.name,
        is_default=own.is_default if own else theme.is_default and default is None,
        tokens=files.arrange(theme.tokens, like.tokens),
    )


def _free_slug(slug: str, taken: set[str]) -> str:
    candidates = chain([slug], (f"{slug}-{number}" for number in count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)


@contextmanager
def _kindly() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UndefinedTable as error:
        raise ThemeRefused(
            "The database has no themes table.", hint="Run: nlctl migrate up"
        ) from error
    except psycopg.Error as error:
        raise ThemeRefused(
            f"The database refused the themes: {database.reason(error)}. Nothing was written."
        ) from error
