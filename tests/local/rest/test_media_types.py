"""Media types that a project makes itself, by functions and aggregates of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest import serving
from tests.local.rest.conftest import config_for
from tests.local.rest.serving import refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.databases import Database

# PostGIS is not there: what stands for its function shows which rows it was given.
MAKERS = """
create domain public."text/vnd.labels" as text;
create function public.add_label(made public."text/vnd.labels", tag public.tags)
  returns public."text/vnd.labels" language sql immutable as $$ select made || tag.label || '.' $$;
create aggregate public.labels(public.tags) (
  stype = public."text/vnd.labels", sfunc = public.add_label, initcond = '');

create domain public."text/vnd.count" as text;
create function public.add_one(made public."text/vnd.count", line anyelement)
  returns public."text/vnd.count" language sql immutable as $$ select made || 'I' $$;
create aggregate public.tally(anyelement) (
  stype = public."text/vnd.count", sfunc = public.add_one, initcond = '');

create domain public."text/html" as text;
create function public.page(title text) returns public."text/html" language sql immutable
  as $$ select '<h1>' || title || '</h1>' $$;

create function public.st_asgeojson(feature record) returns text language plpgsql
  as $$ begin return json_build_object('type', 'Feature', 'properties', feature); end $$;
"""


@pytest.fixture
def making(own_library: Database) -> Iterator[httpx.Client]:
    """Anybody, where the library makes media types."""
    own_library.run(MAKERS)
    own_library.run("grant execute on all functions in schema public to anon")
    with serving.embed(config_for(own_library)) as api, api.client() as anybody:
        yield anybody


@pytest.mark.parametrize(
    ("path", "accept", "content"),
    [
        ("/tags?order=id", "text/vnd.labels", "water.earth.fire."),
        ("/tags", "text/vnd.count", "III"),
        ("/rpc/books_of?who=Ada", "text/vnd.count", "II"),
        ("/rpc/page?title=Ada", "text/html", "<h1>Ada</h1>"),
    ],
)
def test_a_project_makes_media_types_of_its_own(
    making: httpx.Client, path: str, accept: str, content: str
) -> None:
    answer = making.get(path, headers={"Accept": accept})

    assert answer.text == content
    assert answer.headers["content-type"] == accept


@pytest.mark.parametrize("path", ["/covers", "/tags?select=label"])
def test_a_media_type_of_one_tables_rows_is_made_of_nothing_else(
    making: httpx.Client, path: str
) -> None:
    answer = making.get(path, headers={"Accept": "text/vnd.labels"})

    refused(answer, 406, "PGRST107")


def test_rows_are_features_where_postgis_is(making: httpx.Client) -> None:
    answer = making.get("/covers?book_id=eq.1", headers={"Accept": "application/geo+json"})

    assert answer.json() == {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"book_id": 1, "color": "blue"}}],
    }
