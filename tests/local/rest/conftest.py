"""A library behind the Data API: one that everybody reads, and one to write in for each test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl.local.rest import RestConfig
from tests import databases
from tests.local.rest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.databases import Database
    from tests.local.rest.serving import Served

LIBRARY = Path(__file__).parent / "library.sql"
SCHEMAS = ("public", "archive")


def config_for(database: Database) -> RestConfig:
    """The API over a test's database, with few connections."""
    return RestConfig(database.authenticator_url, schemas=SCHEMAS, pool_size=3)


@pytest.fixture(scope="session")
def library_template(platform_template: Database) -> Database:
    template = databases.create(
        platform_template.cluster, name="template_library", template=platform_template.name
    )
    with template.connect() as connection:
        connection.execute(LIBRARY.read_bytes())
        connection.execute("analyze")
    return template


@pytest.fixture(scope="session")
def library(library_template: Database) -> Iterator[Database]:
    """The library that every test reads and none changes."""
    made = databases.clone(library_template)
    yield made
    databases.drop(made)


@pytest.fixture(scope="session")
def served(library: Database) -> Iterator[Served]:
    """The API over the library that nobody changes."""
    with serving.serve(config_for(library)) as api:
        yield api


@pytest.fixture(scope="session")
def reader(served: Served) -> Iterator[httpx.Client]:
    """Anybody, reading."""
    with served.client() as client:
        yield client


@pytest.fixture
def own_library(library_template: Database) -> Iterator[Database]:
    """A library of the test's own."""
    made = databases.clone(library_template)
    yield made
    databases.drop(made)


@pytest.fixture
def own(own_library: Database) -> Iterator[Served]:
    """The API over a library of the test's own."""
    with serving.embed(config_for(own_library)) as api:
        yield api


@pytest.fixture
def writer(own: Served) -> Iterator[httpx.Client]:
    """Anybody, writing."""
    with own.client() as client:
        yield client
