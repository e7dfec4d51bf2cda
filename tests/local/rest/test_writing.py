"""Rows that are inserted, updated and deleted over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from postgrest import APIError

from tests.local.rest.serving import ADA, BEN, refused
from tests.local.rest.writing import SHOWN, covers, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.databases import Database
    from tests.local.rest.serving import Served


# Insert.


def test_a_row_is_inserted_and_nothing_is_told_of_it(
    writer: httpx.Client, own_library: Database
) -> None:
    answer = write(writer, "POST", "/covers", {"book_id": 3, "color": "é"})

    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["content-range"] == "*/*"
    assert "content-type" not in answer.headers
    assert covers(own_library)[-1] == (3, "é")


def test_a_row_is_inserted_and_shown_with_its_embeds(writer: httpx.Client) -> None:
    path = "/books?select=id,title,author:authors!author_id(name)"
    answer = write(writer, "POST", path, {"title": "New", "author_id": 2}, SHOWN)

    assert answer.status_code == 201
    assert answer.json() == [{"id": 100, "title": "New", "author": {"name": "Ben"}}]
    assert answer.headers["preference-applied"] == SHOWN


def test_the_place_of_a_new_row_is_told(writer: httpx.Client) -> None:
    answer = write(writer, "POST", "/books", {"title": "New"}, "return=headers-only")

    assert (answer.status_code, answer.headers["location"]) == (201, "/books?id=eq.100")


def test_columns_called_like_parts_of_a_query_are_told_apart(writer: httpx.Client) -> None:
    row = {"t": "a", "s": "b", "row": 1, "key": 2, "value": "c"}
    made = write(writer, "POST", "/letters", {"t": "d", "s": "e"}, "return=headers-only")

    assert made.headers["location"] == "/letters?s=eq.e"
    assert writer.get("/letters?s=eq.b").json() == [row]
    assert writer.get("/letters?s=eq.b", headers={"Accept": "text/csv"}).text == (
        "t,s,row,key,value\na,b,1,2,c"
    )


def test_a_profile_chooses_the_schema_that_is_written(
    writer: httpx.Client, own_library: Database
) -> None:
    archive = {"Content-Profile": "archive"}
    made = writer.post("/ledgers", json={"id": 3, "year": 2002}, headers=archive)
    elsewhere = writer.post("/ledgers", json={"id": 4}, headers={"Accept-Profile": "archive"})

    assert made.status_code == 201
    refused(elsewhere, 404, "PGRST205")
    assert own_library.run("select id from archive.ledgers order by 1") == [(1,), (2,), (3,)]


def test_rows_are_inserted_together_or_not_at_all(
    writer: httpx.Client, own_library: Database
) -> None:
    rows = [{"book_id": 3, "color": "a"}, {"book_id": 3, "color": "b"}]
    error = refused(write(writer, "POST", "/covers", rows), 409, "23505")

    assert error["message"] == ('duplicate key value violates unique constraint "covers_pkey"')
    assert error["details"] == "Key (book_id)=(3) already exists."
    assert len(covers(own_library)) == 2


def test_rows_of_different_keys_need_columns(writer: httpx.Client) -> None:
    rows = [{"title": "A", "pages": 1}, {"title": "B"}]
    error = refused(write(writer, "POST", "/books", rows), 400, "PGRST102")
    answer = write(writer, "POST", "/books?columns=title,pages&select=title,pages", rows, SHOWN)

    assert error["message"] == "All object keys must match"
    assert answer.json() == [{"title": "A", "pages": 1}, {"title": "B", "pages": None}]


def test_what_is_missing_is_null_or_the_default(writer: httpx.Client) -> None:
    path = "/books?columns=title,genre&select=genre"
    asks_null = write(writer, "POST", path, [{"title": "A"}], SHOWN)
    asks_default = write(writer, "POST", path, [{"title": "A"}], SHOWN, "missing=default")

    refused(asks_null, 400, "23502")
    assert asks_default.json() == [{"genre": "novel"}]
    assert asks_default.headers["preference-applied"] == f"missing=default, {SHOWN}"


def test_columns_leave_out_the_other_keys(writer: httpx.Client) -> None:
    path = "/books?columns=title&select=title,pages"
    answer = write(writer, "POST", path, [{"title": "A", "pages": 7, "nonsense": 1}], SHOWN)

    assert answer.json() == [{"title": "A", "pages": None}]


@pytest.mark.parametrize("path", ["/books", "/books?columns=title,nonsense"])
def test_a_column_that_is_unknown_is_refused(writer: httpx.Client, path: str) -> None:
    error = refused(write(writer, "POST", path, {"title": "A", "nonsense": 1}), 400, "PGRST204")

    assert error["message"] == (
        "Could not find the 'nonsense' column of 'books' in the schema cache"
    )


def test_an_empty_object_is_a_row_of_defaults(writer: httpx.Client) -> None:
    assert write(writer, "POST", "/notes", {}, SHOWN).json() == [{"line": None}]


def test_an_empty_array_is_no_row(writer: httpx.Client) -> None:
    answer = write(writer, "POST", "/notes", [], SHOWN)

    assert (answer.status_code, answer.json()) == (201, [])


def test_csv_and_forms_are_rows_too(writer: httpx.Client, own_library: Database) -> None:
    csv, form = {"Content-Type": "text/csv"}, {"Content-Type": "application/x-www-form-urlencoded"}
    writer.post("/covers", content="book_id,color\n3,NULL\n4,red", headers=csv)
    writer.post("/covers", content="book_id=5&color=a+b", headers=form)

    assert covers(own_library)[2:] == [(3, None), (4, "red"), (5, "a b")]


def test_another_content_type_is_refused(writer: httpx.Client) -> None:
    answer = writer.post("/notes", content="x", headers={"Content-Type": "text/plain"})

    assert refused(answer, 400, "PGRST102")["message"] == "Content-Type not acceptable: text/plain"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"title": None}, 400, "23502"),
        ({"title": "A", "pages": 0}, 400, "23514"),
        ({"title": "A", "author_id": 99}, 409, "23503"),
        ({"title": "A", "isbn": "1-1"}, 409, "23505"),
        ({"title": "A", "pages": "many"}, 400, "22P02"),
        ({"title": "A\0"}, 400, "22P05"),
        ({"title": "A", "pages": 10**20}, 400, "22003"),
    ],
)
def test_what_breaks_a_constraint_is_refused(
    writer: httpx.Client, body: Any, status: int, code: str
) -> None:
    refused(write(writer, "POST", "/books", body), status, code)


# Update and delete.


def test_rows_that_fit_are_updated(writer: httpx.Client, own_library: Database) -> None:
    answer = write(writer, "PATCH", "/covers?book_id=gt.1", {"color": "red"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["content-range"] == "0-0/*"
    assert covers(own_library) == [(1, "blue"), (2, "red")]


def test_an_update_that_finds_nothing_is_no_error(writer: httpx.Client) -> None:
    bare = write(writer, "PATCH", "/covers?book_id=eq.9", {"color": "red"})
    shown = write(writer, "PATCH", "/covers?book_id=eq.9", {"color": "red"}, SHOWN)

    assert (bare.status_code, bare.headers["content-range"]) == (204, "*/*")
    assert (shown.status_code, shown.json()) == (200, [])


def test_what_an_update_leaves_out_is_null_or_the_default(writer: httpx.Client) -> None:
    path = "/books?id=eq.2&columns=title,genre,isbn&select=title,genre,isbn"
    body = {"title": "Pebbles"}
    asks_null = write(writer, "PATCH", path, body, SHOWN)
    asks_default = write(writer, "PATCH", path, body, SHOWN, "missing=default")

    refused(asks_null, 400, "23502")
    assert asks_default.json() == [{"title": "Pebbles", "genre": "novel", "isbn": None}]


def test_an_update_of_nothing_does_nothing(writer: httpx.Client) -> None:
    answer = write(writer, "PATCH", "/covers?book_id=eq.1", {}, SHOWN)

    assert (answer.status_code, answer.json()) == (200, [])


def test_updated_rows_are_counted_ordered_and_cut_only_in_what_is_shown(
    writer: httpx.Client, own_library: Database
) -> None:
    path = "/covers?book_id=gt.0&select=book_id&order=book_id.desc&limit=1"
    answer = write(writer, "PATCH", path, {"color": "red"}, SHOWN, "count=exact")

    assert answer.json() in ([{"book_id": 2}], [{"book_id": 2}, {"book_id": 1}])
    assert covers(own_library) == [(1, "red"), (2, "red")]


def test_rows_that_fit_are_deleted_and_shown(writer: httpx.Client, own_library: Database) -> None:
    answer = write(writer, "DELETE", "/covers?book_id=eq.1", {}, SHOWN, "count=exact")

    assert (answer.status_code, answer.json()) == (200, [{"book_id": 1, "color": "blue"}])
    assert answer.headers["content-range"] == "*/1"
    assert covers(own_library) == [(2, "grey")]


@pytest.mark.parametrize(("method", "word"), [("PATCH", "UPDATE"), ("DELETE", "DELETE")])
def test_a_change_of_everything_is_refused(
    writer: httpx.Client, own_library: Database, method: str, word: str
) -> None:
    error = refused(write(writer, method, "/covers", {"color": "red"}), 400, "21000")

    assert error["message"] == f"{word} requires a WHERE clause"
    assert covers(own_library) == [(1, "blue"), (2, "grey")]


def test_logic_and_embeds_do_not_widen_a_change(
    writer: httpx.Client, own_library: Database
) -> None:
    answer = write(
        writer, "DELETE", "/covers?or=(book_id.eq.1,color.eq.none)&select=book_id", None, SHOWN
    )

    assert answer.json() == [{"book_id": 1}]
    assert covers(own_library) == [(2, "grey")]


def test_one_object_or_nothing_is_changed(writer: httpx.Client, own_library: Database) -> None:
    answer = writer.patch(
        "/covers?book_id=gt.0",
        json={"color": "red"},
        headers={"Accept": "application/vnd.pgrst.object+json", "Prefer": SHOWN},
    )

    assert refused(answer, 406, "PGRST116")["details"] == "The result contains 2 rows"
    assert covers(own_library) == [(1, "blue"), (2, "grey")]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_no_more_rows_are_changed_than_were_allowed(
    writer: httpx.Client, own_library: Database, method: str
) -> None:
    prefer = ("handling=strict", "max-affected=1")
    answer = write(writer, method, "/covers?book_id=gt.0", {"color": "red"}, *prefer)

    assert refused(answer, 400, "PGRST124")["details"] == "The query affects 2 rows"
    assert covers(own_library) == [(1, "blue"), (2, "grey")]


# Whose rows.


def test_a_row_for_somebody_else_is_refused_and_ones_own_is_not(own: Served) -> None:
    with own.client("authenticated", sub=ADA) as ada:
        foreign = ada.post("/diaries", json={"owner": BEN, "page": "forged"})
        mine = ada.post("/diaries", json={"page": "today"}, headers={"Prefer": SHOWN})

    assert refused(foreign, 403, "42501")["message"] == (
        'new row violates row-level security policy for table "diaries"'
    )
    assert mine.json()[0]["owner"] == ADA


def test_rows_of_others_are_neither_changed_nor_missed(own: Served, own_library: Database) -> None:
    with own.client("authenticated", sub=ADA) as ada:
        changed = ada.patch(
            f"/diaries?owner=eq.{BEN}", json={"page": "x"}, headers={"Prefer": SHOWN}
        )
        deleted = ada.delete("/diaries?id=gt.0", headers={"Prefer": SHOWN})

    assert (changed.status_code, changed.json()) == (200, [])
    assert [row["page"] for row in deleted.json()] == ["mine"]
    assert own_library.run("select page from public.diaries") == [("not yours",)]


def test_a_row_is_inserted_by_who_may_not_see_it_as_long_as_it_is_not_shown(
    own: Served, own_library: Database
) -> None:
    own_library.run("revoke select on public.notes from anon", user="postgres")
    with own.client() as anybody:
        silent = anybody.post("/notes", json={"line": "x"})
        shown = anybody.post("/notes", json={"line": "x"}, headers={"Prefer": SHOWN})

    assert silent.status_code == 201
    refused(shown, 401, "42501")


# Through the client that people use.


def test_the_python_client_writes(own: Served) -> None:
    rows: list[Mapping[str, object]] = [{"book_id": 3, "color": "a"}, {"book_id": 4, "color": None}]
    with own.supabase("authenticated", sub=ADA) as client:
        made = client.from_("covers").insert(rows).execute()
        merged = client.from_("covers").upsert({"book_id": 3, "color": "b"}).execute()
        changed = client.from_("covers").update({"color": "c"}).eq("book_id", 4).execute()
        gone = client.from_("covers").delete().in_("book_id", [3, 4]).execute()
        with pytest.raises(APIError) as refused_:
            client.from_("covers").insert({"book_id": 1}).execute()

    assert made.data == [{"book_id": 3, "color": "a"}, {"book_id": 4, "color": None}]
    assert merged.data == [{"book_id": 3, "color": "b"}]
    assert changed.data == [{"book_id": 4, "color": "c"}]
    assert len(gone.data) == 2
    assert refused_.value.code == "23505"
