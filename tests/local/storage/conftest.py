"""Storage services for tests, each with a database and a folder of its own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.local.storage import services

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Database
    from tests.local.storage.services import Running, Somebody


class Serve(Protocol):
    """The `serve` fixture: a service with these settings, until the test ends."""

    def __call__(self, **settings: Any) -> Running: ...


@pytest.fixture
def serve(empty_database: Database, tmp_path: Path) -> Iterator[Serve]:
    """Start a service: `serve(file_size_limit=100)`."""
    empty_database.run(services.OWN_FOLDER)
    with ExitStack() as stack:

        def start(**settings: Any) -> Running:
            folder = tmp_path / "storage"
            return stack.enter_context(services.serve(empty_database, folder, **settings))

        yield start


@pytest.fixture
def storage(serve: Serve) -> Running:
    """A service with two buckets, where everybody with an account has a folder in `private`."""
    return serve()


@pytest.fixture
def ada(storage: Running) -> Somebody:
    """Somebody with an account."""
    return storage.ada


@pytest.fixture
def ben(storage: Running) -> Somebody:
    """Somebody else with an account."""
    return storage.ben


@pytest.fixture
def anon(storage: Running) -> Somebody:
    """A visitor."""
    return storage.anon


@pytest.fixture
def server(storage: Running) -> Somebody:
    """A server with the secret key."""
    return storage.server
