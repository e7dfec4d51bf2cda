"""Applications start before the first request and stop after the last, or say why not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nlctl.local import lifespan

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def live(app: ASGIApp) -> list[str]:
    """What happens between the start and the end of `app`."""
    happened: list[str] = []

    async def go() -> None:
        async with lifespan.running(app):
            happened.append("served")

    asyncio.run(go())
    return happened


async def well_behaved(scope: Scope, receive: Receive, send: Send) -> None:
    for event in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{event}"
        await send({"type": f"lifespan.{event}.complete"})


async def unable(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise ZeroDivisionError


async def careless(scope: Scope, receive: Receive, send: Send) -> None:
    """Starts, and is gone before it is told to stop."""
    await receive()
    await send({"type": "lifespan.startup.complete"})


def test_an_application_starts_and_stops() -> None:
    assert live(well_behaved) == ["served"]


def test_an_application_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="no database"):
        live(unable)


def test_an_application_with_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        live(broken)


def test_an_application_that_left_early_harms_nobody() -> None:
    assert live(careless) == ["served"]
