"""Injection: whatever is written into a request stays a name or a value."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.local.rest.school.asking import School

BREAKERS = [
    "'; drop table public.journal; --",
    '"; drop table public.journal; --',
    "\\'; drop table public.journal; --",
    "$1",
    "$$; drop table public.journal; $$",
    "') or true --",
    '" or ""="',
    "*/ drop table public.journal /*",
    "{a,b}",
    '{"a","b"}',
    "%s %(x)s {0}",
    "\u2019; --",
    "é'\"\\",
]


@pytest.mark.parametrize("text", BREAKERS)
def test_a_value_is_compared_and_nothing_more(school: School, text: str) -> None:
    for operator in ("eq", "neq", "like", "match", "in", "fts"):
        value = f'("{text}")' if operator == "in" else text
        answer = school.get(f"/journal?ligne={operator}.{quote(value, safe='')}")
        assert answer.status in {200, 400}
    assert lines(school) == ["deux", "un"]


@pytest.mark.parametrize("text", BREAKERS)
def test_a_value_is_written_as_it_is(school: School, text: str) -> None:
    show = "return=representation"
    assert school.post("/journal", {"ligne": text}, Prefer=show).json == [{"ligne": text}]
    changed = school.patch("/journal?ligne=eq.un", {"ligne": text}, Prefer=show)
    assert changed.json == [{"ligne": text}]
    assert lines(school) == ["deux", "un"]


@pytest.mark.parametrize("text", BREAKERS)
@pytest.mark.parametrize(
    "place",
    [
        "/journal?select={}",
        "/journal?select=x:{}",
        "/journal?select={}:ligne",
        "/journal?select=ligne::{}",
        "/journal?select=ligne.{}()",
        "/journal?select={}(ligne)",
        "/journal?select=formations!{}(id)",
        "/formations?select=details->{}",
        "/formations?select=details->>{}",
        "/formations?details->{}=eq.1",
        "/formations?order=details->>{}",
        "/journal?{}=eq.1",
        "/journal?order={}",
        "/journal?limit={}",
        "/journal?offset={}",
        "/journal?or=(ligne.eq.{},ligne.is.null)",
        "/journal?or=({}.eq.1)",
        "/journal?ligne=fts({}).mot",
        "/journal?ligne=is.{}",
        "/{}",
        "/rpc/{}",
        "/rpc/bonjour?prenom=Ada&{}=1",
        "/rpc/somme?nombres={}",
    ],
)
def test_no_place_of_an_address_lets_sql_in(school: School, place: str, text: str) -> None:
    for written in (text, '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'):
        answer = school.get(place.format(quote(written, safe="")))
        assert answer.status < 500, answer.body
        assert answer.status == 200 or answer.json.keys() == {"code", "message", "details", "hint"}
    assert lines(school) == ["deux", "un"]


@pytest.mark.parametrize("text", BREAKERS)
def test_names_in_a_body_are_names(school: School, text: str) -> None:
    named = quote('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"', safe="")
    answers = [
        school.post("/journal", {text: 1}),
        school.post(f"/journal?columns={named}", [{text: 1}]),
        school.post(
            f"/journal?on_conflict={named}", [{"ligne": "x"}], Prefer="resolution=merge-duplicates"
        ),
        school.post("/rpc/bonjour", {text: 1}),
    ]
    assert [answer.status for answer in answers] == [400, 400, 400, 404]
    assert lines(school) == ["deux", "un"]


@pytest.mark.parametrize("text", BREAKERS)
def test_what_a_header_says_is_no_sql(school: School, text: str) -> None:
    token = school.as_("authenticated", sub=text, other={text: [text]})
    told = token.get("/rpc/contexte", Prefer=f'timezone="{text}"').json
    seen = token.get("/rpc/contexte", X_Mot=text).json
    assert "code" in told or told["claims"]["sub"] == text
    assert seen.get("code") == "22P02" or seen["entete"] == text  # auth.uid() wants a uuid
    assert school.as_(text).get("/journal").status in {401, 403}
    assert lines(school) == ["deux", "un"]


def lines(school: School) -> list[str]:
    """What is in the journal, unless somebody got at it."""
    return [row["ligne"] for row in school.get("/journal?order=ligne").json]
