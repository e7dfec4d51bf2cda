"""Broadcasts from SQL: every committed message is heard once, in the order of commits."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.local.realtime import hearing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database

END = "select pg_terminate_backend(active_pid) from pg_replication_slots where active"


def send(event: str, topic: str = "room") -> str:
    return f"select realtime.send('{{}}', '{event}', '{topic}')"


@contextmanager
def cut_off(database: Database) -> Iterator[None]:
    """Nobody but the owner may connect, and who listens is thrown out."""
    database.run(f"revoke connect on database {database.name} from public")
    database.run(END, user="supabase_admin")
    yield
    database.run(f"grant connect on database {database.name} to public")


def test_a_message_is_heard_with_all_that_was_said(empty_database: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            empty_database.run(
                """select realtime.send('{"id": 7, "a": "é"}', 'said', 'r', false)"""
            )
            await hub.hears(1)

        [message] = hub.heard
        assert (message.topic, message.event, message.is_private) == ("r", "said", False)
        assert (message.payload, message.is_json) == ('{"a": "é", "id": 7}'.encode(), True)
        assert not message.is_replayed
        [(identity,)] = empty_database.run("select id::text from realtime.messages")
        assert message.id == identity

    asyncio.run(scenario())


def test_bytes_are_heard_as_they_were_sent(empty_database: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            empty_database.run(r"select realtime.send_binary('\x00ff5c', 'said', 'room')")
            await hub.hears(1)

        assert (hub.heard[0].payload, hub.heard[0].is_json) == (b"\x00\xff\\", False)

    asyncio.run(scenario())


def test_what_is_rolled_back_is_never_heard(empty_database: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            with empty_database.connect(autocommit=False) as connection:
                connection.execute(send("undone").encode())
                connection.rollback()
            empty_database.run(send("done"))
            await hub.hears_event("done")

        assert hub.events() == ["done"]

    asyncio.run(scenario())


def test_a_message_without_event_is_passed_over(empty_database: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            empty_database.run(
                "insert into realtime.messages (topic, extension, payload) "
                "values ('room', 'broadcast', '{}')"
            )
            empty_database.run(send("said"))
            await hub.hears_event("said")

        assert hub.events() == ["said"]

    asyncio.run(scenario())


def test_a_message_for_any_day_is_heard(empty_database: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            empty_database.run(
                "insert into realtime.messages (topic, extension, payload, event, inserted_at) "
                "values ('room', 'broadcast', '{}', 'said', '2001-01-01')"
            )
            await hub.hears_event("said")

    asyncio.run(scenario())


def test_a_transaction_that_began_first_and_ended_last_is_heard_last(
    empty_database: Database,
) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            await hearing.a_slot(empty_database)
            with empty_database.connect(autocommit=False) as early:
                early.execute(send("began first").encode())
                empty_database.run(send("began second"))
                early.commit()
            await hub.hears(2)

        assert hub.events() == ["began second", "began first"]

    asyncio.run(scenario())


def test_what_was_said_while_nobody_listened_is_heard_in_the_same_order(
    empty_database: Database,
) -> None:
    """As above, but from the table: the link is cut while it all happens."""

    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            empty_database.run(send("before"))
            await hub.hears_event("before")
            with cut_off(empty_database), empty_database.connect(autocommit=False) as early:
                early.execute(send("1 of early").encode())
                early.execute(send("2 of early").encode())
                empty_database.run(send("late"))
                early.commit()
            await hub.hears(4)

        assert hub.events() == ["before", "late", "1 of early", "2 of early"]

    asyncio.run(scenario())


def test_an_open_transaction_of_somebody_holds_nothing_up(empty_database: Database) -> None:
    """A new slot waits for whoever is writing, maybe for hours."""

    async def scenario() -> None:
        with empty_database.connect(autocommit=False) as busy:
            busy.execute("select pg_current_xact_id()")
            async with hearing.listening(empty_database) as hub:
                empty_database.run(send("said"))
                await hub.hears_event("said")
                busy.commit()
                await hearing.a_slot(empty_database)
                empty_database.run(send("said again"))
                await hub.hears_event("said again")

            assert hub.events() == ["said", "said again"]

    asyncio.run(scenario())


def test_what_was_said_before_somebody_came_is_not_heard(empty_database: Database) -> None:
    async def scenario() -> None:
        empty_database.run(send("too early"))
        async with hearing.listening(empty_database) as hub:
            empty_database.run(send("in time"))
            await hub.hears_event("in time")

        assert hub.events() == ["in time"]

    asyncio.run(scenario())


def test_each_topic_is_heard_in_the_order_of_commits(empty_database: Database) -> None:
    """Each writer holds its topic's row until it commits, which makes the order known."""
    empty_database.run("create table public.topics (name text primary key, told int default 0)")
    empty_database.run("insert into public.topics values ('room 1'), ('room 2'), ('room 3')")
    says = """
        with next as (
          update public.topics set told = told + 1 where name = %(topic)s returning told)
        select realtime.send('{}', told::text, %(topic)s) from next
    """

    def write(number: int) -> None:
        with empty_database.connect() as writer:
            for turn in range(100):
                writer.execute(says, {"topic": f"room {(number + turn) % 3 + 1}"})

    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            writing = asyncio.gather(*[asyncio.to_thread(write, number) for number in range(6)])
            while not writing.done():
                await asyncio.sleep(0.05)
                empty_database.run(END, user="supabase_admin")
            await writing
            await hub.hears(600)

        for room in ("room 1", "room 2", "room 3"):
            assert hub.events(room) == [str(n) for n in range(1, 201)]

    asyncio.run(scenario())


def test_killing_the_replication_again_and_again_loses_and_doubles_nothing(
    empty_database: Database,
) -> None:
    is_over = threading.Event()
    sent: list[str] = []

    def write() -> None:
        with empty_database.connect() as writer:
            while not is_over.is_set():
                event = str(uuid4())
                writer.execute(send(event).encode())
                sent.append(event)

    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            writing = asyncio.create_task(asyncio.to_thread(write))
            for _ in range(15):
                await hearing.a_slot(empty_database)
                empty_database.run(END, user="supabase_admin")
                await hub.hears(len(hub.heard) + 1)
            is_over.set()
            await writing
            await hub.hears_event(sent[-1])

        assert hub.events() == sent

    asyncio.run(scenario())
