"""Courses on their way, as people bring them there: composed, submitted, approved, followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.databases import Database

NOBODY = "00000000-0000-4000-8000-00000000dead"
"""An id that nothing has."""

PALETTE = """
with family as (
  insert into public.builder_families (name) values (%(name)s) returning id
),
subfamily as (
  insert into public.builder_subfamilies (family_id, name)
  select id, %(name)s from family returning id
)
insert into public.builder_modules (subfamily_id, title, duration_minutes, position)
select id, 'Module ' || n, 10 * n, n from subfamily, generate_series(1, %(modules)s) as n
returning id::text
"""

ORDER = (
    "select id::text, position from public.course_modules where course_id = %s order by position"
)


@dataclass(frozen=True)
class Board:
    """A formation under way: its author, what he submitted, and its Kanban."""

    author: Person
    course_id: str
    submission_id: str
    formation_id: str

    def cards(self, reader: Person | None = None) -> list[dict[str, Any]]:
        """The cards as `reader` (the author by default) sees them, column by column."""
        return (reader or self.author).run(
            "select * from public.kanban_user_modules_v1 where submission_id = %s "
            "order by status, position",
            [self.submission_id],
        )

    def columns(self) -> dict[str, list[str]]:
        """Titles in each column, from the top."""
        found: dict[str, list[str]] = {}
        for card in self.cards():
            found.setdefault(card["status"], []).append(card["title"])
        return found


def make_palette(database: Database, modules: int = 5) -> list[str]:
    """A family with one theme and its modules: their ids, in order."""
    made = database.run(PALETTE, {"name": f"Famille {uuid4().hex[:6]}", "modules": modules})
    return [module for (module,) in made]


def compose(author: Person, modules: list[str], title: str = "Mon parcours", **more: Any) -> str:
    """A draft with these modules of the palette: its id."""
    course = author.rpc("create_course", p_title=title, **more)
    for module in modules:
        author.rpc("add_course_module", p_course_id=course["id"], p_builder_module_id=module)
    return str(course["id"])


def publish(staff: Person, modules: list[str], title: str = "Formation") -> str:
    """A published standard course: its id."""
    course_id = compose(staff, modules, title, p_course_type="standard")
    staff.rpc("publish_course", p_course_id=course_id)
    return course_id


def submit(author: Person, course_id: str) -> str:
    """The course, submitted: the submission's id."""
    return str(author.rpc("submit_user_parcours_for_validation", p_course_id=course_id)["id"])


def start(author: Person, staff: Person, modules: list[str], title: str = "Mon parcours") -> Board:
    """A course of these modules, submitted and approved."""
    course_id = compose(author, modules, title)
    submission_id = submit(author, course_id)
    formation = staff.rpc("approve_user_parcours_submission", p_submission_id=submission_id)
    return Board(author, course_id, submission_id, str(formation["id"]))


def order(database: Database, course_id: str) -> list[str]:
    """The modules of a course; their places are 0, 1, 2…"""
    rows = database.run(ORDER, [course_id])
    assert [place for _, place in rows] == list(range(len(rows)))
    return [module for module, _ in rows]


def version(database: Database, course_id: str) -> int:
    """The version of a course."""
    [(found,)] = database.run("select version from public.courses where id = %s", [course_id])
    return int(found)
