"""What was frozen is approved, never something else."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.callers import Refused
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import start, submit
from tests.migrations.submissions.answers import (
    APPROVE,
    REFRESH,
    REJECT,
    WITHDRAW,
    count_cards,
    rename_first_module,
    snapshot,
    status_of,
    submission,
    told,
    under_way,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

ROUNDS = 50


def test_an_approved_course_is_followed(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str
) -> None:
    formation = admin.rpc(APPROVE, p_submission_id=submission_id)
    assert (formation["user_id"], formation["course_id"]) == (ada.id, course_id)
    assert (formation["submission_id"], formation["ended_at"]) == (submission_id, None)
    answered = submission(school, submission_id)
    assert (answered["status"], answered["reviewed_by"]) == ("approved", admin.id)
    assert answered["reviewed_at"] is not None
    assert status_of(course_id, ada) == "published"
    assert count_cards(school, course_id) == 3


@pytest.mark.parametrize(
    ("function", "arguments"), [(APPROVE, {}), (REJECT, {"p_comment": "Trop long."})]
)
def test_only_staff_answer(
    school: Database,
    member: MakePerson,
    ada: Person,
    submission_id: str,
    function: str,
    arguments: dict[str, str],
) -> None:
    suspended = member("admin", status="suspended")
    for somebody in (ada, member("client"), member("prof"), suspended):
        refusal = somebody.refusal(function, p_submission_id=submission_id, **arguments)
        assert refusal.code == "FORBIDDEN"
    assert submission(school, submission_id)["status"] == "pending"
    member("owner").rpc(function, p_submission_id=submission_id, **arguments)
    assert submission(school, submission_id)["status"] != "pending"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(APPROVE, {}), (REJECT, {"p_comment": "Non"}), (WITHDRAW, {}), (REFRESH, {})],
)
def test_what_does_not_exist_is_not_found(
    admin: Person, function: str, arguments: dict[str, str]
) -> None:
    for unknown in (str(uuid4()), None):
        refusal = admin.refusal(function, p_submission_id=unknown, **arguments)
        assert (refusal.code, refusal.status) == ("NOT_FOUND", 404)


def test_a_stale_snapshot_is_refused_with_both_versions(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str
) -> None:
    frozen = snapshot(school, submission_id)["course_version"]
    rename_first_module(ada, course_id, "Autrement")
    for force in ({}, {"p_force": False}, {"p_force": None}):
        refusal = admin.refusal(APPROVE, p_submission_id=submission_id, **force)
        assert (refusal.code, refusal.status) == ("CONFLICT", 409)
        assert told(refusal) == {"snapshot_version": frozen, "course_version": frozen + 1}
    assert submission(school, submission_id)["status"] == "pending"
    assert under_way(school, course_id) == []


@pytest.mark.parametrize(
    "change",
    [
        "select public.update_course(%(course)s, p_title => 'Un autre titre')",
        "select public.update_course(%(course)s, p_description => 'Autre chose')",
        "select public.remove_course_module(%(module)s)",
        "select public.move_course_module(%(module)s, 2)",
        "select public.update_course_module(%(module)s, p_duration_minutes => 5)",
    ],
)
def test_every_change_of_what_was_frozen_makes_it_stale(
    ada: Person, admin: Person, course_id: str, submission_id: str, change: str
) -> None:
    module = ada.rpc("get_course", p_course_id=course_id)["modules"][0]["module_uuid"]
    with transaction_of(ada) as connection:
        connection.execute(change.encode(), {"course": course_id, "module": module})
    assert admin.refusal(APPROVE, p_submission_id=submission_id).code == "CONFLICT"


def test_a_change_of_the_palette_makes_it_stale_too(
    admin: Person, palette: list[str], submission_id: str
) -> None:
    rename = "update public.builder_modules set title = title || ' bis' where id = %s"
    admin.run(rename, [palette[4]])
    admin.run(rename, [palette[0]])
    assert admin.refusal(APPROVE, p_submission_id=submission_id).code == "CONFLICT"


def test_an_approval_waits_for_the_change_under_way(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str
) -> None:
    with transaction_of(ada) as connection:
        connection.execute("select public.update_course(%s, 'Un autre titre')", [course_id])
        approve = partial(admin.refusal, APPROVE, p_submission_id=submission_id)
        with in_background(approve) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            assert answer.result().code == "CONFLICT"
    assert under_way(school, course_id) == []


def test_what_was_changed_and_changed_back_is_not_stale(
    ada: Person, admin: Person, course_id: str, submission_id: str
) -> None:
    ada.rpc("update_course", p_course_id=course_id, p_title="Autrement")
    ada.rpc("update_course", p_course_id=course_id, p_title="Mon parcours")
    assert admin.rpc(APPROVE, p_submission_id=submission_id)["ended_at"] is None


def test_force_approves_what_was_frozen_and_nothing_else(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str
) -> None:
    before = snapshot(school, submission_id)
    rename_first_module(ada, course_id, "Autrement")
    admin.rpc(APPROVE, p_submission_id=submission_id, p_force=True)
    assert snapshot(school, submission_id) == before
    titles = ada.run(
        "select title from public.kanban_user_modules_v1 "
        "where submission_id = %s order by position",
        [submission_id],
    )
    assert [row["title"] for row in titles] == ["Module 1", "Module 2", "Module 3"]


@pytest.mark.parametrize("refresher", ["author", "staff"])
def test_a_refreshed_snapshot_can_be_approved(
    school: Database,
    ada: Person,
    admin: Person,
    course_id: str,
    submission_id: str,
    refresher: str,
) -> None:
    before = snapshot(school, submission_id)
    rename_first_module(ada, course_id, "Autrement")
    by = ada if refresher == "author" else admin
    after = by.rpc(REFRESH, p_submission_id=submission_id)
    assert after["course_version"] == before["course_version"] + 1
    assert after["content_hash"] != before["content_hash"]
    assert after["content"]["modules"][0]["title"] == "Autrement"
    assert admin.rpc(APPROVE, p_submission_id=submission_id)["submission_id"] == submission_id


def test_who_may_not_refresh(
    member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    board = start(ada, admin, palette[:1])
    prof = member("prof")
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    for somebody, code in [
        (member("client"), "NOT_FOUND"),
        (member("prof"), "NOT_FOUND"),
        (member("client", status="suspended"), "FORBIDDEN"),
        (prof, "FORBIDDEN"),
        (ada, "CONFLICT"),
        (admin, "CONFLICT"),
    ]:
        refusal = somebody.refusal(REFRESH, p_submission_id=board.submission_id)
        assert refusal.code == code


def test_an_emptied_course_is_not_frozen_again(
    school: Database, ada: Person, course_id: str, submission_id: str
) -> None:
    before = snapshot(school, submission_id)
    for module in ada.rpc("get_course", p_course_id=course_id)["modules"]:
        ada.rpc("remove_course_module", p_course_module_id=module["module_uuid"])
    refusal = ada.refusal(REFRESH, p_submission_id=submission_id)
    assert (refusal.code, refusal.details) == ("INVALID", "modules")
    assert snapshot(school, submission_id) == before


def test_a_double_click_approves_once(
    school: Database, admin: Person, course_id: str, submission_id: str
) -> None:
    formations = at_once(*[partial(admin.rpc, APPROVE, p_submission_id=submission_id)] * 8)
    assert [formation["id"] for formation in formations] == [formations[0]["id"]] * 8
    assert admin.rpc(APPROVE, p_submission_id=submission_id) == formations[0]
    assert under_way(school, course_id) == [submission_id]
    assert count_cards(school, course_id) == 3


def test_one_of_two_admins_wins_and_the_other_learns_the_result(
    school: Database, member: MakePerson, ada: Person, admin: Person, course_id: str
) -> None:
    other = member("admin")
    for _ in range(ROUNDS):
        submission_id = submit(ada, course_id)
        outcomes = at_once(
            partial(admin.rpc, APPROVE, p_submission_id=submission_id),
            partial(other.rpc, REJECT, p_submission_id=submission_id, p_comment="Pas encore."),
        )
        [loser] = [each for each in outcomes if isinstance(each, Refused)]
        winner = ["approved", "rejected"][1 - outcomes.index(loser)]
        answered = submission(school, submission_id)
        assert (loser.code, told(loser)["status"], answered["status"]) == (
            "CONFLICT",
            winner,
            winner,
        )
        assert told(loser)["reviewed_by"] == answered["reviewed_by"]
        followed = under_way(school, course_id)
        assert (submission_id in followed) == (winner == "approved")
        assert len(followed) <= 1


def test_the_second_admin_to_approve_learns_who_did(
    member: MakePerson, admin: Person, submission_id: str
) -> None:
    admin.rpc(APPROVE, p_submission_id=submission_id)
    refusal = member("admin").refusal(APPROVE, p_submission_id=submission_id)
    assert refusal.code == "CONFLICT"
    assert told(refusal)["status"] == "approved"
    assert told(refusal)["reviewed_by"] == admin.id
