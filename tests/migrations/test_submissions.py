"""Submissions: a course is frozen the day it is submitted, and answered once."""

from __future__ import annotations

import json
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.callers import Refused, anonymous
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, make_palette, publish, start, submit
from tests.listening import hears

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

SUBMIT = "submit_user_parcours_for_validation"
APPROVE = "approve_user_parcours_submission"
REJECT = "reject_user_parcours_submission"
WITHDRAW = "withdraw_user_parcours_submission"
REFRESH = "refresh_submission_snapshot"
AUTH = "supabase_auth_admin"
CALLERS = 16
ROUNDS = 50


@pytest.fixture
def palette(school: Database) -> list[str]:
    """Five modules to compose courses of."""
    return make_palette(school)


@pytest.fixture
def ada(member: MakePerson) -> Person:
    """A client."""
    return member()


@pytest.fixture
def admin(member: MakePerson) -> Person:
    """Somebody who answers."""
    return member("admin")


@pytest.fixture
def course_id(ada: Person, palette: list[str]) -> str:
    """Ada's draft of three modules."""
    return compose(ada, palette[:3])


@pytest.fixture
def submission_id(ada: Person, course_id: str) -> str:
    """Ada's draft, submitted."""
    return submit(ada, course_id)


def status_of(course_id: str, author: Person) -> str:
    return str(author.rpc("get_course", p_course_id=course_id)["status"])


def submission(database: Database, submission_id: str) -> dict[str, Any]:
    query = "select to_jsonb(s) from public.formation_submissions as s where id = %s"
    [(found,)] = database.run(query, [submission_id])
    return dict(found)


def snapshot(database: Database, submission_id: str) -> dict[str, Any]:
    query = "select to_jsonb(s) from public.user_formation_snapshots as s where submission_id = %s"
    [(found,)] = database.run(query, [submission_id])
    return dict(found)


def under_way(database: Database, course_id: str) -> list[str]:
    """The submissions whose boards are followed for this course."""
    query = (
        "select submission_id::text from public.user_formations "
        "where course_id = %s and ended_at is null"
    )
    return [row[0] for row in database.run(query, [course_id])]


def count_cards(database: Database, course_id: str) -> int:
    query = (
        "select count(*) from public.formation_module_statuses as card "
        "join public.formation_submissions as s on s.id = card.submission_id "
        "where s.course_id = %s"
    )
    [(count,)] = database.run(query, [course_id])
    return int(count)


def rename_first_module(author: Person, course_id: str, title: str) -> None:
    first = author.rpc("get_course", p_course_id=course_id)["modules"][0]["module_uuid"]
    author.rpc("update_course_module", p_course_module_id=first, p_title=title)


def told(refusal: Refused) -> Any:
    return json.loads(refusal.details or "null")


# Submitting.


def test_a_submitted_course_waits_as_it_read_that_day(
    school: Database, ada: Person, course_id: str
) -> None:
    answer = ada.rpc(SUBMIT, p_course_id=course_id)
    assert (answer["status"], answer["user_id"]) == ("pending", ada.id)

    said = ada.rpc("get_course", p_course_id=course_id)
    assert said["status"] == "submitted"
    frozen = snapshot(school, answer["id"])
    assert frozen["content"] == {key: said[key] for key in frozen["content"]}
    assert frozen["course_version"] == said["version"]
    assert [module["title"] for module in frozen["content"]["modules"]] == [
        "Module 1",
        "Module 2",
        "Module 3",
    ]
    assert school.run(
        "select content_hash = app.content_hash(content) from public.user_formation_snapshots "
        "where submission_id = %s",
        [answer["id"]],
    ) == [(True,)]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("client", "active", "NOT_FOUND"),
        ("prof", "active", "NOT_FOUND"),
        ("admin", "active", "FORBIDDEN"),
        ("owner", "active", "FORBIDDEN"),
        ("client", "suspended", "FORBIDDEN"),
    ],
)
def test_nobody_submits_somebody_elses_course(
    school: Database, member: MakePerson, course_id: str, kind: str, status: str, code: str
) -> None:
    assert member(kind, status=status).refusal(SUBMIT, p_course_id=course_id).code == code
    query = "select id from public.formation_submissions where course_id = %s"
    assert school.run(query, [course_id]) == []


def test_a_visitor_reaches_none_of_it(school: Database, submission_id: str) -> None:
    visitor = anonymous(school)
    calls: list[partial[Any]] = [
        partial(visitor.rpc, SUBMIT, p_course_id=submission_id),
        partial(visitor.rpc, APPROVE, p_submission_id=submission_id),
        partial(visitor.rpc, REJECT, p_submission_id=submission_id, p_comment="Non"),
        partial(visitor.rpc, WITHDRAW, p_submission_id=submission_id),
        partial(visitor.rpc, REFRESH, p_submission_id=submission_id),
        partial(assign, visitor, submission_id, None),
    ]
    for call in calls:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            call()


def test_a_course_that_cannot_be_submitted_says_why(
    member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    archived, deleted = compose(ada, palette[:1]), compose(ada, palette[:1])
    ada.rpc("archive_course", p_course_id=archived)
    ada.rpc("delete_course", p_course_id=deleted)
    standard = publish(admin, palette[:1])

    for author, course, code, details in [
        (ada, compose(ada, []), "INVALID", "modules"),
        (ada, archived, "CONFLICT", None),
        (ada, deleted, "NOT_FOUND", None),
        (ada, str(uuid4()), "NOT_FOUND", None),
        (ada, None, "NOT_FOUND", None),
        (admin, standard, "CONFLICT", None),
    ]:
        refusal = author.refusal(SUBMIT, p_course_id=course)
        assert (refusal.code, refusal.details) == (code, details)


def test_submitting_twice_is_submitting_once(
    school: Database, ada: Person, course_id: str, submission_id: str
) -> None:
    before = snapshot(school, submission_id)
    rename_first_module(ada, course_id, "Autrement")
    assert submit(ada, course_id) == submission_id
    assert snapshot(school, submission_id) == before


def test_sixteen_who_submit_at_once_make_one_submission(
    school: Database, ada: Person, course_id: str
) -> None:
    ids = at_once(*[partial(submit, ada, course_id)] * CALLERS)
    assert len(set(ids)) == 1
    query = "select id::text from public.formation_submissions where course_id = %s"
    assert school.run(query, [course_id]) == [(ids[0],)]


def test_what_is_being_changed_is_frozen_whole(
    school: Database, ada: Person, palette: list[str], course_id: str
) -> None:
    with transaction_of(ada) as connection:
        for module in palette[3:]:
            connection.execute("select public.add_course_module(%s, %s)", [course_id, module])
        with in_background(lambda: submit(ada, course_id)) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            frozen = snapshot(school, answer.result())
    said = ada.rpc("get_course", p_course_id=course_id)
    assert frozen["content"]["modules"] == said["modules"]
    assert len(said["modules"]) == 5
    assert frozen["course_version"] == frozen["content"]["version"] == said["version"]


def test_a_snapshot_is_always_one_version_of_the_course(
    school: Database, ada: Person, palette: list[str]
) -> None:
    course_id = compose(ada, palette)
    said: dict[int, Any] = {}
    done = Event()

    def edit() -> None:
        for number in range(60):
            content = ada.rpc("get_course", p_course_id=course_id)
            said[content["version"]] = content["modules"]
            if done.is_set():
                return
            last = content["modules"][-1]["module_uuid"]
            ada.rpc("move_course_module", p_course_module_id=last, p_position=number % 4)

    with in_background(edit) as edits:
        frozen = []
        for _ in range(15):
            submission_id = submit(ada, course_id)
            frozen.append(snapshot(school, submission_id))
            ada.rpc(WITHDRAW, p_submission_id=submission_id)
        done.set()
        edits.result()
    assert len({each["course_version"] for each in frozen}) > 1
    for each in frozen:
        assert each["content"]["modules"] == said[each["course_version"]]
        assert each["content"]["version"] == each["course_version"]


# Approving.


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


# Rejecting and withdrawing.


def test_a_rejected_course_goes_back_to_its_author(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str
) -> None:
    answer = admin.rpc(REJECT, p_submission_id=submission_id, p_comment="  Ajoute une pause. ")
    assert (answer["status"], answer["review_comment"]) == ("rejected", "Ajoute une pause.")
    assert answer["reviewed_by"] == admin.id
    assert status_of(course_id, ada) == "draft"
    assert admin.rpc(REJECT, p_submission_id=submission_id, p_comment="Encore") == answer
    assert admin.refusal(APPROVE, p_submission_id=submission_id).code == "CONFLICT"
    assert submit(ada, course_id) != submission_id
    assert under_way(school, course_id) == []


@pytest.mark.parametrize("comment", [None, "", "  ", "x" * 2001])
def test_a_rejection_needs_a_reason(
    school: Database, admin: Person, submission_id: str, comment: str | None
) -> None:
    refusal = admin.refusal(REJECT, p_submission_id=submission_id, p_comment=comment)
    assert (refusal.code, refusal.details) == ("INVALID", "comment")
    assert submission(school, submission_id)["status"] == "pending"


def test_an_author_takes_his_submission_back(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str
) -> None:
    answer = ada.rpc(WITHDRAW, p_submission_id=submission_id)
    assert (answer["status"], answer["reviewed_at"]) == ("withdrawn", None)
    assert ada.rpc(WITHDRAW, p_submission_id=submission_id) == answer
    assert status_of(course_id, ada) == "draft"
    for function, more in ((APPROVE, {}), (REJECT, {"p_comment": "Non"}), (REFRESH, {})):
        refusal = admin.refusal(function, p_submission_id=submission_id, **more)
        assert (refusal.code, told(refusal)["status"]) == ("CONFLICT", "withdrawn")
    assert submission(school, submission_id) == answer


def test_nobody_else_takes_it_back(
    school: Database, member: MakePerson, submission_id: str
) -> None:
    for somebody, code in [
        (member("client"), "NOT_FOUND"),
        (member("prof"), "NOT_FOUND"),
        (member("admin"), "FORBIDDEN"),
        (member("owner"), "FORBIDDEN"),
        (member("client", status="suspended"), "FORBIDDEN"),
    ]:
        assert somebody.refusal(WITHDRAW, p_submission_id=submission_id).code == code
    assert submission(school, submission_id)["status"] == "pending"


def test_an_answered_submission_is_not_taken_back(
    ada: Person, admin: Person, submission_id: str
) -> None:
    admin.rpc(APPROVE, p_submission_id=submission_id)
    refusal = ada.refusal(WITHDRAW, p_submission_id=submission_id)
    assert (refusal.code, told(refusal)["status"]) == ("CONFLICT", "approved")


def test_a_withdrawal_and_an_approval_at_once_end_in_one_of_them(
    school: Database, ada: Person, admin: Person, course_id: str
) -> None:
    for _ in range(10):
        submission_id = submit(ada, course_id)
        outcomes = at_once(
            partial(admin.rpc, APPROVE, p_submission_id=submission_id),
            partial(ada.rpc, WITHDRAW, p_submission_id=submission_id),
        )
        [loser] = [each for each in outcomes if isinstance(each, Refused)]
        winner = ["approved", "withdrawn"][1 - outcomes.index(loser)]
        assert (loser.code, told(loser)["status"]) == ("CONFLICT", winner)
        assert submission(school, submission_id)["status"] == winner
        assert (submission_id in under_way(school, course_id)) == (winner == "approved")


# A course that goes.

CLOSING = ["archive_course", "delete_course"]


@pytest.mark.parametrize("close", CLOSING)
def test_a_course_that_goes_takes_its_waiting_submission(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str, close: str
) -> None:
    ada.rpc(close, p_course_id=course_id)
    assert submission(school, submission_id)["status"] == "withdrawn"
    refusal = admin.refusal(APPROVE, p_submission_id=submission_id, p_force=True)
    assert (refusal.code, told(refusal)["status"]) == ("CONFLICT", "withdrawn")


@pytest.mark.parametrize("close", CLOSING)
def test_an_approval_after_the_end_finds_nothing_that_waits(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str, close: str
) -> None:
    with transaction_of(ada) as connection:
        connection.execute(f"select public.{close}(%s)".encode(), [course_id])
        approve = partial(admin.refusal, APPROVE, p_submission_id=submission_id)
        with in_background(approve) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            assert answer.result().code == "CONFLICT"
    assert (under_way(school, course_id), count_cards(school, course_id)) == ([], 0)


@pytest.mark.parametrize("close", CLOSING)
def test_the_end_after_an_approval_ends_what_it_began(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str, close: str
) -> None:
    with transaction_of(admin) as connection:
        connection.execute(f"select public.{APPROVE}(%s)".encode(), [submission_id])
        with in_background(lambda: ada.rpc(close, p_course_id=course_id)) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            answer.result()
    assert submission(school, submission_id)["status"] == "approved"
    assert (under_way(school, course_id), count_cards(school, course_id)) == ([], 0)


def test_an_approval_and_the_end_at_once_never_block_each_other(
    school: Database, ada: Person, admin: Person, palette: list[str]
) -> None:
    for number in range(8):
        course_id = compose(ada, palette[:1])
        approve = partial(admin.rpc, APPROVE, p_submission_id=submit(ada, course_id))
        answer, _ = at_once(approve, partial(ada.rpc, CLOSING[number % 2], p_course_id=course_id))
        assert not isinstance(answer, Refused) or told(answer)["status"] == "withdrawn"
        assert (under_way(school, course_id), count_cards(school, course_id)) == ([], 0)


@pytest.mark.parametrize("is_submitted", [True, False])
def test_an_account_goes_after_what_was_asked_before(
    school: Database, ada: Person, admin: Person, course_id: str, is_submitted: bool
) -> None:
    act = partial(submit, ada, course_id)
    if is_submitted:
        act = partial(admin.rpc, APPROVE, p_submission_id=act())
    go = partial(school.run, "delete from auth.users where id = %s", [ada.id], user=AUTH)
    with transaction_of(admin) as connection:
        connection.execute("select public.update_course(%s, 'Mon parcours')", [course_id])
        with in_background(act) as answer:
            wait_until_somebody_waits(school)
            with in_background(go) as gone:
                wait_until_somebody_waits(school, 2)
                connection.commit()
                gone.result()
                assert answer.result() is not None
    query = "select 1 from public.formation_submissions where course_id = %s"
    assert school.run(query, [course_id]) == []


# A course that is submitted again.


def test_a_followed_course_hands_its_board_over(
    school: Database, member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    board = start(ada, admin, palette[:3])
    prof = member("prof")
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    first, second, third = board.cards()
    ada.rpc("move_kanban_module", p_status_id=second["status_id"], p_status="done", p_position=0)
    ada.rpc("move_kanban_module", p_status_id=first["status_id"], p_status="done", p_position=0)

    ada.rpc("remove_course_module", p_course_module_id=third["module_uuid"])
    ada.rpc("add_course_module", p_course_id=board.course_id, p_builder_module_id=palette[3])
    submission_id = submit(ada, board.course_id)
    assert under_way(school, board.course_id) == [board.submission_id]
    formation = admin.rpc(APPROVE, p_submission_id=submission_id)

    assert formation["prof_id"] == prof.id
    assert under_way(school, board.course_id) == [submission_id]
    cards = ada.run(
        "select title, status, position from public.kanban_user_modules_v1 "
        "order by status, position"
    )
    assert [tuple(card.values()) for card in cards] == [
        ("Module 1", "done", 0),
        ("Module 2", "done", 1),
        ("Module 4", "todo", 0),
    ]


@pytest.mark.parametrize("way_out", ["rejected", "withdrawn"])
def test_a_followed_course_goes_on_when_its_change_is_not_taken(
    school: Database, ada: Person, admin: Person, palette: list[str], way_out: str
) -> None:
    board = start(ada, admin, palette[:2])
    submission_id = submit(ada, board.course_id)
    if way_out == "rejected":
        admin.rpc(REJECT, p_submission_id=submission_id, p_comment="Non")
    else:
        ada.rpc(WITHDRAW, p_submission_id=submission_id)
    assert status_of(board.course_id, ada) == "published"
    assert under_way(school, board.course_id) == [board.submission_id]
    assert len(board.cards()) == 2


# The prof.


def assign(staff: Person, formation_id: str | None, prof_id: str | None) -> Any:
    return staff.rpc("assign_formation_prof", p_formation_id=formation_id, p_prof_id=prof_id)


SEEN = """
select array[
  (select count(*) from public.formation_submissions where id = %(id)s),
  (select count(*) from public.user_formation_snapshots where submission_id = %(id)s),
  (select count(*) from public.user_formations where submission_id = %(id)s),
  (select count(*) from public.formation_module_statuses where submission_id = %(id)s),
  (select count(*) from public.kanban_user_modules_v1 where submission_id = %(id)s)
] as counts
"""


def seen(reader: Person, submission_id: str) -> list[int]:
    """How many rows of a submission, its snapshot, its formation and its board he sees."""
    with transaction_of(reader) as connection:
        [row] = connection.execute(SEEN.encode(), {"id": submission_id})
        return list(row["counts"])


def test_a_prof_sees_what_is_assigned_to_him_for_as_long_as_it_is(
    member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    board, prof = start(ada, admin, palette[:2]), member("prof")
    everything, nothing = [1, 1, 1, 2, 2], [0, 0, 0, 0, 0]
    for reader in (ada, admin, member("owner")):
        assert seen(reader, board.submission_id) == everything
    for reader in (member("client"), prof, member("admin", status="suspended")):
        assert seen(reader, board.submission_id) == nothing

    assert assign(admin, board.formation_id, prof.id)["prof_id"] == prof.id
    assert seen(prof, board.submission_id) == everything
    assert seen(member("prof"), board.submission_id) == nothing
    assert assign(admin, board.formation_id, None)["prof_id"] is None
    assert seen(prof, board.submission_id) == nothing


def test_who_is_no_prof_any_more_accompanies_nobody(
    member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    board, prof = start(ada, admin, palette[:1]), member("prof")
    assign(admin, board.formation_id, prof.id)
    admin.rpc("set_user_type", p_user_id=prof.id, p_user_type_id="client")
    assert seen(prof, board.submission_id) == [0, 0, 0, 0, 0]
    admin.rpc("set_user_type", p_user_id=prof.id, p_user_type_id="prof")
    assert seen(prof, board.submission_id) == [0, 0, 0, 0, 0]


def test_a_prof_is_not_assigned_while_he_becomes_somebody_else(
    school: Database, member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    board, prof = start(ada, admin, palette[:1]), member("prof")
    with transaction_of(admin) as connection:
        connection.execute("select public.set_user_type(%s, 'client')", [prof.id])
        act = partial(
            admin.refusal,
            "assign_formation_prof",
            p_formation_id=board.formation_id,
            p_prof_id=prof.id,
        )
        with in_background(act) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            assert answer.result().code == "INVALID"


def test_only_staff_assign_a_prof_who_is_one(
    member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    board, prof = start(ada, admin, palette[:1]), member("prof")
    formation, someone = board.formation_id, str(uuid4())
    for caller, formation_id, prof_id, code, details in [
        (ada, formation, prof.id, "FORBIDDEN", None),
        (prof, formation, prof.id, "FORBIDDEN", None),
        (member("admin", status="suspended"), formation, prof.id, "FORBIDDEN", None),
        (admin, formation, someone, "INVALID", "prof_id"),
        (admin, formation, ada.id, "INVALID", "prof_id"),
        (admin, formation, admin.id, "INVALID", "prof_id"),
        (admin, formation, member("prof", status="suspended").id, "INVALID", "prof_id"),
        (admin, someone, prof.id, "NOT_FOUND", None),
        (admin, None, None, "NOT_FOUND", None),
    ]:
        refusal = caller.refusal(
            "assign_formation_prof", p_formation_id=formation_id, p_prof_id=prof_id
        )
        assert (refusal.code, refusal.details) == (code, details)


# Who hears of it.


def test_staff_hear_of_each_submission_and_of_its_answer(
    school: Database, ada: Person, admin: Person, course_id: str
) -> None:
    school.run("delete from realtime.messages", user="supabase_admin")
    first = submit(ada, course_id)
    admin.rpc(REFRESH, p_submission_id=first)
    admin.rpc(REJECT, p_submission_id=first, p_comment="Non")
    second = submit(ada, course_id)
    admin.rpc(APPROVE, p_submission_id=second)

    sent = school.run(
        "select event, private, payload - 'id' from realtime.messages "
        "where topic = 'submissions-admin' order by inserted_at",
        user="supabase_admin",
    )
    assert sent == [
        (
            "submission",
            True,
            {
                "submission_id": submission_id,
                "course_id": course_id,
                "user_id": ada.id,
                "status": status,
            },
        )
        for submission_id, status in [
            (first, "pending"),
            (first, "rejected"),
            (second, "pending"),
            (second, "approved"),
        ]
    ]


def test_only_staff_join_the_topic_of_submissions(school: Database, member: MakePerson) -> None:
    for kind in ("owner", "admin"):
        assert hears(member(kind), "submissions-admin")
        assert not hears(member(kind, status="suspended"), "submissions-admin")
    for somebody in (member("prof"), member("client"), anonymous(school)):
        assert not hears(somebody, "submissions-admin")


def test_staff_join_nothing_that_only_looks_like_it(admin: Person) -> None:
    for topic in ("submissions", "submissions-admin2", "SUBMISSIONS-ADMIN", "", "submissions-%"):
        assert not hears(admin, topic)
    assert not hears(admin, "submissions-admin", "presence")


def test_nobody_speaks_on_the_topic_of_submissions(school: Database, member: MakePerson) -> None:
    for speaker in (member("owner"), member("client"), anonymous(school)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            speaker.run(
                "insert into realtime.messages (topic, extension, event) "
                "values ('submissions-admin', 'broadcast', 'submission')"
            )
