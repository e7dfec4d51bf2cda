"""Buckets: those that supabase/config.toml declares, made and kept as it says."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nlctl.errors import BucketsRefused, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LETTERS = r"A-Za-z0-9_!.*'() &$=@;:+,?-"
LONGEST_NAME = 100

_NAME = re.compile(f"[{LETTERS}]+")


class Outcome(StrEnum):
    """What became of a bucket."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Bucket:
    """A bucket as it shall be; without a limit of its own, that of the project applies."""

    id: str
    public: bool
    file_size_limit: int | None
    allowed_mime_types: Sequence[str]


def is_name(text: str) -> bool:
    """Whether the Storage service lets a bucket be called so."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def sync(url: str, declared: Iterable[Bucket], *, dry_run: bool = False) -> dict[str, Outcome]:
    """Make what is missing and change what differs; other buckets are left alone."""
    import psycopg

    from nlctl import database

    wanted = list(declared)
    for bucket in wanted:
        if not is_name(bucket.id):
            raise InvalidInput(f"A bucket cannot be called {bucket.id!r}.")
    rows = json.dumps([asdict(bucket) for bucket in wanted])
    try:
        with database.connect(url) as connection:
            statement = database.load_sql("nlctl.sql", "sync_buckets")
            written: dict[str, bool] = dict(connection.execute(statement, {"buckets": rows}))
            if dry_run:
                connection.rollback()
    except psycopg.Error as error:
        raise BucketsRefused(
            f"No bucket was changed: {database.reason(error)}.",
            hint="Sync as postgres, into a Supabase database.",
        ) from error
    return {bucket.id: _outcome(written.get(bucket.id)) for bucket in wanted}


def _outcome(is_new: bool | None) -> Outcome:
    if is_new is None:
        return Outcome.UNCHANGED
    return Outcome.CREATED if is_new else Outcome.UPDATED
