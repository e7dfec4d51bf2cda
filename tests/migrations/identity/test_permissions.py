"""What people of each type may do, and who decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.callers import Refused
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits
from tests.migrations.identity.accounts import (
    EVERYBODY,
    STAFF,
)

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database


@pytest.mark.parametrize("kind", EVERYBODY)
def test_a_person_gets_the_permissions_of_his_type(
    school: Database, member: MakePerson, kind: str
) -> None:
    expected = school.run(
        "select permission_key, allowed from public.role_permissions where user_type_id = %s",
        [kind],
    )
    assert member(kind).rpc("get_my_permissions") == dict(expected)
    assert len(expected) > 20


def test_a_client_reads_the_permissions_of_his_own_type_only(member: MakePerson) -> None:
    rows = member().run("select distinct user_type_id from public.role_permissions")
    assert [row["user_type_id"] for row in rows] == ["client"]


def test_an_admin_decides_what_clients_may_do(member: MakePerson) -> None:
    arguments = {"p_user_type_id": "client", "p_permission_key": "chat.use", "p_allowed": False}
    assert member("admin").rpc("set_role_permission", **arguments)["allowed"] is False
    assert member().rpc("get_my_permissions")["chat.use"] is False


@pytest.mark.parametrize("kind", STAFF)
def test_an_admin_decides_nothing_for_staff(member: MakePerson, kind: str) -> None:
    arguments = {"p_user_type_id": kind, "p_permission_key": "audit.view", "p_allowed": True}
    with pytest.raises(Refused) as refusal:
        member("admin").rpc("set_role_permission", **arguments)
    assert refusal.value.code == "FORBIDDEN"
    assert member("owner").rpc("set_role_permission", **arguments)["allowed"] is True


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"p_user_type_id": "guest"}, "INVALID", "user_type_id"),
        ({"p_user_type_id": None}, "INVALID", "user_type_id"),
        ({"p_allowed": None}, "INVALID", "allowed"),
        ({"p_permission_key": "fly"}, "NOT_FOUND", "permission_key"),
        ({"p_permission_key": None}, "NOT_FOUND", "permission_key"),
    ],
)
def test_a_permission_that_cannot_be_is_refused(
    member: MakePerson, changed: dict[str, Any], code: str, field: str
) -> None:
    arguments = {"p_user_type_id": "client", "p_permission_key": "chat.use", "p_allowed": True}
    with pytest.raises(Refused) as refusal:
        member("owner").rpc("set_role_permission", **{**arguments, **changed})
    assert (refusal.value.code, refusal.value.details) == (code, field)


def test_two_admins_who_decide_at_once_leave_one_row(school: Database, member: MakePerson) -> None:
    first, second = member("admin"), member("admin")
    arguments = {"p_user_type_id": "prof", "p_permission_key": "chat.use"}
    with transaction_of(first) as connection:
        connection.execute("select public.set_role_permission('prof', 'chat.use', false)")
        with in_background(
            lambda: second.rpc("set_role_permission", **arguments, p_allowed=True)
        ) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            answer.result()
    assert school.run(
        "select allowed from public.role_permissions "
        "where user_type_id = 'prof' and permission_key = 'chat.use'"
    ) == [(True,)]
