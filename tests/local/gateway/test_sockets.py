"""Websockets at the gateway: who is let through, and what the service sees of them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local import gateway, keys
from nlctl.local.gateway import ApiKeys
from nlctl.local.tokens import Keyring

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
RING = Keyring(keys.JWT_SECRET)
ANON = keys.legacy_key("anon")
PUBLISHABLE, SECRET = keys.PUBLISHABLE_KEY, keys.SECRET_KEY


class Visit:
    """One websocket that knocks at the gateway, and what came of it."""

    def __init__(self, path: str, query: str = "", **headers: str) -> None:
        self.seen: Scope = {}
        self.sent: list[Message] = []
        self.log: list[str] = []
        services = {"realtime": self._serve, "rest": self._serve}
        keyring = ApiKeys(RING, PUBLISHABLE, SECRET)
        app = gateway.create(services, keyring, health={}, write=self.log.append)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 1),
        }

        async def knock() -> None:
            await app(scope, self._receive, self._send)

        asyncio.run(knock())

    @property
    def key(self) -> str:
        """What the service sees as the key."""
        found = [value for name, value in self.seen["headers"] if name == b"x-api-key"]
        assert len(found) == 1
        return str(found[0].decode())

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and message of the answer that comes instead of a websocket."""
        start, body = self.sent
        assert start["type"] == "websocket.http.response.start"
        assert body["type"] == "websocket.http.response.body"
        return start["status"], json.loads(body["body"])["message"]

    async def _serve(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.seen = scope
        await send({"type": "websocket.accept"})

    async def _receive(self) -> Message:
        return {"type": "websocket.connect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


SOCKET = "/realtime/v1/websocket"


@pytest.mark.parametrize(
    ("key", "role"), [(PUBLISHABLE, "anon"), (SECRET, "service_role"), (ANON, "anon")]
)
def test_a_key_of_either_kind_is_a_token_inside(key: str, role: str) -> None:
    visit = Visit(SOCKET, f"apikey={key}&vsn=2.0.0")

    assert visit.sent == [{"type": "websocket.accept"}]
    assert RING.verify(visit.key)["role"] == role
    assert (visit.seen["path"], visit.seen["query_string"]) == ("/websocket", b"vsn=2.0.0")


def test_a_key_of_the_client_s_own_choice_does_not_reach_the_service() -> None:
    visit = Visit(SOCKET, f"apikey={PUBLISHABLE}", x_api_key=keys.legacy_key("service_role"))

    assert RING.verify(visit.key)["role"] == "anon"


@pytest.mark.parametrize(
    ("query", "message"),
    [("", "No API key found in request"), ("apikey=nonsense", "Invalid API key")],
)
def test_nobody_is_let_through_without_a_key(query: str, message: str) -> None:
    assert Visit(SOCKET, query).refusal == (401, message)


def test_a_secret_key_is_refused_in_a_browser() -> None:
    status, message = Visit(SOCKET, f"apikey={SECRET}", user_agent=FIREFOX).refusal

    assert (status, message) == (401, "Forbidden use of secret API key in browser")


@pytest.mark.parametrize("path", ["/rest/v1/todos", "/health", "/", "/realtime"])
def test_there_are_no_websockets_elsewhere(path: str) -> None:
    visit = Visit(path, f"apikey={PUBLISHABLE}")

    assert visit.refusal == (404, "no Route matched with those values")
    assert visit.seen == {}


def test_a_websocket_is_one_line_without_its_key() -> None:
    [line] = Visit(SOCKET, f"apikey={PUBLISHABLE}&vsn=2.0.0").log

    assert f"realtime GET {SOCKET}?apikey=…&vsn=… 101" in line
