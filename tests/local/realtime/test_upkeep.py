"""What the service does for itself: partitions for the days to come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.local.realtime import hearing
from tests.local.realtime.watching import watching

if TYPE_CHECKING:
    from tests.databases import Database

PARTITIONS = """
select count(*) from pg_inherits where inhparent = 'realtime.messages'::regclass
"""


def test_a_service_that_starts_has_partitions_for_the_days_to_come(
    empty_database: Database,
) -> None:
    [(before,)] = empty_database.run(PARTITIONS)
    empty_database.run(
        """
        do $$ declare name regclass; begin
          for name in select inhrelid::regclass from pg_inherits
            where inhparent = 'realtime.messages'::regclass
              and inhrelid <> 'realtime.messages_default'::regclass
          loop execute format('drop table %s', name); end loop;
        end $$
        """,
        user="supabase_admin",
    )

    async def scenario() -> None:
        async with watching(empty_database):
            await hearing.until(lambda: empty_database.run(PARTITIONS) == [(before,)])

    asyncio.run(scenario())


def test_a_new_partition_is_heard_like_the_others(empty_database: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            await hearing.a_slot(empty_database)
            empty_database.run(
                "create table realtime.messages_1999_01_01 partition of realtime.messages "
                "for values from ('1999-01-01') to ('1999-01-02')",
                user="supabase_admin",
            )
            empty_database.run(
                "insert into realtime.messages (topic, extension, payload, event, inserted_at) "
                "values ('room', 'broadcast', '{}', 'said', '1999-01-01 12:00')"
            )
            await hub.hears_event("said")

    asyncio.run(scenario())
