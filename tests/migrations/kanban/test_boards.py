"""What a board is, and making it again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from nlctl.local.rest import RestConfig
from tests.callers import anonymous
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import Board, compose, make_palette, start, submit
from tests.local.rest import serving
from tests.migrations.kanban.cards import INIT, THREADS, card_of, columns_of, move

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

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


def test_a_submission_brings_all_of_its_cards(school: Database, board: Board) -> None:
    """The Data API learns from the view's columns how many there are: those of the cards."""
    asked = "/formation_submissions?select=id,kanban_user_modules_v1(title,profiles(id))"
    config = RestConfig(school.authenticator_url)
    with (
        serving.embed(config) as api,
        api.client("authenticated", sub=board.author.id) as client,
    ):
        [submission] = serving.rows(client, asked)
    assert sorted(card["title"] for card in submission["kanban_user_modules_v1"]) == [
        f"Module {number}" for number in (1, 2, 3)
    ]


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
