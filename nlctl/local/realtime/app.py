"""The Realtime service as an ASGI application: its routes, and how it starts and stops."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from nlctl.local.realtime import api
from nlctl.local.realtime.api import Api
from nlctl.local.realtime.authorization import Authorizer
from nlctl.local.realtime.door import Door
from nlctl.local.realtime.hub import Hub
from nlctl.local.realtime.limited import LimitedHub
from nlctl.local.realtime.rates import Rate
from nlctl.local.realtime.service import Service
from nlctl.local.realtime.source import Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nlctl.local.realtime import contract
    from nlctl.local.realtime.config import RealtimeConfig
    from nlctl.local.tokens import Keyring


def create(
    config: RealtimeConfig,
    keyring: Keyring,
    make_source: Callable[[str, contract.Hub], contract.Source] = Source,
) -> Starlette:
    """The service for one project; it connects when its lifespan starts."""
    hub = Hub()
    messages = Rate.per_second(config.limits.messages_per_second)
    limited = LimitedHub(hub, config.limits.payload_bytes, messages)
    service = Service(
        config=config,
        keyring=keyring,
        hub=hub,
        authorizer=Authorizer(config.database_url),
        source=make_source(config.database_url, limited),
        messages=messages,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await service.authorizer.open()
        try:
            await service.source.open()
            yield
        finally:
            await service.source.close()
            await service.authorizer.close()

    endpoints = Api(service)
    app = Starlette(
        routes=[
            WebSocketRoute("/websocket", Door(service)),
            Route("/api/broadcast", endpoints.broadcast_many, methods=["POST"]),
            Route(
                "/api/broadcast/{topic}/events/{event}",
                endpoints.broadcast_one,
                methods=["POST"],
            ),
            Route("/api/tenants{rest:path}", api.refuse),
            Route("/api/openapi", api.refuse),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app
