"""Who may do what: the files of access/ declare it, and every cell of them is tried."""

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

DECLARED = Path(__file__).with_name("access")
SCENE = (DECLARED / "scene.sql").read_text(encoding="utf-8")
# The matrix writes the values that are there; test_resources.py writes another.
TOLD_ELSEWHERE = ["resources_objects_update_staff with its check opened"]
NOVELTIES = """
create table public.novelties (id int generated always as identity primary key);
grant select on public.novelties to authenticated;
create function public.novelty(p_text text) returns text language sql as 'select p_text';
grant execute on function public.novelty to anon;
"""


@pytest.fixture(scope="module")
def declared() -> list[Line]:
    """All files."""
    return access.read(DECLARED)


@pytest.fixture(scope="module")
def whole(school: Database, project: Project) -> Database:
    """The product with its buckets, as `nlctl up` leaves it, and what no file declares."""
    products.make_buckets(school, project)
    school.run(NOVELTIES)
    return school


@pytest.fixture(scope="module")
def measured(whole: Database, project: Project) -> list[Line]:
    """What everybody may do."""
    return access.measure(whole.url, project.exposed_schemas, scene=SCENE).lines()


def is_novel(line: Line) -> bool:
    return "novel" in line.title


def test_everybody_may_do_what_the_files_say_and_nothing_else(
    measured: list[Line], declared: list[Line]
) -> None:
    known = [line for line in measured if not is_novel(line)]

    assert "\n".join(access.compare(declared, known)) == ""


def test_everything_could_be_tried(declared: list[Line]) -> None:
    assert [line.title for line in declared if "?" in "".join(line.marks.values())] == []


def test_nothing_is_declared_twice(declared: list[Line]) -> None:
    titles = [line.title for line in declared]

    assert sorted(set(titles)) == sorted(titles)


def test_a_new_table_or_function_fails_with_the_line_to_add(
    measured: list[Line], declared: list[Line]
) -> None:
    added = {
        "public.novelties none": "public.novelties none  ----  S---  S---  S---  S---  S---  ----",
        "rpc novelty": "rpc novelty  ok  -  -  -  -  -  -",
    }
    assert access.compare(declared, list(filter(is_novel, measured)))[: len(added)] == [
        f"{title} is not declared. If it is right, add: {line}" for title, line in added.items()
    ]


def test_a_policy_that_is_weakened_or_dropped_is_noticed(
    whole: Database, declared: list[Line], project: Project
) -> None:
    with whole.connect(autocommit=False) as connection:
        connection.execute(SCENE.encode())
        survey = access.Survey(connection, project.exposed_schemas)
        every = mutants.breed(connection)
        by_title = {line.title: line for line in declared}
        unnoticed = [str(m) for m in every if not m.is_noticed(connection, survey, by_title)]
        connection.rollback()

    assert len(every) > 150
    assert unnoticed == TOLD_ELSEWHERE
