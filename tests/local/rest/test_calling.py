"""Calls of functions over HTTP, and the transaction that each request is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from postgrest import APIError

from tests.local.rest import serving
from tests.local.rest.conftest import config_for
from tests.local.rest.serving import ADA, refused

if TYPE_CHECKING:
    import httpx

    from tests.databases import Database
    from tests.local.rest.serving import Served


BOOKS_OF_ADA = [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(
    ("path", "body", "result"),
    [
        ("add", {"a": 1}, 11),
        ("add", {"a": 1, "b": 2}, 3),
        ("double", {"n": 2}, 4),
        ("double", {"word": "ab"}, "abab"),
        ("total", {"numbers": [1, 2, 3]}, 6),
        ("evens", {"until": 6}, [2, 4, 6]),
        ("echo", {"any": ["thing", 1.50]}, {"any": ["thing", 1.5]}),
        ("books_of?select=id&order=id", {"who": "Ada"}, BOOKS_OF_ADA),
        ("books_of?select=id&order=id&limit=1&offset=1", {"who": "Ada"}, [{"id": 2}]),
        ("books_of?select=id&genre=eq.essay", {"who": "Ada"}, [{"id": 2}]),
        (
            "books_of?select=id,authors!author_id(name)&id=eq.1",
            {"who": "Ada"},
            [{"id": 1, "authors": {"name": "Ada"}}],
        ),
        ("first_book?select=id,title", {}, {"id": 1, "title": "Rivers"}),
        ("measures", {}, [{"name": "books", "amount": 5}]),
        ("measures?select=amount", {}, [{"amount": 5}]),
        ("divide", {"a": 7, "b": 2}, {"quotient": 3, "rest": 1}),
    ],
)
def test_a_function_is_called_with_named_arguments(
    reader: httpx.Client, path: str, body: Any, result: Any
) -> None:
    answer = reader.post(f"/rpc/{path}", json=body)

    assert (answer.status_code, answer.json()) == (200, result)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("add?a=1&b=2", 3),
        ("add?a=1", 11),
        ("double?word=a%20b", "a ba b"),
        ("total?numbers=1&numbers=2&numbers=3", 6),
        ("total?numbers=5", 5),
        ("evens?until=4", [2, 4]),
        ("books_of?who=Ada&select=id&id=gt.1", [{"id": 2}]),
        ("first_book?select=id", {"id": 1}),
    ],
)
def test_a_function_is_called_by_get(reader: httpx.Client, path: str, result: Any) -> None:
    got, head = reader.get(f"/rpc/{path}"), reader.head(f"/rpc/{path}")

    assert (got.status_code, got.json()) == (200, result)
    assert (head.status_code, head.content) == (200, b"")


def test_a_body_is_the_argument_without_a_name(reader: httpx.Client) -> None:
    text = reader.post("/rpc/say", content="hé", headers={"Content-Type": "text/plain"})
    data = reader.post(
        "/rpc/length_of",
        content=b"\0\xff\x01",
        headers={"Content-Type": "application/octet-stream"},
    )
    array = reader.post("/rpc/echo", json=[{"a": 1}, {"a": 2}])

    assert (text.json(), data.json(), array.json()) == ("hé", 3, [{"a": 1}, {"a": 2}])


def test_a_body_that_names_the_argument_without_a_name_is_taken_whole(
    reader: httpx.Client,
) -> None:
    body = '{"": "hé"}'
    typed = {"Content-Type": "application/json"}

    assert reader.post("/rpc/say", content=body.encode(), headers=typed).json() == body


def test_an_argument_without_a_name_that_was_left_out_is_an_empty_object(
    reader: httpx.Client,
) -> None:
    assert reader.get("/rpc/said").json() == "{}"
    assert reader.post("/rpc/said").json() == "{}"


def test_a_form_names_arguments(reader: httpx.Client) -> None:
    assert reader.post("/rpc/add", data={"a": "1", "b": "2"}).json() == 3


@pytest.mark.parametrize("content_type", [None, "application/json"])
def test_without_arguments_no_body_is_needed(
    reader: httpx.Client, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    assert reader.post("/rpc/measures", headers=headers).json()[0]["amount"] == 5


def test_a_function_that_returns_nothing_answers_nothing(reader: httpx.Client) -> None:
    answer = reader.post("/rpc/nothing")

    assert (answer.status_code, answer.content) == (204, b"")


def test_results_are_counted_like_rows(reader: httpx.Client) -> None:
    answer = reader.get("/rpc/books_of?who=Ada&limit=1", headers={"Prefer": "count=exact"})

    assert (answer.status_code, answer.headers["content-range"]) == (206, "0-0/2")


def test_a_function_that_is_unknown_suggests_one_that_is_known(reader: httpx.Client) -> None:
    error = refused(reader.post("/rpc/measure", json={"a": 1}), 404, "PGRST202")

    assert error == {
        "code": "PGRST202",
        "message": "Could not find the function public.measure(a) in the schema cache",
        "details": (
            "Searched for the function public.measure with parameter a or with a single unnamed "
            "json/jsonb parameter, but no matches were found in the schema cache."
        ),
        "hint": "Perhaps you meant to call the function public.measures",
    }


def test_arguments_that_fit_no_function_are_told_apart(reader: httpx.Client) -> None:
    error = refused(reader.get("/rpc/add?a=1&c=2"), 404, "PGRST202")

    assert error["message"] == "Could not find the function public.add(a, c) in the schema cache"
    assert error["hint"] == "Perhaps you meant to call the function public.add(a, b)"


def test_functions_that_only_differ_in_types_are_ambiguous(reader: httpx.Client) -> None:
    error = refused(reader.get("/rpc/twins?n=1"), 300, "PGRST203")

    assert error["message"] == (
        "Could not choose the best candidate function between: "
        "public.twins(n => integer), public.twins(n => text)"
    )


def test_ambiguous_functions_are_listed_by_their_parameters(reader: httpx.Client) -> None:
    error = refused(reader.get("/rpc/pair?b=1"), 300, "PGRST203")

    assert error["message"].endswith("public.pair(b => integer), public.pair(b => text)")


def test_a_function_that_writes_is_for_post(writer: httpx.Client) -> None:
    refused(writer.get("/rpc/bump?counter=a"), 405, "25006")

    assert writer.post("/rpc/bump", json={"counter": "a"}).json() == 2


def test_a_function_that_promised_not_to_write_may_not(reader: httpx.Client) -> None:
    refused(reader.post("/rpc/bump_quietly", json={"counter": "a"}), 405, "25006")


def test_a_function_withheld_is_refused_and_harms_nothing(reader: httpx.Client) -> None:
    refused(reader.post("/rpc/private_matters"), 401, "42501")

    assert reader.post("/rpc/nothing").status_code == 204


# What SQL knows and decides (4.7).


def test_sql_knows_who_asks_and_how(served: Served) -> None:
    with served.client("authenticated", sub=ADA, custom={"a": 1}) as ada:
        asked = ada.get(
            "/rpc/whoami", headers={b"X-Asked": "é".encode(), b"Cookie": b"taste=sweet"}
        ).json()

    assert asked["role"] == "authenticated"
    assert asked["uid"] == ADA
    assert asked["claims"] == {"role": "authenticated", "sub": ADA, "custom": {"a": 1}}
    assert (asked["method"], asked["path"]) == ("GET", "/rpc/whoami")
    assert (asked["header"], asked["cookie"]) == ("é", "sweet")
    assert asked["search_path"].replace('"', "") == "public, public, extensions"
    assert asked["timeout"] == "8s"


def test_nothing_of_one_request_is_left_for_the_next(served: Served) -> None:
    with served.client("authenticated", sub=ADA) as ada:
        for _ in range(6):
            ada.get("/rpc/whoami", headers={"X-Asked": "a", "Prefer": "timezone=Asia/Tokyo"})
    with served.client() as anybody:
        seen = [anybody.get("/rpc/whoami").json() for _ in range(6)]

    assert {(one["role"], one["uid"], one["header"]) for one in seen} == {("anon", None, None)}
    assert {one["timezone"] for one in seen} != {"Asia/Tokyo"}
    assert {one["timeout"] for one in seen} == {"3s"}


def test_sql_decides_status_and_headers(reader: httpx.Client) -> None:
    headers = [{"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"}, {"X-More": "é"}]
    answer = reader.post("/rpc/answer", json={"status": "418", "headers": json.dumps(headers)})

    assert (answer.status_code, answer.json()) == (418, "told")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("status", "headers", "code"), [("many", "[]", "PGRST112"), ("200", "{}", "PGRST111")]
)
def test_what_sql_decides_badly_is_the_servers_mistake(
    reader: httpx.Client, status: str, headers: str, code: str
) -> None:
    answer = reader.post("/rpc/answer", json={"status": status, "headers": headers})

    refused(answer, 500, code)


@pytest.mark.parametrize(
    ("state", "status"), [("P0001", 400), ("PT402", 402), ("23505", 409), ("P0002", 500)]
)
def test_what_sql_raises_has_a_status(reader: httpx.Client, state: str, status: int) -> None:
    raised = {"state": state, "message": "Non.", "detail": "d", "hint": "h"}
    error = refused(reader.post("/rpc/refuse", json=raised), status, state)

    assert error == {"code": state, "message": "Non.", "details": "d", "hint": "h"}


def test_sql_decides_a_whole_refusal(reader: httpx.Client) -> None:
    raised = {
        "state": "PGRST",
        "message": json.dumps({"code": "LATE", "message": "Trop tard."}),
        "detail": json.dumps({"status": 410, "headers": {"X-Since": "1999"}}),
    }
    answer = reader.post("/rpc/refuse", json=raised)

    assert refused(answer, 410, "LATE")["message"] == "Trop tard."
    assert answer.headers["x-since"] == "1999"


def test_the_time_that_a_function_gives_itself_counts_from_its_call(own_library: Database) -> None:
    own_library.run(
        "create function public.dawdle() returns void language sql set statement_timeout = '50ms'"
        " as 'select pg_sleep(1)'; grant execute on function public.dawdle to anon"
    )
    with serving.embed(config_for(own_library)) as api, api.client() as anybody:
        refused(anybody.post("/rpc/dawdle"), 500, "57014")


def test_a_change_can_be_tried_out_where_that_is_allowed(own_library: Database) -> None:
    config = replace(config_for(own_library), transaction_end="commit-allow-override")
    prefer = {"Prefer": "tx=rollback, return=representation"}
    with serving.embed(config) as api, api.client() as anybody:
        answer = anybody.post("/notes", json={"line": "three"}, headers=prefer)

    assert answer.json() == [{"line": "three"}]
    assert answer.headers["preference-applied"] == "return=representation, tx=rollback"
    assert len(own_library.run("select line from public.notes")) == 2


def test_what_is_only_tried_out_still_has_to_hold_at_its_end(own_library: Database) -> None:
    own_library.run(
        "alter table public.covers add constraint covers_one_a_color"
        " unique (color) deferrable initially deferred"
    )
    config = replace(config_for(own_library), transaction_end="rollback")
    with serving.embed(config) as api, api.client() as anybody:
        refused(anybody.post("/covers", json={"book_id": 3, "color": "blue"}), 409, "23505")


def test_a_change_is_kept_where_trying_out_is_not_allowed(
    writer: httpx.Client, own_library: Database
) -> None:
    answer = writer.post("/notes", json={"line": "three"}, headers={"Prefer": "tx=rollback"})

    assert "preference-applied" not in answer.headers
    assert len(own_library.run("select line from public.notes")) == 3


def test_a_function_can_be_asked_before_each_request(own_library: Database) -> None:
    own_library.run(
        "create function public.guard() returns void language plpgsql as $$ begin "
        "if current_setting('request.method') = 'DELETE' then "
        "raise 'no deletions' using errcode = 'PT403'; end if; end $$"
    )
    config = replace(config_for(own_library), pre_request="public.guard")
    with serving.embed(config) as api, api.client() as anybody:
        assert anybody.get("/notes").status_code == 200
        refused(anybody.delete("/notes?line=eq.one"), 403, "PT403")


# The schema cache.


def test_a_new_table_is_found_after_a_notification(own_library: Database) -> None:
    with serving.embed(config_for(own_library)) as api, api.client() as anybody:
        refused(anybody.get("/fresh"), 404, "PGRST205")
        with own_library.connect() as connection:
            connection.execute("create table public.fresh (a int)")
            connection.execute("grant select on public.fresh to anon")
            connection.execute("notify pgrst, 'reload schema'")
        answers = (anybody.get("/fresh") for _ in range(2000))

        assert any(answer.status_code == 200 for answer in answers)


def test_aggregates_and_plans_can_be_allowed(library: Database) -> None:
    config = replace(config_for(library), aggregates_enabled=True, plan_enabled=True)
    plan = {"Accept": 'application/vnd.pgrst.plan+json; for="application/json"; options=verbose'}
    with serving.embed(config) as api, api.client() as anybody:
        sums = anybody.get("/books?select=genre,pages.sum(),count()&order=genre").json()
        query = "least:pages.min(),most:pages.max(),mean:pages::numeric.avg()::text"
        [figures] = anybody.get(f"/books?select={query}&pages=lt.100").json()
        explained = anybody.get("/books?id=eq.1", headers=plan)

    assert sums == [
        {"genre": "novel", "sum": 830, "count": 3},
        {"genre": "essay", "sum": 90, "count": 1},
        {"genre": "poetry", "sum": None, "count": 1},
    ]
    assert figures == {"least": 10, "most": 90, "mean": "50.0000000000000000"}
    assert explained.json()[0]["Plan"]["Node Type"]
    assert explained.headers["content-type"].startswith("application/vnd.pgrst.plan+json; for=")


def test_no_more_rows_than_the_maximum_are_shown(library: Database) -> None:
    config = replace(config_for(library), max_rows=2)
    with serving.embed(config) as api, api.client() as anybody:
        books = anybody.get("/books?limit=4", headers={"Prefer": "count=exact"})
        embedded = anybody.get("/authors?select=books!author_id(id)&id=eq.1").json()
        called = anybody.get("/rpc/evens?until=100").json()

    assert (len(books.json()), books.headers["content-range"]) == (2, "0-1/5")
    assert (len(embedded[0]["books"]), len(called)) == (2, 2)


# Through the client that people use.


def test_the_python_client_calls(served: Served) -> None:
    with served.supabase("authenticated", sub=ADA) as client:
        added = client.rpc("add", {"a": "1", "b": "2"}).execute()
        got = client.rpc("books_of", {"who": "Ada"}, get=True).select("id").order("id").execute()
        with pytest.raises(APIError) as refused_:
            client.rpc("refuse", {"state": "P0001", "message": "Non."}).execute()

    assert added.data == 3
    assert got.data == BOOKS_OF_ADA
    assert refused_.value.message == "Non."
