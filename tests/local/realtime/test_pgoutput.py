"""pgoutput, read from what this PostgreSQL really writes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from nlctl.local.realtime.replication.pgoutput import (
    UNCHANGED,
    Begin,
    Column,
    Commit,
    Delete,
    Insert,
    Malformed,
    Note,
    Origin,
    Relation,
    Truncate,
    Type,
    Update,
    decode,
)
from nlctl.local.realtime.replication.pgoutput import Row as Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database

INT, TEXT = 23, 25
SLOT = "test_pgoutput"
LONG = "repeat(md5('x'), 400) || random()"


@pytest.fixture
def log(empty_database: Database) -> Iterator[Log]:
    log = Log(empty_database)
    yield log
    log.close()


class Log:
    """The entries of one database's log, from now on."""

    def __init__(self, database: Database) -> None:
        self._admin = database.connect("supabase_admin")
        self.run("set synchronous_commit = on")  # what is not flushed is not decoded
        self.run("create publication everything for all tables")
        self.run(f"select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")

    def run(self, script: str) -> None:
        self._admin.execute(script.encode())

    def bytes(self) -> list[bytes]:
        """What was written since this was asked last."""
        read = self._admin.execute(
            "select data from pg_logical_slot_get_binary_changes(%s, null, null, "
            "'proto_version', '1', 'publication_names', 'everything', 'messages', 'true')",
            (SLOT,),
        )
        return [bytes(data) for (data,) in read.fetchall()]

    def entries(self) -> list[object]:
        return [decode(data) for data in self.bytes()]

    def changes(self) -> list[object]:
        """The entries between the frame and the description of each transaction."""
        frame = (Begin, Commit, Relation, Type)
        return [entry for entry in self.entries() if not isinstance(entry, frame)]

    def close(self) -> None:
        self.run(f"select pg_drop_replication_slot('{SLOT}')")
        self._admin.close()


def test_a_transaction_is_framed_by_its_moment_and_its_places(log: Log) -> None:
    log.run("create table notes (id int primary key)")
    before = time.time()
    log.run("insert into notes values (1)")

    [begin, commit] = [e for e in log.entries() if isinstance(e, Begin | Commit)][-2:]
    assert isinstance(begin, Begin)
    assert isinstance(commit, Commit)
    assert before - 1 < begin.committed_at / 1e6 < time.time() + 1
    assert begin.committed_at == commit.committed_at
    assert begin.commit_lsn == commit.commit_lsn < commit.end_lsn


def test_a_relation_is_described_before_its_first_row(log: Log) -> None:
    log.run("create table notes (body text, id int primary key, price numeric(10, 2))")
    log.run("insert into notes values ('a', 1)")

    [relation] = [e for e in log.entries() if isinstance(e, Relation)]
    assert (relation.schema, relation.name, relation.replica_identity) == ("public", "notes", "d")
    assert relation.columns == (
        Column("body", TEXT, -1, is_key=False),
        Column("id", INT, -1, is_key=True),
        Column("price", 1700, (10 << 16) + 2 + 4, is_key=False),
    )


def test_a_type_of_the_project_is_named(log: Log) -> None:
    log.run("create type mood as enum ('sad', 'glad')")
    log.run("create table people (id int primary key, mood mood)")
    log.run("insert into people values (1, 'glad')")

    assert [(e.schema, e.name) for e in log.entries() if isinstance(e, Type)] == [
        ("public", "mood")
    ]


def test_an_inserted_row_has_its_values_and_its_nulls(log: Log) -> None:
    log.run("create table notes (id int primary key, body text, is_read boolean)")
    log.run("insert into notes values (1, 'Été', null), (2, '', true)")

    assert rows(log) == [(None, ("1", "Été", None)), (None, ("2", "", "t"))]


def test_an_updated_row_has_its_old_key_only_where_that_changed(log: Log) -> None:
    log.run("create table notes (id int primary key, body text)")
    log.run("insert into notes values (1, 'a')")
    log.run("update notes set body = 'b'")
    log.run("update notes set id = 2")

    assert rows(log)[1:] == [(None, ("1", "b")), (("1", None), ("2", "b"))]


def test_an_updated_row_has_all_it_was_with_full_identity(log: Log) -> None:
    log.run("create table notes (id int primary key, body text)")
    log.run("alter table notes replica identity full")
    log.run("insert into notes values (1, 'a')")
    log.run("update notes set body = 'b'")

    assert rows(log)[1:] == [(("1", "a"), ("1", "b"))]


def test_a_long_value_that_was_left_alone_is_not_there(log: Log) -> None:
    log.run("create table notes (id int primary key, body text, n int)")
    log.run("alter table notes alter body set storage external")
    log.run(f"insert into notes values (1, {LONG}, 0)")
    log.run("update notes set n = 1")

    assert rows(log)[1:] == [(None, ("1", UNCHANGED, "1"))]


def test_a_deleted_row_has_its_key_or_all_it_was(log: Log) -> None:
    log.run("create table notes (id int primary key, body text)")
    log.run("insert into notes values (1, 'a'), (2, 'b')")
    log.run("delete from notes where id = 1")
    log.run("alter table notes replica identity full")
    log.run("delete from notes")

    assert [e.old for e in log.changes() if isinstance(e, Delete)] == [("1", None), ("2", "b")]


def test_emptied_tables_are_named_together(log: Log) -> None:
    log.run("create table parents (id int primary key)")
    log.run("create table children (id int references parents)")
    log.run("truncate parents restart identity cascade")

    entries = log.entries()
    oids = {e.oid for e in entries if isinstance(e, Relation)}
    [truncate] = [e for e in entries if isinstance(e, Truncate)]
    assert set(truncate.relations) == oids
    assert (truncate.is_cascade, truncate.restarts_identity) == (True, True)


def test_a_note_in_the_log_is_read(log: Log) -> None:
    log.run("select pg_logical_emit_message(false, 'outside', '')")
    log.run("select pg_logical_emit_message(true, 'inside', 'été')")

    notes = [e for e in log.changes() if isinstance(e, Note)]
    assert [(e.is_transactional, e.prefix, e.content.decode()) for e in notes] == [
        (False, "outside", ""),
        (True, "inside", "été"),
    ]


def test_a_transaction_from_elsewhere_says_so(log: Log) -> None:
    log.run("create table notes (id int primary key)")
    log.run("select pg_replication_origin_create('elsewhere')")
    try:
        log.run("select pg_replication_origin_session_setup('elsewhere')")
        log.run("insert into notes values (1)")
        log.run("select pg_replication_origin_session_reset()")

        assert [e.name for e in log.changes() if isinstance(e, Origin)] == ["elsewhere"]
    finally:
        log.run("select pg_replication_origin_drop('elsewhere')")


def test_an_entry_that_was_cut_off_is_refused(log: Log) -> None:
    log.run("create table notes (id int primary key, body text)")
    log.run("insert into notes values (1, 'a')")
    log.run("update notes set id = 2")
    log.run("delete from notes")
    log.run("truncate notes")
    log.run("select pg_logical_emit_message(true, 'a', 'b')")

    written = log.bytes()
    assert {data[:1] for data in written} >= {b"B", b"R", b"I", b"U", b"D", b"T", b"M", b"C"}
    for data in written:
        for size in range(len(data)):
            with pytest.raises(Malformed):
                decode(data[:size])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"?",
        b"S" + bytes(20),
        b"I\0\0\0\1X\0\0",
        b"U\0\0\0\1X\0\0",
        b"D\0\0\0\1N\0\0",
        b"I\0\0\0\1N\0\1x",
        b"I\0\0\0\1N\0\1t\xff\xff\xff\xff",
        b"I\0\0\0\1N\0\1t\0\0\0\1\xff",
    ],
)
def test_what_is_not_pgoutput_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


def rows(log: Log) -> list[tuple[Values | None, Values]]:
    """The old and new values of inserts and updates."""
    found = [entry for entry in log.changes() if isinstance(entry, Insert | Update)]
    return [(entry.old if isinstance(entry, Update) else None, entry.new) for entry in found]
