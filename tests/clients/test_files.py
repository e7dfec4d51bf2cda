"""Two people and their files on the stack, with supabase-py and with supabase-js."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.clients import files

if TYPE_CHECKING:
    from tests.clients.meeting import Given

SCRIPT = Path(__file__).with_name("files.mjs")

NOT_THERE = ["404", "Object not found"]
NOT_YOURS = ["403", "new row violates row-level security policy"]


def expected(given: Given) -> dict[str, Any]:
    """What Ada's letter goes through."""
    folder = given.people["ada"]
    return {
        "an upload": f"{folder}/letter.txt",
        "a signed download": [200, "text/plain", "Dear Ben"],
        "a download by the other": NOT_THERE,
        "a signed link by the other": NOT_THERE,
        "an upload by the other": NOT_YOURS,
        "a list by the other": [],
        "a move by the other": NOT_THERE,
        "a remove by the other": [],
        "a list": [["letter.txt", 8, "text/plain"]],
        "a move": "Successfully moved",
        "the old name": NOT_THERE,
        "the new name": "Dear Ben",
        "a remove": [f"{folder}/sent/letter.txt"],
        "what is left": [],
    }


def test_two_people_keep_files_with_supabase_py(given: Given) -> None:
    diary = asyncio.run(files.keep(given))

    assert diary == expected(given)


def test_two_people_keep_files_with_supabase_js(given: Given, js_folder: Path) -> None:
    shutil.copy(SCRIPT, js_folder)

    done = subprocess.run(
        ["node", str(js_folder / SCRIPT.name), json.dumps(asdict(given))],
        capture_output=True,
        encoding="utf-8",
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected(given)
