"""Fixtures: a real PostgreSQL, a new database for each test, and people who call it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, settings

from nlctl import project as projects
from nlctl.local import platform
from tests import callers, databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlctl.local.cluster import Cluster
    from nlctl.project import Project
    from supabase import Client
    from tests.callers import Person
    from tests.databases import Database
    from tests.stacks import Stack


class MakePerson(Protocol):
    """The `person` fixture: somebody new with an account."""

    def __call__(
        self,
        kind: str = "client",
        *,
        email: str | None = None,
        status: str = "active",
        first_name: str | None = None,
    ) -> Person: ...


# The same examples each time, however slow the machine; NLCTL_TEST_EXAMPLES asks for others.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize="NLCTL_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")


def pytest_sessionstart() -> None:
    """Let what tests start hear Ctrl-C, which shells keep from what runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def project() -> Project:
    """This checkout."""
    return projects.find()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running server with nothing of ours on it yet."""
    made = databases.start_cluster()
    yield made
    databases.destroy_cluster(made)


@pytest.fixture(scope="session")
def platform_template(cluster: Cluster) -> Database:
    """A fresh Supabase project, to be copied."""
    template = databases.create(cluster, name="template_platform")
    platform.install(template.admin_url)
    return template


@pytest.fixture(scope="session")
def product_template(cluster: Cluster, platform_template: Database, project: Project) -> Database:
    """The whole product with its reference rows, to be copied."""
    from tests import products

    template = databases.create(cluster, name="template_product", template=platform_template.name)
    products.install(template, project)
    return template


@pytest.fixture
def empty_database(platform_template: Database) -> Iterator[Database]:
    """A fresh Supabase project of the test's own."""
    made = databases.clone(platform_template)
    yield made
    databases.drop(made)


@pytest.fixture
def database(product_template: Database) -> Iterator[Database]:
    """The whole product, of the test's own."""
    made = databases.clone(product_template)
    yield made
    databases.drop(made)


@pytest.fixture
def person(database: Database) -> MakePerson:
    """Make somebody with an account: `person("admin", first_name="Ada")`."""

    def make(
        kind: str = "client",
        *,
        email: str | None = None,
        status: str = "active",
        first_name: str | None = None,
    ) -> Person:
        return callers.sign_up(database, kind, email=email, status=status, first_name=first_name)

    return make


@pytest.fixture
def visitor(database: Database) -> Person:
    """Somebody without a session, as the database sees him."""
    return callers.anonymous(database)


@pytest.fixture
def server(database: Database) -> Person:
    """A program with the secret key, as the database sees it."""
    return callers.service(database)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running backend to call over HTTP (tests/stacks.py says which)."""
    from tests import stacks

    with stacks.running() as running:
        yield running


@pytest.fixture
def anon(stack: Stack) -> Client:
    """A visitor, with a real client."""
    return stack.anon()


@pytest.fixture
def service(stack: Stack) -> Client:
    """A server with the secret key, with a real client."""
    return stack.service()


@pytest.fixture
def client(stack: Stack) -> Callable[[str], Client]:
    """Sign somebody new in, with a real client of theirs: `ada = client("Ada")`."""
    return lambda name: stack.person(name=name)


@pytest.fixture
def staff(stack: Stack) -> Callable[[str], Client]:
    """Sign new staff in, with a real client of theirs: `staff("admin")`."""
    return stack.person
