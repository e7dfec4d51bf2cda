"""The product for a whole file of tests, or with much of everything in it for those of plans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl.local.cluster import SUPERUSER
from nlctl.migrations import files
from tests import callers, databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.project import Project
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

VOLUMES = Path(__file__).parent / "volumes"


@pytest.fixture(scope="session")
def crowded(product_template: Database, project: Project) -> Iterator[Database]:
    """The product with the rows of volumes/, one file a chapter; tests leave it as it is."""
    made = databases.clone(product_template)
    chapters = [each.name for each in files.read(project.migrations(project.default_name))]
    assert {path.stem for path in VOLUMES.iterdir()} <= set(chapters)
    with made.connect(SUPERUSER) as admin:
        # Neither triggers nor foreign keys: rows come by the thousand, and fit.
        admin.execute("set session_replication_role = replica")
        for path in (VOLUMES / f"{chapter}.sql" for chapter in chapters):
            if path.exists():
                admin.execute(path.read_bytes())
        admin.execute("vacuum analyze")
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def school(product_template: Database) -> Iterator[Database]:
    """The whole product for all tests of a file, each of which brings its own people."""
    made = databases.clone(product_template)
    yield made
    databases.drop(made)


@pytest.fixture
def member(school: Database) -> MakePerson:
    """Make somebody in the school, as `person` does elsewhere."""

    def make(kind: str = "client", **details: str | None) -> Person:
        return callers.sign_up(school, kind, **details)  # type: ignore[arg-type]

    return make


@pytest.fixture
def ada(member: MakePerson) -> Person:
    """A client of the school."""
    return member()


@pytest.fixture
def prof(member: MakePerson) -> Person:
    """A prof of the school."""
    return member("prof")


@pytest.fixture
def admin(member: MakePerson) -> Person:
    """Somebody of the school's staff."""
    return member("admin")


@pytest.fixture
def someone(crowded: Database) -> MakePerson:
    """Make somebody in the crowd, as `person` does elsewhere."""

    def make(kind: str = "client", **details: str | None) -> Person:
        return callers.sign_up(crowded, kind, **details)  # type: ignore[arg-type]

    return make
