"""Asking: an application in this process without a socket between, or again until it is so."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

PATIENCE_SECONDS = 60
LOOK_SECONDS = 0.05


def ask(app: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
    """The answer of `app`; `options` are those of httpx."""

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://stack") as client:
            return await client.request(method, path, **options)

    return asyncio.run(go())


def eventually(claim: Callable[[], bool]) -> bool:
    """Whether `claim` comes true while somebody would still wait."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True
