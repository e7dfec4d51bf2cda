"""Lints: promises about a database, each a query for whatever breaks it, and squawk for files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg

from nlctl import database
from nlctl.errors import QueryFailed
from nlctl.lints import allowances, places, squawk
from nlctl.lints.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nlctl.project import Project

__all__ = ["Finding", "Lint", "Report", "examine", "read", "run"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Lint:
    """One promise; `query` goes on from catalogue.sql and returns object, detail and remedy."""

    name: str
    promise: str
    query: LiteralString


@dataclass(frozen=True)
class Report:
    """What breaks a promise, and what the project's lints.toml lets break one, with its reason."""

    findings: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, str], ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left to mend."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "healthy": self.is_clean,
            "findings": [asdict(finding) for finding in self.findings],
            "allowed": [{**asdict(finding), "reason": why} for finding, why in self.allowed],
        }


@cache
def read() -> tuple[Lint, ...]:
    """Every lint, in the order of their numbers."""
    return tuple(_read_file(path) for path in sorted(_FOLDER.glob("[0-9]*_*.sql")))


def run(
    connection: psycopg.Connection[Any],
    exposed: Iterable[str],
    lints: Sequence[Lint] | None = None,
) -> list[Finding]:
    """What breaks the promises, where the Data API shows the schemas `exposed`.

    It changes nothing, and leaves an open transaction as it was.
    """
    with connection.transaction(force_rollback=True):
        connection.execute("set transaction read only")
        connection.execute(
            "select set_config('search_path', '', true), set_config('nlctl.exposed', %s, true)",
            (",".join(exposed),),
        )
        return [
            finding
            for lint in (read() if lints is None else lints)
            for finding in _ask(connection, lint)
        ]


def examine(
    project: Project,
    url: str,
    name: str | None = None,
    *,
    files: Sequence[Path] = (),
    notice: Callable[[str], None] | None = None,
) -> Report:
    """The database at `url` against every promise, with the project's allowances.

    `name` is the project of nlctl.toml whose migrations are searched for the places at fault.
    Squawk reads the migrations `files`; `notice` hears it where it is not installed.
    """
    with database.connect(url, name="nlctl lint") as connection:
        found = run(connection, project.exposed_schemas)
    findings, allowed = allowances.sort_out(found, allowances.read(project))
    located = places.locate(findings, project, name or project.default_name)
    return Report((*located, *squawk.check(project, files, notice)), allowed)


def _read_file(path: Path) -> Lint:
    text: LiteralString = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    comment = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    return Lint(path.stem.partition("_")[2], " ".join(comment), text)


@cache
def _catalogue() -> LiteralString:
    text: LiteralString = (_FOLDER / "catalogue.sql").read_text(encoding="utf-8")
    return text


def _ask(connection: psycopg.Connection[Any], lint: Lint) -> list[Finding]:
    cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
    try:
        rows = cursor.execute(_catalogue() + lint.query).fetchall()
    except psycopg.Error as error:
        raise QueryFailed(
            f"The lint {lint.name} could not be asked: {database.reason(error)}.",
            hint="Look as postgres, who owns the tables.",
        ) from error
    return sorted(Finding(lint.name, *row) for row in rows)
