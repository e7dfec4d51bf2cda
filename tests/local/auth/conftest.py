"""Auth services for tests: as the CLI configures them, and with confirmations."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.local.auth import services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database
    from tests.local.auth.services import Outbox, Running


class Serve(Protocol):
    """The `serve` fixture: a service with these settings, until the test ends."""

    def __call__(self, **settings: Any) -> Running: ...


@pytest.fixture(scope="session")
def post_office() -> Iterator[Outbox]:
    """One SMTP server for all tests."""
    with services.catch_letters() as outbox:
        yield outbox


@pytest.fixture
def outbox(post_office: Outbox) -> Outbox:
    """The letters of this test."""
    post_office.letters.clear()
    return post_office


@pytest.fixture
def serve(empty_database: Database, outbox: Outbox) -> Iterator[Serve]:
    """Start a service: `serve(confirm_email=True)`."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Running:
            return stack.enter_context(services.serve(empty_database, outbox, **settings))

        yield start


@pytest.fixture
def auth(serve: Serve) -> Running:
    """A service as the Supabase CLI configures it: addresses need no confirmation."""
    return serve()


@pytest.fixture
def confirming(serve: Serve) -> Running:
    """A service that asks for every address to be confirmed."""
    return serve(confirm_email=True)
