"""Who somebody is, what he may change, and who decides about him."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.callers import Refused
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

STAFF = ["owner", "admin"]
EVERYBODY = ["owner", "admin", "prof", "client"]
NAMES = {"first_name": "Ada", "last_name": "Lovelace"}


def profile_of(database: Database, user_id: str) -> dict[str, Any]:
    [(profile,)] = database.run(
        "select to_jsonb(p) from public.profiles p where id = %s", [user_id]
    )
    return dict(profile)


def sign_up(database: Database, email: str | None, metadata: Any, **columns: Any) -> str:
    """Make the row that Auth makes, as the Auth service does."""
    user_id = str(uuid4())
    named = {"id": user_id, "email": email, "raw_user_meta_data": Jsonb(metadata), **columns}
    places = ", ".join(f"%({column})s" for column in named)
    database.run(
        f"insert into auth.users ({', '.join(named)}) values ({places})",
        named,
        user="supabase_auth_admin",
    )
    return user_id


def change_account(database: Database, user_id: str, changes: str) -> None:
    database.run(
        f"update auth.users set {changes} where id = %s", [user_id], user="supabase_auth_admin"
    )


# A profile follows its account.


def test_a_newcomer_is_an_active_client_under_the_name_he_gave(database: Database) -> None:
    profile = profile_of(database, sign_up(database, "ada@example.test", NAMES))

    assert profile["email"] == "ada@example.test"
    assert (profile["first_name"], profile["last_name"]) == ("Ada", "Lovelace")
    assert (profile["user_type_id"], profile["status"]) == ("client", "active")


@pytest.mark.parametrize(
    "metadata",
    [
        {"user_type_id": "owner", "status": "invited", "role": "owner"},
        {"first_name": None},
        {"first_name": {"user_type_id": "owner"}},
        {"first_name": "A" * 5000},
        ["owner"],
        "owner",
        None,
    ],
)
def test_nothing_said_at_sign_up_makes_more_than_a_client(
    database: Database, metadata: Any
) -> None:
    profile = profile_of(database, sign_up(database, "eve@example.test", metadata))
    assert (profile["user_type_id"], profile["status"]) == ("client", "active")


def test_somebody_without_address_or_metadata_signs_up(database: Database) -> None:
    profile = profile_of(database, sign_up(database, None, None, phone="33612345678"))
    assert profile["email"] is None


def test_a_name_from_another_provider_is_understood(database: Database) -> None:
    said = {"given_name": " Zoé ", "family_name": ""}
    profile = profile_of(database, sign_up(database, "zoe@example.test", said))
    assert (profile["first_name"], profile["last_name"]) == ("Zoé", None)


def test_people_older_than_the_migrations_get_their_profile(
    empty_database: Database, project: Project
) -> None:
    from nlctl.migrations import runner

    user_id = sign_up(empty_database, "old@example.test", NAMES)
    name = project.default_name
    runner.up(empty_database.url, project.migrations(name), name)

    assert profile_of(empty_database, user_id)["first_name"] == "Ada"


def test_a_new_address_reaches_the_profile(database: Database, person: MakePerson) -> None:
    ada = person()
    change_account(database, ada.id, "email = 'new@example.test'")
    assert profile_of(database, ada.id)["email"] == "new@example.test"


def test_an_invited_person_is_active_once_the_address_is_confirmed(database: Database) -> None:
    user_id = sign_up(database, "ada@example.test", {})
    change_account(database, user_id, "invited_at = now()")
    assert profile_of(database, user_id)["status"] == "invited"

    change_account(database, user_id, "email_confirmed_at = now()")
    assert profile_of(database, user_id)["status"] == "active"


@pytest.mark.parametrize("end", ["banned_until = now() + interval '1 day'", "deleted_at = now()"])
def test_an_account_that_auth_closes_is_suspended(
    database: Database, person: MakePerson, end: str
) -> None:
    ada = person()
    change_account(database, ada.id, end)
    assert profile_of(database, ada.id)["status"] == "suspended"


def test_confirming_an_address_lifts_no_suspension(database: Database, person: MakePerson) -> None:
    ada = person(status="suspended")
    change_account(database, ada.id, "email_confirmed_at = null, invited_at = now()")
    change_account(database, ada.id, "email_confirmed_at = now()")
    assert profile_of(database, ada.id)["status"] == "suspended"


@pytest.mark.parametrize("column", ["email", "email_change", "phone"])
def test_auth_may_still_alter_its_own_columns(database: Database, column: str) -> None:
    """A trigger that names a column in its WHEN would stop the platform's migrations."""
    alteration = f"alter table auth.users alter column {column} type varchar(320)"
    database.run(alteration, user="supabase_admin")


def test_a_deleted_account_takes_its_profile_along(database: Database, person: MakePerson) -> None:
    ada = person()
    database.run("delete from auth.users where id = %s", [ada.id])
    assert database.run("select id from public.profiles where id = %s", [ada.id]) == []


# What one reads and writes oneself.


def test_a_person_edits_his_names_avatar_and_profession(
    database: Database, person: MakePerson
) -> None:
    ada = person()
    ada.run(
        "update public.profiles set first_name = 'Ada', last_name = 'L', profession = 'Poète', "
        "avatar_path = 'ada/1.png' where id = %s",
        [ada.id],
    )
    profile = profile_of(database, ada.id)
    assert (profile["first_name"], profile["profession"]) == ("Ada", "Poète")


@pytest.mark.parametrize("column", ["user_type_id", "status", "email", "id", "created_at"])
@pytest.mark.parametrize("kind", EVERYBODY)
def test_nobody_writes_what_is_not_his_to_say(person: MakePerson, kind: str, column: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        person(kind).run(f"update public.profiles set {column} = {column}")


def test_a_client_cannot_upsert_himself_into_an_owner(person: MakePerson) -> None:
    ada = person()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ada.run(
            "insert into public.profiles (id, user_type_id) values (%s, 'owner') "
            "on conflict (id) do update set user_type_id = excluded.user_type_id",
            [ada.id],
        )


def test_a_client_cannot_delete_a_profile(person: MakePerson) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        person().run("delete from public.profiles where true")


def test_nobody_renames_somebody_else(database: Database, person: MakePerson) -> None:
    ada = person(first_name="Ada")
    person("owner").run("update public.profiles set first_name = 'X' where id = %s", [ada.id])
    assert profile_of(database, ada.id)["first_name"] == "Ada"


def test_an_avatar_is_never_an_address_elsewhere(person: MakePerson) -> None:
    for path in ("https://evil.test/a.png", "/etc/passwd", "../b/a.png"):
        with pytest.raises(psycopg.errors.CheckViolation):
            person().run("update public.profiles set avatar_path = %s where true", [path])


@pytest.mark.parametrize("kind", ["prof", "client"])
def test_a_client_sees_nobody_but_himself(person: MakePerson, kind: str) -> None:
    ada = person(kind)
    person()
    assert [row["id"] for row in ada.run("select id::text from public.profiles")] == [ada.id]


@pytest.mark.parametrize("kind", STAFF)
def test_staff_see_everybody(person: MakePerson, kind: str) -> None:
    person()
    assert len(person(kind).run("select id from public.profiles")) == 2


def test_a_visitor_sees_nobody(visitor: Person) -> None:
    for table in ("profiles", "user_types", "role_permissions"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            visitor.run(f"select * from public.{table}")


def test_everybody_reads_the_types(person: MakePerson) -> None:
    labels = {row["id"]: row["label"] for row in person().run("select * from public.user_types")}
    assert labels["owner"] == "Propriétaire"
    assert set(labels) == set(EVERYBODY)


def test_the_retired_guest_is_no_type(database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run("insert into public.user_types (id, label) values ('guest', 'Invité')")


# Permissions.


@pytest.mark.parametrize("kind", EVERYBODY)
def test_a_person_gets_the_permissions_of_his_type(
    database: Database, person: MakePerson, kind: str
) -> None:
    expected = database.run(
        "select permission_key, allowed from public.role_permissions where user_type_id = %s",
        [kind],
    )
    assert person(kind).rpc("get_my_permissions") == dict(expected)
    assert len(expected) > 20


def test_a_client_reads_the_permissions_of_his_own_type_only(person: MakePerson) -> None:
    rows = person().run("select distinct user_type_id from public.role_permissions")
    assert [row["user_type_id"] for row in rows] == ["client"]


def test_an_admin_decides_what_clients_may_do(person: MakePerson) -> None:
    arguments = {"p_user_type_id": "client", "p_permission_key": "chat.use", "p_allowed": False}
    assert person("admin").rpc("set_role_permission", **arguments)["allowed"] is False
    assert person().rpc("get_my_permissions")["chat.use"] is False


@pytest.mark.parametrize("kind", STAFF)
def test_an_admin_decides_nothing_for_staff(person: MakePerson, kind: str) -> None:
    arguments = {"p_user_type_id": kind, "p_permission_key": "audit.view", "p_allowed": True}
    with pytest.raises(Refused) as refusal:
        person("admin").rpc("set_role_permission", **arguments)
    assert refusal.value.code == "FORBIDDEN"
    assert person("owner").rpc("set_role_permission", **arguments)["allowed"] is True


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
    person: MakePerson, changed: dict[str, Any], code: str, field: str
) -> None:
    arguments = {"p_user_type_id": "client", "p_permission_key": "chat.use", "p_allowed": True}
    with pytest.raises(Refused) as refusal:
        person("owner").rpc("set_role_permission", **{**arguments, **changed})
    assert (refusal.value.code, refusal.value.details) == (code, field)


def test_two_admins_who_decide_at_once_leave_one_row(
    database: Database, person: MakePerson
) -> None:
    first, second = person("admin"), person("admin")
    arguments = {"p_user_type_id": "prof", "p_permission_key": "chat.use"}
    with transaction_of(first) as connection:
        connection.execute("select public.set_role_permission('prof', 'chat.use', false)")
        with in_background(
            lambda: second.rpc("set_role_permission", **arguments, p_allowed=True)
        ) as answer:
            wait_until_somebody_waits(database)
            connection.commit()
            answer.result()
    assert database.run(
        "select allowed from public.role_permissions "
        "where user_type_id = 'prof' and permission_key = 'chat.use'"
    ) == [(True,)]


# Types and statuses.


def test_an_admin_moves_people_between_client_and_prof(person: MakePerson) -> None:
    admin, ben = person("admin"), person()
    changed = admin.rpc("set_user_type", p_user_id=ben.id, p_user_type_id="prof")
    assert changed["user_type_id"] == "prof"


@pytest.mark.parametrize("kind", STAFF)
def test_an_admin_makes_no_staff(person: MakePerson, kind: str) -> None:
    admin, ben = person("admin"), person()
    with pytest.raises(Refused) as refusal:
        admin.rpc("set_user_type", p_user_id=ben.id, p_user_type_id=kind)
    assert refusal.value.code == "FORBIDDEN"


@pytest.mark.parametrize("kind", STAFF)
def test_an_owner_makes_staff(person: MakePerson, kind: str) -> None:
    owner, ben = person("owner"), person()
    changed = owner.rpc("set_user_type", p_user_id=ben.id, p_user_type_id=kind)
    assert changed["user_type_id"] == kind


@pytest.mark.parametrize("touched", STAFF)
@pytest.mark.parametrize(
    ("function", "argument"),
    [("set_user_type", {"p_user_type_id": "client"}), ("set_user_status", {"p_status": "active"})],
)
def test_an_admin_touches_no_staff(
    person: MakePerson, touched: str, function: str, argument: dict[str, str]
) -> None:
    person("owner")
    somebody = person(touched)
    with pytest.raises(Refused) as refusal:
        person("admin").rpc(function, p_user_id=somebody.id, **argument)
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
    person: MakePerson, kind: str, function: str, arguments: dict[str, Any]
) -> None:
    ada = person(kind)
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
def test_a_visitor_may_not_even_ask(visitor: Person, call: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        visitor.run(f"select {call}")


@pytest.mark.parametrize(
    ("function", "argument"),
    [("set_user_type", {"p_user_type_id": "prof"}), ("set_user_status", {"p_status": "active"})],
)
def test_nobody_decides_about_a_person_who_is_not_there(
    person: MakePerson, function: str, argument: dict[str, str]
) -> None:
    owner = person("owner")
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
    person: MakePerson, function: str, argument: dict[str, Any], field: str
) -> None:
    owner, ben = person("owner"), person()
    with pytest.raises(Refused) as refusal:
        owner.rpc(function, p_user_id=ben.id, **argument)
    assert (refusal.value.code, refusal.value.details) == ("INVALID", field)


def test_an_admin_suspends_a_client_and_lets_him_back_in(person: MakePerson) -> None:
    admin, ben = person("admin"), person()
    admin.rpc("set_user_status", p_user_id=ben.id, p_status="suspended")
    with pytest.raises(Refused):
        ben.rpc("get_my_permissions")

    admin.rpc("set_user_status", p_user_id=ben.id, p_status="active")
    assert ben.rpc("get_my_permissions")


def test_nobody_suspends_himself(person: MakePerson) -> None:
    person("owner")
    owner = person("owner")
    with pytest.raises(Refused) as refusal:
        owner.rpc("set_user_status", p_user_id=owner.id, p_status="suspended")
    assert refusal.value.code == "FORBIDDEN"


def test_who_was_demoted_meanwhile_decides_no_more(database: Database, person: MakePerson) -> None:
    """The admin waits for the promotion of the person he is about to touch, then sees it."""
    owner, admin, ben = person("owner"), person("admin"), person()
    with transaction_of(owner) as connection:
        connection.execute("select public.set_user_type(%s, 'admin')", [ben.id])
        with in_background(
            lambda: admin.rpc("set_user_status", p_user_id=ben.id, p_status="suspended")
        ) as answer:
            wait_until_somebody_waits(database)
            connection.commit()
            with pytest.raises(Refused) as refusal:
                answer.result()
    assert refusal.value.code == "FORBIDDEN"


@pytest.mark.parametrize("kind", EVERYBODY)
def test_only_staff_run_the_place(person: MakePerson, kind: str) -> None:
    somebody = person(kind)
    answer = somebody.run("select public.is_admin_or_owner(%s) as is_staff", [somebody.id])
    assert answer == [{"is_staff": kind in STAFF}]


# There is always an owner.

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


# The list of people.


def test_staff_page_through_everybody_newest_first(person: MakePerson) -> None:
    people = [person().id for _ in range(5)]
    admin = person("admin")
    seen: list[str] = []
    last: dict[str, Any] = {}
    while page := admin.rpc("list_users", p_limit=2, **last):
        seen += [row["id"] for row in page]
        last = {"p_before": page[-1]["created_at"], "p_before_id": page[-1]["id"]}
    assert seen == [admin.id, *reversed(people)]


def test_people_who_came_at_the_same_instant_are_all_listed(
    database: Database, person: MakePerson
) -> None:
    admin = person("admin")
    expected = {admin.id, *(person().id for _ in range(3))}
    database.run("update public.profiles set created_at = now()")
    [first, second] = admin.rpc("list_users", p_limit=2)
    rest = admin.rpc("list_users", p_before=second["created_at"], p_before_id=second["id"])
    assert {row["id"] for row in [first, second, *rest]} == expected


def test_a_page_can_start_from_an_instant_alone(database: Database, person: MakePerson) -> None:
    admin, ben = person("admin"), person()
    [(before,)] = database.run("select created_at from public.profiles where id = %s", [ben.id])
    listed = admin.rpc("list_users", p_before=before + timedelta(microseconds=1))
    assert [row["id"] for row in listed] == [ben.id, admin.id]


@pytest.mark.parametrize("search", ["zoé", "ZOÉ", "zoe mar", " Zoé ", "zoe.m@", "Zoé Mart"])
def test_staff_find_people_by_name_or_address(
    database: Database, person: MakePerson, search: str
) -> None:
    zoe = sign_up(database, "zoe.m@example.test", {"first_name": "Zoé", "last_name": "Martin"})
    person(first_name="Ben")
    found = person("admin").rpc("list_users", p_search=search)
    assert [row["id"] for row in found] == [zoe]


def test_a_search_takes_wildcards_for_what_they_are(person: MakePerson) -> None:
    assert person("admin").rpc("list_users", p_search="%") == []


def test_staff_filter_people_by_type_and_status(person: MakePerson) -> None:
    admin, prof = person("admin"), person("prof")
    gone = person(status="suspended")
    by_type = admin.rpc("list_users", p_user_type_id="prof")
    by_status = admin.rpc("list_users", p_status="suspended")
    assert [row["id"] for row in by_type] == [prof.id]
    assert [row["id"] for row in by_status] == [gone.id]


@pytest.mark.parametrize("limit", [0, -1, 101, None])
def test_a_page_has_its_limits(person: MakePerson, limit: int | None) -> None:
    with pytest.raises(Refused) as refusal:
        person("admin").rpc("list_users", p_limit=limit)
    assert (refusal.value.code, refusal.value.details) == ("INVALID", "limit")
