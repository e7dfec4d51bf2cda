"""There is always an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.callers import Refused
from tests.concurrency import in_background, wait_until_somebody_waits

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


WAYS_OUT = [
    "update public.profiles set user_type_id = 'admin' where id = %s",
    "update public.profiles set status = 'suspended' where id = %s",
    "delete from public.profiles where id = %s",
    "delete from auth.users where id = %s",
    "update auth.users set deleted_at = now() where id = %s",
    "update auth.users set banned_until = 'infinity' where id = %s",
]


def is_refused(error: psycopg.Error, code: str) -> bool:
    return error.sqlstate == "PGRST" and f'"{code}"' in (error.diag.message_primary or "")


@pytest.mark.parametrize("way", WAYS_OUT)
def test_the_last_owner_stays_even_against_the_operator(
    database: Database, person: MakePerson, way: str
) -> None:
    owner = person("owner")
    person("owner", status="suspended")
    with pytest.raises(psycopg.Error) as refusal:
        database.run(way, [owner.id])
    assert is_refused(refusal.value, "CONFLICT")


@pytest.mark.parametrize("way", WAYS_OUT)
def test_an_owner_leaves_when_another_stays(
    database: Database, person: MakePerson, way: str
) -> None:
    owner = person("owner")
    person("owner")
    database.run(way, [owner.id])
    assert (
        database.run(
            "select id from public.profiles "
            "where id = %s and user_type_id = 'owner' and status = 'active'",
            [owner.id],
        )
        == []
    )


def test_the_last_owner_cannot_step_down(person: MakePerson) -> None:
    owner = person("owner")
    with pytest.raises(Refused) as refusal:
        owner.rpc("set_user_type", p_user_id=owner.id, p_user_type_id="client")
    assert (refusal.value.code, refusal.value.status) == ("CONFLICT", 409)
    assert refusal.value.message == "C'est le dernier propriétaire."


def test_a_server_cannot_remove_the_last_owner(person: MakePerson, server: Person) -> None:
    owner = person("owner")
    with pytest.raises(Refused) as refusal:
        server.run("update public.profiles set user_type_id = 'client' where id = %s", [owner.id])
    assert refusal.value.code == "CONFLICT"


@pytest.mark.parametrize(
    "sweep",
    ["delete from auth.users", "truncate auth.users cascade", "truncate public.profiles cascade"],
)
def test_not_even_everybody_at_once_takes_the_owners_along(
    database: Database, person: MakePerson, sweep: str
) -> None:
    person("owner")
    person("owner")
    with pytest.raises(psycopg.Error) as refusal:
        database.run(sweep)
    assert is_refused(refusal.value, "CONFLICT")


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_two_owners_who_leave_at_once_do_not_both_leave(
    database: Database, person: MakePerson, isolation: str
) -> None:
    demotion = "update public.profiles set user_type_id = 'client' where id = %s"
    owners = [person("owner"), person("owner")]
    begin = f"begin isolation level {isolation}"
    with database.connect() as first, database.connect() as second:
        for connection in (first, second):
            connection.execute(begin.encode())
            connection.execute("select id from public.profiles")
        first.execute(demotion, [owners[0].id])
        with in_background(lambda: second.execute(demotion, [owners[1].id])) as answer:
            wait_until_somebody_waits(database)
            first.execute("commit")
            with pytest.raises(psycopg.Error) as failure:
                answer.result()
    assert is_refused(failure.value, "CONFLICT") or failure.value.sqlstate == "40001"
    assert database.run(
        "select count(*) from public.profiles where user_type_id = 'owner' and status = 'active'"
    ) == [(1,)]
