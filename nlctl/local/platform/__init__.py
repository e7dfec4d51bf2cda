"""Platform: what a fresh Supabase project holds before the first migration, as our own SQL."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from nlctl import database

if TYPE_CHECKING:
    import psycopg

FOLDER = Path(__file__).parent

# Read in this order, like chapters. Every statement can be run again: a changed file is.
CHAPTERS = (
    "roles",
    "schemas",
    "default_privileges",
    "extensions",
    "auth_users",
    "auth_sessions",
    "auth_providers",
    "auth_functions",
    "storage",
    "storage_functions",
    "realtime",
    "realtime_changes",
    "vault",
    "webhooks",
    "schema_reload",
    "guard",
)


def install(url: str) -> None:
    """Bring the database at `url` (as supabase_admin) to the state of a fresh project.

    Files already installed as they stand are skipped, so a second call takes milliseconds.
    """
    with database.connect(url, autocommit=True, name="nlctl platform") as connection:
        connection.execute("select pg_advisory_lock(hashtext('nlctl platform'))")
        # An upgrade says "already exists" a hundred times; nobody needs to hear it.
        connection.execute("set client_min_messages = warning")
        connection.execute("set search_path = ''")
        installed = _installed(connection)
        for chapter in CHAPTERS:
            file = FOLDER / f"{chapter}.sql"
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            if installed.get(file.name) != digest:
                _install_file(connection, file, digest)
        settle(connection)


def settle(connection: psycopg.Connection) -> None:
    """Give a database what `create database … template …` does not copy, and today's partitions."""
    database.run_script(connection, (FOLDER / "database.sql").read_text(encoding="utf-8"))


def _installed(connection: psycopg.Connection) -> dict[str, str]:
    database.run_script(
        connection,
        """
        create schema if not exists _platform;
        create table if not exists _platform.files (
          file text primary key,
          sha256 text not null,
          installed_at timestamptz not null default now()
        );
        """,
    )
    return dict(connection.execute("select file, sha256 from _platform.files").fetchall())


def _install_file(connection: psycopg.Connection, file: Path, digest: str) -> None:
    with connection.transaction():
        database.run_script(connection, file.read_text(encoding="utf-8"))
        connection.execute(
            """
            insert into _platform.files (file, sha256) values (%s, %s)
            on conflict (file) do update
              set sha256 = excluded.sha256, installed_at = excluded.installed_at
            """,
            (file.name, digest),
        )
