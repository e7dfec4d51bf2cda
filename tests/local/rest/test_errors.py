"""Refusals: the body's four keys, and PostgreSQL's states as HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from nlctl.local.rest import database_errors, errors, response
from nlctl.local.rest.errors import ApiError

if TYPE_CHECKING:
    from tests.databases import Database


def raised(
    database: Database, state: str, message: str = "m", *, is_anonymous: bool = False, **more: Any
) -> ApiError:
    """What the API makes of an error that SQL raised."""
    using = ", ".join(f"{option} = %({option})s" for option in more)
    options = f"errcode = %(state)s{', ' if using else ''}{using}"
    values = {"state": state, "message": message, **more}
    with database.connect() as connection, connection.cursor() as cursor:
        block = f"do $do$ begin raise exception '%%', %(message)s using {options}; end $do$"
        text = psycopg.ClientCursor(connection).mogrify(block.encode(), values)
        with pytest.raises(psycopg.Error) as caught:
            cursor.execute(text.encode())
    return database_errors.read(caught.value, is_anonymous=is_anonymous)


def test_a_refusal_has_four_keys_whatever_it_has_to_say() -> None:
    assert json.loads(ApiError("PGRST102", "é").body) == {
        "code": "PGRST102",
        "message": "é",
        "details": None,
        "hint": None,
    }


def test_a_refusal_names_its_code_to_who_sees_only_headers() -> None:
    answer = response.of_error(errors.path_invalid())

    assert answer.status == 404
    assert (b"proxy-status", b"PostgREST; error=PGRST125") in answer.headers
    assert (b"content-type", b"application/json; charset=utf-8") in answer.headers


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("08006", 503),
        ("09000", 500),
        ("0LP01", 403),
        ("0P000", 403),
        ("21000", 500),
        ("22P02", 400),
        ("22023", 400),
        ("23502", 400),
        ("23503", 409),
        ("23505", 409),
        ("23514", 400),
        ("25001", 500),
        ("25006", 405),
        ("28000", 403),
        ("2D000", 500),
        ("38000", 500),
        ("39000", 500),
        ("3B000", 500),
        ("40001", 500),
        ("42501", 403),
        ("42703", 400),
        ("42883", 404),
        ("42P01", 404),
        ("42P10", 400),
        ("42P17", 500),
        ("53100", 503),
        ("53400", 500),
        ("54001", 500),
        ("55000", 500),
        ("57014", 500),
        ("57P01", 503),
        ("58030", 500),
        ("F0000", 500),
        ("HV000", 500),
        ("P0001", 400),
        ("P0002", 500),
        ("XX000", 500),
        ("PT402", 402),
        ("PT4XX", 500),
        ("PT999", 500),
        ("ZZ999", 400),
    ],
)
def test_each_state_of_postgresql_has_its_status(fresh: Database, state: str, status: int) -> None:
    error = raised(fresh, state)

    assert (error.code, error.status) == (state, status)


def test_a_missing_privilege_is_401_for_who_did_not_sign_in(fresh: Database) -> None:
    error = raised(fresh, "42501", is_anonymous=True)

    assert (error.status, error.headers) == (401, (("WWW-Authenticate", "Bearer"),))


@pytest.mark.parametrize(
    ("state", "message", "status"),
    [
        ("21000", "UPDATE requires a WHERE clause", 400),
        ("22023", 'role "ghost" does not exist', 401),
        ("42883", "function xmlagg(record) does not exist", 406),
    ],
)
def test_some_states_mean_something_else_with_certain_words(
    fresh: Database, state: str, message: str, status: int
) -> None:
    assert raised(fresh, state, message).status == status


def test_what_sql_says_reaches_the_client(fresh: Database) -> None:
    error = raised(fresh, "P0001", "Non.", detail="Parce que.", hint="Essaie encore.")

    assert json.loads(error.body) == {
        "code": "P0001",
        "message": "Non.",
        "details": "Parce que.",
        "hint": "Essaie encore.",
    }


def test_sql_can_decide_the_whole_answer(fresh: Database) -> None:
    message = json.dumps({"code": "LATE", "message": "Trop tard.", "details": "d", "hint": "h"})
    detail = json.dumps({"status": 410, "headers": {"X-Since": "1999"}})
    error = raised(fresh, "PGRST", message, detail=detail)

    assert json.loads(error.body)["code"] == "LATE"
    assert (error.status, error.headers) == (410, (("X-Since", "1999"),))


CONTROL = json.dumps({"status": 400, "headers": {}})
BODY = json.dumps({"code": "C", "message": "m"})


@pytest.mark.parametrize(
    ("message", "more", "details"),
    [
        ("INVALID", {"detail": CONTROL}, "Invalid JSON value for MESSAGE: 'INVALID'"),
        ("[]", {"detail": CONTROL}, "Invalid JSON value for MESSAGE: '[]'"),
        ('{"code":1,"message":"m"}', {"detail": CONTROL}, None),
        (BODY, {}, "DETAIL is missing in the RAISE statement"),
        (BODY, {"detail": "INVALID"}, "Invalid JSON value for DETAIL: 'INVALID'"),
        (BODY, {"detail": '{"status":"a","headers":{}}'}, None),
        (BODY, {"detail": '{"status":99,"headers":{}}'}, None),
        (BODY, {"detail": '{"status":400}'}, None),
        (BODY, {"detail": '{"status":400,"headers":{"a":1}}'}, None),
    ],
)
def test_an_answer_decided_badly_says_what_was_wrong_with_it(
    fresh: Database, message: str, more: dict[str, Any], details: str | None
) -> None:
    error = raised(fresh, "PGRST", message, **more)

    assert (error.code, error.status) == ("PGRST121", 500)
    assert details is None or error.details == details
    assert error.hint is not None


def test_a_connection_that_broke_is_a_server_that_may_come_back() -> None:
    error = database_errors.read(psycopg.OperationalError("gone"), is_anonymous=False)

    assert (error.code, error.status) == ("PGRST001", 503)
    assert ("Retry-After", "1") in error.headers


@pytest.mark.parametrize("header", [{"X-A": "b\r\nSet-Cookie: c=d"}, {"X-A\r\nEvil": "b"}])
def test_no_header_that_sql_sets_can_smuggle_in_another(header: dict[str, Any]) -> None:
    answer = response.of_error(errors.ApiError("C", "m", status=400, headers=tuple(header.items())))

    assert not any(b"\n" in name + value or b"\r" in name + value for name, value in answer.headers)


def test_every_code_of_the_register_has_a_status_clients_know() -> None:
    assert {300, 400, 401, 404, 405, 406, 416, 500, 503, 504} == set(errors.STATUS.values())
