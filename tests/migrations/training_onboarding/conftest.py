"""Two clients for a whole file of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import callers

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.databases import Database


@pytest.fixture(scope="module")
def ada(school: Database) -> Person:
    """A client who never gets anything through: the form refuses all she sends."""
    return callers.sign_up(school, "client")


@pytest.fixture(scope="module")
def ben(school: Database) -> Person:
    """A client who submits again and again."""
    return callers.sign_up(school, "client")
