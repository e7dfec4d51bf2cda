"""Storage services for tests: a shared one that is made like new, and some of their own."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests import databases
from tests.local.storage import services

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Database
    from tests.local.storage.services import Running, Somebody


class Serve(Protocol):
    """The `serve` fixture: a service with these settings, until the test ends."""

    def __call__(self, **settings: Any) -> Running: ...


@pytest.fixture(scope="session")
def shared_service(platform_template: Database) -> Iterator[Running]:
    """One service for the tests that change nothing but rows and policies of storage."""
    database = databases.clone(platform_template)
    folder = databases.scratch_folder() / "storage"
    with services.serve(database, folder) as running:
        yield running
    shutil.rmtree(folder.parent)
    databases.drop(database)


@pytest.fixture
def storage(shared_service: Running) -> Running:
    """A service with two buckets, where everybody with an account has a folder in `private`."""
    shared_service.make_like_new()
    return shared_service


@pytest.fixture
def serve(empty_database: Database, tmp_path: Path) -> Iterator[Serve]:
    """Start a service of the test's own: `serve(file_size_limit=100)`."""
    empty_database.run(services.OWN_FOLDER)
    with ExitStack() as stack:

        def start(**settings: Any) -> Running:
            folder = tmp_path / "storage"
            return stack.enter_context(services.serve(empty_database, folder, **settings))

        yield start


@pytest.fixture
def ada(storage: Running) -> Somebody:
    """Somebody with an account."""
    return storage.ada


@pytest.fixture
def ben(storage: Running) -> Somebody:
    """Somebody else with an account."""
    return storage.ben


@pytest.fixture
def visitor(storage: Running) -> Somebody:
    """A visitor."""
    return storage.anon


@pytest.fixture
def server(storage: Running) -> Somebody:
    """A server with the secret key."""
    return storage.server
