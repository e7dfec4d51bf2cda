"""Moments: now, and as the clients read them (RFC 3339)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """As Auth writes it: UTC with a Z; the database's timestamps without zone are UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds_left(moment: datetime | None, seconds: float) -> int | None:
    """How long until `seconds` have gone by since `moment`, if they have not."""
    if moment is None or is_past(moment, seconds):
        return None
    return int(seconds - (now() - moment).total_seconds())


def is_past(moment: datetime | None, seconds: float) -> bool:
    """Whether `seconds` have gone by since `moment`; no moment has always gone by."""
    return moment is None or now() > moment + timedelta(seconds=seconds)
