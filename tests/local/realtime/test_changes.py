"""Changes of rows: who hears of them, and what he is told."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local.realtime.changes import policies
from tests.local.realtime import hearing
from tests.local.realtime.watching import Screen, authenticated, make_notes, watching

if TYPE_CHECKING:
    from tests.databases import Database

ALL: dict[str, Any] = {"event": "*", "schema": "public", "table": "notes"}
ADA = authenticated("ada")
BEN = authenticated("ben")
SERVICE = {"role": "service_role"}
ANON = {"role": "anon"}


@pytest.fixture
def notes(empty_database: Database) -> Database:
    """A database with notes(id, owner, body), which their owners see."""
    make_notes(empty_database)
    return empty_database


def see(database: Database, screen: Screen, count: int, *statements: str) -> list[dict[str, Any]]:
    """What a screen is told of some statements, each its own transaction: `count` changes."""

    async def scenario() -> list[dict[str, Any]]:
        async with watching(database, screen):
            assert screen.told == [("ok", "Subscribed to PostgreSQL")]
            for statement in statements:
                database.run(statement)
            return await screen.sees(count)

    return asyncio.run(scenario())


def test_an_inserted_row_is_told_whole(notes: Database) -> None:
    [told] = see(notes, Screen(ADA, ALL), 1, "insert into public.notes values (1, 'ada', 'é')")

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("commit_timestamp"))
    assert told == {
        "schema": "public",
        "table": "notes",
        "type": "INSERT",
        "columns": [
            {"name": "id", "type": "int4"},
            {"name": "owner", "type": "text"},
            {"name": "body", "type": "text"},
        ],
        "record": {"id": 1, "owner": "ada", "body": "é"},
        "errors": None,
    }


def test_an_updated_row_is_told_with_its_key_before(notes: Database) -> None:
    notes.run("insert into public.notes values (1, 'ada', 'a')")

    [told] = see(notes, Screen(ADA, ALL), 1, "update public.notes set body = 'b'")

    assert (told["type"], told["old_record"]) == ("UPDATE", {"id": 1})
    assert told["record"] == {"id": 1, "owner": "ada", "body": "b"}


def test_a_row_with_a_new_key_is_told_with_the_old_one(notes: Database) -> None:
    notes.run("insert into public.notes values (1, 'ada', 'a')")

    [told] = see(notes, Screen(ADA, ALL), 1, "update public.notes set id = 2")

    assert (told["old_record"], told["record"]["id"]) == ({"id": 1}, 2)


def test_a_deleted_row_is_told_to_everybody_by_its_key_alone(notes: Database) -> None:
    notes.run("alter table public.notes replica identity full")
    notes.run("insert into public.notes values (1, 'ada', 'a')")

    [told] = see(notes, Screen(BEN, ALL), 1, "delete from public.notes")

    assert (told["type"], told["old_record"]) == ("DELETE", {"id": 1})
    assert "record" not in told


def test_a_deleted_row_without_policies_is_told_as_far_as_the_log_knows_it(notes: Database) -> None:
    notes.run("alter table public.notes disable row level security")
    notes.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ada', 'b')")

    told = see(
        notes,
        Screen(BEN, ALL),
        2,
        "delete from public.notes where id = 1",
        "alter table public.notes replica identity full",
        "delete from public.notes where id = 2",
    )

    assert [each["old_record"] for each in told] == [
        {"id": 1},
        {"id": 2, "owner": "ada", "body": "b"},
    ]


def test_each_sees_his_own_rows_only(notes: Database) -> None:
    async def scenario() -> None:
        ada, ben, service = Screen(ADA, ALL), Screen(BEN, ALL), Screen(SERVICE, ALL)
        async with watching(notes, ada, ben, service):
            notes.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ben', 'b')")
            await service.sees(2)  # whoever looks sees rows as they are when he looks
            notes.run("update public.notes set owner = 'ben' where id = 1")
            notes.run("insert into public.notes values (3, 'ada', 'c')")
            await service.sees(4)
            await ada.sees(2)
            await ben.sees(2)

        assert numbers(ada) == [1, 3]
        assert numbers(ben) == [2, 1]
        assert numbers(service) == [1, 2, 1, 3]

    asyncio.run(scenario())


def test_an_anonymous_screen_sees_no_row_that_policies_hide(notes: Database) -> None:
    notes.run("create table public.news (id int primary key)")
    notes.run("grant select on public.news to anon")
    notes.run("alter publication supabase_realtime add table public.news")
    both = Screen(ANON, ALL, {"event": "*", "schema": "public", "table": "news"})

    told = see(
        notes,
        both,
        1,
        "insert into public.notes values (1, 'ada', 'a')",
        "insert into public.news values (7)",
    )

    assert [each["record"] for each in told] == [{"id": 7}]


def test_a_row_that_is_gone_when_it_is_looked_at_is_seen_by_nobody(notes: Database) -> None:
    fleeting = "begin; insert into public.notes values (1, 'ada', 'a'); delete from public.notes"

    told = see(
        notes,
        Screen(ADA, {**ALL, "event": "INSERT"}),
        1,
        fleeting,
        "insert into public.notes values (2, 'ada', 'b')",
    )

    assert numbers_of(told) == [2]


def test_columns_that_a_role_may_not_read_are_not_told(notes: Database) -> None:
    notes.run("revoke select on public.notes from authenticated")
    notes.run("grant select (id, owner) on public.notes to authenticated")

    [told] = see(notes, Screen(ADA, ALL), 1, "insert into public.notes values (1, 'ada', 'a')")

    assert told["record"] == {"id": 1, "owner": "ada"}
    assert [column["name"] for column in told["columns"]] == ["id", "owner"]


def test_without_the_right_to_the_key_there_is_an_error_instead_of_the_row(notes: Database) -> None:
    notes.run("revoke select on public.notes from authenticated")
    notes.run("grant select (owner) on public.notes to authenticated")

    [told] = see(notes, Screen(ADA, ALL), 1, "insert into public.notes values (1, 'ada', 'a')")

    assert told["errors"] == ["Error 401: Unauthorized"]
    assert (told["record"], told["columns"]) == ({}, [])


def test_a_row_without_key_is_an_error(notes: Database) -> None:
    notes.run("alter table public.notes drop constraint notes_pkey")

    [told] = see(notes, Screen(ADA, ALL), 1, "insert into public.notes values (1, 'ada', 'a')")

    assert told["errors"] == ["Error 400: Bad Request, no primary key"]
    assert told["record"] == {}


def test_a_row_that_is_too_large_is_told_by_its_short_values(notes: Database) -> None:
    large = "insert into public.notes values (1, 'ada', repeat('x', 1100000))"

    [told] = see(notes, Screen(ADA, ALL), 1, large)

    assert told["errors"] == ["Error 413: Payload Too Large"]
    assert told["record"] == {"id": 1, "owner": "ada"}


def test_a_long_value_that_was_left_alone_is_told_where_it_is_known(notes: Database) -> None:
    notes.run("alter table public.notes alter body set storage external")
    notes.run("insert into public.notes values (1, 'ada', repeat('x', 9000))")

    told = see(
        notes,
        Screen(ADA, ALL),
        2,
        "update public.notes set owner = 'ada'",
        "alter table public.notes replica identity full",
        "update public.notes set owner = 'ada'",
    )

    assert [len(each["record"].get("body", "")) for each in told] == [0, 9000]


def test_values_are_told_in_the_json_of_postgresql(notes: Database) -> None:
    notes.run("create type public.mood as enum ('glad')")
    notes.run("create domain public.settings as jsonb")
    notes.run(
        "create table public.things (id bigint primary key, price numeric, tags text[], mood mood, "
        "data jsonb, plain json, extra settings, days daterange, at timestamptz, raw bytea, "
        "many jsonb[], empty text)"
    )
    notes.run("grant select on public.things to authenticated")
    notes.run("alter publication supabase_realtime add table public.things")
    row = (
        "insert into public.things values (9007199254740993, 1.50, '{a,\"b c\"}', 'glad', "
        "'{\"a\": [1, null]}', '[true]', '{\"deep\": {}}', '[2026-01-01,2026-01-03)', "
        "'2026-01-01 12:00+02', '\\x00ff', array['{\"b\": 1}'::jsonb], null)"
    )

    [told] = see(notes, Screen(ADA, {"event": "*", "schema": "public", "table": "things"}), 1, row)

    [(expected,)] = notes.run("select to_jsonb(things) from public.things")
    assert told["record"] == expected
    assert told["record"]["price"] == 1.5
    assert told["record"]["data"] == {"a": [1, None]}


def test_only_wanted_columns_and_the_key_are_told(notes: Database) -> None:
    wish = {**ALL, "select": ["body"]}

    [told] = see(notes, Screen(ADA, wish), 1, "insert into public.notes values (1, 'ada', 'a')")

    assert told["record"] == {"id": 1, "body": "a"}
    assert [column["name"] for column in told["columns"]] == ["id", "body"]


def test_a_screen_is_told_once_with_every_binding_that_fits(notes: Database) -> None:
    screen = Screen(
        ADA,
        ALL,
        {**ALL, "event": "INSERT"},
        {**ALL, "event": "DELETE"},
        {"event": "*", "schema": "*"},
        {**ALL, "filter": "id=gt.5"},
    )

    see(notes, screen, 1, "insert into public.notes values (1, 'ada', 'a')")

    assert [each["ids"] for each in screen.seen] == [[1, 2, 4]]


def test_a_table_that_is_published_later_is_seen_through_a_wildcard(notes: Database) -> None:
    screen = Screen(ADA, {"event": "*", "schema": "public"})

    [told] = see(
        notes,
        screen,
        1,
        "create table public.later (id int primary key)",
        "grant select on public.later to authenticated",
        "alter publication supabase_realtime add table public.later",
        "insert into public.later values (1)",
    )

    assert told["table"] == "later"


def test_rolled_back_and_truncated_rows_are_not_told(notes: Database) -> None:
    notes.run("insert into public.notes values (1, 'ada', 'a')")

    told = see(
        notes,
        Screen(ADA, ALL),
        1,
        "do $$ begin insert into public.notes values (2, 'ada', 'b'); raise sqlstate 'XX001'; "
        "exception when sqlstate 'XX001' then null; end $$",
        "truncate public.notes",
        "insert into public.notes values (3, 'ada', 'c')",
    )

    assert [each["record"]["id"] for each in told] == [3]


FILTERS = [
    ("id=eq.2", [2]),
    ("id=neq.2", [1, 3, 4]),
    ("id=not.eq.2", [1, 3, 4]),
    ("id=lt.2", [1]),
    ("id=lte.2", [1, 2]),
    ("id=gt.3", [4]),
    ("id=gte.3", [3, 4]),
    ("id=in.(1,4,9)", [1, 4]),
    ("id=not.in.(1,4)", [2, 3]),
    ("body=eq.10", [2]),
    ("body=gt.2", [1, 3]),
    ("body=like.1%", [2]),
    ("body=ilike.B%", [3]),
    ("body=match.^b", [3]),
    ("body=imatch.^B", [3]),
    ("body=is.null", [4]),
    ("body=not.is.null", [1, 2, 3]),
    ("body=isdistinct.10", [1, 3, 4]),
    ('body=in.("a,1",10)', [1, 2]),
    ('body=eq."a,1"', [1]),
    ("body=not.like.1%", [1, 3]),
    ("id=gt.1,id=lt.4", [2, 3]),
    ("id=gt.1,body=like.b%", [3]),
    ("", [1, 2, 3, 4]),
]


def test_a_filter_lets_through_what_passes_it(notes: Database) -> None:
    async def scenario() -> None:
        screens = {text: Screen(ADA, {**ALL, "filter": text}) for text, _ in FILTERS}
        last = Screen(ADA, ALL)
        async with watching(notes, *screens.values(), last):
            notes.run(
                "insert into public.notes values "
                "(1, 'ada', 'a,1'), (2, 'ada', '10'), (3, 'ada', 'big'), (4, 'ada', null)"
            )
            await last.sees(4)
            for text, expected in FILTERS:
                await screens[text].sees(len(expected))

        assert {text: numbers(screens[text]) for text, _ in FILTERS} == dict(FILTERS)

    asyncio.run(scenario())


def test_a_filter_on_a_deleted_row_knows_only_what_the_log_knows(notes: Database) -> None:
    notes.run("insert into public.notes select n, 'ada', 'a' from generate_series(1, 4) as n")
    mine = {**ALL, "filter": "owner=eq.ada"}
    third = {**ALL, "filter": "id=eq.3"}
    screen = Screen(ADA, mine, third)

    see(
        notes,
        screen,
        2,
        "delete from public.notes where id = 1",
        "delete from public.notes where id = 3",
        "alter table public.notes replica identity full",
        "delete from public.notes where id = 4",
    )

    assert [(each["ids"], each["data"]["old_record"]) for each in screen.seen] == [
        ([2], {"id": 3}),
        ([1], {"id": 4}),
    ]


DISABLED = (
    "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for "
    "the given connect parameters: [{}]"
)
FAILED = (
    "Unable to subscribe to changes with given parameters. An exception happened so please check "
    "your connect parameters: [event: *, schema: public, table: notes, {}]. Exception: ERROR {}"
)
NO_COLUMN = "P0001 (raise_exception) invalid column for"
NO_INTEGER = '22P02 (invalid_text_representation) invalid input syntax for type integer: "x"'
REFUSALS = [
    (
        {"event": "*"},
        (
            "No subscription params provided. Please provide at least a `schema` or `table` to "
            'subscribe to: %{"event" => "*"}'
        ),
    ),
    ({**ALL, "filter": "id=foo.hey"}, 'Error parsing `filter` params: ["foo", "hey"]'),
    ({**ALL, "filter": "undefined"}, 'Error parsing `filter` params: ["undefined"]'),
    ({**ALL, "filter": "id=eq"}, 'Error parsing `filter` params: ["eq"]'),
    (
        {**ALL, "filter": "id=eq.1,"},
        (
            "Error parsing `filter` params: filter must not contain empty segments "
            "(check for extra commas)"
        ),
    ),
    (
        {**ALL, "filter": "id=in.1"},
        "Error parsing `filter` params: `in` filter value must be wrapped by parentheses",
    ),
    (
        {**ALL, "select": "id"},
        (
            "Error parsing `select` params: expected a list of column name strings, "
            'e.g. select: ["col1", "col2"]'
        ),
    ),
    (
        {"schema": "public", "select": ["id"]},
        (
            "Column selection is not supported for wildcard subscriptions. "
            "Provide an explicit schema and table name."
        ),
    ),
    (
        {"schema": "public", "table": "nothing"},
        DISABLED.format("event: *, schema: public, table: nothing, filters: [], select: nil"),
    ),
    (
        {**ALL, "filter": "lost=eq.1"},
        FAILED.format(
            'filters: [{"lost", "eq", "1", false}], select: nil', f"{NO_COLUMN} filter lost"
        ),
    ),
    (
        {**ALL, "filter": "id=not.gt.x"},
        FAILED.format('filters: [{"id", "gt", "x", true}], select: nil', NO_INTEGER),
    ),
    (
        {**ALL, "select": ["lost"]},
        FAILED.format('filters: [], select: ["lost"]', f"{NO_COLUMN} select lost"),
    ),
]


def test_a_wish_that_cannot_be_is_refused_in_the_words_of_the_service(notes: Database) -> None:
    async def scenario() -> None:
        screens = [Screen(ADA, asked) for asked, _ in REFUSALS]
        async with watching(notes, *screens):
            assert [screen.told for screen in screens] == [
                [("error", expected)] for _, expected in REFUSALS
            ]

    asyncio.run(scenario())


def test_one_bad_wish_refuses_all_of_a_channel(notes: Database) -> None:
    async def scenario() -> None:
        bad, good = Screen(ADA, ALL, {**ALL, "filter": "missing=eq.1"}), Screen(ADA, ALL)
        async with watching(notes, bad, good):
            notes.run("insert into public.notes values (1, 'ada', 'a')")
            await good.sees(1)
            assert bad.seen == []
            assert notes.run("select count(*) from realtime.subscription") == [(1,)]

    asyncio.run(scenario())


def test_who_leaves_hears_no_more_and_is_forgotten(notes: Database) -> None:
    async def scenario() -> None:
        ada, other = Screen(ADA, ALL), Screen(ADA, ALL)
        async with watching(notes, ada, other) as source:
            source.unsubscribe(ada)
            notes.run("insert into public.notes values (1, 'ada', 'a')")
            await other.sees(1)
            assert ada.seen == []
            source.unsubscribe(other)
            source.unsubscribe(other)
            await hearing.until(
                lambda: notes.run("select count(*) from realtime.subscription") == [(0,)]
            )
            await hearing.until(lambda: not hearing.changes_slots(notes))

    asyncio.run(scenario())


def test_new_claims_see_other_rows(notes: Database) -> None:
    async def scenario() -> None:
        screen = Screen(ADA, ALL)
        async with watching(notes, screen) as source:
            screen.claims = BEN
            source.renew(screen)
            notes.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ben', 'b')")
            await screen.sees(1)
            await screen.is_told(2)
            notes.run("insert into public.notes values (3, 'ada', 'a'), (4, 'ben', 'b')")
            await screen.sees(2)

        assert numbers(screen) == [2, 4]

    asyncio.run(scenario())


def test_a_policy_that_fails_for_one_person_keeps_nothing_from_others(notes: Database) -> None:
    notes.run(
        "create policy broken on public.notes for select to authenticated "
        "using ((auth.jwt() ->> 'sub')::text <> 'eve' or 1 / (length(owner) - length(owner)) = 1)"
    )
    notes.run("drop policy own on public.notes")

    async def scenario() -> None:
        eve, ada, ben = Screen(authenticated("eve"), ALL), Screen(ADA, ALL), Screen(BEN, ALL)
        async with watching(notes, eve, ada, ben):
            notes.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ben', 'b')")
            await ada.sees(2)
            await ben.sees(2)

        assert eve.seen == []

    asyncio.run(scenario())


def test_a_value_that_json_cannot_hold_keeps_no_other_row_back(notes: Database) -> None:
    notes.run("alter table public.notes add raw json")

    told = see(
        notes,
        Screen(ADA, ALL),
        2,
        "insert into public.notes values (1, 'ada', 'a', null), "
        r"""(2, 'ada', 'b', '"\u0000"'), (3, 'ada', 'c', null)""",
    )

    assert [each["record"]["id"] for each in told] == [1, 3]


def test_after_a_lost_connection_a_screen_is_told_that_it_hears_again(notes: Database) -> None:
    async def scenario() -> None:
        screen = Screen(ADA, ALL)
        async with watching(notes, screen):
            notes.run(
                "select pg_terminate_backend(active_pid) from pg_replication_slots",
                user="supabase_admin",
            )
            await screen.is_told(2)
            notes.run("insert into public.notes values (1, 'ada', 'a')")
            await screen.sees(1)

    asyncio.run(scenario())


def test_a_publication_that_is_made_anew_is_heard(notes: Database) -> None:
    told = see(
        notes,
        Screen(ADA, ALL),
        1,
        "begin; drop publication supabase_realtime; create publication supabase_realtime; commit",
        "alter publication supabase_realtime add table public.notes",
        "insert into public.notes values (1, 'ada', 'a')",
    )

    assert numbers_of(told) == [1]


def test_what_a_killed_service_left_behind_is_forgotten(notes: Database) -> None:
    notes.run(
        "insert into realtime.subscription (subscription_id, entity, claims) values "
        """(gen_random_uuid(), 'public.notes', '{"role": "anon"}')""",
        user="supabase_admin",
    )

    async def scenario() -> None:
        async with watching(notes):
            assert notes.run("select count(*) from realtime.subscription") == [(0,)]

    asyncio.run(scenario())


def test_two_hundred_people_are_asked_about_at_once(notes: Database) -> None:
    async def scenario() -> None:
        screens = [Screen(authenticated(f"person {n}"), ALL) for n in range(200)]
        async with watching(notes, *screens):
            notes.run(
                "insert into public.notes select n, 'person ' || n from generate_series(0, 199) n"
            )
            for screen in screens:
                await screen.sees(1)

        assert [numbers(screen) for screen in screens] == [[n] for n in range(200)]

    asyncio.run(scenario())


SNAPSHOTS = [
    (5, "10:20:", False),
    (15, "10:20:12,15", True),
    (16, "10:20:12,15", False),
    (20, "10:20:", True),
    (25, "10:20:", True),
    (4294967290, "4294967290:4294967300:", False),
    (4294967295, "4294967290:4294967300:4294967295", True),
    (3, "4294967290:4294967300:", False),
    (4, "4294967290:4294967300:", True),
    (2, "4294967290:4294967300:4294967298", True),
]


@pytest.mark.parametrize(("transaction", "snapshot", "hidden"), SNAPSHOTS)
def test_a_transaction_is_hidden_until_a_snapshot_has_its_end(
    transaction: int, snapshot: str, hidden: bool
) -> None:
    assert policies.is_hidden(transaction, snapshot) == hidden


def numbers(screen: Screen) -> list[int]:
    return numbers_of([each["data"] for each in screen.seen])


def numbers_of(told: list[dict[str, Any]]) -> list[int]:
    return [each["record"]["id"] for each in told]
