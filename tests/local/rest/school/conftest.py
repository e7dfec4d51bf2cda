"""Fixtures: the school, which forgets whatever it is asked to write, and who asks it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl.local.rest.config import RestConfig
from tests import databases
from tests.local.rest.school.asking import School, opened
from tests.local.rest.serving import ADA, BEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.local.cluster import Cluster
    from tests.databases import Database

SCHOOL = Path(__file__).with_name("school.sql")


@pytest.fixture(scope="session")
def school_template(cluster: Cluster, platform_template: Database) -> Database:
    """A fresh project with the school in it, to be copied."""
    template = databases.create(cluster, name="template_school", template=platform_template.name)
    with psycopg.connect(template.url) as connection:
        connection.execute(SCHOOL.read_bytes())
    return template


@pytest.fixture(scope="package")
def school(school_template: Database) -> Iterator[School]:
    """Asked by nobody in particular; what it writes is rolled back."""
    database = databases.clone(school_template)
    config = RestConfig(
        database.authenticator_url,
        transaction_end="rollback-allow-override",
        aggregates_enabled=True,
        plan_enabled=True,
    )
    yield from opened(config)
    databases.drop(database)


@pytest.fixture
def own_database(school_template: Database) -> Iterator[Database]:
    """A school of the test's own, which it may change."""
    database = databases.clone(school_template)
    yield database
    databases.drop(database)


@pytest.fixture
def own_school(own_database: Database) -> Iterator[School]:
    """The same, asked for what it keeps."""
    yield from opened(RestConfig(own_database.authenticator_url))


@pytest.fixture
def ada(school: School) -> School:
    return school.as_("authenticated", sub=ADA)


@pytest.fixture
def ben(school: School) -> School:
    return school.as_("authenticated", sub=BEN)
