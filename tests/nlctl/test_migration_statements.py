"""Splitting scripts: the pieces are the server's statements, and know their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlctl.errors import InvalidInput
from nlctl.local.cluster import SUPERUSER
from nlctl.migrations import statements

if TYPE_CHECKING:
    from nlctl.local.cluster import Cluster

ROUTINE = """create or replace function public.grade(n int) returns text
language sql
begin atomic
  select case when n > 10 then case when n > 15 then 'bien' else 'passable' end end;
  select x.end from (select 1 as end) x;
end"""

WHOLE = [
    "select 1",
    "select 'a;b', 'it''s;'",
    "select 'back\\', 1",
    r"select E'it\'s; \\', 1",
    "select E'one'\n  -- still the same literal\n  'two\\';three'",
    "select U&'d\\0061t;'",
    'select 1 as "semi;colon ""quoted"" name"',
    "select $$ ; ' -- $$",
    "select $été$ $$ ; $other$ $été$",
    "select a$b from (select 1 as a$b) t",
    "select 1 /* ; /* ; */ ; */ + 1",
    "select 1 -- ; not yet\n + 1",
    "select 1 -- the last word",
    "-- said before; kept\nselect 1",
    "create rule r as on insert to t do also (insert into u values (1); delete from v)",
    "do $body$ begin perform 1; end; $body$",
    "create function f() returns void language plpgsql as $$ begin null; end $$",
    "select case when true then 1 end",
    ROUTINE,
    "create procedure p() begin atomic delete from t; delete from u; end",
    "select '\u00a0;', \u00a0x from (select 1 as \u00a0x) t",
]


@pytest.mark.parametrize("statement", WHOLE)
def test_a_statement_stays_whole(statement: str) -> None:
    assert [piece.text for piece in statements.split(f"{statement}\n;\n")] == [statement]


def test_a_script_falls_apart_at_its_semicolons() -> None:
    assert [piece.text for piece in statements.split(statements.join(WHOLE))] == WHOLE


@pytest.mark.parametrize("script", ["", " \n", ";;", "-- nothing\n", "/* nothing */ ; -- more"])
def test_a_script_of_comments_has_no_statement(script: str) -> None:
    assert statements.split(script) == ()


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("select 1;\nselect 'oops;\n", "2:8: this quote"),
        ("select E'oops\\';", "1:8: this quote"),
        ('select "oops;', "1:8: this quote"),
        ("select 1;\n/* forgotten /* */\ncreate table t ();", "2:1: this comment"),
        ("do $x$ begin end $y$;", "1:4: this $x$ quote"),
    ],
)
def test_what_is_never_closed_is_refused_with_its_place(script: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint.replace("$", r"\$")):
        statements.split(script)


def test_a_statement_knows_where_its_first_word_stands() -> None:
    script = "-- first\nselect 1;\n\n  -- second\n  select 2;"
    _, second = statements.split(script)
    assert str(statements.place(script, second.begins)) == "5:3"


@pytest.mark.parametrize(
    "statement",
    [
        "begin",
        "BEGIN isolation level serializable",
        "start transaction",
        "commit",
        "-- why\ncommit and chain",
        "end",
        "abort",
        "rollback",
        "rollback work",
        "prepare transaction 'x'",
    ],
)
def test_control_of_the_transaction_is_recognised(statement: str) -> None:
    assert statements.split(statement)[0].controls_transaction


@pytest.mark.parametrize(
    "statement",
    [
        "savepoint a",
        "rollback to a",
        "rollback to savepoint a",
        "rollback work to a",
        "prepare q as select 1",
        "do $$ begin commit; end $$",
        'select "commit"',
        ROUTINE,
    ],
)
def test_what_stays_inside_the_transaction_is_let_through(statement: str) -> None:
    assert not statements.split(statement)[0].controls_transaction


@pytest.mark.parametrize(
    ("statement", "alone"),
    [
        ("create unique index concurrently i on t (a)", True),
        ("CREATE INDEX /* soon */ CONCURRENTLY i ON t (a)", True),
        ("drop index concurrently i", True),
        ("reindex (verbose) table concurrently t", True),
        ("alter table t detach partition p concurrently", True),
        ("vacuum t", True),
        ("alter system set work_mem = '1MB'", True),
        ("refresh materialized view concurrently m", False),
        ("create index i on t (a)", False),
        ("create table t (a text default 'concurrently')", False),
    ],
)
def test_what_no_transaction_may_hold_is_recognised(statement: str, alone: bool) -> None:
    assert statements.split(statement)[0].stands_alone is alone


fragments = st.sampled_from(
    [
        *("select", "case", "end", "begin", "atomic", "as", "a.b", "x$1", "1", ",", "="),
        *("'a;b'", "'it''s'", "'\\'", r"E'\';'", "U&';'", '"i;d"', '"a""b;"'),
        *("$$ ; $$", "$t$ $$;' $t$", "/* ; /* ' */ ; */", "-- ; '\n", "\n", "(", ")", "é"),
    ]
)
pieces = (
    st.lists(fragments, min_size=1, max_size=12)
    .map(lambda parts: f"select {' '.join(parts)}".strip(statements.SPACE))
    .filter(lambda text: text.count("(") <= text.count(")"))
)
noise = st.text(alphabet="eE'\"$;-/*()\\ \n.a1_é", max_size=60)


def closes_its_parentheses(text: str) -> bool:
    return len(statements.split(f"{text}\n;\nselect 1")) == 2


@given(st.lists(pieces.filter(closes_its_parentheses), max_size=6))
def test_joined_statements_fall_apart_into_the_same(texts: list[str]) -> None:
    assert [piece.text for piece in statements.split(statements.join(texts))] == texts


@given(noise)
def test_any_piece_of_any_script_splits_into_itself(script: str) -> None:
    try:
        found = statements.split(script)
    except InvalidInput:
        return
    assert all(statements.split(piece.text)[0].text == piece.text for piece in found)


@given(noise)
def test_every_piece_stands_in_the_script_where_it_says(script: str) -> None:
    try:
        found = statements.split(script)
    except InvalidInput:
        return
    assert all(script.startswith(piece.text, piece.offset) for piece in found)


literals = st.lists(
    st.sampled_from([";", "a", "é", "''", '"', "--", "/*", "*/", "$$", "$t$", "(", "\n", " "]),
    max_size=8,
).map("".join)
selects = st.one_of(
    literals.map(lambda text: f"select '{text}'"),
    literals.map(lambda text: f"select E'{text}\\';\\\\'"),
    literals.filter(lambda text: "$t$" not in text).map(lambda text: f"select $t${text}$t$"),
    literals.map(lambda text: f"select 1 /* {text.replace('/*', '').replace('*/', '')} */"),
    literals.map(lambda text: "select 2 -- " + text.replace("\n", " ")),
)


@settings(deadline=None)
@given(texts=st.lists(selects, min_size=1, max_size=5))
def test_the_server_finds_the_same_statements(cluster: Cluster, texts: list[str]) -> None:
    script = statements.join(texts)
    with psycopg.connect(cluster.url(user=SUPERUSER), autocommit=True) as connection:
        one_by_one = [answers(connection, piece.text)[0] for piece in statements.split(script)]
        assert one_by_one == answers(connection, script)


def answers(connection: psycopg.Connection, script: str) -> list[Any]:
    """The value that each statement of a script selects."""
    cursor = connection.execute(script.encode())
    values = [cursor.fetchall()]
    while cursor.nextset():
        values.append(cursor.fetchall())
    return values
