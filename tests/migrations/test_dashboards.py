"""How each person arranged his dashboard, and what he starts with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.callers import Refused
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

EVERYBODY = ["owner", "admin", "prof", "client"]


def item(component_key: object = "client_kanban", **box: object) -> dict[str, object]:
    return {"component_key": component_key, "x": 0, "y": 0, "w": 4, "h": 2, **box}


def save(person: Person, version: int | None, *items: object) -> Any:
    return person.rpc("update_dashboard_layout", p_layout=list(items), p_expected_version=version)


@pytest.mark.parametrize("kind", EVERYBODY)
def test_a_person_starts_with_the_default_of_his_type(person: MakePerson, kind: str) -> None:
    somebody = person(kind)
    placed = [
        {"component_key": module["component_key"], **module["default_layout"]}
        for module in somebody.rpc("get_session_context")["modules"]
        if module["default_layout"]
    ]
    assert somebody.rpc("get_dashboard_layout") == {
        "layout": placed,
        "version": 0,
        "is_default": True,
    }
    assert len(placed) >= 2


def test_a_person_finds_his_dashboard_as_he_left_it(person: MakePerson) -> None:
    ada = person()
    items = [item("client_tickets", x=4), item("client_kanban", y=9)]
    saved = save(ada, 0, *items)
    assert saved == {"layout": items, "version": 1, "is_default": False}
    assert ada.rpc("get_dashboard_layout") == saved
    assert save(ada, 1, items[0])["version"] == 2


def test_an_empty_dashboard_is_a_choice(person: MakePerson) -> None:
    ada = person()
    save(ada, 0)
    assert ada.rpc("get_dashboard_layout") == {"layout": [], "version": 1, "is_default": False}


def test_what_a_person_may_not_see_any_more_leaves_his_dashboard(
    database: Database, person: MakePerson
) -> None:
    ada = person()
    save(ada, 0, item("client_kanban"), item("client_tickets"), item("client_ai_assistant"))
    database.run("delete from public.component_rules where component_key = 'client_kanban'")
    database.run(
        "update public.modules_registry set is_active = false "
        "where component_key = 'client_tickets'"
    )
    assert ada.rpc("get_dashboard_layout")["layout"] == [item("client_ai_assistant")]


def test_what_a_type_may_not_see_is_not_in_its_default(
    database: Database, person: MakePerson
) -> None:
    database.run("delete from public.component_rules where component_key = 'client_kanban'")
    layout = person().rpc("get_dashboard_layout")["layout"]
    assert "client_kanban" not in [placed["component_key"] for placed in layout]


@pytest.mark.parametrize(
    ("layout", "fault"),
    [
        (None, "layout"),
        ({}, "layout"),
        ("x", "layout"),
        ([item(f"client_{number}") for number in range(101)], "layout"),
        ([item(), "x"], "layout[1]"),
        ([item(), []], "layout[1]"),
        ([item(), None], "layout[1]"),
        ([item(7)], "layout[0]"),
        ([item(None)], "layout[0]"),
        ([{"x": 0, "y": 0, "w": 1, "h": 1}], "layout[0]"),
        ([item(w=13)], "layout[0]"),
        ([item(x=9)], "layout[0]"),
        ([item(h=0)], "layout[0]"),
        ([item(y=1.5)], "layout[0]"),
        ([item(x="0")], "layout[0]"),
        ([item(html="<b>")], "layout[0]"),
        ([item(), item("client_tickets"), item()], "layout[2]"),
    ],
)
def test_a_layout_that_cannot_be_is_refused_where_it_goes_wrong(
    database: Database, person: MakePerson, layout: Any, fault: str
) -> None:
    with pytest.raises(Refused) as refusal:
        person().rpc(
            "update_dashboard_layout",
            p_layout=json.dumps(layout),
            p_expected_version=0,
        )
    assert (refusal.value.code, refusal.value.details) == ("INVALID", fault)
    assert database.run("select user_id from public.dashboard_layouts") == []


@pytest.mark.parametrize("unknown", ["client_nothing", "nav:kanban", "admin_users", "", "a'b\"c"])
def test_an_unknown_component_is_named(person: MakePerson, unknown: str) -> None:
    with pytest.raises(Refused) as refusal:
        save(person(), 0, item(), item(unknown))
    assert (refusal.value.code, refusal.value.status) == ("INVALID", 422)
    assert json.loads(refusal.value.details or "") == {"field": "layout", "unknown": [unknown]}


def test_a_save_says_which_version_it_changes(person: MakePerson) -> None:
    with pytest.raises(Refused) as refusal:
        save(person(), None, item())
    assert (refusal.value.code, refusal.value.details) == ("INVALID", "expected_version")


@pytest.mark.parametrize("stale", [0, 1, 3, -1])
def test_a_stale_save_is_refused_with_the_version_there_is(person: MakePerson, stale: int) -> None:
    ada = person()
    save(ada, 0, item())
    save(ada, 1, item(x=1))
    with pytest.raises(Refused) as refusal:
        save(ada, stale, item(x=2))
    assert (refusal.value.code, refusal.value.status) == ("CONFLICT", 409)
    assert json.loads(refusal.value.details or "") == {"version": 2}
    assert ada.rpc("get_dashboard_layout")["layout"] == [item(x=1)]


def test_a_first_save_cannot_claim_a_version(person: MakePerson) -> None:
    with pytest.raises(Refused) as refusal:
        save(person(), 1, item())
    assert refusal.value.code == "CONFLICT"
    assert json.loads(refusal.value.details or "") == {"version": 0}


@pytest.mark.parametrize("version", [0, 1])
def test_the_second_of_two_saves_from_one_version_is_refused(
    database: Database, person: MakePerson, version: int
) -> None:
    ada = person()
    for done in range(version):
        save(ada, done, item())
    with transaction_of(ada) as connection:
        connection.execute(
            "select public.update_dashboard_layout(%s, %s)", [json.dumps([item(x=1)]), version]
        )
        with in_background(lambda: save(ada, version, item(x=2))) as answer:
            wait_until_somebody_waits(database)
            connection.commit()
            with pytest.raises(Refused) as refusal:
                answer.result()
    assert refusal.value.code == "CONFLICT"
    assert json.loads(refusal.value.details or "") == {"version": version + 1}
    assert ada.rpc("get_dashboard_layout")["layout"] == [item(x=1)]


def test_a_person_goes_back_to_the_default(person: MakePerson) -> None:
    ada = person()
    default = ada.rpc("get_dashboard_layout")["layout"]
    save(ada, 0, item())
    assert ada.rpc("reset_dashboard_layout") == {
        "layout": default,
        "version": 2,
        "is_default": True,
    }


def test_a_tab_that_missed_the_reset_cannot_save_over_it(person: MakePerson) -> None:
    ada = person()
    save(ada, 0, item())
    ada.rpc("reset_dashboard_layout")
    with pytest.raises(Refused) as refusal:
        save(ada, 1, item(x=1))
    assert refusal.value.code == "CONFLICT"
    assert save(ada, 2, item(x=1))["version"] == 3


def test_resetting_what_was_never_arranged_changes_nothing(
    database: Database, person: MakePerson
) -> None:
    assert person().rpc("reset_dashboard_layout")["version"] == 0
    assert database.run("select user_id from public.dashboard_layouts") == []


def test_a_save_while_the_dashboard_is_reset_is_refused(
    database: Database, person: MakePerson
) -> None:
    ada = person()
    save(ada, 0, item())
    with transaction_of(ada) as connection:
        connection.execute("select public.reset_dashboard_layout()")
        with in_background(lambda: save(ada, 1, item(x=1))) as answer:
            wait_until_somebody_waits(database)
            connection.commit()
            with pytest.raises(Refused) as refusal:
                answer.result()
    assert refusal.value.code == "CONFLICT"


def test_people_arrange_their_own(person: MakePerson) -> None:
    ada, ben = person(), person()
    save(ada, 0, item(x=1))
    save(ben, 0, item(x=2))
    assert ada.rpc("get_dashboard_layout")["layout"] == [item(x=1)]


@pytest.mark.parametrize("kind", EVERYBODY)
def test_a_person_reads_his_own_row_and_writes_none(person: MakePerson, kind: str) -> None:
    ada, somebody = person(), person(kind)
    save(ada, 0, item())
    assert len(ada.run("select layout from public.dashboard_layouts")) == 1
    assert somebody.run("select layout from public.dashboard_layouts") == []
    for act in (
        "insert into public.dashboard_layouts (user_id) values (gen_random_uuid())",
        "update public.dashboard_layouts set layout = null where true",
        "delete from public.dashboard_layouts where true",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            somebody.run(act)


@pytest.mark.parametrize(
    "call",
    [
        "public.get_dashboard_layout()",
        "public.update_dashboard_layout('[]', 0)",
        "public.reset_dashboard_layout()",
        "public.get_session_context()",
    ],
)
def test_a_visitor_has_no_dashboard(visitor: Person, call: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        visitor.run(f"select {call}")


def test_a_server_cannot_store_a_broken_layout(person: MakePerson, server: Person) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        server.run(
            "insert into public.dashboard_layouts (user_id, layout) values (%s, '[1]')",
            [person().id],
        )
