"""Ledgers: migrations that each leave a line, so that one applied twice leaves two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.workshops import Workshop

_TABLE = "create table if not exists public.ledger (version int);"
_BOOKS = """
select
  (select coalesce(array_agg(version::int order by version::int), '{}')
   from supabase_migrations.schema_migrations),
  (select coalesce(array_agg(version::int order by version::int), '{}')
   from nlctl.migrations where state = 'applied'),
  (select coalesce(array_agg(version order by version), '{}') from public.ledger)
"""


def write(workshop: Workshop, count: int) -> None:
    """Make the ledger, and files 1 to `count` that each add a table and a line to it."""
    workshop.database.run(_TABLE)
    for version in range(1, count + 1):
        workshop.write(
            version,
            f"create table public.t{version} (id int);\n"
            f"insert into public.ledger values ({version});",
        )


def read(workshop: Workshop) -> Any:
    """Versions in the history, in our table and in the ledger, at one instant."""
    return workshop.database.run(_BOOKS)[0]
