"""The local stack finds a PostgreSQL that its server's user can run."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from nlctl.errors import InvalidInput
from nlctl.local import binaries
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shelter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for copies, with every checkout out of the server's reach."""
    folder = databases.scratch_folder()
    monkeypatch.setattr(binaries, "SHELTER", folder)
    monkeypatch.setattr(binaries, "reachable", lambda _path: False)
    monkeypatch.setattr(binaries, "server_user", lambda: "nobody")
    yield folder
    shutil.rmtree(folder)


def test_the_embedded_programs_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NLCTL_LOCAL_PG_BIN", raising=False)

    assert binaries.find().major == 18


def test_programs_out_of_reach_are_copied_and_run(shelter: Path) -> None:
    copied = binaries.find()

    said = subprocess.run([copied.program("initdb"), "--version"], capture_output=True, text=True)
    assert copied.folder.is_relative_to(shelter)
    assert said.stdout.startswith("initdb (PostgreSQL) 18")


def test_a_copy_is_made_once(shelter: Path) -> None:
    first = binaries.find().folder.stat().st_ino

    assert binaries.find().folder.stat().st_ino == first


def test_a_folder_without_programs_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NLCTL_LOCAL_PG_BIN", str(tmp_path))

    with pytest.raises(InvalidInput, match="No PostgreSQL programs in"):
        binaries.find()


def test_an_old_server_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "postgres"
    program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
    program.chmod(0o755)

    with pytest.raises(InvalidInput, match=r"PostgreSQL 14\.9 is too old"):
        binaries.at(tmp_path)
