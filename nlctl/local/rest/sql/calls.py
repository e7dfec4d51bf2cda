"""Calls: a function and what it is given."""

# ruff: noqa: S608 (building SQL is what this module is for)
from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.names import identifier
from nlctl.local.rest.plan import BodyColumn
from nlctl.local.rest.sql import bodies
from nlctl.local.rest.sql.names import BODY, SCALAR, write_columns

if TYPE_CHECKING:
    from nlctl.local.rest.plan import Argument, Call
    from nlctl.local.rest.sql.statement import Parameters, Slot


def write(parameters: Parameters, call: Call) -> str:
    """The rows of what a function returns."""
    function = call.function
    is_scalar = not function.returns_rows
    shown = f"pgrst_call.{SCALAR}" if is_scalar else write_columns("pgrst_call", call.returning)
    body, arguments = _write_arguments(parameters, call)
    called = f"{function.name.sql}({arguments})"
    if is_scalar:
        called = f"lateral (select {called} as {SCALAR})"
    return f"select {shown} from {body}{called} as pgrst_call"


def _write_arguments(parameters: Parameters, call: Call) -> tuple[str, str]:
    """What has to be read from the body first, and the arguments themselves."""
    if not call.arguments:
        return "", ""
    first = call.arguments[0]
    if len(call.arguments) == 1 and not first.parameter.name:
        return "", f"{parameters.number(call.body)}::{first.parameter.type}"
    if first.slots:
        return "", ", ".join(_write_given(parameters, one) for one in call.arguments)
    columns = tuple(_column(one) for one in call.arguments)
    rows = bodies.write(parameters, columns, call.body, is_object=call.is_object, is_one=True)
    passed = [
        _write_named(one, f"{BODY}.{identifier(one.parameter.name)}") for one in call.arguments
    ]
    return f"{rows}, ", ", ".join(passed)


def _write_given(parameters: Parameters, argument: Argument) -> str:
    is_variadic = argument.parameter.is_variadic
    slot: Slot = argument.slots if is_variadic else argument.slots[0]
    return _write_named(argument, f"{parameters.number(slot)}::{argument.parameter.cast}")


def _write_named(argument: Argument, value: str) -> str:
    variadic = "variadic " if argument.parameter.is_variadic else ""
    return f"{variadic}{identifier(argument.parameter.name)} => {value}"


def _column(argument: Argument) -> BodyColumn:
    return BodyColumn(argument.parameter.name, argument.parameter.cast)
