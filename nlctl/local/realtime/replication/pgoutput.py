"""pgoutput: how PostgreSQL writes down what a transaction did (protocol version 1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Moments are microseconds since 2000 on the wire, and since 1970 here.
EPOCH: Final = 946_684_800_000_000


class Malformed(Exception):
    """Bytes that are not pgoutput."""


class Unchanged(Enum):
    """A long value that an UPDATE left alone, and that therefore is not in the log."""

    VALUE = "unchanged"


UNCHANGED: Final = Unchanged.VALUE

# As text, in PostgreSQL's own words for its type.
Value = str | None | Unchanged
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction that was committed follows."""

    commit_lsn: int
    committed_at: int
    transaction: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The transaction is complete; the log goes on at `end_lsn`."""

    commit_lsn: int
    end_lsn: int
    committed_at: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The transaction came from another server."""

    commit_lsn: int
    name: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a relation; `is_key` where it tells rows apart."""

    name: str
    type_oid: int
    modifier: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """What rows of a table look like from here on."""

    oid: int
    schema: str
    name: str
    replica_identity: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """A type that is not built in."""

    oid: int
    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    relation: int
    new: Row


@dataclass(frozen=True, slots=True)
class Update:
    """A changed row.

    `old` has all values where the table's replica identity is FULL, its key where that changed, and
    is None otherwise.
    """

    relation: int
    old: Row | None
    new: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """A row that is gone: its key, or all of it where the replica identity is FULL."""

    relation: int
    old: Row


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tables that were emptied."""

    relations: tuple[int, ...]
    is_cascade: bool
    restarts_identity: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What pg_logical_emit_message wrote."""

    lsn: int
    is_transactional: bool
    prefix: str
    content: bytes


Entry = Begin | Commit | Origin | Relation | Type | Insert | Update | Delete | Truncate | Note


def decode(data: bytes) -> Entry:
    """The one entry that `data` holds."""
    try:
        read = _READERS[data[:1]]
        return read(_Reader(data, 1))
    except (KeyError, IndexError, ValueError, struct.error) as error:
        raise Malformed(f"Unknown or broken entry {data[:1]!r}.") from error


class _Reader:
    """Takes one value after the other."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position

    def take(self, size: int) -> bytes:
        end = self._position + size
        if not self._position <= end <= len(self._data):
            raise IndexError("a value beyond the entry")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def byte(self) -> int:
        value = self._data[self._position]
        self._position += 1
        return value

    def letter(self) -> str:
        return chr(self.byte())

    def integers(self, layout: struct.Struct) -> tuple[int, ...]:
        return layout.unpack(self.take(layout.size))

    def text(self) -> str:
        end = self._data.index(b"\0", self._position)
        taken = self._data[self._position : end]
        self._position = end + 1
        return taken.decode()

    def row(self) -> Row:
        (count,) = self.integers(_COUNT)
        return tuple([self.value() for _ in range(count)])

    def value(self) -> Value:
        match self.letter():
            case "t":
                (size,) = self.integers(_SIZE)
                return self.take(size).decode()
            case "n":
                return None
            case "u":
                return UNCHANGED
            case kind:
                raise ValueError(f"a value of kind {kind!r}")


_COUNT = struct.Struct("!H")
_SIZE = struct.Struct("!i")
_OID = struct.Struct("!I")
_LSN = struct.Struct("!Q")
_BEGIN = struct.Struct("!QqI")
_COMMIT = struct.Struct("!BQQq")
_COLUMN = struct.Struct("!Ii")
_TRUNCATE = struct.Struct("!iB")
_NOTE = struct.Struct("!BQ")


def _begin(reader: _Reader) -> Begin:
    lsn, moment, transaction = reader.integers(_BEGIN)
    return Begin(lsn, moment + EPOCH, transaction)


def _commit(reader: _Reader) -> Commit:
    _, lsn, end_lsn, moment = reader.integers(_COMMIT)
    return Commit(lsn, end_lsn, moment + EPOCH)


def _origin(reader: _Reader) -> Origin:
    (lsn,) = reader.integers(_LSN)
    return Origin(lsn, reader.text())


def _relation(reader: _Reader) -> Relation:
    (oid,) = reader.integers(_OID)
    # Nothing stands for pg_catalog.
    schema, name = reader.text() or "pg_catalog", reader.text()
    identity = reader.letter()
    (count,) = reader.integers(_COUNT)
    return Relation(oid, schema, name, identity, tuple([_column(reader) for _ in range(count)]))


def _column(reader: _Reader) -> Column:
    is_key = bool(reader.byte() & 1)
    name = reader.text()
    type_oid, modifier = reader.integers(_COLUMN)
    return Column(name, type_oid, modifier, is_key)


def _type(reader: _Reader) -> Type:
    (oid,) = reader.integers(_OID)
    return Type(oid, reader.text() or "pg_catalog", reader.text())


def _insert(reader: _Reader) -> Insert:
    (relation,) = reader.integers(_OID)
    _expect(reader, "N")
    return Insert(relation, reader.row())


def _update(reader: _Reader) -> Update:
    (relation,) = reader.integers(_OID)
    kind = reader.letter()
    old = None
    if kind in "KO":
        old = reader.row()
        kind = reader.letter()
    if kind != "N":
        raise ValueError(f"a row of kind {kind!r}")
    return Update(relation, old, reader.row())


def _delete(reader: _Reader) -> Delete:
    (relation,) = reader.integers(_OID)
    _expect(reader, "KO")
    return Delete(relation, reader.row())


def _truncate(reader: _Reader) -> Truncate:
    count, options = reader.integers(_TRUNCATE)
    relations = tuple([reader.integers(_OID)[0] for _ in range(count)])
    return Truncate(relations, bool(options & 1), bool(options & 2))


def _note(reader: _Reader) -> Note:
    flags, lsn = reader.integers(_NOTE)
    prefix = reader.text()
    (size,) = reader.integers(_SIZE)
    return Note(lsn, bool(flags & 1), prefix, reader.take(size))


def _expect(reader: _Reader, kinds: str) -> None:
    if (kind := reader.letter()) not in kinds:
        raise ValueError(f"a row of kind {kind!r}")


_READERS: dict[bytes, Callable[[_Reader], Entry]] = {
    b"B": _begin,
    b"C": _commit,
    b"O": _origin,
    b"R": _relation,
    b"Y": _type,
    b"I": _insert,
    b"U": _update,
    b"D": _delete,
    b"T": _truncate,
    b"M": _note,
}
