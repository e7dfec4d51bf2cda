"""The Storage service as an ASGI application: how it starts, answers and stops."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from typing import TYPE_CHECKING

from nlctl.local.storage import errors, resumable, routes
from nlctl.local.storage.call import Answer, Call, Gone, Service, answer
from nlctl.local.storage.database import Database
from nlctl.local.storage.folder import Folder
from nlctl.local.storage.resumable import Misuse, Uploads
from nlctl.local.storage.routes import Access

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from nlctl.local.storage.config import StorageConfig
    from nlctl.local.storage.routes import Route
    from nlctl.local.tokens import Keyring

log = logging.getLogger(__name__)

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def create(config: StorageConfig, keyring: Keyring) -> ASGIApp:
    """The service for one project; it opens its folder when its lifespan starts."""
    return _Storage(config, keyring)


class _Storage:
    def __init__(self, config: StorageConfig, keyring: Keyring) -> None:
        folder = Folder(config.folder)
        database = Database(config.database_url, config.connections)
        self._service = Service(config, keyring, database, folder, Uploads(folder))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(Call(scope, receive, self._service), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._service.folder.open()
        self._service.uploads.sweep()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._service.database.close()
        self._service.folder.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, call: Call, send: Send) -> None:
        with contextlib.suppress(Gone):
            made = await self._answer(call)
            await _send(call, made, send)

    async def _answer(self, call: Call) -> Answer:
        route: Route | None = None
        try:
            route, call.place = routes.find(call.method, call.path)
            call.operation = route.operation
            if route.access is not Access.OPEN:
                call.authenticate(leniently=route.access is Access.ANYBODY)
            return await route.act(call)
        except Misuse as misuse:
            return resumable.refuse(misuse)
        except errors.Refusal as refusal:
            refused = refusal
        except OSError as error:
            refused = errors.disk_full() if error.errno in NO_ROOM else errors.broken()
            log.exception("%s %s failed", call.method, call.path)
        except Gone:
            raise
        except Exception:
            refused = errors.broken()
            log.exception("%s %s failed", call.method, call.path)
        if route and route.is_resumable:
            return resumable.refuse(refused)
        return answer(refused.as_dict(), refused.http_status)


async def _send(call: Call, made: Answer, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in made.headers]
    if made.body:
        headers.append((b"content-length", str(len(made.body)).encode()))
    await send({"type": "http.response.start", "status": made.status, "headers": headers})
    if made.chunks is None:
        await send({"type": "http.response.body", "body": made.body})
        return
    async with contextlib.aclosing(made.chunks) as chunks:
        await _stream(call, chunks, send)


async def _stream(call: Call, chunks: AsyncIterator[bytes], send: Send) -> None:
    """Send piece by piece, as fast as they are taken, and only while somebody takes them."""
    listening: asyncio.Task[None] | None = None
    try:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            listening = listening or asyncio.ensure_future(_hang_up(call))
            if listening.done():
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        if listening:
            listening.cancel()


async def _hang_up(call: Call) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass
