"""Who changed what: written by the database, read by owners, rewritten by nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.callers import Refused

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

LOGS = ("audit_logs", "action_logs")
TOKENS = '{"colors": {"primary": "188 82% 23%"}}'
SECRETS = """
create schema vault_room;
create table vault_room.safes (
  owner_id int, number int, label text, secret text, updated_at timestamptz default now(),
  primary key (owner_id, number)
);
create trigger safes_audit after insert or update or delete on vault_room.safes
  for each row execute function app.audit('secret');
"""


@pytest.fixture
def quiet(database: Database) -> Database:
    """The product before anything else happened in it."""
    database.run("select app.purge_audit_logs(now())")
    database.run("delete from public.action_logs")
    return database


def lines(database: Database, columns: str) -> list[Any]:
    return database.run(f"select {columns} from public.audit_logs order by id")


def test_a_change_names_its_author_and_only_what_changed(
    quiet: Database, person: MakePerson
) -> None:
    admin = person("admin")
    quiet.run("select app.purge_audit_logs(now())")
    arguments = {"p_user_type_id": "client", "p_permission_key": "chat.use", "p_allowed": False}
    admin.rpc("set_role_permission", **arguments)

    assert lines(quiet, "table_name, action, record_id, user_id::text, old_data, new_data") == [
        (
            "role_permissions",
            "UPDATE",
            "client:chat.use",
            admin.id,
            {"allowed": True},
            {"allowed": False},
        )
    ]


def test_a_change_by_the_operator_has_no_author(quiet: Database) -> None:
    quiet.run("insert into public.themes (name, tokens) values ('Nuit', %s)", [TOKENS])
    [(author, old, new)] = lines(quiet, "user_id, old_data, new_data")
    assert (author, old) == (None, None)
    assert new["name"] == "Nuit"


def test_a_secret_is_never_copied(quiet: Database) -> None:
    quiet.run(SECRETS)
    quiet.run("insert into vault_room.safes values (1, 2, 'a', 'hunter2')")
    quiet.run("update vault_room.safes set label = 'b', secret = 'hunter3'")
    quiet.run("update vault_room.safes set secret = 'hunter4'")
    quiet.run("delete from vault_room.safes")

    assert lines(quiet, "table_name, action, record_id, old_data, new_data") == [
        (
            "vault_room.safes",
            "INSERT",
            "1:2",
            None,
            {"owner_id": 1, "number": 2, "label": "a"},
        ),
        ("vault_room.safes", "UPDATE", "1:2", {"label": "a"}, {"label": "b"}),
        (
            "vault_room.safes",
            "DELETE",
            "1:2",
            {"owner_id": 1, "number": 2, "label": "b"},
            None,
        ),
    ]


def test_a_change_that_changes_nothing_leaves_no_line(quiet: Database) -> None:
    quiet.run("update public.role_permissions set allowed = allowed")
    assert lines(quiet, "*") == []


def test_the_trace_of_a_person_holds_no_personal_data(quiet: Database, person: MakePerson) -> None:
    ada = person("prof", first_name="Ada")
    ada.run("update public.profiles set last_name = 'Lovelace' where id = %s", [ada.id])
    quiet.run("delete from auth.users where id = %s", [ada.id])

    traces = json.dumps(lines(quiet, "table_name, action, old_data, new_data"))
    assert "Ada" not in traces
    assert "Lovelace" not in traces
    assert str(ada.email) not in traces
    assert [row[0] for row in lines(quiet, "action")] == ["UPDATE", "DELETE"]


@pytest.mark.parametrize(
    "table",
    [
        "themes",
        "role_permissions",
        "profiles",
        "modules_registry",
        "admin_modules_registry",
        "admin_dashboard_tabs",
        "component_rules",
    ],
)
def test_what_matters_is_audited(database: Database, table: str) -> None:
    assert database.run(
        "select tgname::text from pg_trigger "
        "where tgrelid = ('public.' || %s)::regclass and tgfoid = 'app.audit'::regproc",
        [table],
    ) == [(f"{table}_audit",)]


def test_only_an_owner_reads_the_audit(person: MakePerson) -> None:
    query = "select id from public.audit_logs limit 1"
    assert len(person("owner").run(query)) == 1
    for kind in ("admin", "prof", "client"):
        assert person(kind).run(query) == []


def test_not_even_a_server_reads_the_audit(server: Person) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.run("select id from public.audit_logs")


@pytest.mark.parametrize("log", LOGS)
def test_a_visitor_reads_no_log(visitor: Person, log: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        visitor.run(f"select * from public.{log}")


@pytest.mark.parametrize(
    "forgery",
    [
        "insert into public.audit_logs (table_name, action, record_id) values ('x', 'INSERT', '')",
        "update public.audit_logs set user_id = null where true",
        "delete from public.audit_logs where true",
        "truncate public.audit_logs",
    ],
)
@pytest.mark.parametrize("kind", ["server", "owner"])
def test_nobody_forges_the_audit(
    server: Person, person: MakePerson, kind: str, forgery: str
) -> None:
    forger = server if kind == "server" else person(kind)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        forger.run(forgery)


@pytest.mark.parametrize(
    "forgery",
    [
        "update public.audit_logs set user_id = null",
        "delete from public.audit_logs",
        "truncate public.audit_logs",
    ],
)
def test_not_even_the_operator_rewrites_the_audit(database: Database, forgery: str) -> None:
    before = lines(database, "*")
    with pytest.raises(psycopg.Error) as refusal:
        database.run(forgery)
    assert json.loads(refusal.value.diag.message_primary or "")["code"] == "FORBIDDEN"
    assert lines(database, "*") == before != []


def test_retention_forgets_what_is_older_and_says_so(database: Database) -> None:
    [(count, middle)] = database.run(
        "select count(*), percentile_disc(0.5) within group (order by created_at) "
        "from public.audit_logs"
    )
    [(purged,)] = database.run("select app.purge_audit_logs(%s)", [middle])

    assert 0 < purged < count
    assert len(lines(database, "id")) == count - purged
    assert database.run(
        "select actor_id, action, (metadata ->> 'purged')::int from public.action_logs"
    ) == [(None, "audit.purged", purged)]


@pytest.mark.parametrize("before", [None, "2999-01-01"])
def test_retention_needs_a_moment_that_has_passed(database: Database, before: str | None) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        database.run("select app.purge_audit_logs(%s)", [before])
    answer = json.loads(refusal.value.diag.message_primary or "")
    assert (answer["code"], answer["details"]) == ("INVALID", "before")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_retention_is_for_operators(database: Database, role: str) -> None:
    [(may,)] = database.run(
        "select has_function_privilege(%s, 'app.purge_audit_logs(timestamptz)', 'execute')", [role]
    )
    assert may is False


def test_the_audit_is_closed_again_after_retention(database: Database) -> None:
    with database.connect(autocommit=False) as connection:
        connection.execute("select app.purge_audit_logs('2000-01-01')")
        with pytest.raises(psycopg.Error, match="FORBIDDEN"):
            connection.execute("delete from public.audit_logs")


# What people did.


def test_a_person_signs_what_he_did(quiet: Database, person: MakePerson) -> None:
    ada = person()
    ada.rpc(
        "log_action",
        p_action="course.duplicated",
        p_target_type="course",
        p_target_id="42",
        p_metadata={"from": "41"},
    )
    assert quiet.run(
        "select actor_id::text, action, target_type, target_id, metadata from public.action_logs"
    ) == [(ada.id, "course.duplicated", "course", "42", {"from": "41"})]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"p_action": "Duplicated a course!"}, "action"),
        ({"p_action": None}, "action"),
        ({"p_action": "a" * 81}, "action"),
        ({"p_action": "a.b", "p_target_id": "x" * 201}, "target"),
        ({"p_action": "a.b", "p_metadata": ["x"]}, "metadata"),
        ({"p_action": "a.b", "p_metadata": {"x": "y" * 9000}}, "metadata"),
    ],
)
def test_an_action_that_cannot_be_noted_is_refused(
    person: MakePerson, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        person().rpc("log_action", **arguments)
    assert (refusal.value.code, refusal.value.details) == ("INVALID", field)


def test_nobody_signs_for_somebody_else(person: MakePerson) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        person("owner").run("insert into public.action_logs (action) values ('a.b')")


def test_a_server_may_sign_for_a_person_and_rewrites_nothing(
    person: MakePerson, server: Person
) -> None:
    server.run(
        "insert into public.action_logs (actor_id, action) values (%s, 'mail.sent')", [person().id]
    )
    for forgery in ("update public.action_logs set action = 'a'", "delete from public.action_logs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.run(f"{forgery} where true")


def test_only_staff_read_what_people_did(quiet: Database, person: MakePerson) -> None:
    person().rpc("log_action", p_action="a.b")
    for kind, count in {"owner": 1, "admin": 1, "prof": 0, "client": 0}.items():
        assert len(person(kind).run("select id from public.action_logs")) == count


def test_what_a_person_did_leaves_with_his_account(quiet: Database, person: MakePerson) -> None:
    ada = person()
    ada.rpc("log_action", p_action="a.b")
    quiet.run("delete from auth.users where id = %s", [ada.id])
    assert quiet.run("select id from public.action_logs") == []
