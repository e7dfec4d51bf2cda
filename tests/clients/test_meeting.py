"""Two people meet in a private room of the stack, with supabase-py and with supabase-js."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.clients import meeting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stacks import Stack

HERE = Path(__file__).parent
SCRIPT = HERE / "meeting.mjs"

NOT_HERE = "Unauthorized: You do not have permissions to read from this Channel topic: "
EXPECTED: dict[str, Any] = {
    "a refused join": f"{NOT_HERE}meeting:closed",
    "a broadcast is acknowledged": "ok",
    "a broadcast is heard by the other": [[], [{"n": 1}]],
    "both are present": [["ada", "ben"], ["ada", "ben"]],
    "a broadcast from SQL": ["SQL", "SQL"],
    "each sees his own rows": [
        [["INSERT", "hers", None], ["UPDATE", "hers, mended", None]],
        [["INSERT", "his", None]],
    ],
    "a dropped connection": ["ada"],
}


@dataclass(frozen=True)
class Given:
    """What a client is told of the stack and of the two people."""

    url: str
    publishable_key: str
    secret_key: str
    topic: str
    tokens: dict[str, str]
    people: dict[str, str]

    def arguments(self) -> dict[str, str]:
        """Of act_in_meeting."""
        return {"p_ada": self.people["ada"], "p_ben": self.people["ben"], "p_topic": self.topic}


@pytest.fixture(scope="module")
def room(stack: Stack) -> Iterator[None]:
    """What the two need, for as long as they need it."""
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute((HERE / "meeting.sql").read_bytes())
        yield
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
        {name: session.access_token for name, session in sessions.items() if session},
        {name: session.user.id for name, session in sessions.items() if session},
    )


# It logs a lost connection by an attribute that `websockets` would have it read elsewhere.
@pytest.mark.filterwarnings("ignore:ConnectionClosed:DeprecationWarning")
def test_two_people_meet_with_supabase_py(given: Given) -> None:
    diary = asyncio.run(meeting.meet(given))

    diary["a refused join"] = json.loads(diary["a refused join"])["reason"]
    assert diary == EXPECTED


def test_two_people_meet_with_supabase_js(given: Given, js_folder: Path) -> None:
    shutil.copy(SCRIPT, js_folder)
    told = json.dumps({**asdict(given), "arguments": given.arguments()})

    done = subprocess.run(
        ["node", str(js_folder / SCRIPT.name), told], capture_output=True, encoding="utf-8"
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == EXPECTED
