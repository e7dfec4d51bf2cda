"""Modules dragged and dropped, by one or by several at once: none is lost, none stands twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.callers import sign_up
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, make_palette, order

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


@pytest.fixture
def course(school: Database, ada: Person) -> str:
    """Her draft, of three modules."""
    return compose(ada, make_palette(school, 3))


# Any sequence of moves.


class Draft:
    """A course under somebody's hands, beside the list it should be."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]], palette: list[str]) -> None:
        self.connection, self.palette = connection, palette
        made = self.ask("create_course", "Tiré au sort")
        self.course, self.version = made[0]["id"], made[0]["version"]
        self.expected: list[Any] = []

    def ask(self, function: str, *arguments: object) -> list[dict[str, Any]]:
        holes = ", ".join(["%s"] * len(arguments))
        query = f"select * from public.{function}({holes})"
        return self.connection.execute(query.encode(), arguments).fetchall()

    def add(self, place: int | None) -> None:
        [made] = self.ask("add_course_module", self.course, self.palette[0], place)
        self.expected.insert(len(self.expected) if place is None else place, made["id"])

    def move(self, index: int, place: int) -> None:
        module = self.expected.pop(index % (len(self.expected) or 1))
        self.expected.insert(place, module)
        told = self.ask("move_course_module", module, place)
        assert [row["id"] for row in told] == self.expected

    def reorder(self, wanted: list[int]) -> None:
        self.expected = [self.expected[index] for index in wanted]
        self.ask("reorder_course_modules", self.course, self.expected)

    def remove(self, index: int) -> None:
        self.ask("remove_course_module", self.expected.pop(index % len(self.expected)))

    def stands(self, former: list[Any]) -> None:
        """The course is as expected, and counted this change, if there was one."""
        rows = self.connection.execute(
            "select id, position from public.course_modules where course_id = %s order by position",
            [self.course],
        ).fetchall()
        assert [(row["id"], row["position"]) for row in rows] == [
            (module, place) for place, module in enumerate(self.expected)
        ]
        [row] = self.ask("get_course", self.course)
        now = row["get_course"]["version"]
        assert (now > self.version) == (self.expected != former)
        assert now >= self.version
        self.version = now


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_whatever_is_done_modules_stand_once_in_places_without_gaps(
    builder: tuple[Person, list[str]], data: st.DataObject
) -> None:
    author, palette = builder
    with transaction_of(author) as connection:
        draft = Draft(connection, palette)
        for _ in range(data.draw(st.integers(1, 14))):
            former = list(draft.expected)
            total = len(former)
            act = data.draw(st.sampled_from(["add", "move", "reorder", "remove"]))
            if act == "add" or not total:
                draft.add(data.draw(st.none() | st.integers(0, total + 2)))
            elif act == "move":
                draft.move(data.draw(st.integers(0, total - 1)), data.draw(st.integers(0, total)))
            elif act == "reorder":
                draft.reorder(data.draw(st.permutations(range(total))))
            else:
                draft.remove(data.draw(st.integers(0, total - 1)))
            draft.stands(former)
        connection.rollback()


@pytest.fixture(scope="module")
def builder(school: Database) -> tuple[Person, list[str]]:
    """Somebody who composes all examples, with a palette."""
    return sign_up(school, "client"), make_palette(school, 1)


# Several at once.


def test_two_people_who_move_modules_lose_none(
    school: Database, member: MakePerson, ada: Person, course: str
) -> None:
    admin = member("admin")
    first, second, third = order(school, course)
    with transaction_of(ada) as moving:
        moving.execute("select public.move_course_module(%s, 2)", [first])
        with in_background(
            lambda: admin.rpc("move_course_module", p_course_module_id=third, p_position=0)
        ) as other:
            wait_until_somebody_waits(school)
            moving.commit()
            other.result()
    assert order(school, course) == [third, second, first]


def test_many_hands_leave_no_gap(
    school: Database, member: MakePerson, ada: Person, course: str
) -> None:
    admin = member("admin")
    [palette] = make_palette(school, 1)
    before = order(school, course)

    def drag(person: Person, module: str) -> Callable[[], Any]:
        return lambda: [
            person.rpc("move_course_module", p_course_module_id=module, p_position=place)
            for place in (2, 0, 1)
        ]

    at_once(
        drag(ada, before[0]),
        drag(admin, before[1]),
        lambda: ada.rpc("add_course_module", p_course_id=course, p_builder_module_id=palette),
        lambda: admin.rpc("remove_course_module", p_course_module_id=before[2]),
    )
    after = order(school, course)
    assert len(after) == 3
    assert set(before[:2]) < set(after)


def test_an_order_that_misses_a_module_just_added_is_a_conflict(
    school: Database, member: MakePerson, ada: Person, course: str
) -> None:
    modules = order(school, course)
    [palette] = make_palette(school, 1)
    with transaction_of(member("admin")) as adding:
        adding.execute("select public.add_course_module(%s, %s)", [course, palette])
        with in_background(
            lambda: ada.refusal(
                "reorder_course_modules", p_course_id=course, p_module_ids=modules[::-1]
            )
        ) as reordering:
            wait_until_somebody_waits(school)
            adding.commit()
            assert reordering.result().code == "CONFLICT"
    assert order(school, course)[:3] == modules


def test_a_module_removed_meanwhile_is_not_moved(
    school: Database, member: MakePerson, ada: Person, course: str
) -> None:
    [module, *rest] = order(school, course)
    with transaction_of(member("admin")) as removing:
        removing.execute("select public.remove_course_module(%s)", [module])
        with in_background(
            lambda: ada.refusal("move_course_module", p_course_module_id=module, p_position=1)
        ) as moving:
            wait_until_somebody_waits(school)
            removing.commit()
            assert moving.result().code == "NOT_FOUND"
    assert order(school, course) == rest


@pytest.mark.parametrize("end", ["archive_course", "delete_course"])
def test_a_course_that_ends_meanwhile_is_not_changed(
    school: Database, member: MakePerson, ada: Person, course: str, end: str
) -> None:
    with transaction_of(member("admin")) as ending:
        ending.execute(f"select public.{end}(%s)".encode(), [course])
        with in_background(
            lambda: ada.refusal("update_course", p_course_id=course, p_title="Trop tard")
        ) as editing:
            wait_until_somebody_waits(school)
            ending.commit()
            code = editing.result().code
    assert code == {"archive_course": "CONFLICT", "delete_course": "NOT_FOUND"}[end]
