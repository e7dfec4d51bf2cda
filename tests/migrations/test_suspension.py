"""A token outlives the right to use it: the suspended and the gone read and write nothing.

Both walk the catalogue, so a new table or RPC is asked without anybody thinking of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.callers import Refused

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

PUBLIC = {"get_active_theme_tokens"}
REFUSED = (Refused, psycopg.Error)
TABLES = """
select c.oid::regclass::text as name,
  has_table_privilege('authenticated', c.oid, 'delete') as deletable,
  (
    select a.attname from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0
      and has_column_privilege('authenticated', c.oid, a.attnum, 'update')
    limit 1
  ) as updatable
from pg_class c
where c.relnamespace = any (%s::regnamespace[]) and c.relkind in ('r', 'p', 'v', 'm')
  and has_any_column_privilege('authenticated', c.oid, 'select')
order by 1
"""
FUNCTIONS = """
select p.proname as name,
  format('%%I.%%I(%%s)', n.nspname, p.proname, (
    select string_agg(format('null::%%s', format_type(type, null)), ', ' order by position)
    from unnest(p.proargtypes) with ordinality as argument (type, position)
  )) as call
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.oid = any (%s::regnamespace[]) and p.prorettype <> 'trigger'::regtype
  and has_function_privilege('authenticated', p.oid, 'execute')
order by 1
"""
EXPOSED = ["public", "shared", "bo"]
KINDS = ["owner", "admin", "prof", "client"]


@pytest.fixture(params=["suspended", "gone"])
def outsider(request: pytest.FixtureRequest, database: Database, person: MakePerson) -> Person:
    """An owner with a valid token who was suspended, or whose account was deleted."""
    person("owner")
    person("client")
    outsider = person("owner")
    outsider.rpc("log_action", p_action="session.started")
    outsider.rpc("update_dashboard_layout", p_layout=[], p_expected_version=0)
    if request.param == "gone":
        database.run("delete from auth.users where id = %s", [outsider.id])
    else:
        database.run("update public.profiles set status = 'suspended' where id = %s", [outsider.id])
    return outsider


def exposed(database: Database) -> list[str]:
    rows = database.run("select nspname from pg_namespace where nspname = any (%s)", [EXPOSED])
    return [row[0] for row in rows]


def tables(database: Database) -> list[Any]:
    return database.run(TABLES, [exposed(database)])


def functions(database: Database) -> list[tuple[str, str]]:
    found = database.run(FUNCTIONS, [exposed(database)])
    return [(name, call) for name, call in found if name not in PUBLIC]


def attempt(person: Person, statement: str) -> list[dict[str, Any]]:
    """What the statement gives this person; nothing if it is refused."""
    try:
        return person.run(statement)
    except REFUSED:
        return []


def test_an_outsider_reads_no_row_of_any_table(database: Database, outsider: Person) -> None:
    names = [name for name, _, _ in tables(database)]
    readable = [name for name in names if attempt(outsider, f"select '{name}' from {name}")]
    assert len(names) > 8
    assert readable == []


def test_an_owner_in_good_standing_reads_rows_of_most(
    database: Database, person: MakePerson
) -> None:
    """The walk above can fail."""
    owner = person("owner")
    names = [name for name, _, _ in tables(database)]
    readable = [name for name in names if attempt(owner, f"select '{name}' from {name}")]
    assert len(readable) > 6


def test_an_outsider_changes_no_row_of_any_table(database: Database, outsider: Person) -> None:
    changed = []
    for name, deletable, column in tables(database):
        if column and attempt(outsider, f"update {name} set {column} = {column} returning 1"):
            changed.append(name)
        before = database.run(f"select count(*) from {name}")
        if deletable:
            attempt(outsider, f"delete from {name} where true")
        if database.run(f"select count(*) from {name}") != before:
            changed.append(name)
    assert changed == []


def test_an_outsider_marks_no_theme_deleted(database: Database, outsider: Person) -> None:
    outsider.run("delete from public.themes where not is_default")
    assert database.run("select id from public.themes where deleted_at is not null") == []


def test_an_outsider_adds_no_theme(outsider: Person) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        outsider.run(
            "insert into public.themes (name, tokens) values ('Eve', %s)",
            ['{"colors": {"a": "0 0% 0%"}}'],
        )


def test_every_function_refuses_an_outsider(database: Database, outsider: Person) -> None:
    answers: dict[str, Any] = {}
    for name, call in functions(database):
        try:
            [row] = outsider.run(f"select {call} as answer")
        except Refused as refusal:
            answers[name] = refusal.code
        else:
            answers[name] = row["answer"]

    status = database.run("select status from public.profiles where id = %s", [outsider.id])
    expected = "FORBIDDEN" if status else "NOT_AUTHENTICATED"
    assert answers.pop("is_admin_or_owner") is False
    assert set(answers.values()) == {expected}
    assert len(answers) > 8


def test_an_outsider_learns_nothing_about_others(outsider: Person, person: MakePerson) -> None:
    someone = person("owner")
    answer = outsider.run("select public.is_admin_or_owner(%s) as is_staff", [someone.id])
    assert answer == [{"is_staff": False}]


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_suspended_is_told_so(person: MakePerson, kind: str) -> None:
    with pytest.raises(Refused) as refusal:
        person(kind, status="suspended").rpc("get_session_context")
    assert (refusal.value.status, refusal.value.message) == (403, "Ton compte est suspendu.")


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_invited_may_begin(person: MakePerson, kind: str) -> None:
    assert person(kind, status="invited").rpc("get_session_context")["permissions"]


def test_a_forged_claim_makes_nobody_an_owner(database: Database, person: MakePerson) -> None:
    """Roles come from profiles: whatever else a token says, only its subject counts."""
    ada = person()
    claims = {**ada.caller.claims, "user_type_id": "owner", "app_metadata": {"role": "owner"}}
    eve = replace(ada, caller=replace(ada.caller, claims=claims))
    with pytest.raises(Refused) as refusal:
        eve.rpc("list_users")
    assert refusal.value.code == "FORBIDDEN"


def test_a_session_without_a_person_reads_nothing(database: Database, person: MakePerson) -> None:
    ada = person("owner")
    nobody = replace(ada, caller=replace(ada.caller, claims={}))
    for name, _, _ in tables(database):
        assert attempt(nobody, f"select 1 from {name}") == []
