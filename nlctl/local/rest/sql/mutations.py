"""Mutations: insert, update and delete."""

# ruff: noqa: S608 (building SQL is what this module is for)
from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.names import identifier, identifiers
from nlctl.local.rest.request import Action, Resolution
from nlctl.local.rest.sql import bodies, conditions
from nlctl.local.rest.sql.names import BODY, write_columns

if TYPE_CHECKING:
    from nlctl.local.rest.plan import Mutation
    from nlctl.local.rest.sql.statement import Parameters


def write(parameters: Parameters, mutation: Mutation) -> str:
    """What changes rows, and gives those that it changed."""
    table = mutation.relation.sql
    shown = write_columns(table, mutation.returning)
    if mutation.action is Action.DELETE:
        statement = f"delete from {table}{_write_where(parameters, table, mutation)}"
    elif mutation.action is not Action.UPDATE:
        statement = _write_insert(parameters, mutation)
    elif mutation.columns:
        statement = _write_update(parameters, mutation)
    else:  # which changes nothing, so that nothing is there to show
        return f"select {shown} from {table} where false"
    return f"{statement} returning {shown}"


def _write_insert(parameters: Parameters, mutation: Mutation) -> str:
    names = [column.name for column in mutation.columns]
    target = f"({identifiers(names)}) " if names else ""
    shown = ", ".join(f"{BODY}.{identifier(name)}" for name in names)
    rows = _write_body(parameters, mutation, is_one=False)
    return (
        f"insert into {mutation.relation.sql} {target}select {shown} from {rows}"
        f"{_write_inserted(parameters, mutation)}{_write_on_conflict(mutation)}"
    )


def _write_inserted(parameters: Parameters, mutation: Mutation) -> str:
    """Count what is inserted, and for PUT, let only the row pass that its filters name."""
    asked = [_write_count(1)] if mutation.counts_inserted else []
    if mutation.action is Action.PUT:
        asked += [conditions.write(parameters, BODY, one) for one in mutation.predicates]
    return f" {conditions.write_where(asked)}" if asked else ""


def _write_on_conflict(mutation: Mutation) -> str:
    if not mutation.conflict or mutation.resolution is None:
        return ""
    target = f" on conflict ({identifiers(mutation.conflict)}) do"
    if mutation.resolution is Resolution.IGNORE or not mutation.columns:
        return f"{target} nothing"
    names = [identifier(column.name) for column in mutation.columns]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in names)
    return f"{target} update set {assignments} where {_write_count(-1)}"


def _write_count(step: int) -> str:
    """Always true, and counts as it is asked: one up for a row tried, one down for a conflict."""
    before = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)"
    return f"set_config('pgrst.inserted', ({before} + {step})::text, true) is not null"


def _write_update(parameters: Parameters, mutation: Mutation) -> str:
    table = mutation.relation.sql
    names = [identifier(column.name) for column in mutation.columns]
    assignments = ", ".join(f"{name} = {BODY}.{name}" for name in names)
    rows = _write_body(parameters, mutation, is_one=True)
    where = _write_where(parameters, table, mutation)
    return f"update {table} set {assignments} from {rows}{where}"


def _write_where(parameters: Parameters, table: str, mutation: Mutation) -> str:
    asked = [conditions.write(parameters, table, one) for one in mutation.predicates]
    return f" {conditions.write_where(asked)}" if asked else ""


def _write_body(parameters: Parameters, mutation: Mutation, *, is_one: bool) -> str:
    return bodies.write(
        parameters,
        mutation.columns,
        mutation.body,
        is_object=mutation.is_object,
        is_one=is_one,
        fills_defaults=mutation.fills_defaults,
    )
