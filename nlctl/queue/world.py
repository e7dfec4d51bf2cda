"""The outside world as worker functions meet it: what they may name beside their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlctl import targets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nlctl.project import Project
    from nlctl.targets import Access
    from supabase import AsyncClient


class World:
    """What a target offers to functions, made when the first of them asks for it."""

    def __init__(self, project: Project, target_name: str | None = None) -> None:
        self._project = project
        self._target_name = target_name
        self._clients: dict[Access, AsyncClient] = {}

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
            from supabase import AsyncClientOptions, acreate_client

            options = AsyncClientOptions(auto_refresh_token=False, persist_session=False)
            self._clients[access] = await acreate_client(access.api_url, access.secret_key, options)
        return self._clients[access]
