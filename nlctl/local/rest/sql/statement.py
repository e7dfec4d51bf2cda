"""A statement as text, and where its parameters are among the values of a shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local.rest.names import array

if TYPE_CHECKING:
    from nlctl.local.rest.shape import Values

Slot = int | tuple[int, ...]
"""Where a parameter is among the values of a shape; several make an array."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, and where its parameters are among the values."""

    text: bytes
    slots: tuple[Slot, ...] = ()

    def parameters(self, values: Values) -> list[bytes | None]:
        """The values, in the order of the statement's numbers."""
        return [_value(values, slot) for slot in self.slots]


class Parameters:
    """The parameters of one statement, numbered as they come."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []

    def number(self, slot: Slot) -> str:
        self._slots.append(slot)
        return f"${len(self._slots)}"

    def of(self, text: str) -> Statement:
        """The statement whose text has all of these numbers in it."""
        return Statement(text.encode(), tuple(self._slots))


def _value(values: Values, slot: Slot) -> bytes | None:
    if isinstance(slot, int):
        return values[slot]
    return array((values[one] or b"").decode() for one in slot).encode()
