"""A palette, and a course composed from it, submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.formations import compose, make_palette, submit

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.databases import Database


@pytest.fixture
def palette(school: Database) -> list[str]:
    """Five modules to compose courses of."""
    return make_palette(school)


@pytest.fixture
def course_id(ada: Person, palette: list[str]) -> str:
    """Ada's draft of three modules."""
    return compose(ada, palette[:3])


@pytest.fixture
def submission_id(ada: Person, course_id: str) -> str:
    """Ada's draft, submitted."""
    return submit(ada, course_id)
