"""The gateway: who is admitted, what services see of a request, what pages see of an answer."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from nlctl.local import gateway, keys, tokens
from nlctl.local.gateway import ApiKeys
from nlctl.local.tokens import Keyring
from tests.local import asking

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
PUBLISHABLE = keys.PUBLISHABLE_KEY
SECRET = keys.SECRET_KEY
ANON = keys.legacy_key("anon")
SERVICE_ROLE = keys.legacy_key("service_role")
RING = Keyring(keys.JWT_SECRET, [tokens.make_signing_key()])
SESSION = RING.sign({"role": "authenticated", "sub": "11111111-1111-4111-8111-111111111111"})
STRANGER = Keyring("another-secret-of-more-than-32-characters").sign({"role": "service_role"})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """A service that tells what it saw."""
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    seen = {
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "root_path": scope["root_path"],
        "query": scope["query_string"].decode(),
        "authorization": headers.get("authorization"),
        "apikey": headers.get("apikey"),
        "body": (await receive())["body"].decode(),
    }
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-range", b"0-0/*"),
            (b"access-control-allow-origin", b"https://only-me.test"),
            (b"access-control-expose-headers", b"nothing"),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """A service with a bug."""
    raise ZeroDivisionError


async def broken_halfway(scope: Scope, receive: Receive, send: Send) -> None:
    """A service that fails after it began to answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ZeroDivisionError


@dataclass
class Door:
    """A gateway and its log."""

    app: ASGIApp
    log: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asking.ask(self.app, method, path, **options)

    def seen(self, path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
        """What the service saw of an admitted request."""
        answer = self.ask(method, path, headers=headers)
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen


def make(**services: ASGIApp) -> Door:
    log: list[str] = []
    api_keys = ApiKeys(RING, PUBLISHABLE, SECRET)
    app = gateway.create(services, api_keys, health={"status": "ok"}, write=log.append)
    return Door(app, log)


@pytest.fixture
def door() -> Door:
    """A gateway in front of two services that echo."""
    return make(rest=echo, auth=echo)


def role_in(authorization: str) -> object:
    return RING.verify(authorization.removeprefix("Bearer "))["role"]


def test_a_service_sees_its_own_path(door: Door) -> None:
    seen = door.seen("/rest/v1/todos%20d%C3%A9j%C3%A0?select=*&id=eq.1", apikey=ANON)

    assert (seen["root_path"], seen["path"]) == ("/rest/v1", "/todos déjà")
    assert (seen["raw_path"], seen["query"]) == ("/todos%20d%C3%A9j%C3%A0", "select=*&id=eq.1")


def test_a_service_reads_the_body(door: Door) -> None:
    answer = door.ask("POST", "/rest/v1/todos", json={"a": 1}, headers={"apikey": ANON})

    assert json.loads(answer.json()["body"]) == {"a": 1}


@pytest.mark.parametrize("path", ["/", "/rest", "/rest/v10/todos", "/storage/v1/object", "/x"])
def test_a_path_of_nobody_is_not_found(door: Door, path: str) -> None:
    answer = door.ask("GET", path, headers={"apikey": ANON})

    assert answer.status_code == 404
    assert answer.json() == {"message": "no Route matched with those values"}


def test_a_service_that_is_not_there_is_not_found() -> None:
    assert make(rest=echo).ask("GET", "/auth/v1/settings").status_code == 404


@pytest.mark.parametrize(
    ("key", "role"),
    [(PUBLISHABLE, "anon"), (SECRET, "service_role")],
    ids=["publishable", "secret"],
)
class TestOpaqueKeys:
    def test_alone_it_becomes_a_token(self, door: Door, key: str, role: str) -> None:
        assert role_in(door.seen("/auth/v1/settings", apikey=key)["authorization"]) == role

    def test_in_both_headers_it_becomes_a_token(self, door: Door, key: str, role: str) -> None:
        seen = door.seen("/rest/v1/todos", apikey=key, authorization=f"Bearer {key}")

        assert role_in(seen["authorization"]) == role

    def test_in_the_query_it_becomes_a_token_and_no_filter(
        self, door: Door, key: str, role: str
    ) -> None:
        seen = door.seen(f"/rest/v1/todos?select=id&apikey={key}&id=eq.1")

        assert role_in(seen["authorization"]) == role
        assert seen["query"] == "select=id&id=eq.1"

    def test_the_scheme_is_known_in_any_letters(self, door: Door, key: str, role: str) -> None:
        seen = door.seen("/rest/v1/todos", apikey=key, authorization=f"bearer {key}")

        assert role_in(seen["authorization"]) == role


@pytest.mark.parametrize("key", [PUBLISHABLE, SECRET, ANON, SERVICE_ROLE])
def test_a_key_gives_way_to_a_session(door: Door, key: str) -> None:
    seen = door.seen("/rest/v1/todos", apikey=key, authorization=f"Bearer {SESSION}")

    assert seen["authorization"] == f"Bearer {SESSION}"


@pytest.mark.parametrize("key", [ANON, SERVICE_ROLE], ids=["anon", "service_role"])
def test_the_keys_of_older_clients_pass_as_they_are(door: Door, key: str) -> None:
    seen = door.seen("/auth/v1/settings", apikey=key, authorization=f"Bearer {key}")

    assert (seen["authorization"], seen["apikey"]) == (f"Bearer {key}", key)


def test_a_key_alone_signs_nobody_in(door: Door) -> None:
    assert door.seen("/rest/v1/todos", apikey=SERVICE_ROLE)["authorization"] is None


def test_an_unknown_bearer_is_for_the_service_to_refuse(door: Door) -> None:
    seen = door.seen("/rest/v1/todos", apikey=ANON, authorization="Bearer nonsense")

    assert seen["authorization"] == "Bearer nonsense"


def test_the_data_api_is_anonymous_without_a_key(door: Door) -> None:
    assert door.seen("/rest/v1/todos")["authorization"] is None


def test_auth_asks_for_a_key(door: Door) -> None:
    answer = door.ask("GET", "/auth/v1/settings")

    assert answer.status_code == 401
    assert answer.json() == {
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    }


def test_a_client_of_auth_alone_sends_no_key(door: Door) -> None:
    headers = {"x-supabase-api-version": "2024-01-01", "authorization": f"Bearer {SESSION}"}

    assert door.seen("/auth/v1/user", **headers)["authorization"] == f"Bearer {SESSION}"


@pytest.mark.parametrize(
    "path", ["/verify?token=x&type=signup", "/callback", "/authorize", "/.well-known/jwks.json"]
)
def test_links_in_letters_carry_no_key(door: Door, path: str) -> None:
    assert door.ask("GET", f"/auth/v1{path}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"apikey": "nonsense"},
        {"apikey": "sb_publishable_of_another_project"},
        {"apikey": STRANGER},
        {"apikey": SESSION},
        {"apikey": RING.sign({"role": "service_role", "exp": 1})},
        {"apikey": RING.sign({"role": "postgres"})},
        {"apikey": RING.sign({"role": ["anon"]})},
        {"apikey": ANON, "authorization": f"Bearer {SECRET}"},
        {"apikey": PUBLISHABLE, "authorization": f"Bearer {SECRET}"},
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": "Bearer sb_temp_whatever"},
    ],
    ids=[
        "nonsense", "another project's", "stranger's", "a session", "expired", "another role",
        "a list of roles", "secret beside anon", "secret beside publishable", "secret alone",
        "unknown opaque",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/rest/v1/todos", "/auth/v1/user"])
def test_a_key_that_is_not_ours_is_refused(door: Door, path: str, headers: dict[str, str]) -> None:
    answer = door.ask("GET", path, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["message"] in {"Invalid API key", "No API key found in request"}


def test_a_secret_key_is_refused_in_a_browser(door: Door) -> None:
    headers = {"apikey": SECRET, "user-agent": FIREFOX}
    door.seen("/rest/v1/todos", apikey=SECRET)  # elsewhere it is let in, and that is remembered

    answer = door.ask("GET", "/rest/v1/todos", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["message"] == "Forbidden use of secret API key in browser"


@pytest.mark.parametrize("key", [PUBLISHABLE, ANON, SERVICE_ROLE])
def test_other_keys_work_in_a_browser(door: Door, key: str) -> None:
    assert door.seen("/rest/v1/todos", apikey=key, **{"user-agent": FIREFOX})


@pytest.mark.parametrize("path", ["/rest/v1/", "/rest/v1"])
@pytest.mark.parametrize("key", [SECRET, SERVICE_ROLE], ids=["secret", "service_role"])
def test_a_privileged_key_reads_the_description(door: Door, path: str, key: str) -> None:
    assert door.seen(path, apikey=key, authorization=f"Bearer {key}")["path"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"apikey": PUBLISHABLE},
        {"apikey": ANON, "authorization": f"Bearer {ANON}"},
        {"apikey": ANON, "authorization": f"Bearer {SESSION}"},
        {"authorization": f"Bearer {SESSION}"},
    ],
)
def test_nobody_else_reads_the_description(door: Door, headers: dict[str, str]) -> None:
    assert door.ask("GET", "/rest/v1/", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/rest/v1/todos", "/auth/v1/token", "/nowhere"])
def test_a_preflight_is_answered_everywhere_without_a_key(door: Door, path: str) -> None:
    asked = "authorization, x-made-up, traceparent"

    answer = door.ask(
        "OPTIONS",
        path,
        headers={
            "origin": "http://127.0.0.1:5173",
            "access-control-request-method": "PATCH",
            "access-control-request-headers": asked,
        },
    )

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == asked
    assert "PATCH" in answer.headers["access-control-allow-methods"]


def test_an_options_request_of_no_browser_reaches_the_service(door: Door) -> None:
    assert door.seen("/rest/v1/todos", method="OPTIONS")["path"] == "/todos"


@pytest.mark.parametrize(
    ("path", "header"),
    [("/rest/v1/todos", "Content-Range"), ("/auth/v1/admin/users", "X-Total-Count")],
)
def test_a_page_may_read_the_answer(door: Door, path: str, header: str) -> None:
    answer = door.ask("GET", path, headers={"apikey": ANON})

    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    (exposed,) = answer.headers.get_list("access-control-expose-headers")
    assert header in exposed.split(", ")


@pytest.mark.parametrize("path", ["/auth/v1/settings", "/nowhere"])
def test_a_page_may_read_a_refusal(door: Door, path: str) -> None:
    assert door.ask("GET", path).headers["access-control-allow-origin"] == "*"


def test_health_needs_no_key(door: Door) -> None:
    assert door.ask("GET", "/health").json() == {"status": "ok"}


def test_each_request_is_one_line(door: Door) -> None:
    door.ask("GET", "/rest/v1/todos?select=id,done&order=id", headers={"apikey": ANON})
    door.ask("GET", "/auth/v1/settings")

    first, second = door.log
    assert " rest GET /rest/v1/todos?select=id,done&order=id 200 " in first
    assert " auth GET /auth/v1/settings 401 " in second


@pytest.mark.parametrize(
    ("target", "hidden"),
    [
        (f"/rest/v1/todos?apikey={PUBLISHABLE}", PUBLISHABLE),
        (f"/rest/v1/todos?APIKEY={SECRET}", SECRET),
        (f"/rest/v1/todos?a%70ikey={SECRET}", SECRET),
        ("/auth/v1/verify?token=abc123secret&type=signup", "abc123secret"),
        ("/auth/v1/verify?type=signup&token_hash=abc123secret", "abc123secret"),
        ("/auth/v1/callback?code=abc123secret", "abc123secret"),
        ("/rest/v1/profiles?email=eq.ada@example.test", "ada@example"),
        ("/rest/v1/rpc/log_in?password=hunter2", "hunter2"),
    ],
)
def test_the_log_opens_no_door(door: Door, target: str, hidden: str) -> None:
    door.ask("GET", target, headers={"authorization": f"Bearer {SESSION}"})

    (line,) = door.log
    assert hidden not in line
    assert SESSION not in line


def test_nobody_writes_lines_of_their_own_into_the_log(door: Door) -> None:
    door.ask("GET", "/rest/v1/a%0Ab?select=%0Ac")

    (line,) = door.log
    assert "\n" not in line


def test_a_bug_in_a_service_is_an_answer_and_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    door = make(rest=broken)

    with caplog.at_level(logging.ERROR, "nlctl.gateway"):
        answer = door.ask("GET", "/rest/v1/todos")

    assert answer.status_code == 500
    assert answer.json()["message"] == "The local stack failed; see: nlctl logs api"
    assert "ZeroDivisionError" in caplog.text
    assert " 500 " in door.log[0]


def test_half_an_answer_is_never_completed(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.CRITICAL, "nlctl.gateway"),
        pytest.raises(ZeroDivisionError),
    ):
        asyncio.run(_call(make(rest=broken_halfway).app))


async def _call(app: ASGIApp) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://stack") as client:
        await client.get("/rest/v1/todos")


WORDS = (
    PUBLISHABLE,
    SECRET,
    ANON,
    SESSION,
    STRANGER,
    "Bearer",
    "bearer ",
    "sb_",
    ".",
    " ",
    "é",
    "",
)


@given(
    path=some.sampled_from(
        ["/rest/v1/todos", "/rest/v1/", "/auth/v1/user", "/auth/v1/verify", "/"]
    ),
    key=some.lists(some.sampled_from(WORDS), max_size=3).map("".join),
    authorization=some.lists(some.sampled_from(WORDS), max_size=3).map("".join),
    query=some.text(some.characters(codec="latin-1", categories=("L", "N", "P", "S")), max_size=20),
)
def test_whatever_is_shown_at_the_door_is_let_in_or_refused(
    path: str, key: str, authorization: str, query: str
) -> None:
    headers = {"apikey": key.encode("latin-1"), "authorization": authorization.encode("latin-1")}

    answer = make(rest=echo, auth=echo).ask("GET", path, params={"q": query}, headers=headers)

    assert answer.status_code in {200, 401, 403, 404}
    if answer.status_code == 200:
        seen = answer.json()["authorization"] or ""
        assert SECRET not in seen or seen == authorization
