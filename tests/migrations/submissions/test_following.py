"""A formation goes on when its course is submitted again, with its prof."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits
from tests.formations import start, submit
from tests.migrations.submissions.answers import (
    APPROVE,
    REJECT,
    WITHDRAW,
    assign,
    seen,
    status_of,
    under_way,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

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
