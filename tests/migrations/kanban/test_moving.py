"""Who moves a card where; and any moves leave what they say."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.callers import anonymous
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits
from tests.migrations.kanban.cards import MOVE, STATUSES, after, card_of, columns_of, move

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database
    from tests.formations import Board


def test_a_moved_card_stands_where_it_was_put(school: Database, board: Board) -> None:
    before = columns_of(school, board)
    card = before["todo"][0]
    moved = move(board.author, card, "blocked", 99)
    assert (moved["id"], moved["status"], moved["position"]) == (card, "blocked", 0)
    assert columns_of(school, board) == after(before, card, "blocked", 99)


def test_a_moved_card_is_the_last_thing_that_happened(school: Database, board: Board) -> None:
    query = "select last_activity_at from public.formation_submissions where id = %s"
    [(before,)] = school.run(query, [board.submission_id])
    move(board.author, card_of(board), "todo", 0)
    assert school.run(query, [board.submission_id]) == [(before,)]
    move(board.author, card_of(board), "todo", 1)
    [(now,)] = school.run(query, [board.submission_id])
    assert now > before


@pytest.mark.parametrize("kind", ["owner", "admin"])
def test_staff_move_everybodys_cards(member: MakePerson, board: Board, kind: str) -> None:
    assert move(member(kind), card_of(board))["status"] == "done"


def test_who_may_not_move_a_card(
    school: Database, member: MakePerson, admin: Person, board: Board
) -> None:
    before, card, prof = columns_of(school, board), card_of(board), member("prof")
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    for somebody, code in [
        (member(), "NOT_FOUND"),
        (member("prof"), "NOT_FOUND"),
        (prof, "FORBIDDEN"),
        (member("admin", status="suspended"), "FORBIDDEN"),
    ]:
        refusal = somebody.refusal(MOVE, p_status_id=card, p_status="done", p_position=0)
        assert refusal.code == code
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        move(anonymous(school), card)
    assert columns_of(school, board) == before


@pytest.mark.parametrize(
    ("wrong", "code", "details"),
    [
        ({"p_status": "lost"}, "INVALID", "status"),
        ({"p_status": ""}, "INVALID", "status"),
        ({"p_status": None}, "INVALID", "status"),
        ({"p_position": -1}, "INVALID", "position"),
        ({"p_position": None}, "INVALID", "position"),
        ({"p_status_id": None}, "NOT_FOUND", None),
        ({"p_status_id": str(uuid4())}, "NOT_FOUND", None),
    ],
)
def test_a_move_that_cannot_be_changes_nothing(
    school: Database, shared: Board, wrong: dict[str, Any], code: str, details: str | None
) -> None:
    before = columns_of(school, shared)
    right = {"p_status_id": card_of(shared), "p_status": "done", "p_position": 0}
    refusal = shared.author.refusal(MOVE, **{**right, **wrong})
    assert (refusal.code, refusal.details) == (code, details)
    assert columns_of(school, shared) == before


moves = st.tuples(
    st.integers(0, 4), st.sampled_from(STATUSES), st.integers(0, 5) | st.just(2**31 - 1)
)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(asked=st.lists(moves, max_size=12))
def test_any_moves_leave_what_they_say(
    school: Database, shared: Board, asked: list[tuple[int, str, int]]
) -> None:
    expected = columns_of(school, shared)
    cards = sorted(chain.from_iterable(expected.values()))
    with transaction_of(shared.author) as connection:
        for number, status, position in asked:
            connection.execute(
                "select public.move_kanban_module(%s, %s, %s)", [cards[number], status, position]
            )
            expected = after(expected, cards[number], status, position)
    assert columns_of(school, shared) == expected


@settings(max_examples=16, derandomize=True, deadline=None)
@given(
    first=st.lists(moves, min_size=1, max_size=3),
    second=st.lists(moves, min_size=1, max_size=3),
    before_the_other=st.integers(1, 3),
    is_kept=st.booleans(),
)
def test_two_sessions_move_one_after_the_other_whatever_the_moment(
    school: Database,
    admin: Person,
    shared: Board,
    first: list[tuple[int, str, int]],
    second: list[tuple[int, str, int]],
    before_the_other: int,
    is_kept: bool,
) -> None:
    expected = columns_of(school, shared)
    cards = sorted(chain.from_iterable(expected.values()))

    def follow() -> None:
        for number, status, position in second:
            move(admin, cards[number], status, position)

    def lead(part: list[tuple[int, str, int]]) -> None:
        for number, status, position in part:
            session.execute(
                "select public.move_kanban_module(%s, %s, %s)", [cards[number], status, position]
            )

    with transaction_of(shared.author) as session:
        lead(first[:before_the_other])
        with in_background(follow) as other:
            wait_until_somebody_waits(school)
            lead(first[before_the_other:])
            session.commit() if is_kept else session.rollback()
            other.result()
    for number, status, position in (first if is_kept else []) + second:
        expected = after(expected, cards[number], status, position)
    assert columns_of(school, shared) == expected
