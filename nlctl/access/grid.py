"""The matrix as lines of text: what the terminal shows, and what a file declares and expects.

A line names a subject and a row class (or a function), then has one mark for each person; a line
that begins with `who` says whose the columns below it are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.access.outcomes import Verdict
from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nlctl.access.outcomes import Outcome

WHO = "who"
NOT_APPLICABLE = "n/a"
MARKS = {
    Verdict.NOTHING: ".",
    Verdict.POLICY: "x",
    Verdict.GRANT: "-",
    Verdict.REFUSED: "!",
    Verdict.UNKNOWN: "?",
}
LEGEND = (
    ("S I U D", "select, insert, update, delete: it happens"),
    ("s", "some rows of the class are seen, others not"),
    ("u d", "it happens to a row that the person cannot see"),
    (".", "no error, and no row"),
    ("x", "refused by a policy"),
    ("-", "no grant"),
    ("!", "refused by a trigger"),
    ("?", "could not be tried"),
    (NOT_APPLICABLE, "the person cannot have such rows"),
)


@dataclass(frozen=True)
class Line:
    """One line: `title` is a subject with its row class, or a function."""

    title: str
    marks: dict[str, str]

    def __str__(self) -> str:
        return "  ".join([self.title, *self.marks.values()])


def mark(outcome: Outcome, letter: str) -> str:
    """One character for one operation."""
    if outcome.verdict in {Verdict.SOME, Verdict.UNSEEN}:
        return letter.lower()
    return MARKS.get(outcome.verdict, letter)


def mark_call(outcome: Outcome) -> str:
    """What a function answered: ok, the code of its refusal, or - without the grant."""
    if outcome.verdict is Verdict.ALLOWED:
        return "ok"
    if outcome.verdict is Verdict.REFUSED:
        return outcome.code or "!"
    return MARKS.get(outcome.verdict, "?")


def read(path: Path) -> list[Line]:
    """A declared matrix: a file, or all files of a folder that end in .txt."""
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    return [line for each in files for line in parse(read_text(each), each.name)]


def read_text(path: Path) -> str:
    """What a file says."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8.", hint="Save it as UTF-8.") from error


def parse(text: str, name: str) -> list[Line]:
    """The lines of a declared matrix, in the order of the file."""
    people: list[str] = []
    lines: list[Line] = []
    for number, written in enumerate(text.splitlines(), 1):
        words = written.partition("#")[0].split()
        if not words:
            continue
        if words[0] == WHO:
            people = words[1:]
            continue
        if len(words) <= len(people) or not people:
            raise InvalidInput(
                f"{name}:{number}: a line has a title and one mark for each of: "
                f"{', '.join(people) or 'the people of a line that begins with who'}."
            )
        title, marks = words[: -len(people)], words[-len(people) :]
        lines.append(Line(" ".join(title), dict(zip(people, marks, strict=True))))
    return lines


def compare(expected: Sequence[Line], found: Sequence[Line]) -> list[str]:
    """Every difference in a sentence; for what is not declared, the line to add."""
    declared = {line.title: line for line in expected}
    measured = {line.title: line for line in found}
    missing = [
        f"{title} is not declared. If it is right, add: {line}"
        for title, line in measured.items()
        if title not in declared
    ]
    stale = [
        f"{title} is declared, and is not in the database."
        for title in declared
        if title not in measured
    ]
    wrong = [
        sentence
        for title in declared
        if title in measured
        for sentence in _differences(declared[title], measured[title])
    ]
    return [*missing, *stale, *wrong]


def _differences(expected: Line, found: Line) -> Iterable[str]:
    for person, wanted in expected.marks.items():
        got = found.marks.get(person)
        if got is None:
            yield f"{expected.title}: nobody is called {person}."
        elif got != wanted:
            yield f"{expected.title}: {person} is expected to have {wanted}, and has {got}."
