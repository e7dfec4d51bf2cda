"""What the matrix tells apart, on a diary in which every attempt ends in its own way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nlctl import access
from nlctl.access import attempts
from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from nlctl.access.matrix import Cell, Matrix
    from tests.databases import Database

DIARY = Path(__file__).with_name("diary.sql")
EXPOSED = ("public", "archive")
EXPECTED = """
who                         anon  client  service_role
archive.10%s of "all" none  ----  S---    ----
public.notes own            n/a   SIU.    n/a
public.notes foreign        ----  .xu.    ----
public.pages own            n/a   S---    n/a
public.pages foreign        ----  .---    ----
public.kept none            ----  S--D    ----
public.kept deleted         ----  S--D    ----
public.carved none          ----  S-!-    ----
public.singles none         ----  -I--    ----
public.riddles none         ----  ?---    ----
public.muddled none         ----  ?---    ----
public.copies none          ----  S---    ----
public.margins own          n/a   ?---    n/a
public.margins foreign      ----  ?---    ----
bucket drawings own         n/a   SIUD    n/a
bucket drawings foreign     .x..  .x..    SIUD
bucket sketches own         n/a   Sx..    n/a
bucket sketches foreign     .x..  .x..    SIUD
broadcast notes: own        n/a   Sx      n/a
broadcast notes: foreign    .x    .x      SI
presence notes: own         n/a   .x      n/a
presence notes: foreign     .x    .x      SI
broadcast reading: own      n/a   Sx      n/a
broadcast reading: foreign  .x    .x      SI
presence reading: own       n/a   .x      n/a
presence reading: foreign   .x    .x      SI
broadcast elsewhere none    .x    .x      SI
presence elsewhere none     .x    .x      SI
rpc archive.100%            -     ok      -
rpc greet                   -     ok      -
rpc read_note own           n/a   ok      n/a
rpc read_note foreign       -     NOT_FOUND  -
rpc secret                  -     -       ok
"""


@pytest.fixture
def diary(empty_database: Database) -> Database:
    """A database with the diary in it."""
    with empty_database.connect() as connection:
        connection.execute("alter default privileges in schema public revoke all on tables "
                           "from anon, authenticated, service_role")  # fmt: skip
        connection.execute(DIARY.read_bytes())
    return empty_database


def cell(matrix: Matrix, person: str, subject: str, operation: str) -> Cell:
    [found] = [
        cell
        for cell in matrix.cells
        if (cell.person, cell.subject, cell.operation) == (person, subject, operation)
    ]
    return found


def test_every_ending_has_its_mark(diary: Database) -> None:
    measured = access.measure(diary.url, EXPOSED)

    assert access.compare(access.parse(EXPECTED, "diary"), measured.lines()) == []


def test_what_is_not_a_refusal_says_what_it_is(diary: Database) -> None:
    matrix = access.measure(diary.url, EXPOSED)

    def said(subject: str, operation: str) -> tuple[Any, ...]:
        outcome = cell(matrix, "client", subject, operation).outcome
        return str(outcome.verdict), outcome.code, outcome.reason

    unique = 'duplicate key value violates unique constraint "singles_expr_idx"'
    assert said("public.singles", "I") == ("admitted", "23505", unique)
    assert said("public.carved", "U") == ("refused", "P0009", "It is carved in stone.")
    assert said("public.muddled", "S") == (
        "unknown", "42501", "permission denied for function secret",
    )  # fmt: skip
    assert said("public.riddles", "S")[0] == "unknown"
    assert "riddles_answer_check" in said("public.riddles", "S")[2]


def everything(database: Database) -> dict[str, Any]:
    """Every row of every table, where it lies and which transaction wrote it."""
    tables = database.run(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p') "
        "and relnamespace::regnamespace::text in ('public', 'auth', 'storage', 'realtime')",
        user="supabase_admin",
    )
    return {
        name: database.run(f"select ctid, xmin from {name}", user="supabase_admin")
        for (name,) in tables
    }


def test_a_measurement_leaves_no_trace(diary: Database) -> None:
    before = everything(diary)

    access.measure(diary.url, EXPOSED)

    assert everything(diary) == before


def test_a_locked_table_is_not_waited_for(diary: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(attempts.LIMITS, "lock_timeout", "10ms")
    with diary.connect(autocommit=False) as writer:
        writer.execute("lock table public.carved in share row exclusive mode")
        matrix = access.measure(diary.url, EXPOSED)

    assert cell(matrix, "client", "public.carved", "U").outcome.code == "55P03"
    assert cell(matrix, "client", "public.carved", "S").mark == "S"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("public.notes own  S---", "file:1: "),
        ("who  anon  client\n\npublic.notes  S---", "file:3: "),
    ],
)
def test_a_line_that_does_not_fit_its_people_is_named(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        access.parse(text, "file")
    assert refusal.value.message.startswith(fault)


def test_each_difference_is_a_sentence() -> None:
    expected = access.parse("who ada ben\na own S--- S---\nb own S--- S---", "file")
    found = access.parse("who ada\na own S-U-\nc own S---", "file")

    assert access.compare(expected, found) == [
        "c own is not declared. If it is right, add: c own  S---",
        "b own is declared, and is not in the database.",
        "a own: ada is expected to have S---, and has S-U-.",
        "a own: nobody is called ben.",
    ]
