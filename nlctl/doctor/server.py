"""Server: its version, its encoding, and whether it is a Supabase database at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.database import API_ROLES
from nlctl.doctor.findings import Finding, error, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from nlctl.project import Project

OLDEST, NEWEST = 15, 18
PRODUCTION = 17


def check(project: Project, connection: Connection) -> Iterator[Finding]:
    """What the server tells of itself."""
    yield check_version(connection.info.server_version // 10_000, _production(project))
    yield check_encoding(connection.info.parameter_status("server_encoding"))
    yield check_roles(connection)


def check_version(major: int, production: int) -> Finding:
    """Whether the product is tested on this PostgreSQL, and production runs the same."""
    message = f"PostgreSQL {major}; production runs {production}."
    if major < OLDEST:
        return error("version", message, f"Upgrade it to {OLDEST} or later.")
    if major > NEWEST:
        return warning("version", message, f"nlctl is tested on {OLDEST} to {NEWEST}.")
    if major > production:
        fix = f"Run the tests with NLCTL_LOCAL_PG_BIN on PostgreSQL {production} or earlier too."
        return warning("version", message, fix)
    return ok("version", message)


def check_encoding(encoding: str | None) -> Finding:
    """Whether the database holds every letter."""
    if encoding == "UTF8":
        return ok("encoding", "The database holds UTF-8.")
    return error("encoding", f"The database holds {encoding}.", "Recreate it with encoding UTF8.")


def check_roles(connection: Connection) -> Finding:
    """Whether the roles of the Data API are there."""
    rows = connection.execute(
        "select rolname from pg_roles where rolname = any (%s)", (list(API_ROLES),)
    ).fetchall()
    missing = [role for role in API_ROLES if (role,) not in rows]
    if missing:
        return error(
            "roles",
            f"Not a Supabase database: no role {', '.join(missing)}.",
            "Check the target's URL, or run: nlctl up",
        )
    return ok("roles", "The roles of the Data API are there.")


def _production(project: Project) -> int:
    return int(project.platform_settings.get("db", {}).get("major_version", PRODUCTION))
