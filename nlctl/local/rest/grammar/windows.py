"""Windows: which rows of those found, by `limit`, `offset` and the header `Range`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlctl.local.rest import errors
from nlctl.local.rest.request import WHOLE, Window

if TYPE_CHECKING:
    from nlctl.local.rest.request import Query

LARGEST = 2**63 - 1
_RANGE = re.compile(r"([0-9]+)-([0-9]*)")
_NUMBER = re.compile(r"\s*(-?)([0-9]+)\s*")


def read(limit_text: str | None, offset_text: str | None) -> Window:
    limit, offset = _integer(limit_text), _integer(offset_text)
    if limit is not None and limit < 0:
        raise errors.range_not_satisfiable("Limit should be greater than or equal to zero.")
    return Window(offset=max(offset or 0, 0), limit=limit)


def _integer(text: str | None) -> int | None:
    """What is no number was not asked for; what is too large is as large as can be."""
    match = _NUMBER.fullmatch(text or "")
    if match is None:
        return None
    sign, digits = match.groups()
    number = int(digits) if len(digits) < len(str(LARGEST)) else LARGEST
    return -number if sign else number


def met(query: Query, range_header: str | None) -> Query:
    """With the rows of the root cut to those that `Range: first-last` asks for too."""
    if range_header is None:
        return query
    window = _meet(query.window, range_header)
    return query if window == WHOLE else query._replace(windows={**query.windows, (): window})


def _meet(window: Window, range_header: str | None) -> Window:
    first, last = _header_range(range_header)
    if last is not None and last < first:
        raise errors.range_not_satisfiable(
            "The lower boundary must be lower than or equal to the upper boundary "
            "in the Range header."
        )
    if window.limit == 0 and window.offset == 0:
        return window
    until = None if window.limit is None else window.offset + window.limit - 1
    upper = min((bound for bound in (until, last) if bound is not None), default=None)
    lower = max(window.offset, first)
    if upper is None:
        return Window(offset=lower)
    if upper < lower:
        raise errors.range_not_satisfiable("Limit should be greater than or equal to zero.")
    return Window(offset=lower, limit=upper - lower + 1)


def _header_range(text: str | None) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(text or "")
    if match is None:
        return 0, None
    return _integer(match[1]) or 0, _integer(match[2])
