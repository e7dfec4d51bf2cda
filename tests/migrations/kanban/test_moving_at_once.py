"""However many move at once, or end the board: no card is lost, and screens hear it in order."""

from __future__ import annotations

import random
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from tests import journal
from tests.callers import Refused
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import Board, start, submit
from tests.migrations.kanban.cards import INIT, MOVE, STATUSES, THREADS, card_of, columns_of, move

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

MOVES_EACH = 15


def test_eight_at_once_lose_no_card_and_screens_hear_it_in_order(
    school: Database, admin: Person, shared: Board
) -> None:
    before = columns_of(school, shared)
    cards = sorted(chain.from_iterable(before.values()))

    def play(number: int) -> None:
        person, dice = (shared.author, admin)[number % 2], random.Random(number)
        for turn in range(MOVES_EACH):
            if turn % 4 == 3:
                person.rpc(INIT, p_submission_id=shared.submission_id)
            move(person, dice.choice(cards), dice.choice(STATUSES), dice.randrange(6))

    with journal.of(school) as told:
        outcomes = at_once(*[partial(play, number) for number in range(THREADS)])
        transactions = told.read()

    assert outcomes == [None] * THREADS
    places = {card: (name, at) for name, column in before.items() for at, card in enumerate(column)}
    heard = 0
    for transaction in transactions:
        former = dict(places)
        for row in transaction.rows.get("public.formation_module_statuses", []):
            places[row["id"]] = (row["status"], int(row["position"]))
        for message in transaction.messages:
            said = message["payload"]
            assert message["topic"] == f"kanban:{shared.submission_id}"
            assert message["event"] == "module_moved"
            assert former[said["status_id"]] == (said["from_status"], said["from_position"])
            assert places[said["status_id"]] == (said["status"], said["position"])
            assert said["moved_by"] in {shared.author.id, admin.id}
            heard += 1
        assert bool(transaction.messages) == (places != former)
        assert_numbered(places)
    assert heard > MOVES_EACH
    final = {card: (name, at) for name, column in columns_of(school, shared).items()
             for at, card in enumerate(column)}  # fmt: skip
    assert places == final


def assert_numbered(places: dict[str, tuple[str, int]]) -> None:
    for status in STATUSES:
        column = sorted(position for name, position in places.values() if name == status)
        assert column == list(range(len(column)))


# A board that goes while somebody moves.


@pytest.mark.parametrize("close", ["archive_course", "delete_course"])
def test_a_move_on_a_board_that_is_going_finds_no_card(
    school: Database, admin: Person, board: Board, close: str
) -> None:
    card = card_of(board)
    with transaction_of(board.author) as connection:
        connection.execute(f"select public.{close}(%s)".encode(), [board.course_id])
        act = partial(admin.refusal, MOVE, p_status_id=card, p_status="done", p_position=0)
        with in_background(act) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            assert answer.result().code == "NOT_FOUND"
    assert board.cards() == []


@pytest.mark.parametrize("close", ["archive_course", "delete_course"])
def test_a_board_goes_after_the_move_it_waited_for(
    school: Database, admin: Person, board: Board, close: str
) -> None:
    with transaction_of(admin) as connection:
        connection.execute("select public.move_kanban_module(%s, 'done', 0)", [card_of(board)])
        act = partial(board.author.rpc, close, p_course_id=board.course_id)
        with in_background(act) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            answer.result()
    assert board.cards() == []


def test_a_move_on_a_board_that_is_handed_over_finds_no_card(
    school: Database, admin: Person, board: Board
) -> None:
    card, again = card_of(board), submit(board.author, board.course_id)
    with transaction_of(admin) as connection:
        connection.execute("select public.approve_user_parcours_submission(%s)", [again])
        act = partial(board.author.refusal, MOVE, p_status_id=card, p_status="done", p_position=0)
        with in_background(act) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            assert answer.result().code == "NOT_FOUND"
    successor = Board(board.author, board.course_id, again, "")
    assert len(columns_of(school, successor)["todo"]) == 3


def test_a_board_is_handed_over_with_the_move_it_waited_for(
    school: Database, admin: Person, board: Board
) -> None:
    card, again = card_of(board, 1), submit(board.author, board.course_id)
    with transaction_of(board.author) as connection:
        connection.execute("select public.move_kanban_module(%s, 'done', 0)", [card])
        act = partial(admin.rpc, "approve_user_parcours_submission", p_submission_id=again)
        with in_background(act) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            answer.result()
    successor = Board(board.author, board.course_id, again, "")
    assert successor.columns() == {"done": ["Module 2"], "todo": ["Module 1", "Module 3"]}
    assert board.cards() == []


def test_moves_and_the_end_of_their_board_never_block_each_other(
    school: Database, member: MakePerson, admin: Person, palette: list[str]
) -> None:
    for _ in range(5):
        board = start(member(), admin, palette[:3])
        cards = [str(card["status_id"]) for card in board.cards()]
        outcomes = at_once(
            *[partial(move, board.author, card, "done") for card in cards],
            *[partial(move, admin, card, "blocked") for card in cards],
            partial(admin.rpc, "archive_course", p_course_id=board.course_id),
        )
        refusals = [each for each in outcomes if isinstance(each, Refused)]
        assert {refusal.code for refusal in refusals} <= {"NOT_FOUND"}
        moved = [each["id"] for each in outcomes if not isinstance(each, Refused)]
        assert None not in moved
        assert columns_of(school, board) == {status: [] for status in STATUSES}


def test_cards_move_while_their_owners_account_goes(
    school: Database, admin: Person, board: Board
) -> None:
    cards = [str(card["status_id"]) for card in board.cards()]
    outcomes = at_once(
        *[partial(admin.rpc, MOVE, p_status_id=card, p_status="done", p_position=0)
          for card in cards],
        partial(school.run, "delete from auth.users where id = %s", [board.author.id],
                user="supabase_auth_admin"),
    )  # fmt: skip
    refusals = [each for each in outcomes if isinstance(each, Refused)]
    assert {refusal.code for refusal in refusals} <= {"NOT_FOUND"}
    assert columns_of(school, board) == {status: [] for status in STATUSES}
