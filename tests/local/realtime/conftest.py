"""Realtime services for tests: one that everybody shares, and those with limits of their own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests import databases
from tests.local.realtime import serving
from tests.local.realtime.serving import ARRAYS, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database
    from tests.local.realtime.serving import Running


class Serve(Protocol):
    """The `serve` fixture: a service with these limits, until the test ends."""

    def __call__(self, **limits: Any) -> Running: ...


@pytest.fixture(scope="module")
def rooms(platform_template: Database) -> Iterator[Database]:
    """A database for the policies of a module's tests, each on topics of its own."""
    made = databases.clone(platform_template)
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def realtime(rooms: Database) -> Iterator[Running]:
    """A service with the usual limits; tests share it, and use topics of their own."""
    with serving.serve(rooms.realtime_admin_url) as running:
        yield running


@pytest.fixture
def serve(rooms: Database) -> Iterator[Serve]:
    """Start a service: `serve(payload_bytes=1000)`."""
    with ExitStack() as stack:

        def start(**limits: Any) -> Running:
            return stack.enter_context(serving.serve(rooms.realtime_admin_url, **limits))

        yield start


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic that no other test uses."""
    name: str = request.node.name
    return f"room:{name}"


@pytest.fixture(params=[OBJECTS, ARRAYS])
def version(request: pytest.FixtureRequest) -> str:
    """Each version of the protocol."""
    spoken: str = request.param
    return spoken
