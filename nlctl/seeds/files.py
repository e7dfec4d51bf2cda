"""Seed files: what they say, and where they say it.

`seeds/*.yaml` is the set `reference`, for every environment; `seeds/demo/` and `seeds/test/` never
reach production. A `.sql` file runs after the rows of its set, in the order of the file names.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from nlctl import texts
from nlctl.errors import InvalidInput, SeedFileInvalid
from nlctl.migrations import statements
from nlctl.seeds import documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

REFERENCE = "reference"
SETS = (REFERENCE, "demo", "test")
FIELDS = {"table", "key", "initial", "rows"}


@dataclass(frozen=True)
class Place:
    """Where something is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Row:
    """The columns one row names; what it leaves out is left alone."""

    values: Mapping[str, Any]
    lines: Mapping[str, int]
    place: Place

    def at(self, column: str) -> Place:
        """Where this row names `column`."""
        return Place(self.place.file, self.lines.get(column, self.place.line))


@dataclass(frozen=True)
class Seed:
    """Rows of one table, each recognised by the columns of `key`.

    Columns of `initial` are given to new rows only: people may edit them afterwards.
    """

    table: str
    key: tuple[str, ...]
    initial: tuple[str, ...]
    rows: tuple[Row, ...]
    place: Place


@dataclass(frozen=True)
class Step:
    """One statement of a script."""

    text: str
    place: Place


@dataclass(frozen=True)
class Script:
    """SQL for rows that are computed."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class SeedSet:
    """Everything one folder brings: rows first, then scripts."""

    name: str
    seeds: tuple[Seed, ...]
    scripts: tuple[Script, ...]


def read(folder: Path, names: Sequence[str]) -> list[SeedSet]:
    """The sets called `names`, the reference first."""
    unknown = set(names) - set(SETS)
    if unknown:
        raise InvalidInput(
            f"No seed set called {', '.join(sorted(unknown))}.", hint=f"Known: {', '.join(SETS)}."
        )
    return [_read_set(folder, name) for name in SETS if name in names]


def allow(names: Iterable[str], *, is_production: bool) -> None:
    """Refuse every set but the reference on a production target."""
    others = sorted(set(names) - {REFERENCE})
    if is_production and others:
        raise InvalidInput(
            f"The {' and '.join(others)} seeds never go to production; nothing was written."
        )


def _read_set(folder: Path, name: str) -> SeedSet:
    here = folder if name == REFERENCE else folder / name
    found = [seed for path in sorted(here.glob("*.yaml")) for seed in read_file(path)]
    scripts = tuple(read_script(path) for path in sorted(here.glob("*.sql")))
    return SeedSet(name, tuple(merge(found)), scripts)


def read_file(path: Path) -> list[Seed]:
    """Every document of one file."""
    text = texts.read(path)
    try:
        loader = documents.Loader(text)
        return [_read_document(loader, node, path.name) for node in loader.nodes()]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = (error.problem or "not YAML").rstrip(".")
        raise SeedFileInvalid(f"{path.name}:{line}: {problem}.") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SeedFileInvalid(f"{path.name}:{line}: {error.reason}.") from error


def read_script(path: Path) -> Script:
    """The statements of a .sql seed; refuses those that would leave the transaction."""
    text = texts.read(path)
    try:
        parts = statements.split(text)
    except InvalidInput as error:
        raise SeedFileInvalid(f"{path.name}:{error.message}") from error
    steps = []
    for part in parts:
        place = Place(path.name, statements.place(text, part.begins).line)
        if part.controls_transaction or part.stands_alone or part.streams:
            raise SeedFileInvalid(
                f"{place}: {part.words[0]} cannot run here: all seeds share one transaction."
            )
        steps.append(Step(part.text, place))
    return Script(path.name, tuple(steps))


def merge(seeds: Iterable[Seed]) -> Iterator[Seed]:
    """One seed for each table; refuses two opinions on its key, and one row twice."""
    by_table: dict[str, list[Seed]] = defaultdict(list)
    for seed in seeds:
        by_table[seed.table].append(seed)
    for parts in by_table.values():
        first = parts[0]
        for part in parts[1:]:
            if (part.key, part.initial) != (first.key, first.initial):
                raise SeedFileInvalid(
                    f"{part.place}: {part.table} has another key or initial at {first.place}."
                )
        rows = tuple(row for part in parts for row in part.rows)
        _refuse_twins(first, rows)
        yield Seed(first.table, first.key, first.initial, rows, first.place)


def _refuse_twins(seed: Seed, rows: Iterable[Row]) -> None:
    known: dict[str, Row] = {}
    for row in rows:
        identity = documents.to_json([row.values[column] for column in seed.key])
        twin = known.setdefault(identity, row)
        if twin is not row:
            raise SeedFileInvalid(f"{row.place}: the same {seed.table} row is at {twin.place}.")


def _read_document(loader: documents.Loader, node: yaml.Node, file: str) -> Seed:
    place = _place(file, node)
    if not isinstance(node, yaml.MappingNode):
        raise SeedFileInvalid(f"{place}: expected table, key and rows.")
    document = loader.construct_document(node)
    parts = {key.value: value for key, value in node.value}
    if set(parts) - FIELDS or FIELDS - {"initial"} - set(parts):
        raise SeedFileInvalid(
            f"{place}: a document has table, key and rows, and may have initial; this one has"
            f" {', '.join(map(str, parts)) or 'nothing'}."
        )
    key = _columns(document["key"], _place(file, parts["key"]))
    if not key:
        raise SeedFileInvalid(f"{_place(file, parts['key'])}: the key names no column.")
    return Seed(
        table=_table(document["table"], _place(file, parts["table"])),
        key=key,
        initial=_columns(document.get("initial", []), place),
        rows=tuple(_read_rows(parts["rows"], document["rows"], key, file)),
        place=_place(file, parts["table"]),
    )


def _read_rows(node: yaml.Node, rows: Any, key: Sequence[str], file: str) -> Iterator[Row]:
    if not isinstance(rows, list):
        raise SeedFileInvalid(f"{_place(file, node)}: rows must be a list.")
    for item, values in zip(node.value, rows, strict=True):
        if not isinstance(values, dict):
            raise SeedFileInvalid(f"{_place(file, item)}: a row must name its columns.")
        lines = {name.value: name.start_mark.line + 1 for name, _value in item.value}
        row = Row(values, lines, _place(file, item))
        for column in key:
            if values.get(column) is None:
                raise SeedFileInvalid(f"{row.place}: the row has no {column}, part of its key.")
        yield row


def _table(name: Any, place: Place) -> str:
    if not isinstance(name, str) or name.count(".") != 1:
        raise SeedFileInvalid(f"{place}: table must be schema.name, not {name!r}.")
    return name


def _columns(names: Any, place: Place) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SeedFileInvalid(f"{place}: expected a list of columns.")
    return tuple(names)


def _place(file: str, node: yaml.Node) -> Place:
    return Place(file, node.start_mark.line + 1)
