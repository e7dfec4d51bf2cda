"""The header Prefer: what is asked for beside the answer, and what of it was honoured."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from nlctl.local.rest.request import (
    Action,
    ApiRequest,
    Count,
    Handling,
    Missing,
    Preferences,
    Resolution,
    Return,
    Transaction,
)

P = TypeVar("P", bound=StrEnum)

NAMES: dict[type[StrEnum], str] = {
    Resolution: "resolution",
    Return: "return",
    Count: "count",
    Transaction: "tx",
    Missing: "missing",
    Handling: "handling",
}
_KNOWN = {f"{name}={choice}" for kind, name in NAMES.items() for choice in kind}
NONE = Preferences()
"""What most requests prefer."""

_FREE = ("timezone=", "max-affected=")


def parse(headers: tuple[str, ...], *, may_override_transaction: bool = False) -> Preferences:
    """Preferences of all Prefer headers together; the first of each kind counts."""
    if not headers:
        return NONE
    return _parse(headers, may_override_transaction=may_override_transaction)


@lru_cache(maxsize=256)
def _parse(headers: tuple[str, ...], *, may_override_transaction: bool) -> Preferences:
    given = [text.strip() for header in headers for text in header.split(",")]
    given = [text for text in given if text]
    return Preferences(
        returning=_first(given, Return),
        resolution=_first(given, Resolution),
        count=_first(given, Count),
        missing=_first(given, Missing),
        handling=_first(given, Handling),
        transaction=_first(given, Transaction) if may_override_transaction else None,
        timezone=_value(given, "timezone="),
        max_affected=_integer(_value(given, "max-affected=")),
        unknown=tuple(t for t in given if t not in _KNOWN and not t.startswith(_FREE)),
    )


def applied(request: ApiRequest, *, resolved: bool = True) -> str | None:
    """What Preference-Applied tells: `resolved` where an insert had a conflict to look for."""
    asked = request.preferences
    return None if asked is NONE else _applied(asked, request.action, resolved=resolved)


@lru_cache(maxsize=256)
def _applied(asked: Preferences, action: Action, *, resolved: bool) -> str | None:
    fills = action in {Action.INSERT, Action.UPDATE}
    limits = action in {Action.UPDATE, Action.DELETE} or action.is_call
    told: list[StrEnum | None] = [
        asked.resolution if action is Action.INSERT and resolved else None,
        asked.missing if fills else None,
        asked.returning if action.is_mutation else None,
        asked.count,
        asked.transaction,
        asked.handling,
    ]
    texts = [f"{NAMES[type(choice)]}={choice}" for choice in told if choice is not None]
    if asked.timezone is not None:
        texts.append(f"timezone={asked.timezone}")
    if limits and asked.is_strict and asked.max_affected is not None:
        texts.append(f"max-affected={asked.max_affected}")
    return ", ".join(texts) or None


def _first(given: list[str], kind: type[P]) -> P | None:
    name = NAMES[kind]
    choices = {f"{name}={choice}": choice for choice in kind}
    return next((choices[text] for text in given if text in choices), None)


def _value(given: list[str], prefix: str) -> str | None:
    return next((text.removeprefix(prefix) for text in given if text.startswith(prefix)), None)


def _integer(text: str | None) -> int | None:
    """A whole number as PostgreSQL's bigint could hold it."""
    if text is None or len(text) > 18 or not text.removeprefix("-").isdecimal():
        return None
    return int(text)
