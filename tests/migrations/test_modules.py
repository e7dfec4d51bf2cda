"""What each side can show, and the rules that say to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.callers import Refused
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

STAFF = ["owner", "admin"]
EVERYBODY = ["owner", "admin", "prof", "client"]
REGISTRIES = ["modules_registry", "admin_modules_registry", "admin_dashboard_tabs"]
CLIENT_SEES_ASSISTANT = {"p_component_key": "client_ai_assistant", "p_user_type_id": "client"}


def sees(person: Person) -> set[str]:
    return {module["component_key"] for module in person.rpc("get_session_context")["modules"]}


def rules(database: Database, component: str) -> list[Any]:
    return database.run(
        "select user_type_id, user_id::text, effect from public.component_rules "
        "where component_key = %s order by user_type_id, user_id",
        [component],
    )


# What somebody sees.


def test_a_client_sees_the_assistant_and_his_preferences(person: MakePerson) -> None:
    assert sees(person()) >= {"nav:assistant", "client_ai_assistant", "nav:training_preferences"}


@pytest.mark.parametrize("kind", EVERYBODY)
def test_nobody_sees_both_sides(person: MakePerson, kind: str) -> None:
    of_admins = {"admin_" in key for key in sees(person(kind))}
    assert of_admins == {kind in STAFF}


def test_a_rule_cannot_bring_a_client_to_the_admin_side(
    database: Database, person: MakePerson
) -> None:
    ada = person()
    database.run(
        "insert into public.component_rules (component_key, user_id) values ('admin_audit', %s)",
        [ada.id],
    )
    assert "admin_audit" not in sees(ada)


def test_nobody_sees_what_no_rule_allows(database: Database, person: MakePerson) -> None:
    database.run(
        "insert into public.modules_registry (component_key, label) values ('client_new', 'Neuf')"
    )
    assert "client_new" not in sees(person())


def test_what_is_switched_off_is_hidden_from_everybody(
    database: Database, person: MakePerson
) -> None:
    person("admin").run(
        "update public.modules_registry set is_active = false where component_key = 'nav:assistant'"
    )
    assert "nav:assistant" not in sees(person())


def test_what_stands_in_a_closed_tab_is_hidden(person: MakePerson) -> None:
    admin = person("admin")
    admin.run("update public.admin_dashboard_tabs set is_active = false where tab_key = 'people'")
    assert "admin_users" not in sees(admin)
    assert "admin_live_chat" in sees(admin)


def test_a_persons_own_rule_wins_over_his_types(person: MakePerson) -> None:
    owner, ada, ben = person("owner"), person(), person()
    owner.rpc(
        "set_component_rule",
        p_component_key="client_ai_assistant",
        p_effect="deny",
        p_user_id=ada.id,
    )
    assert "client_ai_assistant" not in sees(ada)
    assert "client_ai_assistant" in sees(ben)

    owner.rpc("set_component_rule", **CLIENT_SEES_ASSISTANT, p_effect="deny")
    owner.rpc(
        "set_component_rule",
        p_component_key="client_ai_assistant",
        p_effect="allow",
        p_user_id=ada.id,
    )
    assert "client_ai_assistant" in sees(ada)
    assert "client_ai_assistant" not in sees(ben)


def test_without_a_rule_of_his_own_a_person_follows_his_type_again(person: MakePerson) -> None:
    admin, ada = person("admin"), person()
    about_ada = {"p_component_key": "client_ai_assistant", "p_user_id": ada.id}
    admin.rpc("set_component_rule", **about_ada, p_effect="deny")
    admin.rpc("set_component_rule", **about_ada, p_effect=None)
    assert "client_ai_assistant" in sees(ada)


# Who writes rules.


@pytest.mark.parametrize("kind", STAFF)
def test_staff_hide_a_component_from_clients(
    database: Database, person: MakePerson, kind: str
) -> None:
    person(kind).rpc("set_component_rule", **CLIENT_SEES_ASSISTANT, p_effect="deny")
    assert rules(database, "client_ai_assistant") == [("client", None, "deny")]


@pytest.mark.parametrize("kind", STAFF)
def test_an_admin_writes_no_rule_about_staff(
    database: Database, person: MakePerson, kind: str
) -> None:
    admin, somebody = person("admin"), person(kind)
    before = rules(database, "admin_users")
    for target in ({"p_user_type_id": kind}, {"p_user_id": somebody.id}):
        with pytest.raises(Refused) as refusal:
            admin.rpc(
                "set_component_rule", p_component_key="admin_users", p_effect="deny", **target
            )
        assert refusal.value.code == "FORBIDDEN"
    assert rules(database, "admin_users") == before


def test_an_owner_writes_rules_about_staff(database: Database, person: MakePerson) -> None:
    person("owner").rpc(
        "set_component_rule",
        p_component_key="admin_users",
        p_effect="deny",
        p_user_type_id="admin",
    )
    assert ("admin", None, "deny") in rules(database, "admin_users")


@pytest.mark.parametrize("kind", ["prof", "client"])
def test_who_is_not_staff_writes_no_rule(person: MakePerson, kind: str) -> None:
    somebody = person(kind)
    with pytest.raises(Refused) as refusal:
        somebody.rpc(
            "set_component_rule",
            p_component_key="client_ai_assistant",
            p_effect="allow",
            p_user_id=somebody.id,
        )
    assert refusal.value.code == "FORBIDDEN"


def test_a_visitor_writes_no_rule(visitor: Person) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        visitor.rpc("set_component_rule", **CLIENT_SEES_ASSISTANT, p_effect="deny")


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"p_effect": "maybe"}, "INVALID", "effect"),
        ({"p_effect": None}, "INVALID", "effect"),
        ({"p_user_type_id": None}, "INVALID", "user_type_id"),
        ({"p_user_type_id": "guest"}, "INVALID", "user_type_id"),
        ({"p_user_id": str(uuid4())}, "INVALID", "user_type_id"),
        ({"p_user_type_id": None, "p_user_id": str(uuid4())}, "NOT_FOUND", None),
        ({"p_component_key": "client_nothing"}, "NOT_FOUND", "component_key"),
        ({"p_component_key": None}, "NOT_FOUND", "component_key"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    person: MakePerson, changed: dict[str, Any], code: str, field: str | None
) -> None:
    arguments = {**CLIENT_SEES_ASSISTANT, "p_effect": "deny", **changed}
    with pytest.raises(Refused) as refusal:
        person("owner").rpc("set_component_rule", **arguments)
    assert (refusal.value.code, refusal.value.details) == (code, field)


def test_two_rules_at_once_about_one_type_leave_one(database: Database, person: MakePerson) -> None:
    first, second = person("admin"), person("owner")
    database.run("delete from public.component_rules where component_key = 'client_ai_assistant'")
    with transaction_of(first) as connection:
        connection.execute(
            "select public.set_component_rule('client_ai_assistant', 'allow', 'client')"
        )
        with in_background(
            lambda: second.rpc("set_component_rule", **CLIENT_SEES_ASSISTANT, p_effect="deny")
        ) as answer:
            wait_until_somebody_waits(database)
            connection.commit()
            answer.result()
    assert rules(database, "client_ai_assistant") == [("client", None, "deny")]


@pytest.mark.parametrize(
    "people", ["null, null", "'client', (select id from public.profiles limit 1)"]
)
def test_a_rule_is_about_a_type_or_a_person(
    database: Database, person: MakePerson, people: str
) -> None:
    person()
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run(
            "insert into public.component_rules (component_key, user_type_id, user_id) "
            f"values ('x', {people})"
        )


def test_a_rule_about_a_person_leaves_with_him(database: Database, person: MakePerson) -> None:
    ada = person()
    database.run(
        "insert into public.component_rules (component_key, user_id) values ('x', %s)", [ada.id]
    )
    database.run("delete from auth.users where id = %s", [ada.id])
    assert rules(database, "x") == []


# Who reads and writes the tables.


def test_a_client_reads_the_rules_about_himself_only(
    database: Database, person: MakePerson
) -> None:
    ada, ben = person(), person()
    database.run(
        "insert into public.component_rules (component_key, user_id) values ('x', %s), ('x', %s)",
        [ada.id, ben.id],
    )
    rows = ada.run("select distinct user_type_id, user_id::text from public.component_rules")
    assert {(row["user_type_id"], row["user_id"]) for row in rows} == {
        ("client", None),
        (None, ada.id),
    }


@pytest.mark.parametrize("kind", STAFF)
def test_staff_read_every_rule(database: Database, person: MakePerson, kind: str) -> None:
    [(count,)] = database.run("select count(*) from public.component_rules")
    assert len(person(kind).run("select id from public.component_rules")) == count > 0


@pytest.mark.parametrize("kind", EVERYBODY)
def test_only_staff_read_the_admin_registries(person: MakePerson, kind: str) -> None:
    somebody = person(kind)
    assert len(somebody.run("select component_key from public.modules_registry")) > 0
    for table in ("admin_modules_registry", "admin_dashboard_tabs"):
        assert bool(somebody.run(f"select label from public.{table}")) is (kind in STAFF)


@pytest.mark.parametrize("table", [*REGISTRIES, "component_rules"])
def test_a_visitor_reads_nothing_of_it(visitor: Person, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        visitor.run(f"select * from public.{table}")


@pytest.mark.parametrize("table", REGISTRIES)
@pytest.mark.parametrize("kind", EVERYBODY)
def test_only_staff_arrange_what_there_is(
    database: Database, person: MakePerson, kind: str, table: str
) -> None:
    person(kind).run(f"update public.{table} set position = 7, is_active = false where true")
    arranged = database.run(f"select bool_and(position = 7 and not is_active) from public.{table}")
    assert arranged == [(kind in STAFF,)]


@pytest.mark.parametrize("table", REGISTRIES)
@pytest.mark.parametrize("act", ["update public.{} set label = 'x'", "delete from public.{}"])
def test_not_even_an_owner_renames_or_removes_what_the_frontend_knows(
    person: MakePerson, table: str, act: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        person("owner").run(f"{act.format(table)} where true")


def test_rules_are_written_through_the_function_only(person: MakePerson) -> None:
    for act in (
        "insert into public.component_rules (component_key, user_type_id) values ('x', 'client')",
        "update public.component_rules set effect = 'allow' where true",
        "delete from public.component_rules where true",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person("owner").run(act)


@pytest.mark.parametrize(
    ("table", "key", "kind"),
    [
        ("modules_registry", "admin_x", "module"),
        ("modules_registry", "nav:admin_x", "nav"),
        ("modules_registry", "nav:x", "module"),
        ("modules_registry", "x", "nav"),
        ("modules_registry", "X", "module"),
        ("modules_registry", "x", "widget"),
        ("admin_modules_registry", "client_x", "module"),
        ("admin_modules_registry", "nav:x", "nav"),
        ("admin_modules_registry", "nav:admin_x", "module"),
    ],
)
def test_a_key_says_its_side_and_kind(database: Database, table: str, key: str, kind: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run(
            f"insert into public.{table} (component_key, kind, label) values (%s, %s, 'X')",
            [key, kind],
        )


@pytest.mark.parametrize(
    ("box", "fits"),
    [
        ({"x": 0, "y": 0, "w": 12, "h": 1}, True),
        ({"x": 11, "y": 999, "w": 1, "h": 99}, True),
        ({"x": 6, "y": 0, "w": 7, "h": 1}, False),
        ({"x": -1, "y": 0, "w": 1, "h": 1}, False),
        ({"x": 0.5, "y": 0, "w": 1, "h": 1}, False),
        ({"x": "0", "y": 0, "w": 1, "h": 1}, False),
        ({"x": 0, "y": 0, "w": 0, "h": 1}, False),
        ({"x": 0, "y": 0, "w": 1, "h": 0}, False),
        ({"x": 0, "y": 0, "w": 1, "h": 100}, False),
        ({"x": 0, "y": 1000, "w": 1, "h": 1}, False),
        ({"x": 0, "y": 0, "w": 1}, False),
        ({"x": 0, "y": 0, "w": 1, "h": 1, "z": 1}, False),
        ([0, 0, 1, 1], False),
        ("box", False),
        (None, False),
    ],
)
def test_a_box_fits_the_grid_or_not(database: Database, box: Any, fits: bool) -> None:
    assert database.run("select app.is_grid_box(%s)", [Jsonb(box)]) == [(fits,)]
