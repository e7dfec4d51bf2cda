"""Reads over HTTP, as sections 4.1 to 4.4 of the reference tell them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from postgrest import APIError

from tests.local.rest.serving import ADA, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from postgrest import SyncPostgrestClient

    from tests.local.rest.serving import Served


def rows(reader: httpx.Client, path: str, **headers: str) -> Any:
    answer = reader.get(path, headers=headers)
    assert answer.status_code in {200, 206}, answer.text
    return answer.json()


def ids(reader: httpx.Client, query: str, table: str = "books") -> list[int]:
    """Which rows a filter keeps."""
    return [row["id"] for row in rows(reader, f"/{table}?select=id&order=id&{query}")]


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """The body of an answer that refuses, of the shape every client can read."""
    error: dict[str, Any] = answer.json()
    assert error.keys() == {"code", "message", "details", "hint"}
    assert answer.headers["proxy-status"] == f"PostgREST; error={error['code']}"
    return error


# Paths and profiles (4.1).


def test_a_table_is_read_as_an_array_of_objects(reader: httpx.Client) -> None:
    answer = reader.get("/covers?order=book_id")

    assert answer.text == '[{"book_id":1,"color":"blue"}, \n {"book_id":2,"color":"grey"}]'
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-range"] == "0-1/*"
    assert answer.headers["content-location"] == "/covers?order=book_id"
    assert answer.headers["content-profile"] == "public"
    assert answer.headers["vary"] == "Accept, Prefer, Range"


def test_a_table_that_is_unknown_suggests_one_that_is_known(reader: httpx.Client) -> None:
    answer = reader.get("/bookz")

    assert answer.status_code == 404
    assert refusal(answer) == {
        "code": "PGRST205",
        "message": "Could not find the table 'public.bookz' in the schema cache",
        "details": None,
        "hint": "Perhaps you meant the table 'public.books'",
    }


def test_a_profile_chooses_the_schema(reader: httpx.Client) -> None:
    answer = reader.get("/ledgers?select=year", headers={"Accept-Profile": "archive"})

    assert answer.json() == [{"year": 1999}, {"year": 2001}]
    assert answer.headers["content-profile"] == "archive"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/books", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("/notes", "OPTIONS,GET,HEAD,POST,PATCH,DELETE"),
        ("/rpc/bump?counter=a", "OPTIONS,POST"),
        ("/rpc/add?a=1", "OPTIONS,GET,HEAD,POST"),
        ("/", "OPTIONS,GET,HEAD"),
    ],
)
def test_options_tell_what_may_be_asked(reader: httpx.Client, path: str, allowed: str) -> None:
    answer = reader.options(path)

    assert (answer.status_code, answer.headers["allow"]) == (200, allowed)


# Operators (4.2).


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("id=eq.1", [1]),
        ("id=neq.1", [2, 3, 4, 5]),
        ("pages=gt.90", [1, 4]),
        ("pages=gte.90", [1, 2, 4]),
        ("pages=lt.90", [5]),
        ("pages=lte.90", [2, 5]),
        ("title=like.*s", [1, 2]),
        ("title=ilike.s*", [2]),
        ("title=like(any).{R*,*an}", [1, 5]),
        ("title=like(all).{*o*,*s}", [2]),
        ("title=match.^[RS]", [1, 2]),
        ("title=imatch.^[rs]", [1, 2]),
        ("id=in.(1,3,9)", [1, 3]),
        ("id=in.()", []),
        ('title=in.("Clouds, and rain","Ashes (again)")', [3, 4]),
        ("pages=is.null", [3]),
        ("pages=is.not_null", [1, 2, 4, 5]),
        ("pages=not.is.NULL", [1, 2, 4, 5]),
        ("pages=isdistinct.90", [1, 3, 4, 5]),
        ("summary=fts(english).cat", [1, 2]),
        ("summary=plfts(english).a stone and cats", [2]),
        ("summary=phfts(english).the cats ran", [1]),
        ("summary=wfts(english).cat -stone", [1]),
        ("summary=not.fts(english).cat", [4]),
        ("in_print=cs.[2007-01-01,2007-01-02)", [1, 2]),
        ("in_print=cd.[2000-01-01,2011-01-01)", [1]),
        ("in_print=ov.[2009-01-01,2020-01-01)", [1, 2]),
        ("in_print=sl.[2000-01-01,2001-01-01)", [4]),
        ("in_print=sr.[1995-01-01,1996-01-01)", [1, 2]),
        ("in_print=nxr.[2000-01-01,2010-01-01)", [1, 4]),
        ("in_print=nxl.[2000-01-01,2010-01-01)", [1, 2]),
        ("in_print=adj.[2010-01-01,2011-01-01)", [1]),
        ("pages=gt(any).{400,80}", [1, 2, 4]),
        ("pages=gt(all).{400,80}", [4]),
        ("pages=not.gt(any).{400,80}", [5]),
        ("genre=eq.essay", [2]),
        ("pages=gt.50&pages=lt.400", [1, 2]),
        ("or=(id.eq.1,and(id.gt.2,pages.is.null))", [1, 3]),
        ("not.or=(id.eq.1,id.eq.2)", [3, 4, 5]),
        ("not.and=(id.gt.1,id.lt.5)", [1, 5]),
        ('or=(title.eq."Ashes (again)",isbn.in.(1-1,2-2))', [1, 2, 4]),
    ],
)
def test_a_filter_keeps_what_fits(reader: httpx.Client, query: str, kept: list[int]) -> None:
    assert ids(reader, query) == kept


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("profile->born->>year=eq.1900", [1]),
        ("profile->born->year=gt.1900", [2]),
        ("profile->pets->>1=eq.dog", [1]),
        ("profile->pets->>-1=eq.dog", [1]),
        ('profile=cs.{"pets":["cat"]}', [1]),
        ("awards=cs.{gold}", [1, 3]),
        ("awards=cd.{gold,bronze}", [2, 3, 4]),
        ("awards=ov.{silver,bronze}", [1]),
        ("awards=eq.{}", [2, 4]),
        ("awards->>0=eq.gold", [1, 3]),
    ],
)
def test_json_and_arrays_are_looked_into(reader: httpx.Client, query: str, kept: list[int]) -> None:
    assert ids(reader, query, "authors") == kept


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("id=eq.one", 400, "22P02"),
        ("nothing=eq.1", 400, "42703"),
        ("select=nothing", 400, "42703"),
        ("genre=eq.opera", 400, "22P02"),
        ("id=like.1", 404, "42883"),
        ("title=match.(", 400, "2201B"),
        ("id=eq", 400, "PGRST100"),
        ("limit=-1", 416, "PGRST103"),
        ("select=title::nothing", 400, "42704"),
        ("select=count()", 400, "PGRST123"),
        ("select=pages.sum()", 400, "PGRST123"),
    ],
)
def test_a_question_without_an_answer_is_refused(
    reader: httpx.Client, query: str, status: int, code: str
) -> None:
    answer = reader.get(f"/books?{query}")

    assert (answer.status_code, refusal(answer)["code"]) == (status, code)


def test_columns_are_chosen_renamed_and_cast(reader: httpx.Client) -> None:
    query = "select=name,key:id::text,born:profile->born->year,pet:profile->pets->>0&id=eq.1"

    assert rows(reader, f"/authors?{query}") == [
        {"name": "Ada", "key": "1", "born": 1900, "pet": "cat"}
    ]


def test_a_json_path_is_called_by_its_last_key(reader: httpx.Client) -> None:
    assert rows(reader, "/authors?select=profile->born->>year,awards->0&id=eq.1") == [
        {"year": "1900", "awards": "gold"}
    ]


def test_a_computed_field_is_shown_filtered_and_ordered_but_not_part_of_all(
    reader: httpx.Client,
) -> None:
    assert rows(reader, "/books?select=shout&shout=like.R*&order=shout") == [{"shout": "RIVERS"}]
    assert "shout" not in rows(reader, "/books?id=eq.1")[0]


@pytest.mark.parametrize(
    ("order", "sorted_ids"),
    [
        ("id.desc", [5, 4, 3, 2, 1]),
        ("pages.desc.nullslast", [4, 1, 2, 5, 3]),
        ("pages.nullsfirst", [3, 5, 2, 1, 4]),
        ("genre,id.desc", [5, 4, 1, 2, 3]),
    ],
)
def test_rows_come_in_the_order_asked_for(
    reader: httpx.Client, order: str, sorted_ids: list[int]
) -> None:
    assert [row["id"] for row in rows(reader, f"/books?order={order}")] == sorted_ids


def test_postgresql_writes_the_json(reader: httpx.Client) -> None:
    text = reader.get("/books?select=price,added_at,in_print,genre&id=eq.1").text

    assert text == (
        '[{"price":12.50,"added_at":"2024-01-02T03:04:05+00:00",'
        '"in_print":"[2000-01-01,2010-01-01)","genre":"novel"}]'
    )


# Embedding (4.3).


def test_a_parent_is_an_object_and_children_are_an_array(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,author:authors!author_id(name)&id=in.(1,5)") == [
        {"id": 1, "author": {"name": "Ada"}},
        {"id": 5, "author": None},
    ]
    query = "select=name,books!author_id(id)&books.order=id.desc&id=in.(1,4)&order=id"
    assert rows(reader, f"/authors?{query}") == [
        {"name": "Ada", "books": [{"id": 2}, {"id": 1}]},
        {"name": "Dora", "books": []},
    ]


def test_a_key_that_is_unique_leads_to_one_object(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,covers(color)&id=in.(2,3)&order=id") == [
        {"id": 2, "covers": {"color": "grey"}},
        {"id": 3, "covers": None},
    ]


def test_a_junction_leads_to_the_other_side(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,tags(label)&tags.order=label&id=eq.4") == [
        {"id": 4, "tags": [{"label": "earth"}, {"label": "fire"}]}
    ]


def test_two_ways_between_tables_are_ambiguous(reader: httpx.Client) -> None:
    answer = reader.get("/books?select=*,authors(*)")
    error = refusal(answer)

    assert (answer.status_code, error["code"]) == (300, "PGRST201")
    assert error["message"] == (
        "Could not embed because more than one relationship was found for 'books' and 'authors'"
    )
    assert error["hint"] == (
        "Try changing 'authors' to one of the following: 'authors!books_author_id_fkey', "
        "'authors!books_translator_id_fkey'. "
        "Find the desired relationship in the 'details' key."
    )
    assert error["details"][0] == {
        "cardinality": "many-to-one",
        "embedding": "books with authors",
        "relationship": "books_author_id_fkey using books(author_id) and authors(id)",
    }


def test_two_embeds_of_one_name_need_an_alias(reader: httpx.Client) -> None:
    twice = "authors!books_author_id_fkey(name),authors!books_translator_id_fkey(name)"
    error = refused(reader.get(f"/books?select={twice}"), 400, "42712")

    assert error["message"] == 'table name "books_authors_1" specified more than once'
    assert reader.get(f"/books?select={twice.replace(',', ',by:')}").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "authors!books_translator_id_fkey",
        "authors!translator_id",
        "translator_id",
        "books_translator_id_fkey",
    ],
)
def test_a_hint_tells_which_way_is_meant(reader: httpx.Client, target: str) -> None:
    assert rows(reader, f"/books?select=who:{target}(name)&id=eq.2") == [{"who": {"name": "Ben"}}]


def test_a_table_leads_to_itself_by_its_name_down_and_by_the_column_up(
    reader: httpx.Client,
) -> None:
    query = "select=label,up:parent_id(label),down:shelves(label)&down.order=id&id=eq.2"

    assert rows(reader, f"/shelves?{query}") == [
        {"label": "left", "up": {"label": "hall"}, "down": [{"label": "top"}]}
    ]


def test_no_relationship_is_an_error_that_says_so(reader: httpx.Client) -> None:
    answer = reader.get("/books?select=*,shelves(*)")

    assert (answer.status_code, refusal(answer)["code"]) == (400, "PGRST200")
    assert answer.json()["message"] == (
        "Could not find a relationship between 'books' and 'shelves' in the schema cache"
    )


def test_inner_keeps_only_parents_with_children(reader: httpx.Client) -> None:
    query = "select=id,authors!author_id!inner(name)&authors.name=eq.Ada&order=id"

    assert [row["id"] for row in rows(reader, f"/books?{query}")] == [1, 2]


def test_a_filter_on_an_embed_leaves_the_parent(reader: httpx.Client) -> None:
    query = "select=name,books!author_id(id)&books.genre=eq.essay&order=id"

    assert [len(row["books"]) for row in rows(reader, f"/authors?{query}")] == [1, 0, 0, 0]


def test_the_absence_of_an_embed_can_be_asked_for(reader: httpx.Client) -> None:
    query = "select=id,covers()&covers=is.null&order=id"

    assert rows(reader, f"/books?{query}") == [{"id": 3}, {"id": 4}, {"id": 5}]


def test_spread_lifts_the_columns_of_a_parent(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,...authors!author_id(writer:name)&id=eq.1") == [
        {"id": 1, "writer": "Ada"}
    ]


def test_spread_of_children_gives_arrays(reader: httpx.Client) -> None:
    query = "select=name,...books!author_id(titles:title)&books.order=id&id=eq.1"

    assert rows(reader, f"/authors?{query}") == [{"name": "Ada", "titles": ["Rivers", "Stones"]}]


def test_a_view_has_the_relationships_of_its_table(reader: httpx.Client) -> None:
    assert rows(reader, "/long_books?select=id,authors(name)&order=id") == [
        {"id": 1, "authors": {"name": "Ada"}},
        {"id": 4, "authors": {"name": "Cleo"}},
    ]


def test_a_function_can_be_a_relationship(reader: httpx.Client) -> None:
    assert rows(reader, "/authors?select=name,compatriots(name)&id=eq.1") == [
        {"name": "Ada", "compatriots": [{"name": "Ben"}]}
    ]


def test_rows_are_ordered_by_a_parents_column(reader: httpx.Client) -> None:
    query = "select=id,authors!author_id(name)&order=authors(name).desc.nullslast,id"

    assert [row["id"] for row in rows(reader, f"/books?{query}")] == [4, 3, 1, 2, 5]


def test_embeds_are_cut_on_their_own(reader: httpx.Client) -> None:
    query = "select=name,books!author_id(id)&books.limit=1&books.offset=1&books.order=id&limit=1"

    assert rows(reader, f"/authors?{query}&order=id") == [{"name": "Ada", "books": [{"id": 2}]}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("covers.color=eq.blue", "PGRST108"),
        ("select=*,covers(*)&covers=eq.1", "PGRST120"),
        ("select=*,tags(*)&order=tags(label)", "PGRST118"),
        ("order=covers(color)", "PGRST108"),
    ],
)
def test_an_embed_that_is_not_there_or_cannot_be_asked_is_refused(
    reader: httpx.Client, query: str, code: str
) -> None:
    answer = reader.get(f"/books?{query}")

    assert (answer.status_code, refusal(answer)["code"]) == (400, code)


# Answers (4.4).


@pytest.mark.parametrize(
    ("query", "headers", "status", "content_range"),
    [
        ("", {}, 200, "0-4/*"),
        ("limit=2", {}, 200, "0-1/*"),
        ("", {"Range": "1-2"}, 200, "1-2/*"),
        ("", {"Prefer": "count=exact"}, 200, "0-4/5"),
        ("limit=2&offset=1", {"Prefer": "count=exact"}, 206, "1-2/5"),
        ("id=gt.1", {"Prefer": "count=exact", "Range": "0-0"}, 206, "0-0/4"),
        ("id=eq.9", {"Prefer": "count=exact"}, 200, "*/0"),
        ("id=eq.9", {}, 200, "*/*"),
        ("limit=0", {"Prefer": "count=exact"}, 206, "*/5"),
        ("offset=5", {"Prefer": "count=exact"}, 206, "*/5"),
        ("offset=9", {}, 200, "*/*"),
        ("", {"Prefer": "count=planned"}, 200, "0-4/5"),
        ("limit=1", {"Prefer": "count=estimated"}, 206, "0-0/5"),
    ],
)
def test_the_range_and_the_total_are_told(
    reader: httpx.Client, query: str, headers: dict[str, str], status: int, content_range: str
) -> None:
    for answer in (
        reader.get(f"/books?{query}", headers=headers),
        reader.head(f"/books?{query}", headers={k: v for k, v in headers.items() if k != "Range"}),
    ):
        if answer.request.method == "GET" or "Range" not in headers:
            assert (answer.status_code, answer.headers["content-range"]) == (status, content_range)
    assert answer.content == b""


def test_an_offset_beyond_the_total_is_refused(reader: httpx.Client) -> None:
    answer = reader.get("/books?offset=6", headers={"Prefer": "count=exact"})

    assert answer.status_code == 416
    assert answer.json()["details"] == ("An offset of 6 was requested, but there are only 5 rows.")


def test_one_object_is_answered_as_one(reader: httpx.Client) -> None:
    accept = {"Accept": "application/vnd.pgrst.object+json"}
    answer = reader.get("/covers?book_id=eq.1", headers=accept)

    assert answer.json() == {"book_id": 1, "color": "blue"}
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json; charset=utf-8"


@pytest.mark.parametrize(("query", "count"), [("book_id=eq.9", 0), ("", 2)])
def test_one_object_is_refused_where_there_is_another_number(
    reader: httpx.Client, query: str, count: int
) -> None:
    accept = {"Accept": "application/vnd.pgrst.object+json"}
    answer = reader.get(f"/covers?{query}", headers=accept)

    assert answer.status_code == 406
    assert refusal(answer) == {
        "code": "PGRST116",
        "message": "Cannot coerce the result to a single JSON object",
        "details": f"The result contains {count} rows",
        "hint": None,
    }


def test_nulls_are_left_out_on_request(reader: httpx.Client) -> None:
    accept = {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}

    assert rows(reader, "/authors?select=name,country&id=eq.4", **accept) == [{"name": "Dora"}]


def test_rows_come_as_csv(reader: httpx.Client) -> None:
    answer = reader.get(
        "/books?select=id,title&id=in.(3,5)&order=id", headers={"Accept": "text/csv"}
    )

    assert answer.text == 'id,title\n3,"Clouds, and rain"\n5,Orphan'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("accept", ["image/png", "application/vnd.pgrst.plan+json"])
def test_what_cannot_be_made_is_refused(reader: httpx.Client, accept: str) -> None:
    answer = reader.get("/books", headers={"Accept": accept})

    assert (answer.status_code, refusal(answer)["code"]) == (406, "PGRST107")


def test_what_cannot_be_made_is_named_as_it_was_asked_for(reader: httpx.Client) -> None:
    accept = 'application/vnd.pgrst.plan+json; for="text/csv"; options=verbose'
    answer = reader.get("/books", headers={"Accept": f"{accept}, image/png"})

    assert (
        answer.json()["message"] == f"None of these media types are available: {accept}, image/png"
    )


def test_times_are_told_in_the_zone_asked_for(reader: httpx.Client) -> None:
    query, prefer = "/books?select=added_at&id=eq.1", {"Prefer": "timezone=Asia/Tokyo"}
    answer = reader.get(query, headers=prefer)

    assert answer.json() == [{"added_at": "2024-01-02T12:04:05+09:00"}]
    assert answer.headers["preference-applied"] == "timezone=Asia/Tokyo"


# Who sees what (4.3, 4.8; pitfalls 4, 5, 8).


def test_rows_of_others_are_not_there(served: Served) -> None:
    with served.client("authenticated", sub=ADA) as ada:
        assert ada.get("/diaries?select=page").json() == [{"page": "mine"}]
        assert (
            ada.head("/diaries", headers={"Prefer": "count=exact"})
            .headers["content-range"]
            .endswith("/1")
        )


def test_a_table_without_a_grant_is_401_for_strangers_and_403_for_others(
    served: Served, reader: httpx.Client
) -> None:
    with served.client("authenticated", sub=ADA) as ada:
        theirs = ada.get("/secrets")
    strangers = reader.get("/secrets")

    assert (theirs.status_code, refusal(theirs)["code"]) == (403, "42501")
    assert (strangers.status_code, refusal(strangers)["code"]) == (401, "42501")
    assert strangers.headers["www-authenticate"] == "Bearer"


def test_the_secret_key_passes_policies_but_needs_grants(served: Served) -> None:
    with served.client("service_role") as service:
        assert len(service.get("/diaries").json()) == 2
        assert service.get("/secrets").status_code == 403


def test_a_role_that_does_not_exist_is_nobody(served: Served) -> None:
    with served.client("ghost") as ghost:
        answer = ghost.get("/books")

    assert (answer.status_code, refusal(answer)["code"]) == (401, "22023")
    assert answer.json()["message"] == 'role "ghost" does not exist'


@pytest.mark.parametrize("role", ["postgres", "supabase_admin", "authenticator"])
def test_a_token_cannot_name_a_role_beyond_the_apis(served: Served, role: str) -> None:
    with served.client(role) as client:
        answer = client.get("/books")

    assert answer.status_code in {401, 403}


def test_the_description_shows_what_the_caller_may_touch(reader: httpx.Client) -> None:
    answer = reader.get("/")
    document = answer.json()

    assert answer.headers["content-type"] == "application/openapi+json; charset=utf-8"
    assert {"/", "/books", "/rpc/add", "/rpc/bump"} <= document["paths"].keys()
    assert not {"/secrets", "/rpc/private_matters", "/diaries"} & document["paths"].keys()
    assert document["paths"]["/authors"]["get"]["summary"] == "People who write"
    assert document["paths"]["/authors"]["get"]["description"] == "Or wrote."
    assert document["paths"]["/rpc/bump"].keys() == {"post"}
    book = document["definitions"]["books"]
    assert book["required"] == ["id", "title", "genre", "added_at"]
    assert book["properties"]["pages"] == {
        "format": "int32",
        "type": "integer",
        "description": "How many, covers left out",
    }
    assert book["properties"]["genre"]["enum"] == ["novel", "essay", "poetry"]
    assert book["properties"]["author_id"]["description"] == (
        "Note:\nThis is a Foreign Key to `authors.id`.<fk table='authors' column='id'/>"
    )
    assert document["definitions"]["authors"]["properties"]["awards"]["items"] == {"type": "string"}


# Through the client that people use.


@pytest.fixture
def reader(served: Served) -> Iterator[SyncPostgrestClient]:
    with served.supabase("authenticated", sub=ADA) as made:
        yield made


def test_the_python_client_counts_pages_and_embeds(reader: SyncPostgrestClient) -> None:
    answer = (
        reader.from_("books")
        .select("id, author:authors!author_id(name)", count="exact")  # type: ignore[arg-type]
        .gt("pages", 50)
        .or_("genre.eq.novel,genre.eq.essay")
        .order("pages", desc=True)
        .range(0, 1)
        .execute()
    )

    assert answer.count == 3
    assert answer.data == [
        {"id": 4, "author": {"name": "Cleo"}},
        {"id": 1, "author": {"name": "Ada"}},
    ]


def test_the_python_client_sees_one_row_or_why_not(reader: SyncPostgrestClient) -> None:
    one = reader.from_("covers").select("*").eq("book_id", 1).single().execute()
    maybe = reader.from_("covers").select("*").eq("book_id", 9).maybe_single().execute()
    with pytest.raises(APIError) as refusal:
        reader.from_("covers").select("*").single().execute()

    assert one.data == {"book_id": 1, "color": "blue"}
    assert maybe is None
    assert (refusal.value.code, refusal.value.details) == ("PGRST116", "The result contains 2 rows")


def test_the_python_client_reads_csv_and_searches(reader: SyncPostgrestClient) -> None:
    csv = reader.from_("tags").select("label").eq("id", 1).csv().execute()
    found = (
        reader.from_("books")
        .select("id")
        .text_search("summary", "cat & ran", options={"config": "english"})
        .execute()
    )

    assert csv.data == "label\nwater"
    assert found.data == [{"id": 1}]


def test_the_python_client_looks_into_json(reader: SyncPostgrestClient) -> None:
    found = reader.from_("authors").select("name").contains("profile", {"pets": ["cat"]}).execute()
    ranged = (
        reader.from_("books").select("id").overlaps("in_print", "[2009-01-01,2020-01-01)").execute()
    )

    assert found.data == [{"name": "Ada"}]
    assert json.loads(json.dumps(ranged.data)) == [{"id": 1}, {"id": 2}]
