"""Domains that a project reads and writes in a form of its own, by casts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest import serving
from tests.local.rest.conftest import config_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.databases import Database

# A colour is a number in the table and #rrggbb to the world.
COLORS = """
create domain public.color as int;
create function public.color(text) returns public.color language sql immutable
  as $$ select ('x' || lpad(ltrim($1, '#'), 8, '0'))::bit(32)::int $$;
create function public.color(json) returns public.color language sql immutable
  as $$ select public.color($1 #>> '{}') $$;
create function public.json(public.color) returns json language sql immutable
  as $$ select to_json('#' || lpad(to_hex($1), 6, '0')) $$;
create cast (text as public.color) with function public.color(text) as implicit;
create cast (json as public.color) with function public.color(json) as implicit;
create cast (public.color as json) with function public.json(public.color) as implicit;
create table public.paints (id int primary key, tint public.color);
insert into public.paints values (1, 255), (2, 65280);
grant select, insert, update on public.paints to anon;
"""
SHOWN = {"Prefer": "return=representation"}


@pytest.fixture
def painting(own_library: Database) -> Iterator[httpx.Client]:
    """Anybody, where there are paints."""
    own_library.run(COLORS)
    with serving.embed(config_for(own_library)) as api, api.client() as anybody:
        yield anybody


@pytest.mark.parametrize("condition", ["tint=eq.0000ff", "tint=in.(%230000ff,ffffff)"])
def test_a_value_is_shown_and_asked_for_in_its_own_form(
    painting: httpx.Client, condition: str
) -> None:
    assert serving.rows(painting, f"/paints?{condition}") == [{"id": 1, "tint": "#0000ff"}]


def test_a_value_is_written_in_its_own_form(painting: httpx.Client, own_library: Database) -> None:
    made = painting.post("/paints", json={"id": 3, "tint": "#000010"}, headers=SHOWN)
    painting.patch("/paints?id=eq.2", json={"tint": "#000011"})

    assert made.json() == [{"id": 3, "tint": "#000010"}]
    assert own_library.run("select id, tint from public.paints order by 1") == [
        (1, 255),
        (2, 17),
        (3, 16),
    ]
