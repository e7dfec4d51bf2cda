"""Bodies: what a request brings, as rows of typed columns."""

# ruff: noqa: S608 (building SQL is what this module is for)
from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.names import identifier, literal
from nlctl.local.rest.sql.names import BODY

if TYPE_CHECKING:
    from nlctl.local.rest.plan import BodyColumn
    from nlctl.local.rest.sql.statement import Parameters


def write(
    parameters: Parameters,
    columns: tuple[BodyColumn, ...],
    slot: int,
    *,
    is_object: bool,
    is_one: bool,
    fills_defaults: bool = False,
) -> str:
    """The body as rows of these columns; of one row only, where no more are wanted."""
    json = "jsonb" if fills_defaults else "json"
    payload = f"(select {parameters.number(slot)}::{json} as content) as pgrst_payload"
    if fills_defaults:
        payload += f", lateral ({_write_filled(columns, is_object=is_object)}) as pgrst_filled"
    content = "pgrst_filled.content" if fills_defaults else "pgrst_payload.content"
    if columns:
        read = "to_record" if is_object else "to_recordset"
        typed = ", ".join(f"{identifier(one.name)} {one.type}" for one in columns)
        rows = f"{json}_{read}({content}) as _ ({typed})"
    elif is_object:
        rows = "(values (1)) as _"
    else:
        rows = f"{json}_array_elements({content}) as _"
    shown = ", ".join(_write_column(one) for one in columns)
    limit = " limit 1" if is_one else ""
    return f"{payload}, lateral (select {shown} from {rows}{limit}) as {BODY}"


def _write_filled(columns: tuple[BodyColumn, ...], *, is_object: bool) -> str:
    """The rows of the body with the defaults of columns that they leave out."""
    pairs = [f"{literal(one.name)}, {one.default}" for one in columns if one.default]
    defaults = f"jsonb_build_object({', '.join(pairs)})"
    if is_object:
        return f"select {defaults} || pgrst_payload.content as content"
    return (
        f"select coalesce(jsonb_agg({defaults} || row), '[]') as content "
        "from jsonb_array_elements(pgrst_payload.content) as row"
    )


def _write_column(column: BodyColumn) -> str:
    name = identifier(column.name)
    return f"{column.transform}({name}) as {name}" if column.transform else name
