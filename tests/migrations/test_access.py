"""Who may do what: access.txt declares it, and every cell of it is tried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl import access
from tests import mutants, products

if TYPE_CHECKING:
    from nlctl.access import Line
    from nlctl.project import Project
    from tests.databases import Database

FILE = Path(__file__).with_name("access.txt")
NOVELTIES = """
create table public.novelties (id int generated always as identity primary key);
grant select on public.novelties to authenticated;
create function public.novelty(p_text text) returns text language sql as 'select p_text';
grant execute on function public.novelty to anon;
"""


@pytest.fixture(scope="module")
def declared() -> list[Line]:
    """The file."""
    return access.parse(FILE.read_text(encoding="utf-8"), FILE.name)


@pytest.fixture
def whole(database: Database, project: Project) -> Database:
    """The product with its buckets, as `nlctl up` leaves it."""
    products.make_buckets(database, project)
    return database


def test_everybody_may_do_what_the_file_says_and_nothing_else(
    whole: Database, declared: list[Line]
) -> None:
    measured = access.measure(whole.url).lines()

    assert "\n".join(access.compare(declared, measured)) == ""


def test_everything_could_be_tried(declared: list[Line]) -> None:
    assert [line.title for line in declared if "?" in "".join(line.marks.values())] == []


def test_a_new_table_or_function_fails_with_the_line_to_add(
    whole: Database, declared: list[Line]
) -> None:
    whole.run(NOVELTIES)

    measured = access.measure(whole.url).lines()

    added = {
        "public.novelties none": "public.novelties none  ----  S---  S---  S---  S---  S---  ----",
        "rpc novelty": "rpc novelty  ok  -  -  -  -  -  -",
    }
    assert access.compare(declared, measured) == [
        f"{title} is not declared. If it is right, add: {line}" for title, line in added.items()
    ]


def test_a_policy_that_is_weakened_or_dropped_is_noticed(
    whole: Database, declared: list[Line]
) -> None:
    with whole.connect(autocommit=False) as connection:
        every = mutants.breed(connection)
        unnoticed = [str(m) for m in every if not m.is_noticed(connection, declared)]
        connection.rollback()

    assert len(every) > 40
    assert unnoticed == []
