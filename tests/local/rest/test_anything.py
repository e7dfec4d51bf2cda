"""Anything at all may be asked: the answer is rows of one's own, or a refusal that clients read."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local.rest import serving
from tests.local.rest.conftest import config_for
from tests.local.rest.serving import ADA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    from tests.databases import Database

# More of them, and others each time, find more: NLCTL_TEST_EXAMPLES=20000.
EXAMPLES = int(os.environ.get("NLCTL_TEST_EXAMPLES", "0"))
thorough = settings(max_examples=EXAMPLES or 250, derandomize=not EXAMPLES, deadline=None)

FOREIGN = "not yours"
"""Written in every row that Ada may not see, and in nothing that is asked."""

PATHS = [
    "/books",
    "/authors",
    "/diaries",
    "/shelves",
    "/long_books",
    "/book_tags",
    "/secrets",
    "/notes",
    "/rpc/add",
    "/rpc/books_of",
    "/rpc/double",
    "/rpc/evens",
    "/rpc/total",
    "/rpc/first_book",
    "/",
    "/nowhere",
]
NAMES = [
    "id", "title", "name", "profile", "awards", "price", "in_print", "page", "owner", "genre",
    "authors", "books", "covers", "tags", "shelves", "parent_id", "shout", "compatriots", "count",
    "books_author_id_fkey", "author_id", "who", "a", "b", "n", "word", "*", "not", "and", "or",
]  # fmt: skip
OPERATORS = [
    "eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "in", "is", "fts",
    "plfts", "phfts", "wfts", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj", "isdistinct",
    "not.eq", "not.in", "eq(any)", "like(all)", "fts(english)", "nothing",
]  # fmt: skip
VALUES = [
    "1", "", "null", "true", "Ada", "%", "*", "{1,2}", "{", "(1,2)", "()", "(", '("a",b)', "[1,2)",
    '{"a":1}', "2020-01-01", "'", "''; drop table books; --", '"', "\\", "$1", "%s", "$$", "\x00",
    "99999999999999999999", "-1", "1e400", "é", "\U0001f600", "a&b", "cat & !dog", "a:*", "^[(",
]  # fmt: skip
PUNCTUATION = [*list(",.:()!->*\"'\\+ {}[]=&;%?/\n\t"), "::", "->>", "...", "%00", "%ff", "%"]

names = st.sampled_from(NAMES)
scraps = st.one_of(names, st.sampled_from(OPERATORS + VALUES + PUNCTUATION), st.text(max_size=4))
rubbish = st.lists(scraps, max_size=8).map("".join)
paths = st.lists(st.sampled_from(["->", "->>"]).flatmap(lambda a: names.map(lambda n: a + n)),
                 max_size=2).map("".join)  # fmt: skip
fields = st.builds(lambda name, path: name + path, names, paths)


def listed(items: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=4).map(",".join)


def embedded(items: SearchStrategy[str]) -> SearchStrategy[str]:
    heads = st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["", "...", "alias:", "id:"]),
            names,
            st.sampled_from(["", "!inner", "!left", "!author_id", "!books_translator_id_fkey"]),
        ),
    )
    return st.builds(lambda head, inner: f"{head}({inner})", heads, listed(items) | st.just(""))


columns = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "x:"]),
        fields,
        st.sampled_from(["", "", "::text", "::int", ".sum()", "::nothing", ".count()::text"]),
    ),
)
selections = listed(st.recursive(columns, embedded, max_leaves=6))
values = st.sampled_from(VALUES) | st.text(max_size=6)
operations = st.builds(
    lambda operator, value: f"{operator}.{value}", st.sampled_from(OPERATORS), values
)
conditions = st.recursive(
    st.builds(lambda field, operation: f"{field}.{operation}", fields, operations),
    lambda inner: st.builds(
        lambda head, terms: f"{head}({terms})",
        st.sampled_from(["and", "or", "not.and", "not.or"]),
        listed(inner),
    ),
    max_leaves=4,
)
orders = listed(
    st.builds(
        "".join,
        st.tuples(
            fields | names.map(lambda name: f"{name}(name)"),
            st.sampled_from(["", ".asc", ".desc", ".desc.nullslast", ".nullsfirst", ".up"]),
        ),
    )
)
places = st.sampled_from(["", "", "books.", "authors.", "alias.", "books.authors."])


def parameter(keys: SearchStrategy[str], texts: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.builds(lambda place, key, text: f"{place}{key}={text}", places, keys, texts | rubbish)


parameters = st.one_of(
    st.builds("select={}".format, selections | rubbish),
    parameter(fields | rubbish, operations | values),
    parameter(
        st.sampled_from(["and", "or", "not.and", "not.or"]), listed(conditions).map("({})".format)
    ),
    parameter(st.just("order"), orders),
    parameter(st.sampled_from(["limit", "offset"]), values),
    st.builds("{}={}".format, st.sampled_from(["columns", "on_conflict"]), listed(names) | rubbish),
    rubbish,
)
queries = st.lists(parameters, max_size=5).map("&".join)
preferences = st.lists(
    st.sampled_from(
        [
            "count=exact", "count=planned", "count=estimated", "return=representation",
            "return=headers-only", "return=minimal", "resolution=merge-duplicates",
            "resolution=ignore-duplicates", "missing=default", "handling=strict", "tx=commit",
            "max-affected=1", "timezone=Asia/Tokyo", "timezone='", "nothing",
        ]
    ),
    max_size=4,
).map(", ".join)  # fmt: skip
accepts = st.sampled_from(
    [
        "*/*", "application/json", "text/csv", "application/vnd.pgrst.object+json",
        "application/vnd.pgrst.array+json;nulls=stripped", "application/vnd.pgrst.plan+json",
        "application/geo+json", "text/html, */*;q=0.1", "x", ";q=,",
    ]
)  # fmt: skip
ranges = st.sampled_from(["0-0", "5-1", "1-", "99999999999999999999-", "-1", "x"])
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)
bodies = documents.map(json.dumps) | st.text(max_size=12) | rubbish
content_types = st.sampled_from(
    [
        "application/json", "text/csv", "application/x-www-form-urlencoded", "text/plain",
        "application/octet-stream", "text/xml", "x",
    ]
)  # fmt: skip


# Questions that reach the database: names that are there, in the places where they may stand.
book_columns = st.sampled_from(
    ["id", "title", "pages", "price", "in_print", "genre", "summary", "shout"]
)
book_fields = book_columns | st.sampled_from(["title->a", "in_print->>0", "genre->0->b"])
author_fields = st.sampled_from(
    ["id", "name", "profile", "awards", "profile->born->>year", "awards->0"]
)
sensible_columns = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "x:", '"a b":']),
        book_fields,
        st.sampled_from(["", "", "::text", "::json"]),
    ),
)
author = st.builds(
    lambda head, fields: f"{head}({fields})",
    st.sampled_from(
        [
            "author:authors!author_id", "author:translator_id!inner", "...authors!author_id",
            "author:authors!books_author_id_fkey",
        ]
    ),
    listed(author_fields | st.just("compatriots(name,books!author_id(id,...covers(color)))")),
)  # fmt: skip
children = st.sampled_from(
    ["tags(*)", "tags!inner(label)", "...tags(label)", "covers(*)", "covers()", "...covers(color)"]
)
sensible_conditions = st.recursive(
    st.builds(lambda field, operation: f"{field}.{operation}", book_fields, operations),
    lambda inner: st.builds(
        lambda head, terms: f"{head}({terms})",
        st.sampled_from(["and", "or", "not.and", "not.or"]),
        listed(inner),
    ),
    max_leaves=4,
)
embeds = st.sampled_from(["author", "tags", "covers"])
levels = st.sampled_from(["", "tags.", "author."])
asked = [
    ("{}={}", book_fields, operations),
    ("{}=({})", st.sampled_from(["and", "not.or"]), listed(sensible_conditions)),
    ("author.{}={}", author_fields, operations),
    ("{}={}", embeds, st.sampled_from(["is.null", "not.is.null"])),
    ("{}order={}", levels, listed(book_fields | st.sampled_from(["author(name).desc", "label"]))),
    ("{}limit={}", levels, st.integers(0, 3)),
    ("{}offset={}", levels, st.integers(0, 3)),
]
sensible = st.lists(
    st.one_of([st.builds(form.format, *parts) for form, *parts in asked]), max_size=4
)
questions = st.builds(
    lambda selected, parameters: "&".join(["select=" + ",".join(selected), *parameters]),
    st.lists(sensible_columns | author | children | st.just("*"), max_size=4),
    sensible,
)


@pytest.fixture(scope="session")
def ada(library: Database) -> Iterator[httpx.Client]:
    """Somebody who may see one diary of two, over an API that keeps no change."""
    config = replace(config_for(library), transaction_end="rollback", plan_enabled=True)
    with (
        serving.embed(config) as api,
        api.client("authenticated", sub=ADA) as client,
    ):
        yield client


def ask(
    client: httpx.Client, method: str, path: str, query: str, body: str = "", **headers: str
) -> httpx.Response:
    """Ask with a query string as it is; only what no request line can hold is encoded."""
    encoded = quote(f"{path}?{query}".encode("utf-8", "surrogatepass"), safe=SAFE)
    url = httpx.URL("http://library").copy_with(raw_path=encoded.encode())
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, url, content=body.encode("utf-8", "surrogatepass"), headers=sent)


SAFE = "".join(chr(code) for code in range(33, 127) if chr(code) != "#")


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    assert FOREIGN not in answer.text
    if answer.status_code >= 300 and answer.request.method != "HEAD":
        error = answer.json()
        assert error.keys() == {"code", "message", "details", "hint"}
        assert isinstance(error["code"], str)
        assert isinstance(error["message"], str)


def contents(library: Database) -> list[Any]:
    counted = [
        library.run(f"select count(*), md5(string_agg(t::text, '|')) from public.{table} t")
        for table in ("books", "authors", "diaries", "secrets", "notes", "counters")
    ]
    return [*counted, library.run("select count(*) from pg_class")]


@thorough
@given(
    method=st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS"]),
    path=st.sampled_from(PATHS),
    query=queries,
    accept=accepts,
    prefer=preferences,
    range_=ranges,
)
def test_whatever_is_asked_the_answer_is_ones_own_rows_or_a_refusal(
    ada: httpx.Client, method: str, path: str, query: str, accept: str, prefer: str, range_: str
) -> None:
    check(ask(ada, method, path, query, accept=accept, prefer=prefer, range=range_))


@thorough
@given(
    path=st.sampled_from(["/books", "/rpc/books_of?who=Ada"]),
    query=questions,
    accept=accepts,
    prefer=preferences,
)
def test_whatever_the_database_is_asked_it_is_not_its_fault(
    ada: httpx.Client, path: str, query: str, accept: str, prefer: str
) -> None:
    path, _, arguments = path.partition("?")
    check(ask(ada, "GET", path, f"{arguments}&{query}", accept=accept, prefer=prefer))


@thorough
@given(
    method=st.sampled_from(["POST", "POST", "PATCH", "PUT", "DELETE"]),
    path=st.sampled_from(PATHS),
    query=queries,
    body=bodies,
    content_type=content_types,
    prefer=preferences,
)
def test_whatever_is_sent_nobody_elses_rows_are_touched(
    ada: httpx.Client,
    method: str,
    path: str,
    query: str,
    body: str,
    content_type: str,
    prefer: str,
) -> None:
    check(ask(ada, method, path, query, body, content_type=content_type, prefer=prefer))


@thorough
@given(path=st.text(max_size=20), method=st.sampled_from(["GET", "POST", "DELETE", "BREW"]))
def test_whatever_path_is_asked_for_there_is_an_answer(
    ada: httpx.Client, path: str, method: str
) -> None:
    check(ask(ada, method, "/" + path.replace("?", ""), ""))


def test_nothing_that_was_tried_has_changed_anything(
    library: Database, library_template: Database, ada: httpx.Client
) -> None:
    for query in (
        "select=*&id=eq.1';drop table notes;--",
        "id=in.(1);delete from notes",
        "order=1;",
    ):
        check(ask(ada, "GET", "/books", query))
        check(ask(ada, "DELETE", "/notes", f"line=eq.one&{query}"))

    assert contents(library) == contents(library_template)
