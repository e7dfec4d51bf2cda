"""Pipelines: what one request leaves on a connection is nothing to the next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl.local import pipeline
from nlctl.local.pipeline import Connection, Pool, Step

if TYPE_CHECKING:
    from tests.databases import Database

BEGIN, ROLLBACK = Step(b"begin"), Step(b"rollback")
INSERT = Step(b"insert into public.pairs values (1, 2)")


def test_a_failed_transaction_can_be_ended_however_many_statements_were_prepared(
    fresh: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "REMEMBERED", 2)

    async def fail_often() -> list[bytes | None]:
        connection = await Connection.open(fresh.authenticator_url, "test")
        try:
            for number in range(10):
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await connection.run([BEGIN, Step(b"select %d" % number), Step(b"select 1/0")])
                await connection.run([ROLLBACK])
            return [(await connection.run([Step(b"select 'well'")]))[0].get_value(0, 0)]
        finally:
            connection.close()

    assert asyncio.run(fail_often()) == [b"well"]


def test_statements_are_forgotten_before_there_are_too_many(
    fresh: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "REMEMBERED", 5)

    async def ask_often() -> bytes | None:
        connection = await Connection.open(fresh.authenticator_url, "test")
        try:
            for number in range(50):
                await connection.run([Step(b"select %d" % number)])
            counted = Step(b"select count(*)::text from pg_prepared_statements")
            return (await connection.run([counted]))[0].get_value(0, 0)
        finally:
            connection.close()

    assert int(asyncio.run(ask_often()) or 0) <= 7


def test_a_transaction_left_open_is_nobody_elses(fresh: Database) -> None:
    async def leave_open() -> list[bytes | None]:
        pool = Pool(fresh.authenticator_url, "test", size=1, patience=10)
        try:
            async with pool.connection() as connection:
                await connection.run([BEGIN, Step(b"set local role anon")])
            async with pool.connection() as connection:
                answer = await connection.run([Step(b"select current_user::text")])
            return [answer[0].get_value(0, 0)]
        finally:
            pool.close()

    assert asyncio.run(leave_open()) == [b"authenticator"]


def test_what_is_sent_together_is_one_transaction_whose_end_may_fail(fresh: Database) -> None:
    fresh.run(
        "create table public.pairs"
        " (id int primary key, other int references public.pairs deferrable initially deferred)"
    )

    async def fail_at_the_end() -> bytes | None:
        connection = await Connection.open(fresh.url, "test")
        try:
            for _ in ("prepared", "as prepared"):
                with pytest.raises(psycopg.errors.ForeignKeyViolation):
                    await connection.run([INSERT, Step(b"select 1")])
                assert not connection.is_in_transaction
            counted = Step(b"select count(*)::text from public.pairs")
            return (await connection.run([Step(b"select 1"), counted]))[1].get_value(0, 0)
        finally:
            connection.close()

    assert asyncio.run(fail_at_the_end()) == b"0"
