"""Reloading: the schema changes while people ask, and no change goes unnoticed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from nlctl.local.rest.app import DataApi
from nlctl.local.rest.config import RestConfig
from nlctl.local.rest.database import Database as ApiDatabase
from nlctl.local.rest.names import Name
from nlctl.local.rest.watcher import Watcher
from tests.local.rest.school.asking import School
from tests.local.test_tokens import RING

if TYPE_CHECKING:
    from tests.databases import Database


def test_a_new_table_and_a_new_column_are_served(
    own_database: Database, own_school: School
) -> None:
    assert own_school.get("/clubs").code == "PGRST205"
    create = "create table public.clubs (id int); grant all on public.clubs to anon"
    own_school.until_told(lambda: own_database.run(create))
    assert own_school.get("/clubs").json == []
    assert own_school.post("/clubs", {"nom": "Échecs"}).code == "PGRST204"
    own_school.until_told(lambda: own_database.run("alter table public.clubs add nom text"))
    assert own_school.post("/clubs", {"nom": "Échecs"}).status == 201


def test_a_statement_that_is_no_longer_right_is_made_anew(
    own_database: Database, own_school: School
) -> None:
    for _ in range(8):
        own_school.get("/journal?select=ligne")
    alter = "alter table public.journal alter ligne type varchar(9), add jour date"
    own_school.until_told(lambda: own_database.run(alter))
    assert own_school.get("/journal?ligne=eq.un").json == [{"ligne": "un", "jour": None}]


def test_a_change_during_a_load_is_loaded_too(own_database: Database) -> None:
    async def scenario() -> list[int]:
        seen: list[int] = []
        is_reading, may_finish = asyncio.Event(), asyncio.Event()

        async def load(connection: psycopg.AsyncConnection[Any]) -> None:
            cursor = await connection.execute("select count(*) from public.journal")
            row = await cursor.fetchone()
            is_reading.set()
            await may_finish.wait()
            seen.append(row[0] if row else -1)

        watcher = Watcher(own_database.url, load)
        starting = asyncio.create_task(watcher.start())
        await is_reading.wait()
        async with await psycopg.AsyncConnection.connect(own_database.url) as other:
            await other.execute("insert into public.journal values ('entre-temps')")
        watcher.refresh()
        may_finish.set()
        async with asyncio.timeout(20):
            while 3 not in seen:
                await asyncio.sleep(0)
        await starting
        await watcher.stop()
        return seen

    seen = asyncio.run(scenario())
    assert seen[0] == 2
    assert seen[-1] == 3


def test_many_notifications_make_few_loads(own_database: Database) -> None:
    async def scenario() -> int:
        loads = 0

        async def load(_connection: psycopg.AsyncConnection[Any]) -> None:
            nonlocal loads
            loads += 1
            await asyncio.sleep(0)

        watcher = Watcher(own_database.url, load)
        await watcher.start()
        for _ in range(1000):
            watcher.refresh()
        await asyncio.sleep(0)
        await watcher.stop()
        return loads

    assert asyncio.run(scenario()) < 10


def test_people_are_answered_while_the_schema_is_read_again(
    own_database: Database, own_school: School
) -> None:
    async def ask() -> set[int]:
        answers = []
        async with await psycopg.AsyncConnection.connect(
            own_database.url, autocommit=True
        ) as admin:
            for number in range(20):
                await admin.execute(f"create table public.t{number} (id int)".encode())
                asked = [own_school.asking("GET", f"/eleves?id=eq.{n}") for n in range(8)]
                answers += await asyncio.gather(*asked)
        return {answer.status for answer in answers}

    assert own_school.runner.run(ask()) == {200}
    last = "Could not find the table 'public.t19' in the schema cache"
    own_school.until(lambda: _knows(own_school, "t19"))
    assert own_school.get("/t19").json.get("message") != last


def test_nobody_is_answered_before_the_schema_is_known(own_database: Database) -> None:
    url = own_database.authenticator_url.replace(own_database.name, "elsewhere")
    with asyncio.Runner() as runner:
        database = ApiDatabase(RestConfig(url))
        school = School(runner, database, DataApi(database, RING))
        runner.run(school.api.start())
        answer = school.get("/eleves")
        runner.run(school.api.stop())
    assert (answer.status, answer.code) == (503, "PGRST002")
    assert answer.headers["retry-after"] == "1"


def test_a_lost_connection_is_made_again(own_database: Database, own_school: School) -> None:
    assert own_school.get("/eleves?id=eq.1").status == 200
    own_school.until_told(lambda: own_database.run(END_OTHERS, user="supabase_admin"))
    assert own_school.get("/eleves?id=eq.1").status == 200
    create = "create table public.apres (id int); grant all on public.apres to anon"
    own_school.until_told(lambda: own_database.run(create))
    assert own_school.get("/apres").status == 200


def test_a_request_whose_connection_ends_is_told_so(
    own_database: Database, own_school: School
) -> None:
    async def ask() -> int:
        asking = asyncio.create_task(own_school.asking("POST", "/rpc/dort"))
        async with await psycopg.AsyncConnection.connect(
            own_database.cluster.url(own_database.name, "supabase_admin"), autocommit=True
        ) as admin:
            ended = 0
            while not ended:
                cursor = await admin.execute(END_SLEEPERS)
                ended = cursor.rowcount
        return (await asking).status

    assert own_school.runner.run(ask()) == 503
    assert own_school.get("/eleves?id=eq.1").status == 200


@pytest.mark.parametrize("size", [1, 2])
def test_more_people_than_connections_take_turns(own_database: Database, size: int) -> None:
    with asyncio.Runner() as runner:
        database = ApiDatabase(RestConfig(own_database.authenticator_url, pool_size=size))
        school = School(runner, database, DataApi(database, RING))
        runner.run(school.api.start())

        async def ask() -> list[int]:
            asked = [school.asking("GET", f"/eleves?id=eq.{n}") for n in range(50)]
            return [answer.status for answer in await asyncio.gather(*asked)]

        statuses = runner.run(ask())
        runner.run(school.api.stop())
    assert statuses == [200] * 50


def test_who_waits_too_long_for_a_connection_is_told_so(own_database: Database) -> None:
    with asyncio.Runner() as runner:
        config = RestConfig(own_database.authenticator_url, pool_size=1, pool_timeout=0.05)
        database = ApiDatabase(config)
        school = School(runner, database, DataApi(database, RING))
        runner.run(school.api.start())

        async def ask() -> int:
            sleeping = asyncio.create_task(school.asking("POST", "/rpc/dort"))
            await asyncio.sleep(0)
            refused = await school.asking("GET", "/eleves")
            sleeping.cancel()
            await asyncio.gather(sleeping, return_exceptions=True)
            return refused.status

        status = runner.run(ask())
        after = school.get("/eleves?id=eq.1")
        runner.run(school.api.stop())
    assert (status, after.status) == (504, 200)


END_OTHERS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and application_name like 'nlctl rest%'
"""

END_SLEEPERS = b"""
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and query like '%dort%' and wait_event = 'PgSleep'
"""


def _knows(school: School, table: str) -> bool:
    known = school.database.schema
    return known is not None and Name("public", table) in known.relations
