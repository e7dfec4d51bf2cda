"""Two people in a room with supabase-py: what they hear, see and are refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from realtime import RealtimeAcknowledgementStatus, RealtimeSubscribeStates
from realtime.types import RealtimePostgresChangesListenEvent
from supabase.lib.client_options import AsyncClientOptions

from supabase import AsyncClient, acreate_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from realtime import AsyncRealtimeChannel
    from realtime.types import RealtimeChannelOptions

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Given:
    """What a client is told of the stack and of the two people."""

    url: str
    publishable_key: str
    secret_key: str
    topic: str
    bucket: str
    tokens: dict[str, str]
    people: dict[str, str]

    def arguments(self) -> dict[str, str]:
        """Of act_in_meeting."""
        return {"p_ada": self.people["ada"], "p_ben": self.people["ben"], "p_topic": self.topic}


@dataclass
class Guest:
    """Somebody in the room, and what came to him."""

    client: AsyncClient
    channel: AsyncRealtimeChannel
    heard: list[Any] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    is_live: asyncio.Event = field(default_factory=asyncio.Event)

    def present(self) -> list[str]:
        """The keys of everybody who is there."""
        return sorted(self.channel.presence_state())


async def enter(client: AsyncClient, topic: str, name: str) -> Guest:
    """Join the room as `name`, and wait until everything is heard."""
    channel = client.channel(topic, options(name))
    guest = Guest(client, channel)
    channel.on_broadcast("said", lambda said: guest.heard.append(said["payload"]))
    channel.on_broadcast("act", lambda said: guest.heard.append(said["payload"]["from"]))
    channel.on_postgres_changes(
        RealtimePostgresChangesListenEvent.All,
        lambda told: guest.rows.append(describe(told)),
        table="meeting_notes",
        schema="public",
    )
    channel.on_system(lambda _told: guest.is_live.set())
    await channel.subscribe()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await guest.is_live.wait()
    return guest


def options(name: str) -> RealtimeChannelOptions:
    """How everybody joins: in private, with answers, under a name."""
    return {
        "config": {
            "private": True,
            "broadcast": {"ack": True, "self": False},
            "presence": {"key": name, "enabled": True},
        }
    }


def describe(told: Any) -> list[Any]:
    """A change of a row, without its moment."""
    data = told["data"]
    return [str(data["type"].value), data["record"]["text"], data["errors"]]


async def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so; the clients go on meanwhile."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)


async def refused(client: AsyncClient) -> str:
    """What somebody is told at the door of a room that is not for him."""
    reasons: list[str] = []

    def note(state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is RealtimeSubscribeStates.CHANNEL_ERROR:
            reasons.append(str(error))

    await client.channel("meeting:closed", options("ada")).subscribe(note)
    await until(lambda: bool(reasons))
    await client.realtime.remove_all_channels()
    return reasons[0]


async def say(guest: Guest, payload: Any) -> str:
    """Broadcast, and wait for the answer."""
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    said = {"type": "broadcast", "event": "said", "payload": payload}
    push = await guest.channel.push("broadcast", said)
    push.receive(RealtimeAcknowledgementStatus.Ok, lambda _reply: answered.set_result("ok"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await answered


async def meet(given: Given) -> dict[str, Any]:
    """The whole meeting; what each of them noted."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        chosen = AsyncClientOptions(httpx_client=http, auto_refresh_token=False)

        async def connect(key: str) -> AsyncClient:
            return await acreate_client(given.url, key, chosen)

        people = {}
        for name, token in given.tokens.items():
            people[name] = await connect(given.publishable_key)
            await people[name].realtime.set_auth(token)
        stranger = await connect(given.publishable_key)
        diary = {"a refused join": await refused(stranger)}
        server = await connect(given.secret_key)
        guests = [await enter(client, given.topic, name) for name, client in people.items()]
        return {**diary, **await converse(given, server, *guests)}


async def converse(given: Given, server: AsyncClient, ada: Guest, ben: Guest) -> dict[str, Any]:
    """What the two do once both are in the room."""
    diary: dict[str, Any] = {}
    diary["a broadcast is acknowledged"] = await say(ada, {"n": 1})
    await until(lambda: bool(ben.heard))
    diary["a broadcast is heard by the other"] = [[*ada.heard], [*ben.heard]]

    await ada.channel.track({"mood": "calm"})
    await ben.channel.track({"mood": "busy"})
    await until(lambda: len(ada.present()) == 2 == len(ben.present()))
    diary["both are present"] = [ada.present(), ben.present()]

    await server.rpc("act_in_meeting", given.arguments()).execute()
    await until(lambda: ada.heard[-1:] == ["SQL"] == ben.heard[-1:])
    await until(lambda: len(ada.rows) == 2 and len(ben.rows) == 1)
    diary["a broadcast from SQL"] = [ada.heard[-1], ben.heard[-1]]
    diary["each sees his own rows"] = [ada.rows, ben.rows]

    ben.client.realtime.auto_reconnect = False
    ben.client.realtime._ws_connection.transport.abort()  # type: ignore[union-attr]
    await until(lambda: len(ada.present()) == 1)
    diary["a dropped connection"] = ada.present()

    for guest in (ada, ben):
        await guest.client.realtime.remove_all_channels()
    return diary
