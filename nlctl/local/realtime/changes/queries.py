"""Queries about many rows of one table at once. Rows come in as JSON objects of texts.

PostgreSQL makes rows of them, so that whatever type a column has, its own words, comparisons and
JSON are used, and no name of a type is needed, which not every role might use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.local.realtime.changes.wishes import Filter

_PARAMETER = sql.Placeholder()

# Like this for rows as for conditions: the number of each, the document, and the row it stands for.
_ROWS = sql.SQL(
    """(
      select each.n::int - 1 as n, each.document, made as content
      from jsonb_array_elements({given}::jsonb) with ordinality as each (document, n),
        jsonb_populate_record(null::{table}, each.document) as made
    )"""
)
_CONDITIONS = sql.SQL(
    """(
      select each.n::int - 1 as n, each.document {names}
      from jsonb_array_elements(%s::jsonb) with ordinality as each (document, n) {made}
    )"""
)
_MADE = sql.SQL(", jsonb_populate_record(null::{table}, each.document -> {place}) as {name}")

_COMPARISONS = {
    "eq": "{mine} = {theirs}",
    "neq": "{mine} <> {theirs}",
    "lt": "{mine} < {theirs}",
    "lte": "{mine} <= {theirs}",
    "gt": "{mine} > {theirs}",
    "gte": "{mine} >= {theirs}",
    "isdistinct": "{mine} is distinct from {theirs}",
    "like": "{mine}::text like {text}",
    "ilike": "{mine}::text ilike {text}",
    "match": "{mine}::text ~ {text}",
    "imatch": "{mine}::text ~* {text}",
    "in": """{mine} in (
      select (jsonb_populate_record(null::{table}, jsonb_build_object({key}, value))).{column}
      from unnest({text}::text[]) as value)""",
}
COMPARED_AS_TEXT = frozenset({"like", "ilike", "match", "imatch", "in", "is"})
_KEYWORDS = frozenset({"null", "true", "false", "unknown"})


@dataclass(frozen=True, slots=True)
class Form:
    """A condition without its value, so that many of one form are asked in one query."""

    column: str
    operator: str
    is_negated: bool
    keyword: str | None


def form(condition: Filter) -> Form:
    """What a filter has in common with others; `is` has its value there, for it is a keyword."""
    keyword = condition.value if condition.operator == "is" else None
    return Form(condition.column, condition.operator, condition.is_negated, keyword)


def matches(table: sql.Identifier, forms: Iterable[Form]) -> sql.Composed:
    """Which rows (first parameter) pass which sets of conditions (second), all of `forms`."""
    forms = tuple(forms)
    places = [n for n, each in enumerate(forms) if each.operator not in COMPARED_AS_TEXT]
    conditions = _CONDITIONS.format(
        names=sql.Composed([sql.SQL(", {}").format(_value(place)) for place in places]),
        made=sql.Composed(
            [
                _MADE.format(table=table, place=sql.Literal(place), name=_value(place))
                for place in places
            ]
        ),
    )
    return sql.SQL("select a.n, b.n from {} as a join {} as b on {}").format(
        _rows(table),
        conditions,
        sql.SQL(" and ").join(_condition(table, each, place) for place, each in enumerate(forms)),
    )


def _rows(table: sql.Identifier, given: sql.Composable = _PARAMETER) -> sql.Composed:
    return _ROWS.format(table=table, given=given)


def _value(place: int) -> sql.Identifier:
    """What the condition at a place compares with, as a row with only that column."""
    return sql.Identifier(f"value_{place}")


def _condition(table: sql.Identifier, form: Form, place: int) -> sql.Composed:
    column, key = sql.Identifier(form.column), sql.Literal(form.column)
    mine = sql.SQL("(a.content).{}").format(column)
    if form.operator == "is":
        keyword = form.keyword if form.keyword in _KEYWORDS else "null"
        passes = sql.SQL("{} is {}").format(mine, sql.SQL(keyword))
    else:
        passes = sql.SQL(_COMPARISONS[form.operator]).format(
            mine=mine,
            theirs=sql.SQL("(b.{}).{}").format(_value(place), column),
            text=sql.SQL("(b.document ->> {})").format(sql.Literal(place)),
            table=table,
            key=key,
            column=column,
        )
    if form.is_negated:
        passes = sql.SQL("not ({})").format(passes)
    # What the log does not know passes no filter, a negated one neither.
    return sql.SQL("a.document ? {} and {}").format(key, passes)


def visible(table: sql.Identifier, key: Iterable[str], keys: str) -> sql.Composed:
    """Which of some rows, given by their keys, whoever asks can select."""
    return sql.SQL(
        "select array_agg(a.n) from {} as a where exists (select from {} as theirs where {})"
    ).format(
        _rows(table, sql.Literal(keys)),
        table,
        sql.SQL(" and ").join(
            sql.SQL("theirs.{column} = (a.content).{column}").format(column=sql.Identifier(name))
            for name in key
        ),
    )


def documents(table: sql.Identifier) -> sql.Composed:
    """Rows (first parameter) as PostgreSQL writes JSON; short values only where (second) so."""
    return sql.SQL(
        """
        select a.n, coalesce((
          select jsonb_object_agg(key, value)
          from jsonb_each(to_jsonb(a.content)) as one (key, value)
          where a.document ? key and (not b.is_cut or octet_length(value::text) <= 64)
        ), '{{}}')::text
        from {} as a
        join unnest(%s::boolean[]) with ordinality as b (is_cut, n) on b.n = a.n + 1
        """
    ).format(_rows(table))
