"""What is told: status, headers and body that the app makes of a result."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nlctl.local.rest.request import SINGLE
from nlctl.local.rest.result import Result
from tests.local.rest.asking import Answer, Stub, ask


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


@pytest.mark.parametrize("name", ["X A", "é", "", "X:", "\N{KELVIN SIGN}"])
def test_what_is_no_name_of_a_header_is_left_out(name: str) -> None:
    headers = json.dumps([{name: "b"}])
    plain, odd = answered(Result(b"1")), answered(Result(b"1", headers=headers))

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
