"""Tables of config.toml as dataclasses: each value is what its field wants, or refused by name."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from nlctl.errors import InvalidInput

FILE = "supabase/config.toml"

Seconds = Annotated[float, "written as 1m30s"]
Size = Annotated[int, "written as 50MiB"]
Port = Annotated[int, "that programs can listen on"]
T = TypeVar("T")
LAST_PORT = 65535

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_POWERS = " kmgtp"  # of 1024, whether the i is written or not, as Docker counts
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def fill(kind: type[T], table: Any, name: str, **given: Any) -> T:
    """A dataclass filled from the table of the same names."""
    if not isinstance(table, dict):
        raise _unfit(name, "a table", table)
    hints = get_type_hints(kind, include_extras=True)
    for each in fields(kind):  # type: ignore[arg-type]
        if each.name in table and each.name not in given:
            place = f"{name}.{each.name}" if name else each.name
            given[each.name] = _convert(hints[each.name], table[each.name], place)
    return kind(**given)


def _convert(kind: Any, value: Any, name: str) -> Any:
    if is_dataclass(kind):
        return fill(kind, value, name)  # type: ignore[arg-type]
    if get_origin(kind) is dict:
        return _mapping(get_args(kind)[1], value, name)
    if get_origin(kind) is tuple:
        return _words(value, name)
    if kind == Seconds:
        return _seconds(value, name)
    if kind == Size:
        return _size(value, name)
    if kind == Port:
        return _port(value, name)
    if kind is bool:
        return _boolean(value, name)
    if kind is int:
        return _whole_number(value, name)
    if not isinstance(value, str):
        raise _unfit(name, "a text", value)
    return value


def _mapping(kind: Any, value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unfit(name, "a table", value)
    tables = {key: inner for key, inner in value.items() if isinstance(inner, dict) or kind is str}
    return {key: _convert(kind, inner, f"{name}.{key}") for key, inner in tables.items()}


def _words(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise _unfit(name, "a list of texts", value)
    return tuple(value)


def _seconds(value: Any, name: str) -> float:
    text = str(value)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise _unfit(name, "a duration such as 1m30s", value)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _size(value: Any, name: str) -> int:
    found = _SIZE.fullmatch(str(value))
    if not found or isinstance(value, bool):
        raise _unfit(name, "a size such as 50MiB", value)
    return int(float(found[1]) * 1024 ** _POWERS.index(found[2].lower() or " "))


def _boolean(value: Any, name: str) -> bool:
    try:
        return _BOOLEANS[str(value).lower()]
    except KeyError:
        raise _unfit(name, "true or false", value) from None


def _whole_number(value: Any, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise _unfit(name, "a whole number", value)


def _port(value: Any, name: str) -> int:
    number = _whole_number(value, name)
    if not 1 <= number <= LAST_PORT:
        raise _unfit(name, f"a port from 1 to {LAST_PORT}", value)
    return number


def _unfit(name: str, wanted: str, value: Any) -> InvalidInput:
    return InvalidInput(f"{name} in {FILE} must be {wanted}, not {value!r}.")
