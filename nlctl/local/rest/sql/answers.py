"""Answers: what is made of the rows, how many they are, and where a new one can be found."""

# ruff: noqa: S608 (building SQL is what this module is for)
from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.names import literal
from nlctl.local.rest.negotiation import Form
from nlctl.local.rest.nodes import SOURCE
from nlctl.local.rest.sql.names import FIRST, RESULT, SCALAR, SHOWN

if TYPE_CHECKING:
    from nlctl.local.rest.plan import Plan
    from nlctl.local.rest.request import PlanOptions


def write_body(plan: Plan) -> str:
    answer = plan.answer
    function = plan.call.function if plan.call else None
    if answer.form is Form.NOTHING:
        return "''"
    if answer.form is Form.CSV:
        return _write_csv()
    if answer.form is Form.GEOJSON:
        return (
            "json_build_object('type', 'FeatureCollection', 'features', "
            f"coalesce(json_agg(st_asgeojson({RESULT})::json), '[]'))::text"
        )
    is_scalar = function is not None and not function.returns_rows
    row = f"{RESULT}.{SCALAR}" if is_scalar else RESULT
    if answer.form is Form.CUSTOM and answer.handler:
        target = answer.handler.target
        cast = f"::{target.sql}" if target and not is_scalar else ""
        return f"{answer.handler.function.sql}({row}{cast})"
    is_one = answer.form is Form.SINGLE or (function is not None and not function.returns_set)
    document = f"to_json({row})" if is_one else f"json_agg({row})"
    if answer.strips_nulls:
        document = f"json_strip_nulls({document})"
    if is_one:  # or nothing, or more, which is refused
        return f"coalesce(string_agg({document}::text, ''), 'null')"
    return f"coalesce({document}::text, '[]')"


def count_rows(plan: Plan) -> str:
    """How many rows the answer has."""
    is_one = plan.call is not None and not plan.call.function.returns_set
    return "'1'" if is_one else "count(*)::text"


def count_inserted(plan: Plan) -> str:
    if plan.mutation and plan.mutation.counts_inserted:
        return "coalesce(nullif(current_setting('pgrst.inserted', true), ''), '0')"
    return "null"


def write_location(plan: Plan) -> str:
    """The key of the one row inserted, as a JSON array of names and values."""
    if not plan.shows_location or plan.mutation is None or not plan.mutation.key:
        return "null"
    shown = ", ".join(literal(name) for name in plan.mutation.key)
    return (
        "case when count(*) = 1 then ("
        "select json_agg(json_build_array(key, value))::text "
        f"from (select to_json({FIRST}) as row from {SOURCE} as {FIRST} limit 1) as one, "
        f"json_each_text(one.row) where key in ({shown})) end"
    )


def write_options(options: PlanOptions) -> str:
    """How EXPLAIN is to answer."""
    form = "format json" if options.as_json else "format text"
    return ", ".join([form, *options.options])


def _write_csv() -> str:
    """A line of names, then one for each row, as PostgreSQL writes rows without brackets."""
    names = (
        "(select coalesce(string_agg(name, ','), '') from ("
        f"select json_object_keys(to_json({FIRST})) as name "
        f"from (select * from {SHOWN} limit 1) as {FIRST}"
        ") as names)"
    )
    line = f"substring({RESULT}::text, 2, length({RESULT}::text) - 2)"
    lines = f"coalesce(string_agg({line}, E'\\n'), '')"
    return f"{names} || E'\\n' || {lines}"
