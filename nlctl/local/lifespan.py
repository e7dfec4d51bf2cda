"""The lifespan protocol of ASGI, from the server's side: applications start and stop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """`app`, started; it is stopped when the block ends. What its start raises is raised here."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    life = asyncio.ensure_future(app(scope, told.get, answers.put))
    try:
        await _tell("startup", life, told, answers)
        yield
        await _tell("shutdown", life, told, answers)
    finally:
        life.cancel()


async def _tell(
    event: str,
    life: asyncio.Future[None],
    told: asyncio.Queue[Message],
    answers: asyncio.Queue[Message],
) -> None:
    await told.put({"type": f"lifespan.{event}"})
    answer = asyncio.ensure_future(answers.get())
    either: set[asyncio.Future[Any]] = {answer, life}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        life.result()  # raises what ended it
    elif answer.result()["type"].endswith(".failed"):
        raise RuntimeError(answer.result().get("message") or f"{event} failed")
