"""The outside world as worker functions meet it: what they may name beside their arguments."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from nlctl import targets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from nlctl.project import Project
    from nlctl.targets import Access
    from supabase import AsyncClient

TIMEOUT_SECONDS = 30


class World:
    """What a target offers to functions, made when the first of them asks for it."""

    def __init__(self, project: Project, target_name: str | None = None) -> None:
        self._project = project
        self._target_name = target_name
        self._clients: dict[Access, AsyncClient] = {}
        self._open = AsyncExitStack()

    @property
    def makers(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """How each thing is made, by the name under which a function asks for it."""
        return {"db": self.db}

    def secrets(self) -> tuple[str, ...]:
        """What no log may show."""
        return tuple(access.secret_key for access in self._clients)

    async def db(self) -> AsyncClient:
        """A client of the API with the secret key; a new one where the API has moved."""
        access = targets.access(self._project, self._target_name)
        if access not in self._clients:
            self._clients[access] = await self._open.enter_async_context(connect(access))
        return self._clients[access]

    async def close(self) -> None:
        """Let go of everything that was made."""
        await self._open.aclose()


@asynccontextmanager
async def connect(access: Access) -> AsyncIterator[AsyncClient]:
    """A client of an API that may do everything, until the end of the block."""
    import httpx

    from supabase import AsyncClientOptions, acreate_client

    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
        options = AsyncClientOptions(
            auto_refresh_token=False, persist_session=False, httpx_client=http
        )
        yield await acreate_client(access.api_url, access.secret_key, options)
