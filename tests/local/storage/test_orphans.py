"""Files that no row names are found and removed; rows without a file are told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nlctl.doctor import storage as doctor
from nlctl.doctor.findings import Status
from nlctl.local.storage import orphans
from nlctl.project import Project
from nlctl.targets import Target
from tests.local.storage.services import ADA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from tests.local.storage.conftest import Serve
    from tests.local.storage.services import Running

VERSION = "12345678-1234-4123-8123-123456789012"
LONG_AGO = 1_700_000_000


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a folder of objects."""
    made = Project(tmp_path)
    made.state.mkdir()
    (made.state / "storage").symlink_to(tmp_path / "storage")
    return made


@pytest.fixture
def running(project: Project, serve: Serve) -> Running:
    """Its service, with one object in it."""
    made = serve()
    made.ada.upload(f"private/{ADA}/a")
    return made


@pytest.fixture
def connection(running: Running) -> Iterator[psycopg.Connection]:
    """What doctor looks through."""
    with running.database.connect() as made:
        yield made


def leave_behind(running: Running, at: float = LONG_AGO) -> Path:
    path = running.config.folder / "objects" / "12" / VERSION
    path.write_bytes(b"left")
    os.utime(path, (at, at))
    return path


def test_a_folder_that_is_in_order_is_called_so(
    project: Project, running: Running, connection: psycopg.Connection
) -> None:
    target = Target("local", "p", running.database.url)

    [finding] = doctor.check(project, target, connection)

    assert finding.status is Status.OK


def test_a_file_that_nothing_names_is_found_and_removed_when_asked(
    project: Project, running: Running, connection: psycopg.Connection
) -> None:
    left = leave_behind(running)
    target = Target("local", "p", running.database.url)

    [found] = doctor.check(project, target, connection)
    assert found.status is Status.WARNING
    assert found.message == "1 files of Storage (4 bytes) belong to no object."
    assert found.fix == "Run: nlctl doctor --fix"
    assert left.exists()

    [removed] = doctor.check(project, target, connection, fix=True)
    assert removed.status is Status.OK
    assert not left.exists()
    assert running.ada.read(f"private/{ADA}/a").text == "hello"


def test_a_file_that_may_still_get_its_row_is_left_alone(
    running: Running, connection: psycopg.Connection
) -> None:
    left = leave_behind(running)
    os.utime(left)

    assert orphans.find(running.config.folder, connection).files == ()


def test_an_object_whose_file_is_gone_is_told(
    project: Project, running: Running, connection: psycopg.Connection
) -> None:
    for path in running.files():
        path.unlink()
    target = Target("local", "p", running.database.url)

    _, lost = doctor.check(project, target, connection)

    assert lost.status is Status.ERROR
    assert lost.message == f"The files of 1 objects are gone: private/{ADA}/a."


def test_objects_of_other_targets_are_not_on_this_machine(
    project: Project, running: Running, connection: psycopg.Connection
) -> None:
    leave_behind(running)
    target = Target("production", "p", running.database.url)

    assert list(doctor.check(project, target, connection)) == []
