"""The limit for bench.data_api: psycopg in pipeline mode. URL get|rpc CONNECTIONS SECONDS

One pipeline is one transaction, for the gateway too, so neither sends `begin` and `commit`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count
from time import perf_counter

import psycopg
import uvloop

from bench.data_api import OWNER
from bench.data_api_load import WARM_UP_SECONDS, summary

HEADERS = {"host": "localhost", "apikey": "x" * 46, "accept": "*/*", "user-agent": "bench"}
SETTINGS = {
    "search_path": '"public", "public", "extensions"',
    "statement_timeout": "8s",
    "role": "authenticated",
    "request.jwt.claims": json.dumps(
        {"role": "authenticated", "sub": OWNER, "aud": "authenticated", "aal": "aal1"}
    ),
    "request.method": "GET",
    "request.path": "/readings",
    "request.headers": json.dumps(HEADERS),
    "request.cookies": "{}",
    "response.headers": "",
    "response.status": "",
    "transaction_read_only": "on",
}
SET = "select " + ", ".join(
    f"set_config('{name}', ${number}, true) is null"
    for number, name in enumerate(SETTINGS, start=1)
)
QUERIES = {
    "get": """
        select null, count(*)::text, coalesce(json_agg(t)::text, '[]'),
          nullif(current_setting('response.headers', true), ''),
          nullif(current_setting('response.status', true), '')
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
          nullif(current_setting('response.status', true), '')
        from (select * from source limit 1000) as t""",
}


def value(subject: str, number: int) -> object:
    """The parameter of one query."""
    if subject == "get":
        return 2 * number
    return json.dumps({"p_first": number, "p_last": number + 20})


async def ask(
    connection: psycopg.AsyncConnection[tuple[str, ...]], subject: str, until: float
) -> list[float]:
    """Seconds that each transaction took, on one connection."""
    taken: list[float] = []
    settings = list(SETTINGS.values())
    for number in count():
        begin = perf_counter()
        if begin > until:
            break
        async with connection.pipeline():
            await connection.execute(SET, settings)
            cursor = await connection.execute(QUERIES[subject], [value(subject, number % 499 + 1)])
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
