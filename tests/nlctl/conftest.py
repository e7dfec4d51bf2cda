"""Fixtures for the control plane's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import workshops

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Database
    from tests.workshops import Workshop


@pytest.fixture
def workshop(tmp_path: Path, empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A project without migrations whose target is a fresh Supabase project."""
    made = workshops.open_at(tmp_path, empty_database)
    for variable, value in made.environment().items():
        monkeypatch.setenv(variable, value)
    return made
