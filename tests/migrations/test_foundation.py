"""Default privileges, refusals, instants and soft deletion."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from nlctl.database import API_ROLES

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

OLD_PROJECT = """
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on functions to anon, authenticated, service_role;
create table public.before (id serial primary key);
create function public.before() returns int language sql return 1;
"""
NEW_OBJECTS = """
create table public.after (id serial primary key);
create function public.after() returns int language sql return 1;
create type public.after_kind as enum ('a');
"""
NOTES = """
create table public.notes (
  id uuid primary key default gen_random_uuid(),
  parent_id uuid references public.notes (id) on delete cascade,
  author_id uuid references auth.users (id) on delete cascade,
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create trigger notes_soft_delete before delete on public.notes
  for each row execute function app.soft_delete();
create trigger notes_set_updated_at before update on public.notes
  for each row execute function app.set_updated_at();
alter table public.notes enable row level security;
create policy notes_select_own on public.notes for select to authenticated
  using (deleted_at is null and author_id = (select app.current_user_id()));
create policy notes_delete_own on public.notes for delete to authenticated
  using (deleted_at is null and author_id = (select app.current_user_id()));
grant select, delete on public.notes to authenticated;
"""


@pytest.fixture
def old_database(empty_database: Database, project: Project) -> Database:
    """A project from before the platform stopped handing out rights, now with our migrations."""
    from nlctl.migrations import runner

    empty_database.run(OLD_PROJECT)
    name = project.default_name
    runner.up(empty_database.url, project.migrations(name), name)
    empty_database.run(NEW_OBJECTS)
    return empty_database


@pytest.fixture
def notes(database: Database) -> Database:
    """The product with a table that people delete from."""
    database.run(NOTES)
    return database


@pytest.mark.parametrize("role", API_ROLES)
@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize(
    "question",
    [
        "has_table_privilege(%(role)s, 'public.{}', 'select')",
        "has_table_privilege(%(role)s, 'public.{}', 'truncate')",
        "has_sequence_privilege(%(role)s, 'public.{}_id_seq', 'usage')",
        "has_function_privilege(%(role)s, 'public.{}()', 'execute')",
    ],
)
def test_nobody_keeps_a_right_that_an_old_project_gave(
    old_database: Database, role: str, name: str, question: str
) -> None:
    [(held,)] = old_database.run(f"select {question.format(name)}", {"role": role})
    assert held is False


@pytest.mark.parametrize("role", API_ROLES)
def test_nobody_builds_on_a_new_type(old_database: Database, role: str) -> None:
    [(may,)] = old_database.run(
        "select has_type_privilege(%s, 'public.after_kind', 'usage')", [role]
    )
    assert may is False


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NOT_AUTHENTICATED", 401),
        ("FORBIDDEN", 403),
        ("NOT_FOUND", 404),
        ("CONFLICT", 409),
        ("INVALID", 422),
        ("QUOTA_EXCEEDED", 429),
    ],
)
def test_a_refusal_carries_its_code_and_status(database: Database, code: str, status: int) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        database.run("select app.refuse(%s, 'Non, désolé.', 'name', 'Essaie encore.')", [code])

    assert refusal.value.sqlstate == "PGRST"
    assert json.loads(refusal.value.diag.message_primary or "") == {
        "code": code,
        "message": "Non, désolé.",
        "details": "name",
        "hint": "Essaie encore.",
    }
    assert json.loads(refusal.value.diag.message_detail or "") == {"status": status, "headers": {}}


def test_an_unknown_code_is_a_fault_of_the_program(database: Database) -> None:
    with pytest.raises(psycopg.errors.AssertFailure, match="OOPS"):
        database.run("select app.refuse('OOPS', 'Non.')")


def test_two_changes_of_a_row_never_share_an_instant(notes: Database) -> None:
    change = "update public.notes set author_id = null returning updated_at"
    with notes.connect() as connection:
        connection.execute("insert into public.notes default values")
        instants = [row[0] for _ in range(200) for row in connection.execute(change)]
    assert len(set(instants)) == 200
    assert instants == sorted(instants)


def test_a_change_is_later_than_a_clock_that_ran_ahead(notes: Database) -> None:
    [(ahead,)] = notes.run(
        "insert into public.notes (updated_at) values (now() + interval '1 hour') "
        "returning updated_at"
    )
    [(later,)] = notes.run("update public.notes set author_id = null returning updated_at")
    assert later - ahead == timedelta(microseconds=1)


def add_note(database: Database, author: str | None = None, parent: Any = None) -> Any:
    [(note,)] = database.run(
        "insert into public.notes (author_id, parent_id) values (%s, %s) returning id",
        [author, parent],
    )
    return note


def count_notes(database: Database) -> int:
    [(count,)] = database.run("select count(*) from public.notes")
    return int(count)


def test_what_somebody_deletes_leaves_his_sight_and_is_kept(
    notes: Database, person: MakePerson
) -> None:
    ada = person()
    add_note(notes, ada.id)

    ada.run("delete from public.notes where true")

    assert ada.run("select * from public.notes") == []
    assert notes.run("select deleted_at is not null from public.notes") == [(True,)]


def test_nobody_deletes_what_the_policies_keep_from_him(
    notes: Database, person: MakePerson
) -> None:
    add_note(notes, person().id)

    person().run("delete from public.notes where true")

    assert notes.run("select deleted_at from public.notes") == [(None,)]


def test_deleting_again_leaves_the_first_date(notes: Database) -> None:
    add_note(notes)
    notes.run("delete from public.notes")
    before = notes.run("select deleted_at from public.notes")
    notes.run("delete from public.notes")
    assert notes.run("select deleted_at from public.notes") == before


def test_a_purge_removes_the_deleted_and_only_them(notes: Database, server: Person) -> None:
    kept, gone = add_note(notes), add_note(notes)
    notes.run("delete from public.notes where id = %s", [gone])

    [purged] = server.run("select app.purge_deleted('public.notes', now()) as count")

    assert purged["count"] == 1
    assert notes.run("select id from public.notes") == [(kept,)]


def test_a_purge_takes_what_hangs_on_the_deleted(notes: Database, server: Person) -> None:
    parent = add_note(notes)
    add_note(notes, parent=parent)
    notes.run("delete from public.notes where id = %s", [parent])

    server.run("select app.purge_deleted('public.notes', now())")

    assert count_notes(notes) == 0


def test_a_parent_that_goes_for_good_leaves_no_orphan(notes: Database, person: MakePerson) -> None:
    ada = person()
    add_note(notes, ada.id)
    notes.run("delete from auth.users where id = %s", [ada.id])
    assert count_notes(notes) == 0


def test_deletions_are_soft_again_after_a_purge(notes: Database) -> None:
    add_note(notes)
    with notes.connect(autocommit=False) as connection, connection.transaction():
        connection.execute("select app.purge_deleted('public.notes', now())")
        connection.execute("delete from public.notes")
    assert count_notes(notes) == 1


def test_what_was_deleted_lately_survives_a_purge(notes: Database, server: Person) -> None:
    add_note(notes)
    notes.run("delete from public.notes")
    server.run("select app.purge_deleted('public.notes', now() - interval '30 days')")
    assert count_notes(notes) == 1


@pytest.mark.parametrize(
    ("table", "before", "field"),
    [
        ("public.notes", None, "before"),
        ("public.notes", datetime(2999, 1, 1), "before"),  # noqa: DTZ001
        ("public.user_types", datetime(2020, 1, 1), "table"),  # noqa: DTZ001
        ("auth.users", datetime(2020, 1, 1), "table"),  # noqa: DTZ001
    ],
)
def test_a_purge_that_cannot_be_is_refused(
    notes: Database, table: str, before: datetime | None, field: str
) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        notes.run("select app.purge_deleted(%s, %s)", [table, before])
    answer = json.loads(refusal.value.diag.message_primary or "")
    assert (answer["code"], answer["details"]) == ("INVALID", field)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_nobody_but_a_server_purges(database: Database, role: str) -> None:
    [(may,)] = database.run(
        "select has_function_privilege(%s, 'app.purge_deleted(regclass, timestamptz)', 'execute')",
        [role],
    )
    assert may is False
