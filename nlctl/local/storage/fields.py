"""Fields: what a JSON body or a query says, checked and coerced as the service does it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from nlctl.local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WHOLE = re.compile(r"-?\d+")
_BOOLEANS = {"true": True, "false": False, True: True, False: False}  # 1 and 0 equal the latter


class Fields:
    """The members of a document; numbers may come as text, as clients send them."""

    def __init__(self, document: Mapping[str, Any], place: str = "body") -> None:
        self._document = document
        self._place = place

    def __contains__(self, name: str) -> bool:
        return name in self._document

    def require(self, *required: str) -> None:
        """Refuse a document without these."""
        for name in required:
            if name not in self._document:
                raise errors.invalid(f"{self._place} must have required property '{name}'")

    def text(self, name: str, default: str = "", *, among: Sequence[str] = ()) -> str:
        """A text."""
        value = self._document.get(name, default)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._unfit(name, "string")
        if among and str(value) not in among:
            raise errors.invalid(f"{self._place}/{name} must be equal to one of the allowed values")
        return str(value)

    def number(self, name: str, default: int, *, least: int) -> int:
        """A whole number that is `least` or more."""
        value = self._document.get(name, default)
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._unfit(name, "integer")
        if value < least:
            raise errors.invalid(f"{self._place}/{name} must be >= {least}")
        return value

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self._document.get(name, default)
        if isinstance(value, list | dict) or value not in _BOOLEANS:
            raise self._unfit(name, "boolean")
        return _BOOLEANS[value]

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self._document.get(name)
        if not isinstance(value, list):
            raise self._unfit(name, "array")
        if not all(isinstance(each, str) for each in value):
            raise self._unfit(f"{name}/{_first_stranger(value)}", "string")
        return value

    def table(self, name: str) -> Fields:
        """A document inside this one; where there is none, an empty one."""
        value = self._document.get(name) or {}
        if not isinstance(value, dict):
            raise self._unfit(name, "object")
        return Fields(value, f"{self._place}/{name}")

    def raw(self, name: str) -> Any:
        """Whatever stands there."""
        return self._document.get(name)

    def _unfit(self, name: str, kind: str) -> errors.Refusal:
        return errors.invalid(f"{self._place}/{name} must be {kind}")


def read_object(text: str) -> str | None:
    """`text` if it is a JSON object; what is not is left out, as the service does."""
    try:
        return text if isinstance(json.loads(text), dict) else None
    except (ValueError, RecursionError):
        return None


def _first_stranger(values: Sequence[Any]) -> int:
    return next(place for place, each in enumerate(values) if not isinstance(each, str))
