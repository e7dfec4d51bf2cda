"""A Data API to ask: behind a real socket, or in this process, which is quicker to make."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from postgrest import SyncPostgrestClient

from nlctl.local import rest
from tests.local.test_tokens import RING

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from nlctl.local.rest import DataApi, RestConfig

ADA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"


def bearer(role: str, **claims: object) -> dict[str, str]:
    """The header of somebody with a token."""
    return {"Authorization": f"Bearer {RING.sign({'role': role, **claims})}"}


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """The body of a refusal: the four keys that every client reads, and the header beside them."""
    error: dict[str, Any] = answer.json()
    assert error.keys() == {"code", "message", "details", "hint"}
    assert answer.headers["proxy-status"] == f"PostgREST; error={error['code']}"
    return error


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The same, where it is this status and code."""
    error = refusal(answer)
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    return error


def rows(reader: httpx.Client, path: str, **headers: str) -> Any:
    answer = reader.get(path, headers=headers)
    assert answer.status_code in {200, 206}, answer.text
    return answer.json()


def ids(reader: httpx.Client, query: str, table: str = "books") -> list[int]:
    """Which rows a filter keeps."""
    return [row["id"] for row in rows(reader, f"/{table}?select=id&order=id&{query}")]


@dataclass(frozen=True)
class Served:
    """Where the API answers, and how to get there if not by the network."""

    url: str
    transport: httpx.BaseTransport | None = None

    def client(self, role: str | None = None, **claims: object) -> httpx.Client:
        """Whoever has a token of `role`; without one, anybody."""
        headers = bearer(role, **claims) if role else {}
        return httpx.Client(base_url=self.url, headers=headers, transport=self.transport)

    @contextmanager
    def supabase(self, role: str, **claims: object) -> Iterator[SyncPostgrestClient]:
        """The same, with supabase-py's part for the Data API."""
        with self.client(role, **claims) as client:
            yield SyncPostgrestClient(self.url, http_client=client)


@contextmanager
def serve(config: RestConfig) -> Iterator[Served]:
    """Serve on a free port, until the end of the block."""
    api = rest.create(config, RING)
    server = uvicorn.Server(uvicorn.Config(api, port=0, ws="none", log_config=None))
    started = threading.Event()
    startup = server.startup

    async def startup_and_tell(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = startup_and_tell  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        assert started.wait(30)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def embed(config: RestConfig) -> Iterator[Served]:
    """Answer in this process, until the end of the block."""
    api = rest.create(config, RING)
    with _Loop() as loop:
        loop.run(api.start())
        try:
            yield Served("http://library", _Direct(api, loop))
        finally:
            loop.run(api.stop())


class _Loop:
    """An event loop that runs beside the test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> _Loop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


class _Direct(httpx.BaseTransport):
    """From a client of this thread to an app of that loop."""

    def __init__(self, api: DataApi, loop: _Loop) -> None:
        self._transport = httpx.ASGITransport(api)
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._loop.run(self._ask(request))
        return response

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        request.read()
        answer = await self._transport.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)
