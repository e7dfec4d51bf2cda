"""A double click: what each function answers when it is called twice at the same instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests import callers
from tests.callers import Refused
from tests.concurrency import at_once
from tests.formations import Board, compose, make_palette, publish, start, submit
from tests.migrations.training_onboarding.forms import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

# When something was touched last, which the second click may move.
MOMENTS = {"updated_at", "last_activity_at", "last_submitted_at"}


@dataclass(frozen=True)
class Scene:
    """A client, those who run the place, and what there is to compose of and to follow."""

    ada: Person
    admin: Person
    prof: Person
    modules: list[str]
    standard: str

    def draft(self) -> str:
        return compose(self.ada, self.modules)

    def waiting(self) -> str:
        return submit(self.ada, self.draft())

    def board(self) -> Board:
        return start(self.ada, self.admin, self.modules)

    def followed(self) -> str:
        self.ada.rpc("enrol_in_course", p_course_id=self.standard)
        return self.standard

    def module(self, course: str) -> str:
        modules = self.ada.rpc("get_course", p_course_id=course)["modules"]
        return str(modules[0]["module_uuid"])


Click = tuple[str, dict[str, Any]]
"""Who clicks, and with which arguments."""

SAME: dict[str, Callable[[Scene], Click]] = {
    "submit_user_parcours_for_validation": lambda scene: (
        "ada", {"p_course_id": scene.draft()},
    ),
    "approve_user_parcours_submission": lambda scene: (
        "admin", {"p_submission_id": scene.waiting()},
    ),
    "reject_user_parcours_submission": lambda scene: (
        "admin", {"p_submission_id": scene.waiting(), "p_comment": "Pas encore."},
    ),
    "withdraw_user_parcours_submission": lambda scene: (
        "ada", {"p_submission_id": scene.waiting()},
    ),
    "refresh_submission_snapshot": lambda scene: ("ada", {"p_submission_id": scene.waiting()}),
    "assign_formation_prof": lambda scene: (
        "admin", {"p_formation_id": scene.board().formation_id, "p_prof_id": scene.prof.id},
    ),
    "init_kanban_statuses_for_submission": lambda scene: (
        "ada", {"p_submission_id": scene.board().submission_id},
    ),
    "move_kanban_module": lambda scene: (
        "ada",
        {
            "p_status_id": scene.board().cards()[0]["status_id"],
            "p_status": "done",
            "p_position": 0,
        },
    ),
    "enrol_in_course": lambda scene: ("ada", {"p_course_id": scene.standard}),
    "upgrade_enrolment": lambda scene: ("ada", {"p_course_id": scene.followed()}),
    "set_enrolment_module_done": lambda scene: (
        "ada", {"p_course_id": scene.followed(), "p_module_uuid": scene.module(scene.standard)},
    ),
    "publish_course": lambda scene: ("admin", {"p_course_id": scene.standard}),
    "archive_course": lambda scene: ("ada", {"p_course_id": scene.draft()}),
    "move_course_module": lambda scene: (
        "ada", {"p_course_module_id": scene.module(scene.draft()), "p_position": 1},
    ),
    "save_training_onboarding_draft": lambda _: ("ada", {"p_answers": REQUIRED}),
    "submit_training_onboarding": lambda _: ("ada", {"p_answers": REQUIRED}),
}  # fmt: skip
GONE: dict[str, Callable[[Scene], Click]] = {
    "delete_course": lambda scene: ("ada", {"p_course_id": scene.draft()}),
    "leave_course": lambda scene: ("ada", {"p_course_id": scene.followed()}),
    "remove_course_module": lambda scene: (
        "ada", {"p_course_module_id": scene.module(scene.draft())},
    ),
}  # fmt: skip
ANOTHER: dict[str, Callable[[Scene], Click]] = {
    "create_course": lambda _: ("ada", {"p_title": "Mon parcours"}),
    "duplicate_course": lambda scene: ("ada", {"p_course_id": scene.standard}),
}


@pytest.fixture(scope="module")
def stage(school: Database) -> Scene:
    """What all tests share."""
    ada, admin, prof = (callers.sign_up(school, kind) for kind in ("client", "admin", "prof"))
    modules = make_palette(school, 2)
    return Scene(ada, admin, prof, modules, publish(admin, modules))


@pytest.fixture
def scene(stage: Scene, member: MakePerson) -> Scene:
    """The same with an Ada who has done nothing yet."""
    return replace(stage, ada=member())


def click_twice(scene: Scene, function: str, click: Callable[[Scene], Click]) -> list[Any]:
    who, arguments = click(scene)
    return at_once(*[partial(getattr(scene, who).rpc, function, **arguments)] * 2)


def told(answer: Any) -> Any:
    """An answer without what is only when it was given."""
    if isinstance(answer, list):
        return [told(each) for each in answer]
    return {key: value for key, value in answer.items() if key not in MOMENTS}


@pytest.mark.parametrize("function", SAME)
def test_both_clicks_are_told_the_same(scene: Scene, function: str) -> None:
    first, second = click_twice(scene, function, SAME[function])
    assert told(first) == told(second)


@pytest.mark.parametrize("function", GONE)
def test_the_second_click_is_told_that_it_is_gone(scene: Scene, function: str) -> None:
    outcomes = click_twice(scene, function, GONE[function])
    assert [each.code for each in outcomes if isinstance(each, Refused)] == ["NOT_FOUND"]


@pytest.mark.parametrize("function", ANOTHER)
def test_each_click_makes_a_draft_of_its_own(scene: Scene, function: str) -> None:
    first, second = click_twice(scene, function, ANOTHER[function])
    assert first["id"] != second["id"]
    assert first["slug"] != second["slug"]
