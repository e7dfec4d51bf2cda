"""The limit for bench.data_api: psycopg in pipeline mode. URL get|rpc CONNECTIONS SECONDS

It sends what the gateway sends for the requests of bench.data_api_load: the same settings with the
same values, the same query. One pipeline is one transaction, for the gateway too, so neither sends
`begin` and `commit`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING

import psycopg
import uvloop

from bench.data_api import CLAIMS
from bench.data_api_load import WARM_UP_SECONDS, headers, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

METHODS = {"get": "GET", "rpc": "POST"}
PATHS = {"get": "/readings", "rpc": "/rpc/mean_value"}
QUERIES = {
    "get": """
        select null, count(*)::text, coalesce(json_agg(t)::text, '[]'),
          nullif(current_setting('response.headers', true), ''),
          nullif(current_setting('response.status', true), ''), null, null
        from (
          select "public"."readings".* from "public"."readings"
          where "public"."readings"."id" = $1 limit 1000
        ) as t""",
    "rpc": """
        with source as (
          select call.scalar
          from (select $1::json as content) as payload,
            lateral (
              select "p_first", "p_last"
              from json_to_record(payload.content) as _ ("p_first" integer, "p_last" integer)
              limit 1) as body,
            lateral (
              select "public"."mean_value"("p_first" => body."p_first", "p_last" => body."p_last")
                as scalar) as call)
        select null, '1', coalesce((json_agg(t.scalar)->0)::text, 'null'),
          nullif(current_setting('response.headers', true), ''),
          nullif(current_setting('response.status', true), ''), null, null
        from (select * from source limit 1000) as t""",
}


def settings(subject: str, body: str) -> dict[str, str]:
    """What the gateway sets before each query."""
    return {
        "search_path": '"public", "public", "extensions"',
        "statement_timeout": "8s",
        "role": "authenticated",
        "request.jwt.claims": json.dumps(CLAIMS),
        "request.method": METHODS[subject],
        "request.path": PATHS[subject],
        "request.headers": json.dumps(headers(subject, body)),
        "request.cookies": "{}",
        "response.headers": "",
        "response.status": "",
        "transaction_read_only": "on",
    }


def setting(names: Iterable[str]) -> str:
    """The statement that sets them."""
    calls = (
        f"set_config('{name}', ${number}, true) is null"
        for number, name in enumerate(names, start=1)
    )
    return f"select {', '.join(calls)}"


def value(subject: str, number: int) -> str:
    """The parameter of one query."""
    if subject == "get":
        return str(2 * number)
    return json.dumps({"p_first": number, "p_last": number + 20})


async def ask(
    connection: psycopg.AsyncConnection[tuple[str, ...]], subject: str, until: float
) -> list[float]:
    """Seconds that each transaction took, on one connection."""
    taken: list[float] = []
    asked = [value(subject, number) for number in range(1, 500)]
    given = settings(subject, asked[0])
    set_all, values = setting(given), list(given.values())
    for parameter in cycle(asked):
        begin = perf_counter()
        if begin > until:
            break
        async with connection.pipeline():
            await connection.execute(set_all, values)
            cursor = await connection.execute(QUERIES[subject], [parameter])
        row = await cursor.fetchone()
        taken.append(perf_counter() - begin)
        if row is None or row[2] in {"[]", "null"}:
            raise RuntimeError(f"Not what was asked for: {row}")
    return taken


async def load(url: str, subject: str, connections: int, seconds: float) -> dict[str, float]:
    """Run on all connections at once, first to warm up."""
    opened = [
        await psycopg.AsyncConnection.connect(
            url, autocommit=True, prepare_threshold=0, cursor_factory=psycopg.AsyncRawCursor
        )
        for _ in range(connections)
    ]
    taken: list[float] = []
    for period in (WARM_UP_SECONDS, seconds):
        until = perf_counter() + period
        runs = [ask(connection, subject, until) for connection in opened]
        taken = sorted(one for run in await asyncio.gather(*runs) for one in run)
    for connection in opened:
        await connection.close()
    return summary(taken, seconds)


if __name__ == "__main__":
    url, subject, connections, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(load(url, subject, int(connections), float(seconds)))))
