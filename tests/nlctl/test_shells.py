"""psql opens on a target, as anybody, and shows its password to nobody."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from nlctl import shells
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.shells import Shell
    from tests.databases import Database


def run(shell: Shell) -> subprocess.CompletedProcess[str]:
    """What psql says."""
    return subprocess.run(
        [shell.program, *shell.arguments],
        env={**os.environ, **shell.environment},
        capture_output=True,
        encoding="utf-8",
    )


def test_psql_speaks_as_whoever_was_asked_for(empty_database: Database) -> None:
    ask = "select current_user, auth.jwt() ->> 'role', current_setting('statement_timeout')"

    shell = shells.prepare(empty_database.url, ["-XAtc", ask], who="anon")

    assert run(shell).stdout == "anon|anon|3s\n"


def test_psql_reads_only_until_told_otherwise(empty_database: Database) -> None:
    create = ["-XAtc", "create table public.t (i int)"]

    refused = run(shells.prepare(empty_database.url, create, read_only=True))
    allowed = run(shells.prepare(empty_database.url, create))

    assert "read-only transaction" in refused.stderr
    assert allowed.stdout == "CREATE TABLE\n"


def test_psql_keeps_the_options_of_a_url(empty_database: Database) -> None:
    url = f"{empty_database.url}?options=-c%20work_mem%3D1MB"

    shell = shells.prepare(url, ["-XAtc", "show work_mem; show role"], who="service_role")

    assert run(shell).stdout == "1MB\nservice_role\n"


def test_a_password_is_not_among_the_arguments(empty_database: Database) -> None:
    shell = shells.prepare(empty_database.url, ["-X"])

    assert shell.arguments == ("-X",)
    assert shell.environment["PGPASSWORD"] == "postgres"


def test_machines_are_told_what_would_start(empty_database: Database, tmp_path: Path) -> None:
    terminal = terminals.open_in(tmp_path, empty_database.url)

    answer = terminal.type("db", "psql", "--json", "--", "-X")

    assert answer.document["arguments"] == ["-X"]
    assert answer.document["environment"]["PGDATABASE"] == empty_database.name
    assert "PGPASSWORD" not in answer.document["environment"]
