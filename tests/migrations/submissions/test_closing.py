"""A submission ends once: rejected, withdrawn, or with its course or its author."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.callers import Refused
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, submit
from tests.migrations.submissions.answers import (
    APPROVE,
    AUTH,
    CLOSING,
    REFRESH,
    REJECT,
    WITHDRAW,
    count_cards,
    status_of,
    submission,
    told,
    under_way,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

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


@pytest.mark.parametrize("close", CLOSING)
def test_a_course_that_goes_takes_its_waiting_submission(
    school: Database, ada: Person, admin: Person, course_id: str, submission_id: str, close: str
) -> None:
    ada.rpc(close, p_course_id=course_id)
    assert submission(school, submission_id)["status"] == "withdrawn"
    refusal = admin.refusal(APPROVE, p_submission_id=submission_id, p_force=True)
    assert (refusal.code, told(refusal)["status"]) == ("CONFLICT", "withdrawn")


@pytest.mark.parametrize("is_followed", [False, True])
def test_a_course_that_an_operator_brings_back_is_a_draft(
    school: Database,
    ada: Person,
    admin: Person,
    course_id: str,
    submission_id: str,
    is_followed: bool,
) -> None:
    if is_followed:
        admin.rpc(APPROVE, p_submission_id=submission_id)
    ada.rpc("delete_course", p_course_id=course_id)
    school.run("update public.courses set deleted_at = null where id = %s", [course_id])
    assert status_of(course_id, ada) == "draft"
    again = submit(ada, course_id)
    admin.rpc(APPROVE, p_submission_id=again)
    assert under_way(school, course_id) == [again]
    assert count_cards(school, course_id) == 3


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
