"""Forged tokens open nothing, whichever service of the stack they are shown to."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.local import forgery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlctl.local.tokens import SigningKey
    from tests.stacks import Stack

NO_HEADER = {"newline inside", "null byte", "blank", "empty"}  # httpx refuses to send them
SPACED = {"newline inside", "space before"}  # which the platform forgives
LATE = {"expired"}  # by a second, which the Data API forgives
REAL = {"opaque key"}  # which is a key, though no token
REFUSED = {400, 401, 403}
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def signing_key(stack: Stack) -> SigningKey:
    """What the stack signs sessions with."""
    key = stack.signing_key()
    if key is None:
        pytest.skip("the signing key of a project known by its URL stays with it")
    return key


@pytest.fixture(scope="module")
def forged(signing_key: SigningKey) -> dict[str, str]:
    """Tokens that nobody should believe."""
    return forgery.forge(signing_key)


@pytest.fixture(scope="module")
def genuine(signing_key: SigningKey) -> str:
    """A token that everybody should believe."""
    return forgery.genuine(signing_key, int(time.time()))


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    """A visitor."""
    headers = {"apikey": stack.publishable_key}
    with httpx.Client(base_url=stack.api_url, headers=headers, timeout=PATIENCE_SECONDS) as http:
        yield http


def show(http: httpx.Client, path: str, token: str) -> int:
    """The status of the answer to who shows this token."""
    shown = b"Bearer " + token.encode("utf-8", "surrogatepass")
    return http.get(path, headers={b"authorization": shown}).status_code


@pytest.mark.parametrize(
    ("path", "forgiven"),
    [
        ("/rest/v1/user_types", LATE),
        ("/auth/v1/admin/users", set()),
        ("/storage/v1/bucket", set()),
    ],
)
def test_no_service_believes_a_forged_token(
    http: httpx.Client, forged: dict[str, str], genuine: str, path: str, forgiven: set[str]
) -> None:
    shapes = forged.keys() - NO_HEADER - SPACED - forgiven
    assert show(http, path, genuine) == 200
    assert len(shapes) > 50

    statuses = {name: show(http, path, forged[name]) for name in shapes}
    assert {name: told for name, told in statuses.items() if told not in REFUSED} == {}


def test_realtime_opens_no_socket_for_a_forged_key(
    stack: Stack, forged: dict[str, str], genuine: str
) -> None:
    address = stack.api_url.replace("http", "ws") + "/realtime/v1/websocket?apikey="

    def status_of(token: str) -> int:
        try:
            with connect(address + quote(token.encode("utf-8", "surrogatepass"))):
                return 101
        except InvalidStatus as refusal:
            return refusal.response.status_code

    assert status_of(genuine) == 101
    statuses = {name: status_of(token) for name, token in forged.items()}
    assert {name for name, told in statuses.items() if told not in REFUSED} == REAL


def test_realtime_lets_nobody_join_with_a_forged_token(
    stack: Stack, forged: dict[str, str], genuine: str
) -> None:
    address = stack.api_url.replace("http", "ws") + "/realtime/v1/websocket"
    with connect(f"{address}?apikey={stack.publishable_key}&vsn=1.0.0") as socket:

        def join(number: int, token: str) -> str:
            payload = {"access_token": token, "config": {}}
            topic = f"realtime:room {number}"
            frame = {"topic": topic, "event": "phx_join", "payload": payload, "ref": "1"}
            socket.send(json.dumps(frame))
            return status_of(socket.recv, topic)

        assert join(0, genuine) == "ok"
        answers = {name: join(number, forged[name]) for number, name in enumerate(forged, 1)}
    assert {name for name, told in answers.items() if told != "error"} == REAL | SPACED


def status_of(receive: Callable[..., Any], topic: str) -> str:
    """How the join of this topic is answered."""
    while True:
        frame = json.loads(receive(timeout=PATIENCE_SECONDS))
        if (frame["topic"], frame["event"]) == (topic, "phx_reply"):
            return str(frame["payload"]["status"])
