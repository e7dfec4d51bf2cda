"""Fixtures for the control plane's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl.local import scratch
from nlctl.local.stack import Stack
from tests import workshops

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.local.cluster import Cluster
    from tests.databases import Database
    from tests.workshops import Workshop


@pytest.fixture
def workshop(tmp_path: Path, empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A project without migrations whose target is a fresh Supabase project."""
    made = workshops.open_at(tmp_path, empty_database)
    for variable, value in made.environment().items():
        monkeypatch.setenv(variable, value)
    return made


@pytest.fixture
def scratch_room(
    cluster: Cluster, platform_template: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scratch databases come from the tests' server: a project's own takes seconds to make."""
    monkeypatch.setattr(Stack, "cluster", cluster)
    monkeypatch.setattr(scratch, "TEMPLATE", platform_template.name)
