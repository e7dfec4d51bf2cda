"""Wishes: how the filters of postgres_changes are read."""

from __future__ import annotations

import pytest

from nlctl.local.realtime.changes import wishes
from nlctl.local.realtime.changes.wishes import Filter, Unreadable, Wish

FILTERS = [
    ("subject=eq.hey", [("subject", "eq", "hey", False)]),
    ("subject=in.(hidee,ho)", [("subject", "in", "{hidee,ho}", False)]),
    ('a=in.("x,y",z)', [("a", "in", '{"x,y",z}', False)]),
    ("subject=not.like.hey%", [("subject", "like", "hey%", True)]),
    ("id=gt.0,id=lt.100", [("id", "gt", "0", False), ("id", "lt", "100", False)]),
    (" id=gt.0 , a=eq.b ", [("id", "gt", "0", False), ("a", "eq", "b", False)]),
    ("a=eq.b=c.d", [("a", "eq", "b=c.d", False)]),
    ("a=eq.", [("a", "eq", "", False)]),
    ('a=eq."b,c",d=eq.e', [("a", "eq", "b,c", False), ("d", "eq", "e", False)]),
    (r'a=eq."b\"c\\"', [("a", "eq", 'b"c\\', False)]),
    ('a=eq."b"c', [("a", "eq", '"b"c', False)]),
    ("a=match.^(b,c)$", [("a", "match", "^(b,c)$", False)]),
    ("a=eq.b),c=eq.d", [("a", "eq", "b)", False), ("c", "eq", "d", False)]),
    ("   ", []),
]

PLACES = [
    ({"schema": "public", "table": "notes"}, Wish("*", "public", "notes")),
    ({"schema": "public"}, Wish("*", "public", "*")),
    ({"table": "notes"}, Wish("*", "public", "notes")),
    ({"schema": "*", "table": "*", "event": "*"}, Wish("*", "*", "*")),
    ({"table": "notes", "event": "insert"}, Wish("INSERT", "public", "notes")),
    ({"table": "notes", "event": "nothing"}, Wish("*", "public", "notes")),
    ({"table": "notes", "event": 7}, Wish("*", "public", "notes")),
    (
        {"schema": "a", "table": "b", "select": ["z", "y", 1]},
        Wish("*", "a", "b", columns=("y", "z")),
    ),
    ({"schema": "a", "table": "b", "select": []}, Wish("*", "a", "b")),
]

UNREADABLE = [
    {},
    {"schema": 1, "table": "notes"},
    {"schema": "public", "table": None},
    {"schema": "public", "filter": "id=eq.1"},
    {"table": "notes", "filter": "id=eq.1"},
    {"schema": "public", "table": "notes", "filter": 7},
]


@pytest.mark.parametrize(("text", "filters"), FILTERS)
def test_a_filter_is_read(text: str, filters: list[tuple[str, str, str, bool]]) -> None:
    wish = wishes.read({"schema": "public", "table": "notes", "filter": text})

    assert list(wish.filters) == [Filter(*each) for each in filters]


@pytest.mark.parametrize(("asked", "wish"), PLACES)
def test_a_place_is_read(asked: dict[str, object], wish: Wish) -> None:
    assert wishes.read(asked) == wish


@pytest.mark.parametrize("asked", UNREADABLE)
def test_what_names_no_place_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(Unreadable, match="No subscription params provided"):
        wishes.read(asked)


def test_a_token_in_a_wish_is_not_repeated() -> None:
    with pytest.raises(Unreadable) as refusal:
        wishes.read({"user_token": "secret"})

    assert str(refusal.value).endswith("subscribe to: <redacted>")
