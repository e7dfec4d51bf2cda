"""Types and statuses of people, and who decides about whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.callers import Refused, anonymous
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits
from tests.migrations.identity.accounts import (
    EVERYBODY,
    STAFF,
)

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database


def test_everybody_reads_the_types(member: MakePerson) -> None:
    labels = {row["id"]: row["label"] for row in member().run("select * from public.user_types")}
    assert labels["owner"] == "Propriétaire"
    assert set(labels) == set(EVERYBODY)


def test_the_retired_guest_is_no_type(school: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        school.run("insert into public.user_types (id, label) values ('guest', 'Invité')")


def test_an_admin_moves_people_between_client_and_prof(member: MakePerson) -> None:
    admin, ben = member("admin"), member()
    changed = admin.rpc("set_user_type", p_user_id=ben.id, p_user_type_id="prof")
    assert changed["user_type_id"] == "prof"


@pytest.mark.parametrize("kind", STAFF)
def test_an_admin_makes_no_staff(member: MakePerson, kind: str) -> None:
    admin, ben = member("admin"), member()
    with pytest.raises(Refused) as refusal:
        admin.rpc("set_user_type", p_user_id=ben.id, p_user_type_id=kind)
    assert refusal.value.code == "FORBIDDEN"


@pytest.mark.parametrize("kind", STAFF)
def test_an_owner_makes_staff(member: MakePerson, kind: str) -> None:
    owner, ben = member("owner"), member()
    changed = owner.rpc("set_user_type", p_user_id=ben.id, p_user_type_id=kind)
    assert changed["user_type_id"] == kind


@pytest.mark.parametrize("touched", STAFF)
@pytest.mark.parametrize(
    ("function", "argument"),
    [("set_user_type", {"p_user_type_id": "client"}), ("set_user_status", {"p_status": "active"})],
)
def test_an_admin_touches_no_staff(
    member: MakePerson, touched: str, function: str, argument: dict[str, str]
) -> None:
    member("owner")
    somebody = member(touched)
    with pytest.raises(Refused) as refusal:
        member("admin").rpc(function, p_user_id=somebody.id, **argument)
    assert refusal.value.code == "FORBIDDEN"


@pytest.mark.parametrize("kind", ["prof", "client"])
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("list_users", {}),
        ("set_user_type", {"p_user_type_id": "owner"}),
        ("set_user_status", {"p_status": "active"}),
        (
            "set_role_permission",
            {"p_user_type_id": "client", "p_permission_key": "audit.view", "p_allowed": True},
        ),
    ],
)
def test_who_is_not_staff_decides_nothing(
    member: MakePerson, kind: str, function: str, arguments: dict[str, Any]
) -> None:
    ada = member(kind)
    if function in ("set_user_type", "set_user_status"):
        arguments = {"p_user_id": ada.id, **arguments}
    with pytest.raises(Refused) as refusal:
        ada.rpc(function, **arguments)
    assert (refusal.value.code, refusal.value.status) == ("FORBIDDEN", 403)


@pytest.mark.parametrize(
    "call",
    [
        "public.list_users()",
        "public.set_user_type(null, 'owner')",
        "public.set_user_status(null, 'active')",
        "public.set_role_permission('client', 'audit.view', true)",
        "public.get_my_permissions()",
        "public.is_admin_or_owner(null)",
    ],
)
def test_a_visitor_may_not_even_ask(school: Database, call: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).run(f"select {call}")


@pytest.mark.parametrize(
    ("function", "argument"),
    [("set_user_type", {"p_user_type_id": "prof"}), ("set_user_status", {"p_status": "active"})],
)
def test_nobody_decides_about_a_person_who_is_not_there(
    member: MakePerson, function: str, argument: dict[str, str]
) -> None:
    owner = member("owner")
    for user_id in (str(uuid4()), None):
        with pytest.raises(Refused) as refusal:
            owner.rpc(function, p_user_id=user_id, **argument)
        assert refusal.value.code == "NOT_FOUND"


@pytest.mark.parametrize(
    ("function", "argument", "field"),
    [
        ("set_user_type", {"p_user_type_id": "guest"}, "user_type_id"),
        ("set_user_type", {"p_user_type_id": None}, "user_type_id"),
        ("set_user_status", {"p_status": "away"}, "status"),
        ("set_user_status", {"p_status": None}, "status"),
    ],
)
def test_a_type_or_status_that_is_none_is_refused(
    member: MakePerson, function: str, argument: dict[str, Any], field: str
) -> None:
    owner, ben = member("owner"), member()
    with pytest.raises(Refused) as refusal:
        owner.rpc(function, p_user_id=ben.id, **argument)
    assert (refusal.value.code, refusal.value.details) == ("INVALID", field)


def test_an_admin_suspends_a_client_and_lets_him_back_in(member: MakePerson) -> None:
    admin, ben = member("admin"), member()
    admin.rpc("set_user_status", p_user_id=ben.id, p_status="suspended")
    with pytest.raises(Refused):
        ben.rpc("get_my_permissions")

    admin.rpc("set_user_status", p_user_id=ben.id, p_status="active")
    assert ben.rpc("get_my_permissions")


def test_nobody_suspends_himself(member: MakePerson) -> None:
    member("owner")
    owner = member("owner")
    with pytest.raises(Refused) as refusal:
        owner.rpc("set_user_status", p_user_id=owner.id, p_status="suspended")
    assert refusal.value.code == "FORBIDDEN"


def test_who_was_demoted_meanwhile_decides_no_more(school: Database, member: MakePerson) -> None:
    """The admin waits for the promotion of the person he is about to touch, then sees it."""
    owner, admin, ben = member("owner"), member("admin"), member()
    with transaction_of(owner) as connection:
        connection.execute("select public.set_user_type(%s, 'admin')", [ben.id])
        with in_background(
            lambda: admin.rpc("set_user_status", p_user_id=ben.id, p_status="suspended")
        ) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            with pytest.raises(Refused) as refusal:
                answer.result()
    assert refusal.value.code == "FORBIDDEN"


@pytest.mark.parametrize("kind", EVERYBODY)
def test_only_staff_run_the_place(member: MakePerson, kind: str) -> None:
    somebody = member(kind)
    answer = somebody.run("select public.is_admin_or_owner(%s) as is_staff", [somebody.id])
    assert answer == [{"is_staff": kind in STAFF}]
