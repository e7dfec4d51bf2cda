"""A service killed amid broadcasts: what was committed is heard once, by whoever comes back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import psycopg
import uvicorn
import uvloop
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nlctl.local import ports, realtime
from nlctl.local.connections import Connection
from nlctl.local.realtime import RealtimeConfig
from nlctl.local.tokens import Keyring
from tests import killing
from tests.local.realtime import hearing
from tests.local.realtime.serving import ARRAYS, FAR, PATIENCE_SECONDS, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess

    from tests.databases import Database
    from tests.local.realtime.serving import Push

ROUNDS = 50
SAID_EACH_ROUND = 12  # less than a replay holds
OVERLAP_MS = 60_000
KEYRING = Keyring("a secret that the killed process knows too")
TOKEN = KEYRING.sign({"role": "authenticated", "exp": FAR})

ROOM = """
create policy listen on realtime.messages for select to authenticated using (true);
create policy speak on realtime.messages for insert to authenticated with check (true);
create table public.steps (id int primary key);
create function public.broadcast_step() returns trigger language plpgsql as $$
begin
  perform realtime.broadcast_changes(
    'room', new.id::text, tg_op, tg_table_name, tg_table_schema, new, old);
  return null;
end;
$$;
create trigger steps_broadcast after insert on public.steps
  for each row execute function public.broadcast_step();
"""


def answer_until_killed(database_url: str, told: Pipe) -> None:
    """What the process of a service does; it tells its address and is never asked to stop."""
    with ports.listen(ports.LOOPBACK, 0) as listening:
        app = realtime.create(RealtimeConfig(database_url), KEYRING)
        server = uvicorn.Server(uvicorn.Config(app, ws=Connection, lifespan="on", log_config=None))
        told.send(f"127.0.0.1:{listening.getsockname()[1]}")
        uvloop.run(server.serve([listening]))


@contextmanager
def process(database: Database) -> Iterator[tuple[BaseProcess, str]]:
    """A service in a process of its own, and its address; killed at the end of the block."""
    with killing.process(answer_until_killed, hearing.realtime_url(database)) as running:
        yield running


@dataclass
class Listener:
    """Somebody who comes back to the room after each kill, and asks what he has missed."""

    lives: list[list[Push]] = field(default_factory=list)
    since: int = field(default_factory=lambda: int(time.time() * 1000))

    @contextmanager
    def in_the_room(self, address: str) -> Iterator[Wire]:
        """Joined, with what was said since shortly before he was cut off."""
        self.lives.append([])
        said = f"ws://{address}/websocket?apikey={TOKEN}&vsn={ARRAYS}"
        with connect(said, close_timeout=PATIENCE_SECONDS) as connection:
            wire = Wire(connection, ARRAYS)
            replay = {"replay": {"since": self.since - OVERLAP_MS}}
            yield wire.joined("room", private=True, broadcast=replay)
        self.since = int(time.time() * 1000)

    def listen(self, wire: Wire, last: str | None = None) -> None:
        """Hear everything until the connection breaks, or until `last` is said."""
        heard = self.lives[-1]
        try:
            while not heard or heard[-1].payload["event"] != last:
                heard.append(wire.next("broadcast"))
        except ConnectionClosed:
            assert last is None


def speak(database: Database, numbers: range, fatal: int, child: BaseProcess) -> None:
    """Commit one message after the other; the service is killed after the one that is fatal."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for number in numbers:
            if number % 2:
                connection.execute("select realtime.send('{}', %s, 'room')", (str(number),))
            else:
                connection.execute("insert into public.steps values (%s)", (number,))
            if number == fatal:
                child.kill()


def speak_over_http(address: str) -> None:
    """Say one thing after the other until nobody answers any more."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://{address}", headers=headers) as http:
        for number in range(10_000):
            event = f"{address} {number}"
            said = {"topic": "room", "event": event, "payload": {"a": 1}, "private": True}
            try:
                assert http.post("/api/broadcast", json={"messages": [said]}).status_code == 202
            except httpx.TransportError:
                return


def test_a_service_killed_amid_broadcasts_loses_and_doubles_nothing(
    empty_database: Database,
) -> None:
    empty_database.run(ROOM)
    listener = Listener()
    for number in range(ROUNDS):
        numbers = range(SAID_EACH_ROUND * number, SAID_EACH_ROUND * (number + 1))
        fatal = numbers[number % SAID_EACH_ROUND]
        with process(empty_database) as (child, address), ThreadPoolExecutor(2) as pool:
            with listener.in_the_room(address) as wire:
                tasks = [
                    pool.submit(speak, empty_database, numbers, fatal, child),
                    pool.submit(speak_over_http, address),
                ]
                listener.listen(wire)
            for task in tasks:
                task.result()
    with process(empty_database) as (_, address), listener.in_the_room(address) as wire:
        empty_database.run("select realtime.send('{}', 'end', 'room')")
        listener.listen(wire, last="end")

    check_everything(empty_database, listener)


def check_everything(database: Database, listener: Listener) -> None:
    stored = dict(database.run("select id::text, event from realtime.messages"))
    said = [*map(str, range(ROUNDS * SAID_EACH_ROUND)), "end"]
    assert sorted(stored.values()) == sorted(said)
    for life in listener.lives:
        events = [push.payload["event"] for push in life]
        assert len(events) == len(set(events))
        numbers = [int(event) for event in events if event.isdecimal()]
        assert numbers == sorted(numbers)
    heard = {
        push.payload["meta"]["id"] for life in listener.lives for push in life if is_stored(push)
    }
    assert heard == set(stored)


def is_stored(push: Push) -> bool:
    return "meta" in push.payload
