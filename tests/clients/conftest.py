"""What the tests of real clients share: a place for supabase-js, two people and their room."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from tests import npm
from tests.clients.meeting import Given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stacks import Stack

HERE = Path(__file__).parent
BUCKET = "meeting_files"


@pytest.fixture(scope="session")
def js_folder() -> Path:
    """A folder where Node finds supabase-js, as npm installs it."""
    if shutil.which("node") is None:
        pytest.skip("supabase-js needs Node")
    try:
        return npm.install("@supabase/supabase-js", "ws")
    except npm.NpmMissing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def room(stack: Stack) -> Iterator[None]:
    """What the two need, for as long as they need it."""
    storage = stack.service().storage
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute((HERE / "meeting.sql").read_bytes())
        storage.create_bucket(BUCKET)
        yield
        storage.empty_bucket(BUCKET)
        storage.delete_bucket(BUCKET)
        database.execute((HERE / "no_meeting.sql").read_bytes())


@pytest.fixture
def given(stack: Stack, room: None) -> Given:
    """Two new people, and a room nobody has been in."""
    sessions = {name: stack.person(name=name).auth.get_session() for name in ("ada", "ben")}
    return Given(
        stack.api_url,
        stack.publishable_key,
        stack.secret_key,
        f"meeting:open:{uuid4()}",
        BUCKET,
        {name: session.access_token for name, session in sessions.items() if session},
        {name: session.user.id for name, session in sessions.items() if session},
    )
