"""Mending: the SQL that would make a database as expected, to be read before it is run.

What would lose rows is written as a comment, and so is what no statement can do.
"""

from __future__ import annotations

from collections import defaultdict
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from nlctl.catalogue import model, things
from nlctl.catalogue.mending import changes, creation, grants
from nlctl.catalogue.names import literal, quoted
from nlctl.catalogue.thing import COMMENT, GRANTS, OPTION, OWNER, Absence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nlctl.catalogue.differences import Difference
    from nlctl.catalogue.model import Catalogue
    from nlctl.catalogue.thing import Key, Thing

LOSES_ROWS = "-- Loses rows: "

# What has to be there before what.
_ORDER = (
    "schema", "extension", "type", "domain", "sequence", "table", "foreign table", "column",
    "function", "procedure", "aggregate", "view", "materialized view", "constraint", "index",
    "rule", "trigger", "policy", "default privileges", "publication", "published table",
    "event trigger", "bucket",
)  # fmt: skip
_REPLACEABLE = {
    "function", "procedure", "materialized view", "constraint", "index", "rule", "trigger",
    "policy", "published table", "event trigger",
}  # fmt: skip
_ROWS = {"schema", "table", "foreign table", "column", "sequence", "extension"}
_AS_CREATED = {
    "row level security": "off",
    "forced row level security": "off",
    "persistence": "logged",
    "replica identity": "default",
}
_STATES_AS_CREATED = {"enabled", "valid", "validated", "not validated"}


class _Phase(IntEnum):
    DROP = 0
    CREATE = 1
    CHANGE = 2


class _Step(NamedTuple):
    phase: _Phase
    rank: int
    sql: str


def statements(differences: Sequence[Difference], expected: Catalogue) -> tuple[str, ...]:
    """Statements in an order that works, each once."""
    parts: dict[Key, list[Thing]] = defaultdict(list)
    for thing in things.of(expected).values():
        if thing.part_of:
            parts[thing.part_of].append(thing)
    steps = [step for difference in differences for step in _mend(difference, parts)]
    return tuple(dict.fromkeys(step.sql for step in sorted(steps, key=lambda step: step[:2])))


def _mend(difference: Difference, parts: Mapping[Key, list[Thing]]) -> Iterator[_Step]:
    wanted, seen = difference.wanted, difference.seen
    if difference.fact is None and wanted:
        yield from _create(wanted, parts)
    elif difference.fact is None and seen:
        yield _drop(seen)
    elif sql := _change(difference):
        yield from (_Step(_Phase.CHANGE, _rank(difference), text) for text in sql)
    elif wanted and seen and _is_replaceable(difference):
        yield _drop(seen)
        yield from _create(wanted, parts)
    else:
        text = f"-- No single statement mends this: {difference}"
        yield _Step(_Phase.CHANGE, _rank(difference), text)


def _is_replaceable(difference: Difference) -> bool:
    return difference.kind in _REPLACEABLE


def _change(difference: Difference) -> list[str]:
    fact, wanted, seen = difference.fact or "", difference.wanted, difference.seen
    if fact.startswith(GRANTS):
        return grants.change(difference)
    if wanted is None or seen is None:
        return []
    if fact == COMMENT:
        return [_comment(wanted)]
    if fact == OWNER:
        return [_owner(wanted)]
    return changes.of(fact, wanted, seen)


def _create(thing: Thing, parts: Mapping[Key, list[Thing]]) -> Iterator[_Step]:
    """The thing itself, all that is said of it, and all its parts."""
    rank = _rank(thing)
    if thing.absence is not Absence.IS_EMPTY:
        yield _Step(_Phase.CREATE, rank, creation.of(thing))
    yield from (_Step(_Phase.CHANGE, rank, sql) for sql in _finish(thing))
    for part in parts.get(thing.key, ()):
        if part.kind == "column":  # made with its table
            yield from (_Step(_Phase.CHANGE, rank, sql) for sql in _finish(part))
        elif part.absence is not Absence.IS_TOLD_ELSEWHERE:
            yield from _create(part, parts)


def _finish(thing: Thing) -> Iterator[str]:
    """What a new object still lacks."""
    if thing.facts.get(OWNER) not in {None, "postgres", "pg_database_owner"}:
        yield _owner(thing)
    for fact, text in thing.facts.items():
        if not _is_as_created(thing, fact, text):
            yield from changes.of(fact, thing, thing)
    if COMMENT in thing.facts:
        yield _comment(thing)
    yield from grants.afresh(thing)


def _is_as_created(thing: Thing, fact: str, text: str) -> bool:
    if fact == "state":
        return text in _STATES_AS_CREATED
    if fact == "column":  # its table may not have been there yet
        return False
    is_table_option = fact.startswith(OPTION) and thing.kind == "table"
    return not is_table_option and text == _AS_CREATED.get(fact, text)


def _drop(thing: Thing) -> _Step:
    sql = creation.undo(thing)
    prefix = LOSES_ROWS if thing.kind in _ROWS else ""
    return _Step(_Phase.DROP, -_rank(thing), prefix + sql)


def _owner(thing: Thing) -> str:
    return f"alter {thing.kind} {thing.name} owner to {quoted(thing.facts[OWNER])};"


def _comment(thing: Thing) -> str:
    return f"comment on {thing.kind} {thing.name} is {literal(thing.facts.get(COMMENT))};"


def _rank(thing: Thing | Difference) -> int:
    """By kind; children after their parents, references after the keys they point at."""
    rank = 2 * _ORDER.index(thing.kind)
    match getattr(thing, "source", None):
        case model.Table(parents=[_, *_]) | model.Constraint(kind="f"):
            return rank + 1
        case _:
            return rank
