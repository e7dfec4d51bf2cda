"""Requests to an application in this process, with no socket between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def ask(app: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
    """The answer of `app`; `options` are those of httpx."""

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://stack") as client:
            return await client.request(method, path, **options)

    return asyncio.run(go())
