"""What every page asks stays one look into an index, however much there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nlctl.database import act_as

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

CROWD = """
insert into public.themes (name, tokens)
select 'Thème ' || n, '{"colors": {"primary": "188 82% 23%"}}' from generate_series(1, 2000) n;
insert into auth.users (id, email)
select gen_random_uuid(), 'p' || n || '@example.test' from generate_series(1, 5000) n;
insert into public.component_rules (component_key, user_id)
select 'client_kanban', id from public.profiles;
insert into public.dashboard_layouts (user_id, layout) select id, '[]' from public.profiles;
insert into public.action_logs (actor_id, action) select id, 'a.b' from public.profiles;
insert into public.audit_logs (table_name, action, record_id, user_id)
select 'profiles', 'UPDATE', id::text, id from public.profiles;
analyze;
"""


@pytest.fixture
def crowded(database: Database) -> Database:
    """The product with many of everything."""
    with database.connect() as connection:
        connection.execute(CROWD)
    return database


def nodes(plan: Any) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def plan_of(database: Database, query: str, person: Person | None = None) -> list[dict[str, Any]]:
    with database.connect(autocommit=False) as connection:
        if person:
            act_as(connection, person.caller)
        row = connection.execute(f"explain (format json) {query}".encode()).fetchone()
    assert row is not None
    return list(nodes(row[0][0]["Plan"]))


def indexes_used(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in plan if "Index Name" in node}


def tables_scanned(plan: list[dict[str, Any]]) -> list[str]:
    return [node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"]


def body_of(database: Database, function: str) -> str:
    [(body,)] = database.run("select prosrc from pg_proc where oid = %s::regproc", [function])
    return str(body)


def test_the_active_tokens_are_one_look_into_an_index(crowded: Database) -> None:
    plan = plan_of(crowded, body_of(crowded, "public.get_active_theme_tokens"))
    assert [node["Node Type"] for node in plan] == ["Index Scan"]
    assert indexes_used(plan) == {"themes_one_default"}


@pytest.mark.parametrize("function", ["app.current_user_id", "app.current_user_type"])
def test_who_calls_is_one_look_into_an_index(crowded: Database, function: str) -> None:
    plan = plan_of(crowded, body_of(crowded, function))
    assert indexes_used(plan) == {"profiles_pkey"}
    assert tables_scanned(plan) == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("select * from public.profiles where id = '{id}'", "profiles_pkey"),
        ("select * from public.dashboard_layouts", "dashboard_layouts_pkey"),
    ],
)
def test_ones_own_row_is_found_by_its_index(
    crowded: Database, person: MakePerson, query: str, index: str
) -> None:
    ada = person()
    plan = plan_of(crowded, query.format(id=ada.id), ada)
    assert index in indexes_used(plan)
    assert tables_scanned(plan) == []


def test_the_rules_about_a_person_are_found_by_their_indexes(
    crowded: Database, person: MakePerson
) -> None:
    query = body_of(crowded, "app.visible_components").strip().removesuffix(";")
    plan = plan_of(crowded, query)
    assert indexes_used(plan) >= {
        "component_rules_one_per_user",
        "component_rules_one_per_type",
    }
    assert "component_rules" not in tables_scanned(plan)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("select * from public.audit_logs where user_id = '{id}'", "audit_logs_user_id_idx"),
        (
            "select * from public.audit_logs where table_name = 'profiles' and record_id = '{id}'",
            "audit_logs_record_idx",
        ),
        ("delete from public.audit_logs where created_at < '2020-01-01'", "created_at_idx"),
        ("select * from public.action_logs where actor_id = '{id}'", "action_logs_actor_id_idx"),
        (
            "select * from public.profiles order by created_at desc, id desc limit 50",
            "profiles_newest_idx",
        ),
    ],
)
def test_staff_lists_are_found_by_their_index(
    crowded: Database, person: MakePerson, query: str, index: str
) -> None:
    plan = plan_of(crowded, query.format(id=person().id))
    assert any(used.endswith(index) for used in indexes_used(plan))
    assert tables_scanned(plan) == []
