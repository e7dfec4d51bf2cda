"""The app: who asks, what is asked, and in which order it is refused. The database is a stub."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from nlctl.local import keys
from nlctl.local.rest import errors
from nlctl.local.rest.app import DataApi
from nlctl.local.rest.config import RestConfig
from nlctl.local.rest.openapi import Visible
from nlctl.local.rest.request import CSV, SINGLE, Action, ApiRequest, JsonBody
from nlctl.local.rest.result import Result
from nlctl.local.rest.schema import Schema
from nlctl.local.tokens import Keyring
from tests.local import test_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

RING = test_tokens.RING
CONFIG = RestConfig("postgresql://nowhere", schemas=("public", "other"))


@dataclass
class Stub:
    """A database that remembers what it was asked and answers what it was told to."""

    config: RestConfig = CONFIG
    schema: Schema | None = field(default_factory=lambda: Schema({}, {}, {}))
    result: Result = field(default_factory=lambda: Result(b"[]"))
    asked: list[ApiRequest] = field(default_factory=list)
    is_running: bool = False

    async def start(self) -> None:
        self.is_running = True

    async def stop(self) -> None:
        self.is_running = False

    async def run(self, request: ApiRequest) -> Result:
        self.asked.append(request)
        return self.result

    async def visible(self, request: ApiRequest) -> Visible:
        self.asked.append(request)
        return Visible((), ())

    def methods(self, request: ApiRequest) -> Iterable[str]:
        self.asked.append(request)
        return ("OPTIONS", "GET", "HEAD")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def error(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.body))

    @property
    def code(self) -> tuple[int, str]:
        return self.status, self.error["code"]


def ask(
    stub: Stub,
    method: str = "GET",
    path: str = "/things",
    *,
    body: bytes | Iterable[bytes] = b"",
    ring: Keyring = RING,
    **headers: str | bytes,
) -> Answer:
    """One request, without a socket or an HTTP library that would mend it."""
    path, _, query = path.partition("?")
    parts = [body] if isinstance(body, bytes) else list(body)
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "/rest/v1",
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in headers.items()
        ],
    }

    async def receive() -> dict[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(DataApi(stub, ring)(scope, receive, send))
    start, *bodies = sent
    return Answer(
        start["status"],
        [(name.decode(), value.decode()) for name, value in start["headers"]],
        b"".join(message["body"] for message in bodies),
    )


def asked(stub: Stub) -> ApiRequest:
    (request,) = stub.asked
    return request


# Who asks.


def test_nobody_in_particular_is_anon() -> None:
    stub = Stub()
    ask(stub)

    assert asked(stub).identity.role == "anon"
    assert json.loads(asked(stub).identity.claims) == {"role": "anon"}


def test_a_token_tells_the_role_and_its_claims() -> None:
    stub = Stub()
    claims = {"role": "authenticated", "sub": "é\0", "nested": {"a": [1]}}
    ask(stub, authorization=f"Bearer {RING.sign(claims)}")

    assert asked(stub).identity.role == "authenticated"
    assert json.loads(asked(stub).identity.claims) == claims


def test_a_token_without_a_role_keeps_its_other_claims_as_anon() -> None:
    stub = Stub()
    ask(stub, authorization=f"bearer {RING.sign({'sub': 'x'})}")

    assert json.loads(asked(stub).identity.claims) == {"sub": "x", "role": "anon"}


def test_another_scheme_is_no_token() -> None:
    stub = Stub()
    ask(stub, authorization="Basic abc")

    assert asked(stub).identity.role == "anon"


def test_a_clock_that_is_half_a_minute_off_is_forgiven() -> None:
    token = RING.sign({"role": "authenticated", "exp": int(time.time()) - 5})

    assert ask(Stub(), authorization=f"Bearer {token}").status == 200


# A blank before a token is none of its letters, and a second is forgiven.
FORGED = {
    name: token
    for name, token in test_tokens.FORGED.items()
    if name not in {"space before", "expired"}
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_opens_nothing(token: str) -> None:
    stub = Stub()
    answer = ask(stub, authorization=b"Bearer " + token.encode("utf-8", "surrogatepass"))

    assert answer.status == 401
    assert answer.error.keys() == {"code", "message", "details", "hint"}
    assert answer.error["code"] in {"PGRST301", "PGRST303"}
    challenge = answer.header("www-authenticate")
    assert challenge is not None
    assert challenge.startswith('Bearer error="invalid_token", error_description="')
    assert not stub.asked


def test_more_than_fifty_forgeries_were_tried() -> None:
    assert len(FORGED) >= 50


@pytest.mark.parametrize("role", ["", None, 1, True, ["service_role"], {"a": 1}, "a\0b"])
def test_a_role_that_is_no_name_is_no_role(role: object) -> None:
    stub = Stub()
    answer = ask(stub, authorization=f"Bearer {RING.sign({'role': role})}")

    roles = {one.identity.role for one in stub.asked}
    assert answer.status == 401 or roles == {json.dumps(role)}


def test_a_token_for_somebody_else_is_refused() -> None:
    stub = Stub(replace(CONFIG, audience="us"))
    theirs = ask(stub, authorization=f"Bearer {RING.sign({'aud': ['them', 'others']})}")
    ours = ask(stub, authorization=f"Bearer {RING.sign({'aud': ['them', 'us']})}")
    nobodys = ask(stub, authorization=f"Bearer {RING.sign({'role': 'anon'})}")

    assert theirs.code == (401, "PGRST303")
    assert (ours.status, nobodys.status) == (200, 200)


def test_where_nobody_may_be_anonymous_a_token_is_asked_for() -> None:
    answer = ask(Stub(replace(CONFIG, anon_role=None)))

    assert answer.code == (401, "PGRST302")
    assert answer.header("www-authenticate") == "Bearer"


def test_a_token_that_was_believed_is_not_believed_after_it_expired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub, ring, now = Stub(), Keyring(keys.JWT_SECRET), time.time()
    token = ring.sign({"role": "authenticated", "exp": int(now) + 600})
    api = DataApi(stub, ring)
    api._identify(f"Bearer {token}")
    monkeypatch.setattr("time.time", lambda: now + 1000)

    with pytest.raises(errors.ApiError) as refused:
        api._identify(f"Bearer {token}")
    assert refused.value.message == "JWT expired"


# What is asked.


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/things", Action.READ),
        ("HEAD", "/things", Action.READ),
        ("POST", "/things", Action.INSERT),
        ("PATCH", "/things", Action.UPDATE),
        ("DELETE", "/things", Action.DELETE),
        ("PUT", "/things", Action.PUT),
        ("OPTIONS", "/things", Action.OPTIONS),
        ("GET", "/rpc/do", Action.CALL_READ_ONLY),
        ("HEAD", "/rpc/do", Action.CALL_READ_ONLY),
        ("POST", "/rpc/do", Action.CALL),
        ("OPTIONS", "/rpc/do", Action.OPTIONS),
        ("GET", "/", Action.DESCRIBE),
        ("OPTIONS", "/", Action.OPTIONS),
    ],
)
def test_a_method_means_an_action(method: str, path: str, action: Action) -> None:
    stub = Stub()
    ask(stub, method, path, body=b"{}")

    assert asked(stub).action is action


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/a/b", (404, "PGRST125")),
        ("GET", "/rpc/a/b", (404, "PGRST125")),
        ("GET", "/things/", (404, "PGRST125")),
        ("PATCH", "/rpc/do", (405, "PGRST101")),
        ("TRACE", "/things", (405, "PGRST117")),
        ("POST", "/", (405, "PGRST117")),
    ],
)
def test_what_is_nowhere_or_cannot_be_done_is_refused(
    method: str, path: str, code: tuple[int, str]
) -> None:
    assert ask(Stub(), method, path).code == code


def test_each_method_looks_at_its_own_profile() -> None:
    stub = Stub()
    ask(stub, accept_profile="other", content_profile="public")
    ask(stub, "POST", body=b"{}", accept_profile="public", content_profile="other")

    assert [one.schema for one in stub.asked] == ["other", "other"]


def test_a_schema_that_is_not_exposed_is_refused() -> None:
    answer = ask(Stub(), accept_profile="pg_catalog")

    assert answer.code == (406, "PGRST106")
    assert answer.error["message"] == "Invalid schema: pg_catalog"
    assert answer.error["hint"] == "Only the following schemas are exposed: public, other"


def test_with_several_schemas_the_answer_tells_which() -> None:
    assert ask(Stub()).header("content-profile") == "public"


def test_with_one_schema_the_answer_tells_it_only_when_it_was_named() -> None:
    stub = Stub(replace(CONFIG, schemas=("public",)))

    assert ask(stub).header("content-profile") is None
    assert ask(stub, accept_profile="public").header("content-profile") == "public"


def test_headers_and_cookies_come_apart() -> None:
    stub = Stub()
    ask(stub, cookie="a=1; b = x=y", x_custom="é", accept="text/csv")

    assert asked(stub).headers.plain == {"x-custom": "é", "accept": "text/csv"}
    assert asked(stub).headers.cookies == {"a": "1", "b": "x=y"}
    assert asked(stub).accept == (CSV,)


def test_a_body_in_pieces_is_one_body() -> None:
    stub = Stub()
    ask(stub, "POST", body=[b'{"a"', b":", b"1}"], content_type="application/json")

    assert asked(stub).body == JsonBody('{"a":1}', ("a",), is_object=True)


def test_a_body_over_the_limit_is_not_read_to_its_end() -> None:
    taken: list[int] = []

    def pieces() -> Iterable[bytes]:
        for number in range(1000):
            taken.append(number)
            yield b"x" * 10

    class Slowly(list[bytes]):
        """Made as it is asked for."""

        def __init__(self) -> None:
            super().__init__([b""])
            self._pieces = iter(pieces())

        def pop(self, _: object = None) -> bytes:
            return next(self._pieces)

    stub = Stub(replace(CONFIG, max_body_bytes=100))
    sent: list[Any] = []
    parts = Slowly()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/t", "query_string": b"", "headers": []}
    asyncio.run(DataApi(stub, RING)(scope, receive, send))
    assert (sent[0]["status"], len(taken)) == (413, 11)


def test_a_caller_who_hangs_up_changes_nothing() -> None:
    stub = Stub()
    ask(stub, "POST", body=())

    assert not stub.asked


@pytest.mark.parametrize("query", ["limit=1", "offset=1"])
def test_put_takes_no_window(query: str) -> None:
    assert ask(Stub(), "PUT", f"/things?{query}", body=b"{}").code == (400, "PGRST114")


def test_range_is_for_get_alone() -> None:
    stub = Stub()
    ask(stub, "HEAD", range="9-0")
    answer = ask(stub, "GET", range="9-0")

    assert answer.code == (416, "PGRST103")
    assert answer.error["details"].startswith("The lower boundary must be lower")
    assert asked(stub).query.windows == {}


def test_the_strict_are_told_what_nobody_understood() -> None:
    answer = ask(Stub(), prefer="handling=strict, foo, return=nothing")

    assert answer.code == (400, "PGRST122")
    assert answer.error["details"] == "Invalid preferences: foo, return=nothing"
    assert ask(Stub(), prefer="foo").status == 200


# The order in which it is refused.


def test_a_token_is_looked_at_first_then_the_path_then_the_profile_then_the_query() -> None:
    everything: dict[str, Any] = {
        "authorization": "Bearer x",
        "content_profile": "nope",
        "prefer": "handling=strict, foo",
    }
    path, query, body = "/a/b", "?order=!", b"{"

    assert ask(Stub(schema=None), "POST", path + query, body=body, **everything).status == 401
    del everything["authorization"]
    assert ask(Stub(schema=None), "POST", path + query, body=body, **everything).status == 503
    assert ask(Stub(), "POST", path + query, body=body, **everything).code[1] == "PGRST125"
    assert ask(Stub(), "POST", "/a" + query, body=body, **everything).code[1] == "PGRST106"
    del everything["content_profile"]
    assert ask(Stub(), "POST", "/a" + query, body=body, **everything).code[1] == "PGRST100"
    assert ask(Stub(), "POST", "/a", body=body, **everything).code[1] == "PGRST102"
    assert ask(Stub(), "POST", "/a", body=b"{}", **everything).code[1] == "PGRST122"


def test_without_a_schema_cache_clients_are_asked_to_come_back() -> None:
    answer = ask(Stub(schema=None))

    assert answer.code == (503, "PGRST002")
    assert answer.header("retry-after") == "1"


# What is told.


def answered(result: Result, method: str = "GET", path: str = "/things", **options: Any) -> Answer:
    return ask(Stub(result=result), method, path, **options)


@pytest.mark.parametrize(
    ("query", "result", "status", "content_range"),
    [
        ("", Result(b"[1]", rows=15), 200, "0-14/*"),
        ("", Result(b"[]"), 200, "*/*"),
        ("", Result(b"[]", total=0), 200, "*/0"),
        ("", Result(b"[1]", rows=3, total=3), 200, "0-2/3"),
        ("limit=3", Result(b"[1]", rows=3, total=9), 206, "0-2/9"),
        ("offset=3", Result(b"[1]", rows=6, total=9), 206, "3-8/9"),
        ("offset=9", Result(b"[]", total=9), 206, "*/9"),
        ("offset=10", Result(b"[]", total=9), 416, "*/9"),
    ],
)
def test_a_read_tells_which_rows_of_how_many(
    query: str, result: Result, status: int, content_range: str
) -> None:
    answer = answered(result, path=f"/things?{query}")

    assert (answer.status, answer.header("content-range")) == (status, content_range)


def test_an_offset_beyond_the_rows_says_how_many_there_are() -> None:
    answer = answered(Result(b"[]", total=9), path="/things?offset=10")

    assert answer.error == {
        "code": "PGRST103",
        "message": "Requested range not satisfiable",
        "details": "An offset of 10 was requested, but there are only 9 rows.",
        "hint": None,
    }


def test_a_read_tells_where_it_was_read() -> None:
    answer = ask(Stub(), path="/th ings?b=eq.1&a=eq.%C3%A9")

    assert answer.header("content-location") == "/th%20ings?a=eq.%C3%A9&b=eq.1"
    assert answer.header("vary") == "Accept, Prefer, Range"
    assert answer.header("content-type") == "application/json; charset=utf-8"


def test_head_tells_the_same_without_a_body() -> None:
    result = Result(b"[1]", rows=1, total=2)
    got, head = answered(result), answered(result, "HEAD")

    assert (head.status, head.body) == (got.status, b"")
    assert [h for h in got.headers if h[0] != "content-length"] == head.headers


def test_a_refused_head_has_no_body() -> None:
    answer = ask(Stub(), "HEAD", "/a/b")

    assert (answer.status, answer.body) == (404, b"")
    assert answer.header("proxy-status") == "PostgREST; error=PGRST125"


@pytest.mark.parametrize(
    ("method", "prefer", "result", "status", "content_range", "body"),
    [
        ("POST", "", Result(b"x", rows=2), 201, "*/*", b""),
        ("POST", "count=exact", Result(b"x", rows=2), 201, "*/2", b""),
        ("POST", "return=representation", Result(b"x", rows=2), 201, "*/*", b"x"),
        ("POST", "resolution=merge-duplicates", Result(b"", inserted=0), 200, "*/*", b""),
        ("POST", "resolution=merge-duplicates", Result(b"", inserted=1), 201, "*/*", b""),
        ("POST", "resolution=ignore-duplicates", Result(b"", inserted=0), 201, "*/*", b""),
        ("PATCH", "", Result(b"x", rows=2), 204, "0-1/*", b""),
        ("PATCH", "", Result(b"x", rows=0), 204, "*/*", b""),
        ("PATCH", "count=exact", Result(b"x", rows=2), 204, "0-1/2", b""),
        ("PATCH", "return=representation", Result(b"x", rows=0), 200, "*/*", b"x"),
        ("PATCH", "return=headers-only", Result(b"x", rows=1), 204, "0-0/*", b""),
        ("DELETE", "", Result(b"x", rows=2), 204, "*/*", b""),
        ("DELETE", "return=representation", Result(b"x", rows=2), 200, "*/*", b"x"),
        ("PUT", "", Result(b"x", inserted=1), 204, None, b""),
        ("PUT", "return=representation", Result(b"x", inserted=1), 201, None, b"x"),
        ("PUT", "return=representation", Result(b"x", inserted=0), 200, None, b"x"),
    ],
)
def test_a_write_tells_what_it_did(
    method: str,
    prefer: str,
    result: Result,
    status: int,
    content_range: str | None,
    body: bytes,
) -> None:
    answer = answered(result, method, body=b"{}", prefer=prefer)

    assert (answer.status, answer.header("content-range"), answer.body) == (
        status,
        content_range,
        body,
    )


def test_an_insert_tells_where_its_row_is() -> None:
    result = Result(location=(("id", "eq.1"), ("a b", "eq.é&")))
    answer = answered(result, "POST", body=b"{}", prefer="return=headers-only")

    assert answer.header("location") == "/things?id=eq.1&a%20b=eq.%C3%A9%26"


def test_a_function_that_returns_nothing_says_so() -> None:
    answer = answered(Result(b"", rows=1, is_void=True), "POST", "/rpc/do")

    assert (answer.status, answer.body, answer.header("content-type")) == (204, b"", None)
    assert answer.header("content-length") is None


def test_a_single_object_is_told_as_one() -> None:
    answer = answered(Result(b"{}", SINGLE, rows=1), accept=SINGLE.mime)

    assert answer.header("content-type") == f"{SINGLE.mime}; charset=utf-8"


def test_sql_has_the_last_word_on_status_and_headers() -> None:
    headers = '[{"Content-Type": "text/x"}, {"Set-Cookie": "a"}, {"Set-Cookie": "b"}]'
    answer = answered(Result(b"1", status="418", headers=headers))

    assert answer.status == 418
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a", "b"]
    assert answer.header("content-type") == "text/x"


def test_sql_cannot_break_the_framing_of_an_answer() -> None:
    headers = '[{"Content-Length": "9"}, {"Transfer-Encoding": "chunked"}, {"X": "a\\r\\nY: b"}]'
    answer = answered(Result(b"1", headers=headers))

    assert answer.header("content-length") == "1"
    assert answer.header("transfer-encoding") is None
    assert answer.header("x") == "a  Y: b"


@pytest.mark.parametrize("header", [{"X A": "b"}, {"é": "b"}, {"": "b"}, {"X:": "b"}])
def test_what_is_no_name_of_a_header_is_left_out(header: dict[str, str]) -> None:
    plain, odd = answered(Result(b"1")), answered(Result(b"1", headers=json.dumps([header])))

    assert odd.headers == plain.headers


def test_half_a_letter_from_sql_does_not_break_an_answer() -> None:
    answer = answered(Result(b"1", headers='[{"X": "a\\ud800b"}]'))

    assert (answer.status, answer.header("x")) == (200, "a?b")


def test_a_status_without_a_body_sends_none() -> None:
    answer = answered(Result(b"[1]", status="304"))

    assert (answer.status, answer.body, answer.header("content-length")) == (304, b"", None)


@pytest.mark.parametrize("status", ["many", "99", "600", "-1", "2 00", "²00", "9" * 5000])
def test_a_status_that_is_none_is_the_servers_mistake(status: str) -> None:
    assert answered(Result(b"1", status=status)).code == (500, "PGRST112")


@pytest.mark.parametrize("headers", ["x", "{}", "[1]", '[{"a":1}]', '[{"a":"b","c":"d"}]', "[{}]"])
def test_headers_that_are_none_are_the_servers_mistake(headers: str) -> None:
    assert answered(Result(b"1", headers=headers)).code == (500, "PGRST111")


def test_a_deprecation_is_told_in_a_warning() -> None:
    assert answered(Result(b"1", warning="old name")).header("warning") == '299 nlctl "old name"'


def test_the_root_describes_the_api() -> None:
    answer = ask(Stub(), path="/")

    assert answer.header("content-type") == "application/openapi+json; charset=utf-8"
    assert json.loads(answer.body)["swagger"] == "2.0"
    assert ask(Stub(), "HEAD", "/").body == b""
    assert ask(Stub(), path="/", accept="text/csv").code == (406, "PGRST107")


def test_a_root_that_is_disabled_is_not_there() -> None:
    stub = Stub(replace(CONFIG, openapi_mode="disabled"))

    assert ask(stub, path="/").code == (404, "PGRST126")


def test_a_function_can_answer_at_the_root() -> None:
    stub = Stub(replace(CONFIG, root_function="welcome"))
    ask(stub, path="/")

    assert (asked(stub).action, asked(stub).name) == (Action.CALL_READ_ONLY, "welcome")


def test_the_methods_of_a_path_are_told() -> None:
    answer = ask(Stub(), "OPTIONS")

    assert (answer.status, answer.header("allow")) == (200, "OPTIONS,GET,HEAD")


def test_the_app_lives_and_dies_with_its_server() -> None:
    stub = Stub()
    told: list[str] = []

    async def live() -> None:
        events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict[str, Any]:
            return next(events)

        async def send(message: Any) -> None:
            told.append(f"{message['type']} {stub.is_running}")

        await DataApi(stub, RING)({"type": "lifespan"}, receive, send)

    asyncio.run(live())
    assert told == ["lifespan.startup.complete True", "lifespan.shutdown.complete False"]
