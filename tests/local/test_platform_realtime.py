"""Schema realtime of a fresh project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from nlctl.local import platform
from tests.local import catalogue

if TYPE_CHECKING:
    from tests.databases import Database

MESSAGES = {
    "topic": "text not null",
    "extension": "text not null",
    "payload": "jsonb",
    "event": "text",
    "private": "boolean default false",
    "updated_at": "timestamp without time zone not null default now()",
    "inserted_at": "timestamp without time zone not null default now()",
    "id": "uuid not null default gen_random_uuid()",
    "binary_payload": "bytea",
}

SUBSCRIPTION = {
    "id": "bigint not null identity",
    "subscription_id": "uuid not null",
    "entity": "regclass not null",
    "filters": "realtime.user_defined_filter[] not null"
    " default '{}'::realtime.user_defined_filter[]",
    "claims": "jsonb not null",
    "claims_role": "regrole not null generated realtime.to_regrole((claims ->> 'role'::text))",
    "created_at": "timestamp without time zone not null default timezone('utc'::text, now())",
    "action_filter": "text default '*'::text",
    "selected_columns": "text[]",
}

ENUMS = {
    "action": "INSERT UPDATE DELETE TRUNCATE ERROR",
    "equality_op": "eq neq lt lte gt gte in like ilike is match imatch isdistinct",
}

# Value, operator, filter, and whether it passes.
COMPARISONS = [
    ("5", "eq", "5", "int4", True),
    ("5", "neq", "5", "int4", False),
    ("5", "lt", "10", "int4", True),
    ("5", "lte", "5", "int4", True),
    ("5", "gt", "10", "int4", False),
    ("5", "gt", "10", "text", True),
    ("5", "gte", "5", "int4", True),
    ("5", "in", "{1,5}", "int4", True),
    ("5", "in", "{1,2}", "int4", False),
    ("Paris", "like", "Par%", "text", True),
    ("Paris", "like", "par%", "text", False),
    ("Paris", "ilike", "par%", "text", True),
    ("Paris", "match", "^P", "text", True),
    ("Paris", "imatch", "^p", "text", True),
    (None, "is", "null", "text", True),
    ("t", "is", "true", "bool", True),
    (None, "isdistinct", "5", "int4", True),
    (None, "eq", "5", "int4", None),
]

# Filters of a subscription to notes(id int, body text, secret text), and what is wrong with them.
BAD_FILTERS = [
    ("(missing,eq,1,f)", "invalid column for filter missing"),
    ("(secret,eq,1,f)", "invalid column for filter secret"),
    ("(id,eq,word,f)", "invalid input syntax for type integer"),
    ('(id,in,"{1,word}",f)', "invalid input syntax for type integer"),
    (
        f'(id,in,"{{{",".join(map(str, range(101)))}}}",f)',
        "too many values for `in` filter. Maximum 100",
    ),
]


@pytest.mark.parametrize(
    ("table", "columns"),
    [("realtime.messages", MESSAGES), ("realtime.subscription", SUBSCRIPTION)],
)
def test_a_table_of_realtime_has_the_columns_of_the_reference(
    fresh: Database, table: str, columns: dict[str, str]
) -> None:
    assert catalogue.columns(fresh, table) == columns


@pytest.mark.parametrize(("enum", "labels"), ENUMS.items())
def test_an_enum_of_realtime_has_its_labels(fresh: Database, enum: str, labels: str) -> None:
    [(found,)] = fresh.run(
        "select string_agg(enumlabel, ' ' order by enumsortorder) from pg_enum "
        "where enumtypid = %s::regtype",
        (f"realtime.{enum}",),
    )

    assert found == labels


def test_messages_are_the_services_and_let_nobody_in(fresh: Database) -> None:
    [found] = fresh.run(
        "select relrowsecurity, relkind, (select count(*) from pg_policy where polrelid = c.oid), "
        "pg_get_partkeydef(oid) from pg_class as c where oid = 'realtime.messages'::regclass"
    )

    assert catalogue.owner(fresh, "realtime.messages") == "supabase_realtime_admin"
    assert found == (True, "p", 0, "RANGE (inserted_at)")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_policies_alone_decide_who_uses_messages(fresh: Database, role: str) -> None:
    assert catalogue.privileges(fresh, "realtime.messages", role) == {"SELECT", "INSERT", "UPDATE"}


def test_there_is_a_partition_from_yesterday_to_three_days_ahead(
    empty_database: Database,
) -> None:
    [(expected,)] = empty_database.run(
        """
        select array_agg('messages_' || to_char(now() at time zone 'utc' + n * '1 day'::interval,
          'YYYY_MM_DD') order by n)
        from generate_series(-1, 3) as n
        """
    )
    maintain(empty_database)

    assert set(expected) <= set(partitions(empty_database))


def test_a_message_older_than_three_days_is_forgotten_with_its_partition(
    empty_database: Database,
) -> None:
    empty_database.run(
        "create table realtime.messages_2020_01_01 partition of realtime.messages "
        "for values from ('2020-01-01') to ('2020-01-02')",
        user="supabase_admin",
    )
    send_on(empty_database, "2020-01-01 12:00")
    send_on(empty_database, "2020-01-03 12:00")

    maintain(empty_database)

    assert "messages_2020_01_01" not in partitions(empty_database)
    assert empty_database.run("select topic from realtime.messages") == []


def test_a_message_on_a_day_without_partition_is_kept(empty_database: Database) -> None:
    for name in partitions(empty_database):
        if name != "messages_default":
            empty_database.run(f"drop table realtime.{name}", user="supabase_admin")

    empty_database.run("select realtime.send('{}', 'said', 'room')")
    maintain(empty_database)
    empty_database.run("select realtime.send('{}', 'said', 'room')")

    assert empty_database.run("select topic from realtime.messages") == [("room",), ("room",)]


def test_installing_again_makes_the_partitions_of_the_day(empty_database: Database) -> None:
    before = partitions(empty_database)
    for name in before[1:]:
        empty_database.run(f"drop table realtime.{name}", user="supabase_admin")

    platform.install(empty_database.admin_url)

    assert partitions(empty_database) == before


def test_a_sent_message_is_private_and_gets_an_id(empty_database: Database) -> None:
    empty_database.run("""select realtime.send('{"text": "Salut"}', 'said', 'room')""")

    [(topic, event, extension, private, text, same_id)] = empty_database.run(
        "select topic, event, extension, private, payload ->> 'text', payload ->> 'id' = id::text "
        "from realtime.messages"
    )
    assert (topic, event, extension, private) == ("room", "said", "broadcast", True)
    assert (text, same_id) == ("Salut", True)


def test_a_sent_message_keeps_the_id_it_has(empty_database: Database) -> None:
    empty_database.run("""select realtime.send('{"id": 7}', 'said', 'room', false)""")

    assert empty_database.run("select payload, private from realtime.messages") == [
        ({"id": 7}, False)
    ]


def test_bytes_are_sent_as_they_are(empty_database: Database) -> None:
    empty_database.run(r"select realtime.send_binary('\x00ff', 'said', 'room')")

    assert empty_database.run("select payload, binary_payload, private from realtime.messages") == [
        (None, b"\x00\xff", True)
    ]


def test_a_message_has_one_kind_of_payload(empty_database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        empty_database.run(
            "insert into realtime.messages (topic, extension, payload, binary_payload) "
            r"values ('room', 'broadcast', '{}', '\x00')"
        )


def test_a_sender_sees_his_topic_in_policies(empty_database: Database) -> None:
    empty_database.run(
        "create policy speak on realtime.messages for insert to authenticated "
        "with check (realtime.topic() = 'open')"
    )

    assert said_by_a_person(empty_database, "open") == []
    assert empty_database.run("select topic from realtime.messages") == [("open",)]


def test_a_sender_without_policy_is_told_by_a_warning_only(empty_database: Database) -> None:
    [warning] = said_by_a_person(empty_database, "closed")

    assert warning.startswith("WarnSendingBroadcastMessage: new row violates row-level security")
    assert empty_database.run("select from realtime.messages") == []


def test_there_is_no_topic_outside_a_message(fresh: Database) -> None:
    assert fresh.run("select realtime.topic()") == [(None,)]


def test_a_changed_row_is_broadcast(empty_database: Database) -> None:
    notes_that_broadcast(empty_database, "for each row")

    empty_database.run("insert into public.notes values (1)")
    empty_database.run("update public.notes set id = 2")
    empty_database.run("delete from public.notes")

    sent = empty_database.run(
        "select event, payload - 'id', private from realtime.messages order by inserted_at"
    )
    base = {"schema": "public", "table": "notes"}
    assert sent == [
        ("INSERT", {**base, "operation": "INSERT", "record": {"id": 1}, "old_record": None}, True),
        (
            "UPDATE",
            {**base, "operation": "UPDATE", "record": {"id": 2}, "old_record": {"id": 1}},
            True,
        ),
        ("DELETE", {**base, "operation": "DELETE", "record": None, "old_record": {"id": 2}}, True),
    ]


def test_a_changed_statement_is_not_broadcast(empty_database: Database) -> None:
    notes_that_broadcast(empty_database, "for each statement")

    with pytest.raises(psycopg.errors.RaiseException, match="not for each statement"):
        empty_database.run("insert into public.notes values (1)")


@pytest.mark.parametrize(("value", "operator", "wanted", "kind", "passes"), COMPARISONS)
def test_a_value_is_compared_with_a_filter(
    fresh: Database, value: str | None, operator: str, wanted: str, kind: str, passes: bool | None
) -> None:
    found = fresh.run(
        "select realtime.check_equality_op(%s::realtime.equality_op, %s::regtype, %s, %s)",
        (operator, kind, value, wanted),
    )

    assert found == [(passes,)]


ROWS = [
    ([], True),
    (["(id,eq,5,f)"], True),
    (["(id,eq,5,t)"], False),
    (["(id,eq,5,f)", "(body,like,B%,f)"], False),
    (["(body,is,null,f)"], True),
    (["(missing,eq,5,f)"], False),
]


@pytest.mark.parametrize(("filters", "visible"), ROWS)
def test_a_row_is_visible_when_it_passes_every_filter(
    fresh: Database, filters: list[str], visible: bool
) -> None:
    [(found,)] = fresh.run(
        """
        select realtime.is_visible_through_filters(
          array[
            ('id', 'int4', 'int4'::regtype, '5', true, true),
            ('body', 'text', 'text'::regtype, 'null', false, true)]::realtime.wal_column[],
          %s::realtime.user_defined_filter[])
        """,
        (filters,),
    )

    assert found == visible


def test_a_subscription_knows_whose_it_is(empty_database: Database) -> None:
    notes_to_subscribe_to(empty_database)

    subscribe(empty_database, '(id,in,"{1,2}",f)')

    assert empty_database.run(
        "select claims_role::text, action_filter from realtime.subscription"
    ) == [("authenticated", "*")]


@pytest.mark.parametrize(("filter_", "complaint"), BAD_FILTERS)
def test_a_subscription_to_what_cannot_be_is_refused(
    empty_database: Database, filter_: str, complaint: str
) -> None:
    notes_to_subscribe_to(empty_database)

    with pytest.raises(psycopg.Error) as refusal:
        subscribe(empty_database, filter_)

    assert complaint in str(refusal.value)


def partitions(database: Database) -> list[str]:
    found = database.run(
        "select relname from pg_inherits join pg_class on pg_class.oid = inhrelid "
        "where inhparent = 'realtime.messages'::regclass and relkind = 'r' "
        "order by relname = 'messages_default' desc, relname"
    )
    return [name for (name,) in found]


def maintain(database: Database) -> None:
    database.run("select _realtime.maintain_partitions()", user="supabase_admin")


def send_on(database: Database, moment: str) -> None:
    database.run(
        "insert into realtime.messages (topic, extension, inserted_at) "
        "values ('room', 'broadcast', %s)",
        (moment,),
    )


def said_by_a_person(database: Database, topic: str) -> list[str]:
    """Send on a topic with a signed-in person's rights; the warnings this made."""
    warnings: list[Any] = []
    with database.connect("authenticator") as person:
        person.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
        person.execute("set role authenticated")
        person.execute("select realtime.send('{}', 'said', %s)", (topic,))
    return warnings


def notes_that_broadcast(database: Database, level: str) -> None:
    database.run("create table public.notes (id int)")
    database.run(
        """
        create function public.tell() returns trigger language plpgsql security definer as $$
        begin
          perform realtime.broadcast_changes(
            'notes', tg_op, tg_op, tg_table_name, tg_table_schema, new, old, tg_level);
          return null;
        end $$
        """
    )
    database.run(
        "create trigger tell after insert or update or delete on public.notes "
        f"{level} execute function public.tell()"
    )


def notes_to_subscribe_to(database: Database) -> None:
    database.run("create table public.notes (id int, body text, secret text)")
    database.run("grant select (id, body) on public.notes to authenticated")


def subscribe(database: Database, filter_: str) -> None:
    database.run(
        """
        insert into realtime.subscription (subscription_id, entity, filters, claims)
        values (gen_random_uuid(), 'public.notes', array[%s]::realtime.user_defined_filter[],
          '{"role": "authenticated"}')
        """,
        (filter_,),
        user="supabase_admin",
    )
