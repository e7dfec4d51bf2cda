"""Kanban: whoever moves cards, and however many at once, each column stays numbered from 0."""

from __future__ import annotations

import random
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import callers, journal
from tests.callers import Refused, anonymous
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import Board, compose, make_palette, start, submit
from tests.listening import hears

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

STATUSES = ["todo", "in_progress", "blocked", "done"]
INIT = "init_kanban_statuses_for_submission"
MOVE = "move_kanban_module"
THREADS = 8
MOVES_EACH = 15

Columns = dict[str, list[str]]


@pytest.fixture(scope="module")
def palette(school: Database) -> list[str]:
    """Five modules to compose courses of."""
    return make_palette(school)


@pytest.fixture(scope="module")
def admin(school: Database) -> Person:
    """Somebody who may move everybody's cards."""
    return callers.sign_up(school, "admin")


@pytest.fixture(scope="module")
def shared(school: Database, admin: Person, palette: list[str]) -> Board:
    """A board on which cards move and nothing else happens."""
    return start(callers.sign_up(school, "client"), admin, palette)


@pytest.fixture
def board(member: MakePerson, admin: Person, palette: list[str]) -> Board:
    """A new board of three cards."""
    return start(member(), admin, palette[:3])


def columns_of(database: Database, board: Board) -> Columns:
    """The ids in each column from the top; whatever is not numbered from 0 is a failure."""
    columns: Columns = {status: [] for status in STATUSES}
    for card, status, position in database.run(
        "select id::text, status, position from public.formation_module_statuses "
        "where submission_id = %s order by status, position",
        [board.submission_id],
    ):
        assert position == len(columns[status])
        columns[status].append(card)
    return columns


def after(columns: Columns, card: str, status: str, position: int) -> Columns:
    """What a move should make of the columns."""
    rest = {name: [each for each in column if each != card] for name, column in columns.items()}
    rest[status].insert(position, card)
    return rest


def move(person: Person, card: str, status: str = "done", position: int = 0) -> Any:
    return person.rpc(MOVE, p_status_id=card, p_status=status, p_position=position)


def card_of(board: Board, place: int = 0) -> str:
    return str(board.cards()[place]["status_id"])


# What a board is.


def test_a_board_begins_with_everything_to_do_in_the_words_that_were_frozen(
    school: Database, member: MakePerson, admin: Person
) -> None:
    modules = make_palette(school, 2)
    board = start(member(), admin, modules)
    admin.run("update public.builder_modules set title = 'Autrement' where id = %s", [modules[0]])
    told = [
        {key: card[key] for key in ("status", "position", "title", "description", "duration")}
        for card in board.cards()
    ]
    assert told == [
        {
            "status": "todo",
            "position": place,
            "title": f"Module {place + 1}",
            "description": "",
            "duration": 10 * (place + 1),
        }
        for place in range(2)
    ]
    assert {str(card["user_id"]) for card in board.cards()} == {board.author.id}


def test_a_board_has_no_gap_no_double_and_no_other_status(school: Database, board: Board) -> None:
    for wrong, error in [
        ("set status = 'lost'", psycopg.errors.CheckViolation),
        ("set position = -1", psycopg.errors.CheckViolation),
        ("set module_uuid = gen_random_uuid()", psycopg.errors.UniqueViolation),
    ]:
        query = f"update public.formation_module_statuses {wrong} where submission_id = %s"
        if error is psycopg.errors.UniqueViolation:
            query = query.replace("gen_random_uuid()", "'00000000-0000-0000-0000-000000000000'")
        with pytest.raises(error):
            school.run(query, [board.submission_id])


# Making it again.


def test_making_a_board_again_changes_nothing(school: Database, board: Board) -> None:
    move(board.author, card_of(board, 1), "in_progress")
    query = (
        "select * from public.formation_module_statuses where submission_id = %s "
        "order by module_uuid"
    )
    before = school.run(query, [board.submission_id])
    school.run("delete from realtime.messages", user="supabase_admin")
    cards = board.author.rpc(INIT, p_submission_id=board.submission_id)
    assert [card["status"] for card in cards] == ["in_progress", "todo", "todo"]
    assert school.run(query, [board.submission_id]) == before
    assert school.run("select topic from realtime.messages", user="supabase_admin") == []


@pytest.mark.parametrize("maker", ["author", "staff"])
def test_making_a_board_again_keeps_the_progress_of_what_is_still_there(
    school: Database, admin: Person, board: Board, maker: str
) -> None:
    lost, kept, _ = (card["status_id"] for card in board.cards())
    move(board.author, str(kept), "done")
    school.run("delete from public.formation_module_statuses where id = %s", [lost])
    by = admin if maker == "staff" else board.author
    by.rpc(INIT, p_submission_id=board.submission_id)
    assert board.columns() == {"done": ["Module 2"], "todo": ["Module 3", "Module 1"]}
    columns_of(school, board)


def test_many_who_make_a_board_at_once_make_one(school: Database, board: Board) -> None:
    school.run(
        "delete from public.formation_module_statuses where submission_id = %s",
        [board.submission_id],
    )
    at_once(*[partial(board.author.rpc, INIT, p_submission_id=board.submission_id)] * THREADS)
    assert board.columns() == {"todo": ["Module 1", "Module 2", "Module 3"]}


def test_making_a_board_again_waits_for_the_move_under_way(
    school: Database, admin: Person, board: Board
) -> None:
    lost, moved, _ = (card["status_id"] for card in board.cards())
    school.run("delete from public.formation_module_statuses where id = %s", [lost])
    with transaction_of(board.author) as connection:
        connection.execute("select public.move_kanban_module(%s, 'done', 0)", [moved])
        with in_background(lambda: admin.rpc(INIT, p_submission_id=board.submission_id)) as made:
            wait_until_somebody_waits(school)
            connection.commit()
            made.result()
    columns_of(school, board)
    assert board.columns() == {"done": ["Module 2"], "todo": ["Module 3", "Module 1"]}


def test_who_may_not_make_a_board(
    school: Database, member: MakePerson, admin: Person, board: Board
) -> None:
    prof = member("prof")
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    for somebody, code in [
        (member(), "NOT_FOUND"),
        (member("prof"), "NOT_FOUND"),
        (prof, "FORBIDDEN"),
        (member("admin", status="suspended"), "FORBIDDEN"),
    ]:
        assert somebody.refusal(INIT, p_submission_id=board.submission_id).code == code
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc(INIT, p_submission_id=board.submission_id)


def test_there_is_no_board_for_what_is_not_under_way(
    member: MakePerson, admin: Person, palette: list[str]
) -> None:
    ada = member()
    waiting = submit(ada, compose(ada, palette[:1]))
    ended = start(ada, admin, palette[:1])
    ada.rpc("archive_course", p_course_id=ended.course_id)
    for submission_id, code in [
        (waiting, "CONFLICT"),
        (ended.submission_id, "CONFLICT"),
        (str(uuid4()), "NOT_FOUND"),
        (None, "NOT_FOUND"),
    ]:
        assert ada.refusal(INIT, p_submission_id=submission_id).code == code
    assert ended.cards() == []


# Moving.


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


# Who hears of it.


def test_a_board_says_when_it_begins_when_cards_move_and_when_it_ends(
    school: Database, member: MakePerson, admin: Person, palette: list[str]
) -> None:
    with journal.of(school) as told:
        board = start(member(), admin, palette[:2])
        card = board.cards()[1]
        move(board.author, str(card["status_id"]), "todo", 1)
        move(admin, str(card["status_id"]), "in_progress", 3)
        board.author.rpc("archive_course", p_course_id=board.course_id)
        messages = [message for each in told.read() for message in each.messages]

    heard = [
        (message["event"], {k: v for k, v in message["payload"].items() if k != "id"})
        for message in messages
        if message["topic"] == f"kanban:{board.submission_id}"
    ]
    made = ("kanban_initialised", {"submission_id": board.submission_id})
    moved = (
        "module_moved",
        {
            "status_id": str(card["status_id"]),
            "submission_id": board.submission_id,
            "module_uuid": str(card["module_uuid"]),
            "status": "in_progress",
            "position": 0,
            "from_status": "todo",
            "from_position": 1,
            "moved_by": admin.id,
        },
    )
    assert heard == [made, moved, made]
    assert {message["private"] for message in messages} == {"true"}


def test_both_boards_are_told_of_a_hand_over(school: Database, admin: Person, board: Board) -> None:
    again = submit(board.author, board.course_id)
    with journal.of(school) as told:
        admin.rpc("approve_user_parcours_submission", p_submission_id=again)
        messages = [message for each in told.read() for message in each.messages]
    heard = {message["topic"] for message in messages if message["event"] == "kanban_initialised"}
    assert heard == {f"kanban:{board.submission_id}", f"kanban:{again}"}


def test_who_may_join_a_board(
    school: Database, member: MakePerson, admin: Person, board: Board
) -> None:
    topic, prof = f"kanban:{board.submission_id}", member("prof")
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    for somebody in (board.author, prof, admin, member("owner")):
        assert hears(somebody, topic)
        assert not hears(somebody, topic, "presence")
    for somebody in (
        member(),
        member("prof"),
        member("admin", status="suspended"),
        anonymous(school),
    ):
        assert not hears(somebody, topic)
    for somebody in (prof, board.author):
        school.run("update public.profiles set status = 'suspended' where id = %s", [somebody.id])
        assert not hears(somebody, topic)


def test_a_topic_that_names_no_board_is_nobodys(admin: Person, board: Board) -> None:
    real = board.submission_id
    for topic in (
        "kanban:",
        "kanban",
        "kanban:x",
        f"kanban:{uuid4()}",
        f"kanban:{real.upper()}",
        f"kanban:{real}x",
        f"kanban:{real}\n",
        f"kanban: {real}",
        f"kanban:{{{real}}}",
        f"kanban:{real.replace('-', '')}",
        f"kanbans:{real}",
        f"kanban:{real}:x",
        "kanban:" + "0" * 36,
        "kanban:" + "f" * 5000,
        "kanban:' or true --",
        "kanban:%",
        "é",
        "",
    ):
        for somebody in (admin, board.author):
            assert not hears(somebody, topic)


def test_nobody_speaks_on_the_topic_of_a_board(
    school: Database, member: MakePerson, board: Board
) -> None:
    for speaker in (board.author, member("owner"), member("prof"), anonymous(school)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            speaker.run(
                "insert into realtime.messages (topic, extension, event) "
                "values (%s, 'broadcast', 'module_moved')",
                [f"kanban:{board.submission_id}"],
            )
