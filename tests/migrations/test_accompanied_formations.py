"""What a prof accompanies, and the names of those whom he accompanies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.callers import anonymous
from tests.formations import Board, make_palette, start

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

LIST = "list_accompanied_formations"


@pytest.fixture
def boards(school: Database, member: MakePerson, admin: Person, prof: Person) -> list[Board]:
    """Three formations that he accompanies, the newest last."""
    modules = make_palette(school, 2)
    made = [
        start(member(first_name=name), admin, modules, f"Parcours de {name}")
        for name in ("Ada", "Ben", "Eve")
    ]
    for board in made:
        admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    return made


def titles(rows: list[dict[str, Any]]) -> list[str]:
    return [row["title"].removeprefix("Parcours de ") for row in rows]


def test_a_prof_reads_whom_he_accompanies_and_how_far_they_are(
    boards: list[Board], prof: Person
) -> None:
    board = boards[0]
    ada, [first, second] = board.author, board.cards()
    ada.run("update public.profiles set last_name = 'Martin' where true")
    ada.rpc("update_course", p_course_id=board.course_id, p_title="Autrement")
    for card, status in ((first, "done"), (second, "blocked")):
        ada.rpc("move_kanban_module", p_status_id=card["status_id"], p_status=status, p_position=0)

    told = prof.rpc(LIST)[0]
    assert {key: value for key, value in told.items() if not key.endswith("_at")} == {
        "formation_id": board.formation_id,
        "submission_id": board.submission_id,
        "course_id": board.course_id,
        "title": "Parcours de Ada",
        "user_id": ada.id,
        "first_name": "Ada",
        "last_name": "Martin",
        "modules_total": 2,
        "modules_done": 1,
        "modules_in_progress": 0,
        "modules_blocked": 1,
    }
    assert told["ended_at"] is None
    assert told["started_at"] < told["last_activity_at"]


def test_the_newest_activity_comes_first_page_by_page(boards: list[Board], prof: Person) -> None:
    assert titles(prof.rpc(LIST)) == ["Eve", "Ben", "Ada"]
    boards[1].author.rpc(
        "move_kanban_module",
        p_status_id=boards[1].cards()[0]["status_id"],
        p_status="done",
        p_position=0,
    )
    seen: list[str] = []
    after: dict[str, Any] = {}
    while page := prof.rpc(LIST, p_limit=1, **after):
        seen += titles(page)
        last = page[-1]
        after = {"p_before": last["last_activity_at"], "p_before_id": last["submission_id"]}
    assert seen == ["Ben", "Eve", "Ada"]


def test_what_ended_stays_and_what_is_deleted_or_taken_away_goes(
    boards: list[Board], admin: Person, prof: Person
) -> None:
    archived, deleted, taken = boards
    archived.author.rpc("archive_course", p_course_id=archived.course_id)
    deleted.author.rpc("delete_course", p_course_id=deleted.course_id)
    admin.rpc("assign_formation_prof", p_formation_id=taken.formation_id, p_prof_id=None)
    [left] = prof.rpc(LIST)
    assert left["formation_id"] == archived.formation_id
    assert left["ended_at"] is not None
    assert (left["modules_total"], left["modules_done"]) == (2, 0)


def test_nobody_reads_what_others_accompany(
    school: Database, member: MakePerson, boards: list[Board], admin: Person
) -> None:
    for somebody in (member("prof"), boards[0].author, admin):
        assert somebody.rpc(LIST) == []
    assert member("prof", status="suspended").refusal(LIST).code == "FORBIDDEN"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc(LIST)


@pytest.mark.parametrize("limit", [0, 101, -1, None])
def test_an_odd_page_is_refused(prof: Person, limit: int | None) -> None:
    refusal = prof.refusal(LIST, p_limit=limit)
    assert (refusal.code, refusal.details) == ("INVALID", "limit")
