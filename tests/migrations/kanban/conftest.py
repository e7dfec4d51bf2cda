"""Boards with their author, and an admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import callers
from tests.formations import Board, make_palette, start

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


@pytest.fixture(scope="module")
def palette(school: Database) -> list[str]:
    """Five modules to compose courses of."""
    return make_palette(school)


@pytest.fixture(scope="module")
def admin(school: Database) -> Person:
    """Somebody who may move everybody's cards."""
    return callers.sign_up(school, "admin")


@pytest.fixture(scope="module")
def shared(school: Database, admin: Person, palette: list[str]) -> Board:
    """A board on which cards move and nothing else happens."""
    return start(callers.sign_up(school, "client"), admin, palette)


@pytest.fixture
def board(member: MakePerson, admin: Person, palette: list[str]) -> Board:
    """A new board of three cards."""
    return start(member(), admin, palette[:3])
