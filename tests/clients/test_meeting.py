"""Two people meet in a private room of the stack, with supabase-py and with supabase-js."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients import meeting

if TYPE_CHECKING:
    from tests.clients.meeting import Given

SCRIPT = Path(__file__).with_name("meeting.mjs")

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
