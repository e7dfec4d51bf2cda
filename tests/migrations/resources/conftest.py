"""A module, and a file in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.formations import make_palette
from tests.migrations.resources.files import upload

if TYPE_CHECKING:
    from tests.databases import Database


@pytest.fixture
def module(school: Database) -> str:
    """A module of the palette."""
    return make_palette(school, 1)[0]


@pytest.fixture
def path(school: Database, module: str) -> str:
    """A file in the folder of the module, as Storage keeps it."""
    return upload(school, f"{module}/guide.pdf")
