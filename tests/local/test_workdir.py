"""Any Supabase project is served from its folder: its settings, migrations and seed.sql."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import psycopg
import pytest

from nlctl.local import keys
from tests import databases, families
from tests.local.asking import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """
project_id = "todo-list"
[api]
port = 54321
schemas = ["public", "api"]
max_rows = 2
[db]
port = 54322
[local_smtp]
port = 54324
smtp_port = 54325
[db.seed]
sql_paths = ["./seed.sql", "./seeds/*.sql"]
[auth]
site_url = "http://127.0.0.1:3000"
jwt_secret = "env(TODO_JWT_SECRET)"
"""
SECRET = "a-secret-of-this-project-with-at-least-32-characters"
MIGRATION = """
begin;
create extension if not exists "pg_net" with schema "extensions";
create table public.todos (
  id bigint generated always as identity primary key,
  owner_id uuid default auth.uid() references auth.users (id),
  title text not null
);
alter table public.todos enable row level security;
create policy todos_all_own on public.todos for all to authenticated
  using ((select auth.uid()) = owner_id);
grant select, insert, update, delete on public.todos to authenticated, service_role;
create extension if not exists pgcrypto with schema extensions;
create schema api;
grant usage on schema api to anon;
create function api.greet(name text) returns text language sql as $$ select 'Hello ' || name $$;
create function api.has_pgcrypto() returns boolean language sql
  as $$ select extensions.crypt('x', extensions.gen_salt('bf', 4)) like '$2a$04$%' $$;
commit;
"""


@dataclass(frozen=True)
class Folder:
    """A project that knows nothing of nlctl; `config` is its config.toml as it was."""

    root: Path
    config: str

    def nlctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run nlctl from elsewhere, with --workdir."""
        return subprocess.run(
            [sys.executable, "-m", "nlctl", *arguments, "--workdir", str(self.root)],
            env={**os.environ, "TODO_JWT_SECRET": SECRET},
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
        )

    def answer(self, *arguments: str) -> Any:
        """The JSON document of a command that must succeed."""
        done = self.nlctl(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder() -> Iterator[Folder]:
    """A project folder as `supabase init` and a few commands leave it."""
    parent = databases.scratch_folder()
    supabase = parent / "todo" / "supabase"
    (supabase / "migrations").mkdir(parents=True)
    (supabase / "seeds").mkdir()
    config = families.move(CONFIG, families.take())
    (supabase / "config.toml").write_text(config)
    (supabase / "migrations" / "20260101000000_todos.sql").write_text(MIGRATION)
    (supabase / "migrations" / "20251231000000_later.sql").write_text("-- Not written yet.\n")
    (supabase / "seed.sql").write_text("insert into public.todos (title) values ('one'), ('two');")
    (supabase / "seeds" / "more.sql").write_text(
        "insert into public.todos (title) values ('three');"
    )
    (supabase / "roles.sql").write_text("alter role anon set statement_timeout = '7s';")
    (parent / "todo" / "seeds").mkdir()
    (parent / "todo" / "seeds" / "tomatoes.yaml").write_text("not: for nlctl")
    made = Folder(parent / "todo", config)
    yield made
    made.nlctl("down")
    shutil.rmtree(parent)


@pytest.fixture(scope="module")
def told(folder: Folder) -> dict[str, Any]:
    """What its stack told when it was up."""
    answer: dict[str, Any] = folder.answer("up")
    return answer


def test_the_project_is_called_by_its_own_name(told: dict[str, Any]) -> None:
    assert (told["project"], told["healthy"]) == ("todo-list", True)


def test_its_rows_come_from_its_seed_files(told: dict[str, Any]) -> None:
    answer = httpx.get(
        f"{told['api_url']}/rest/v1/todos?select=title&owner_id=is.null&order=id",
        headers={"apikey": told["secret_key"], "prefer": "count=exact"},
    )

    assert answer.headers["content-range"] == "0-1/3"
    assert answer.json() == [{"title": "one"}, {"title": "two"}]


def test_a_migration_may_be_empty_as_for_the_cli(told: dict[str, Any]) -> None:
    with psycopg.connect(told["database_url"]) as database:
        found = database.execute(
            "select name from supabase_migrations.schema_migrations where statements = '{}'"
        ).fetchall()
    assert found == [("later",)]


def test_its_roles_are_as_it_wants_them(told: dict[str, Any]) -> None:
    with psycopg.connect(told["database_url"]) as connection:
        found = connection.execute("select rolconfig from pg_roles where rolname = 'anon'")

        assert "statement_timeout=7s" in str(found.fetchone())


def test_its_keys_are_made_with_its_own_secret(told: dict[str, Any]) -> None:
    assert told["jwt_secret"] == SECRET
    assert jwt.decode(told["anon_key"], SECRET, ["HS256"])["role"] == "anon"
    refused = httpx.get(
        f"{told['api_url']}/rest/v1/todos", headers={"apikey": keys.legacy_key("service_role")}
    )
    assert refused.status_code == 401


def test_people_sign_up_and_in_at_once_where_nothing_is_confirmed(told: dict[str, Any]) -> None:
    key = {"apikey": told["publishable_key"]}
    signed_up = httpx.post(
        f"{told['api_url']}/auth/v1/signup",
        headers=key,
        json={"email": "ada@example.test", "password": "secret"},
    ).json()

    claims = jwt.decode(signed_up["access_token"], SECRET, ["HS256"], audience="authenticated")
    assert claims["email"] == "ada@example.test"
    added = httpx.post(
        f"{told['api_url']}/rest/v1/todos",
        headers={
            **key,
            "authorization": f"Bearer {signed_up['access_token']}",
            "prefer": "return=representation",
        },
        json={"title": "hers"},
    )
    assert added.json()[0]["owner_id"] == claims["sub"]


def test_no_key_is_published_where_the_secret_signs(told: dict[str, Any]) -> None:
    published = httpx.get(f"{told['api_url']}/auth/v1/.well-known/jwks.json")

    assert published.json() == {"keys": []}


def test_its_own_schemas_are_served(told: dict[str, Any]) -> None:
    def call(function: str) -> object:
        url = f"{told['api_url']}/rest/v1/rpc/{function}"
        return httpx.get(url, headers={"accept-profile": "api"}).json()

    assert (call("greet?name=Ada"), call("has_pgcrypto")) == ("Hello Ada", True)


def test_a_second_up_seeds_nothing_again(folder: Folder, told: dict[str, Any]) -> None:
    folder.answer("up")

    test_its_rows_come_from_its_seed_files(told)


def test_a_new_migration_reaches_the_api(folder: Folder, told: dict[str, Any]) -> None:
    (folder.root / "supabase/migrations/20260101000001_notes.sql").write_text(
        "create table public.notes (id int primary key); grant select on public.notes to anon;"
    )

    assert not json.loads(folder.nlctl("status", "--json").stdout)["healthy"]
    folder.answer("up")
    assert eventually(lambda: httpx.get(f"{told['api_url']}/rest/v1/notes").json() == [])


def test_tables_are_open_or_closed_as_config_toml_says(
    folder: Folder, told: dict[str, Any]
) -> None:
    config = folder.root / "supabase" / "config.toml"

    def status_of_a_new_table(name: str) -> int:
        with psycopg.connect(told["database_url"]) as connection:
            connection.execute(f"create table public.{name} (id int)".encode())
        url = f"{told['api_url']}/rest/v1/{name}"
        assert eventually(lambda: httpx.get(url).status_code != 404)
        return httpx.get(url).status_code

    before = status_of_a_new_table("open_by_default")
    config.write_text(folder.config.replace("[api]", "[api]\nauto_expose_new_tables = false"))
    folder.answer("up")
    after = status_of_a_new_table("closed")
    config.write_text(folder.config)
    folder.answer("up")

    assert (before, after) == (200, 401)


def test_ddl_reaches_the_api_by_itself(folder: Folder, told: dict[str, Any]) -> None:
    with psycopg.connect(told["database_url"]) as connection:
        connection.execute("create table public.later (id int); grant select on later to anon")

    assert eventually(lambda: httpx.get(f"{told['api_url']}/rest/v1/later").status_code == 200)


def test_status_speaks_to_shells_as_the_cli_does(folder: Folder, told: dict[str, Any]) -> None:
    said = folder.nlctl("status", "-o", "env").stdout

    lines = dict(line.split("=", 1) for line in said.splitlines())
    assert lines["API_URL"] == f'"{told["api_url"]}"'
    assert lines["ANON_KEY"] == f'"{told["anon_key"]}"'
    assert {"DB_URL", "JWT_SECRET", "SERVICE_ROLE_KEY", "INBUCKET_URL"} <= set(lines)


def test_what_the_stack_keeps_stays_out_of_git(folder: Folder, told: dict[str, Any]) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder.root, check=True)
    listing = ["git", "status", "--porcelain", "--untracked-files=all"]
    said = subprocess.run(listing, cwd=folder.root, check=True, capture_output=True, text=True)

    assert ".nlctl" not in said.stdout
    assert "supabase/config.toml" in said.stdout


def test_a_reset_starts_again_from_the_files(folder: Folder, told: dict[str, Any]) -> None:
    applied = folder.root / "supabase" / "migrations" / "20260101000000_todos.sql"
    applied.write_text(f"{MIGRATION}comment on table public.todos is 'Edited since.';")

    refused = folder.nlctl("up")
    assert refused.returncode == 4
    assert "or, where nothing is lost by it: nlctl reset" in refused.stderr
    folder.answer("reset")

    test_its_rows_come_from_its_seed_files(told)


def test_a_folder_without_a_project_is_named(tmp_path: Path) -> None:
    done = Folder(tmp_path, "").nlctl("up")

    assert done.returncode == 2
    assert f"error: No project in {tmp_path.resolve()}" in done.stderr


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text('[api]\nport = "many"\n')

    done = Folder(tmp_path, "").nlctl("up")

    assert done.returncode == 2
    assert "api.port in supabase/config.toml must be a whole number" in done.stderr
