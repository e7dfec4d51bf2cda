"""Cards in their columns, and how they move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.databases import Database
    from tests.formations import Board

STATUSES = ["todo", "in_progress", "blocked", "done"]
INIT = "init_kanban_statuses_for_submission"
MOVE = "move_kanban_module"
THREADS = 8

Columns = dict[str, list[str]]


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
