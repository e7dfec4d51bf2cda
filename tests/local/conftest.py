"""What the tests of the platform share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import databases
from tests.local import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.local.cluster import Cluster
    from tests.databases import Database


@pytest.fixture(scope="session")
def fresh(cluster: Cluster, platform_template: Database) -> Iterator[Database]:
    """A fresh Supabase project that every test reads and none changes."""
    made = databases.create(cluster, template=platform_template.name)
    yield made
    databases.drop(made)


@pytest.fixture
def rewritten(fresh: Database) -> Database:
    """A project on the embedded server, whose extensions are ours."""
    if catalogue.version(fresh) < 18:
        pytest.skip("This server has the original extensions and knows no control path.")
    return fresh
