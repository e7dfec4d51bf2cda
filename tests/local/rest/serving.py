"""A Data API behind a real socket, for tests that speak HTTP to it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import uvicorn

from nlctl.local import rest
from tests.local.test_tokens import RING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from nlctl.local.rest.config import RestConfig

ADA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"


def bearer(role: str, **claims: object) -> dict[str, str]:
    """The header of somebody with a token."""
    return {"Authorization": f"Bearer {RING.sign({'role': role, **claims})}"}


@dataclass(frozen=True)
class Served:
    """Where the API answers."""

    url: str

    def client(self, role: str | None = None, **claims: object) -> httpx.Client:
        """Whoever has a token of `role`; without one, anybody."""
        return httpx.Client(base_url=self.url, headers=bearer(role, **claims) if role else {})


@contextmanager
def serve(config: RestConfig) -> Iterator[Served]:
    """Serve the API over a database on a free port, until the end of the block."""
    with listening(rest.create(config, RING)) as url:
        yield Served(url)


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    )
    started = threading.Event()
    startup = server.startup

    async def startup_and_tell(sockets: object = None) -> None:
        await startup(None)
        started.set()

    server.startup = startup_and_tell  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        assert started.wait(30)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
