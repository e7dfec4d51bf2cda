"""What is asked: what the app makes of method, path, headers and body."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local.rest.app import DataApi
from nlctl.local.rest.request import CSV, Action, JsonBody
from tests.local.rest.asking import CONFIG, RING, Stub, ask, asked

if TYPE_CHECKING:
    from collections.abc import Iterable


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
