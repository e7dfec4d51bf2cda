"""The matrix as one page that needs nothing else: filters, and what was said for every cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nlctl.access.attempts import OPERATIONS
from nlctl.access.outcomes import MEANINGS, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.access.matrix import Matrix
    from nlctl.access.outcomes import Outcome

TEMPLATE = "page.html.j2"
CALL = "call"


@dataclass(frozen=True)
class Shown:
    """One row of the page: what is tried, and by person what came of it."""

    subject: str
    row_class: str
    operation: str
    outcomes: dict[str, tuple[str, Outcome]]


def render(matrix: Matrix, title: str) -> str:
    """The page as HTML; it asks nothing of the network."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = list(_rows(matrix))
    return (
        environment.get_template(TEMPLATE).render(
            title=title,
            people=[person.name for person in matrix.people],
            rows=rows,
            subjects=list(dict.fromkeys(row.subject for row in rows)),
            operations=[*OPERATIONS.values(), CALL],
            verdicts=[str(verdict) for verdict in Verdict],
            meanings={str(verdict): meaning for verdict, meaning in MEANINGS.items()},
        )
        + "\n"
    )


def _rows(matrix: Matrix) -> Iterator[Shown]:
    tried: dict[tuple[str, str, str], dict[str, tuple[str, Outcome]]] = {}
    for cell in matrix.cells:
        key = (cell.subject, str(cell.row_class), OPERATIONS[cell.operation])
        tried.setdefault(key, {})[cell.person] = (cell.mark, cell.outcome)
    for call in matrix.calls:
        key = (call.function, str(call.row_class or ""), CALL)
        tried.setdefault(key, {})[call.person] = (call.mark, call.outcome)
    for key, outcomes in tried.items():
        yield Shown(*key, outcomes)
