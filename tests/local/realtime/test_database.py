"""Sockets and database together: what SQL does is heard by real clients."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from realtime import AsyncRealtimeClient, RealtimeSubscribeStates
from realtime.types import RealtimePostgresChangesListenEvent

from nlctl.local import realtime
from nlctl.local.realtime import RealtimeConfig
from tests.local.realtime import hearing, serving
from tests.local.realtime.serving import ARRAYS, OBJECTS, Push, Running, token
from tests.local.realtime.watching import make_notes
from tests.local.test_tokens import RING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from realtime import AsyncRealtimeChannel, RealtimeChannelOptions

    from tests.databases import Database
    from tests.local.realtime.serving import Wire

NOTES = {"event": "*", "schema": "public", "table": "notes"}


@pytest.fixture
def notes(empty_database: Database) -> Database:
    """Notes that their owners see, and private rooms that everybody signed in may enter."""
    make_notes(empty_database)
    empty_database.run(
        "create policy listen on realtime.messages for select to authenticated using (true)"
    )
    return empty_database


@pytest.fixture
def running(notes: Database) -> Iterator[Running]:
    """The whole service, sockets and database."""
    with serve(notes) as served:
        yield served


@contextmanager
def serve(notes: Database, **limits: Any) -> Iterator[Running]:
    config = RealtimeConfig(hearing.realtime_url(notes), realtime.Limits(**limits))
    app = realtime.create(config, RING)
    source = cast("Any", app.state.service.source)
    with socket.socket() as listening, ExitStack() as sockets:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        http = sockets.enter_context(httpx.Client(base_url=url))
        with serving.run(app, listening):
            yield Running(url, app.state.service, source, http, sockets)
            sockets.close()
    asyncio.run(hearing.no_slot(notes))


def say(event: str, payload: str = "{}", topic: str = "room", *, private: bool = True) -> str:
    return f"select realtime.send('{payload}', '{event}', '{topic}', {private})"


def heard(wire: Wire, count: int) -> list[Push]:
    return [wire.next("broadcast") for _ in range(count)]


def subscribed(wire: Wire) -> Wire:
    system = wire.next("system")
    assert system.payload == {
        "extension": "postgres_changes",
        "status": "ok",
        "message": "Subscribed to PostgreSQL",
        "channel": "notes",
    }
    return wire


def test_what_sql_says_in_a_private_room_is_heard_there_only(
    running: Running, notes: Database, version: str
) -> None:
    private = running.socket(version=version).joined("room", private=True)
    public = running.socket(version=version).joined("room")

    notes.run(say("secret", '{"a": 1}'))
    notes.run(say("open", private=False))

    [[secret], [open_]] = heard(private, 1), heard(public, 1)
    [(identity,)] = notes.run("select id::text from realtime.messages where event = 'secret'")
    assert secret.payload == {
        "type": "broadcast",
        "event": "secret",
        "payload": {"a": 1, "id": identity},
        "meta": {"id": identity},
    }
    assert open_.payload["event"] == "open"
    assert private.heard() == []
    assert public.heard() == []


def test_bytes_are_heard_by_who_can_carry_them(running: Running, notes: Database) -> None:
    old = running.socket(version=OBJECTS).joined("room", private=True)
    new = running.socket(version=ARRAYS).joined("room", private=True)

    notes.run(r"select realtime.send_binary('\x00ff', 'raw', 'room')")
    notes.run(say("text"))

    assert heard(new, 1)[0].payload["payload"] == b"\x00\xff"
    assert heard(old, 1)[0].payload["event"] == "text"


def test_what_is_committed_right_after_a_join_is_heard(running: Running, notes: Database) -> None:
    """The first to come wakes the service; nobody waits for it, and nothing is lost."""
    with notes.connect() as connection:
        for turn in range(20):
            wire = running.socket().joined("room", private=True)
            connection.execute(say(str(turn)).encode())
            assert heard(wire, 1)[0].payload["event"] == str(turn)
            wire.connection.close()
            asyncio.run(hearing.until(lambda: not running.service.hub.connections))


def test_a_late_comer_hears_what_was_said_before_he_came(running: Running, notes: Database) -> None:
    since = int(time.time() * 1000) - 60_000
    for number in range(30):
        notes.run(say(str(number)))
    notes.run(say("elsewhere", topic="other"))
    notes.run(say("public", private=False))

    config: dict[str, Any] = {"private": True, "broadcast": {"replay": {"since": since}}}
    late = running.socket().joined("room", **config)
    notes.run(say("now"))

    told = heard(late, 26)
    assert [each.payload["event"] for each in told] == [*map(str, range(5, 30)), "now"]
    assert told[0].payload["meta"]["replayed"] is True
    assert "replayed" not in told[-1].payload["meta"]


def test_a_late_comer_chooses_from_when_and_how_many(running: Running, notes: Database) -> None:
    for event, age in [("old", "2 hours"), ("first", "30 minutes"), ("second", "1 minute")]:
        notes.run(
            "insert into realtime.messages (topic, extension, payload, event, private, inserted_at)"
            f" values ('room', 'broadcast', '{{}}', '{event}', true, now() - interval '{age}')"
        )
    hour_ago = int(time.time() * 1000) - 3_600_000

    def replayed(**replay: int) -> list[str]:
        wire = running.socket().joined("room", private=True, broadcast={"replay": replay})
        return [push.payload["event"] for push in wire.heard()]

    assert replayed(since=hour_ago) == ["first", "second"]
    assert replayed(since=hour_ago, limit=1) == ["second"]
    assert replayed(since=0, limit=99) == ["old", "first", "second"]


def test_a_late_comer_hears_the_last_of_what_one_transaction_said(
    running: Running, notes: Database
) -> None:
    notes.run("select realtime.send('{}', n::text, 'room') from generate_series(0, 29) as n")

    late = running.socket().joined("room", private=True, broadcast={"replay": {"since": 0}})

    assert [push.payload["event"] for push in late.heard()] == [*map(str, range(5, 30))]


def test_a_late_comer_hears_in_the_order_of_commits(running: Running, notes: Database) -> None:
    with notes.connect(autocommit=False) as patient:
        patient.execute(say("begun first, committed last"))
        notes.run(say("begun last, committed first"))

    late = running.socket().joined("room", private=True, broadcast={"replay": {"since": 0}})

    events = [push.payload["event"] for push in late.heard()]
    assert events == ["begun last, committed first", "begun first, committed last"]


def test_sql_says_nothing_larger_than_clients_may(
    notes: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(notes, payload_bytes=1000) as running:
        wire = running.socket().joined("room", private=True)
        notes.run(say("large", f'{{"text": "{"x" * 1000}"}}'))
        notes.run(say("small"))

        assert heard(wire, 1)[0].payload["event"] == "small"
    [refusal] = [each for each in caplog.messages if "UnableToBroadcastChanges" in each]
    [(large,)] = notes.run("select id::text from realtime.messages where event = 'large'")
    assert refusal == f"UnableToBroadcastChanges: payload_size_exceeded: message {large}"


def test_sql_speaks_no_more_often_than_clients_may(
    notes: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """At most ten a second on average, so a hundred at once; of the others the log tells once."""
    with serve(notes, messages_per_second=10) as running:
        wire = running.socket().joined("room", private=True)
        notes.run("select realtime.send('{}', n::text, 'room') from generate_series(1, 150) as n")

        assert [each.payload["event"] for each in heard(wire, 100)] == [*map(str, range(1, 101))]
        asyncio.run(hearing.until(lambda: "too_many_requests" in caplog.text))
    assert caplog.text.count("too_many_requests") == 1


def test_a_killed_replication_is_not_noticed_by_sockets(running: Running, notes: Database) -> None:
    wire = running.socket().joined("room", private=True)
    for turn in range(5):
        notes.run(say(f"{turn} before"))
        notes.run(
            "select pg_terminate_backend(pid) from pg_stat_replication", user="supabase_admin"
        )
        notes.run(say(f"{turn} after"))

    expected = [f"{turn} {when}" for turn in range(5) for when in ("before", "after")]
    assert [each.payload["event"] for each in heard(wire, 10)] == expected
    assert wire.heard() == []


def test_each_sees_his_own_rows_only(running: Running, notes: Database, version: str) -> None:
    wires = [
        subscribed(
            running.socket(token(sub=name), version=version).joined(
                "notes", postgres_changes=[NOTES]
            )
        )
        for name in ("ada", "ben")
    ]
    notes.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ben', 'b')")

    told = [wire.next("postgres_changes").payload for wire in wires]

    assert [each["data"]["record"]["id"] for each in told] == [1, 2]
    assert [wire.heard() for wire in wires] == [[], []]


def test_ids_are_those_of_the_join(running: Running, notes: Database) -> None:
    wire = running.socket(token(sub="ada"))
    reply = wire.join(
        "notes",
        postgres_changes=[NOTES, {**NOTES, "event": "DELETE"}, {**NOTES, "filter": "id=eq.1"}],
    )
    every, deletes, first = [each["id"] for each in reply.payload["response"]["postgres_changes"]]
    subscribed(wire)

    notes.run("insert into public.notes values (1, 'ada', 'a')")
    inserted = wire.next("postgres_changes").payload
    notes.run("delete from public.notes")
    deleted = wire.next("postgres_changes").payload

    assert set(inserted["ids"]) == {every, first}
    assert set(deleted["ids"]) == {every, deletes, first}


def test_a_new_token_sees_other_rows(running: Running, notes: Database) -> None:
    wire = running.socket(token(sub="ada"))
    subscribed(wire.joined("notes", postgres_changes=[NOTES]))

    wire.say("realtime:notes", "access_token", {"access_token": token(sub="ben")})
    subscribed(wire)
    notes.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ben', 'b')")

    assert wire.next("postgres_changes").payload["data"]["record"]["id"] == 2
    assert wire.heard() == []


def test_a_wish_that_cannot_be_is_refused_on_the_channel(running: Running, notes: Database) -> None:
    wire = running.socket().joined("notes", postgres_changes=[{**NOTES, "filter": "id=foo.1"}])

    system = wire.next("system")
    assert system.payload["status"] == "error"
    assert system.payload["message"] == 'Error parsing `filter` params: ["foo", "1"]'


def test_python_clients_see_their_own_rows_only(running: Running, notes: Database) -> None:
    async def scenario() -> None:
        ada, ben = await Person.arrive(running, "ada"), await Person.arrive(running, "ben")
        notes.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ben', 'b')")
        await hearing.until(lambda: bool(ada.changes and ben.changes))
        notes.run("update public.notes set body = body || '!'")
        await hearing.until(lambda: len(ada.changes) == len(ben.changes) == 2)
        notes.run(say("done", topic="notes"))
        await hearing.until(lambda: bool(ada.said and ben.said))
        for person in (ada, ben):
            await person.client.close()

        assert [each["data"]["record"]["body"] for each in ada.changes] == ["a", "a!"]
        assert [each["data"]["record"]["body"] for each in ben.changes] == ["b", "b!"]
        assert ada.said == ben.said == ["done"]

    asyncio.run(scenario())


class Person:
    """Somebody with supabase-py's client, in a private room where notes are watched."""

    def __init__(self, client: AsyncRealtimeClient) -> None:
        self.client = client
        self.changes: list[Any] = []
        self.said: list[str] = []

    @classmethod
    async def arrive(cls, running: Running, name: str) -> Person:
        client = AsyncRealtimeClient(running.url, token(sub=name), auto_reconnect=False)
        await client.connect()
        person = cls(client)
        is_there = asyncio.Event()
        private = cast("RealtimeChannelOptions", {"config": {"private": True}})
        channel: AsyncRealtimeChannel = client.channel("notes", private)
        every = RealtimePostgresChangesListenEvent.All
        channel.on_postgres_changes(every, person.changes.append, schema="public", table="notes")
        channel.on_broadcast("done", lambda payload: person.said.append(payload["event"]))

        def tell(state: RealtimeSubscribeStates, _error: Exception | None) -> None:
            if state == RealtimeSubscribeStates.SUBSCRIBED:
                is_there.set()

        is_live = asyncio.Event()
        channel.on_system(lambda _payload: is_live.set())
        await channel.subscribe(tell)
        async with asyncio.timeout(hearing.WAIT_SECONDS):
            await is_there.wait()
            await is_live.wait()
        return person
