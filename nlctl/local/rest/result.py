"""What the database answered to one request, before it becomes HTTP."""

from __future__ import annotations

from typing import NamedTuple

from nlctl.local.rest.request import JSON, Media


class Result(NamedTuple):
    """One answer. The body is bytes as PostgreSQL made them; nothing here is per row."""

    body: bytes = b""
    media: Media = JSON
    """What the body is, after negotiation."""
    rows: int = 0
    """Rows in the body, or changed by the mutation."""
    total: int | None = None
    """Rows without limit and offset; None when no count was asked for."""
    inserted: int | None = None
    """Of an upsert: the rows that were not there before."""
    location: tuple[tuple[str, str], ...] = ()
    """Key columns and their values, of the one row inserted with `return=headers-only`."""
    headers: str | None = None
    """The setting `response.headers`: a JSON array of objects of one key."""
    status: str | None = None
    """The setting `response.status`."""
    is_void: bool = False
    """A function that returns nothing: 204."""
    is_resolved: bool = True
    """Of an insert: whether there was a key on which rows could conflict."""
    warning: str | None = None
    """A deprecation that the answer tells in the header `Warning`."""
