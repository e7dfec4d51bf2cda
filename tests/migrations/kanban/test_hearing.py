"""Who hears of a board, and what."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from tests import journal
from tests.callers import anonymous
from tests.formations import Board, start, submit
from tests.listening import hears
from tests.migrations.kanban.cards import move

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


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
