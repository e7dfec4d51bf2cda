"""A module, a file in its folder, and who attaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.formations import make_palette
from tests.migrations.resources.files import upload

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


@pytest.fixture
def admin(member: MakePerson) -> Person:
    """Who attaches."""
    return member("admin")


@pytest.fixture
def module(school: Database) -> str:
    """A module of the palette."""
    return make_palette(school, 1)[0]


@pytest.fixture
def path(school: Database, module: str) -> str:
    """A file in the folder of the module, as Storage keeps it."""
    return upload(school, f"{module}/guide.pdf")
