"""Two people meet and keep files in a browser, on a page with supabase-js's build for pages."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients import browser

if TYPE_CHECKING:
    from tests.clients.meeting import Given

HERE = Path(__file__).parent
BUILD = Path("node_modules", "@supabase", "supabase-js", "dist", "umd", "supabase.js")


@pytest.fixture
def chromium() -> str:
    """The program, where it is installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("a page needs chromium")
    return program


def test_two_people_meet_and_keep_files_in_a_browser(
    given: Given, chromium: str, js_folder: Path, tmp_path: Path
) -> None:
    known = {key: value for key, value in asdict(given).items() if key != "secret_key"}
    files = {
        "/": ("text/html", (HERE / "page.html").read_bytes()),
        "/page.js": ("text/javascript", (HERE / "page.js").read_bytes()),
        "/supabase.js": ("text/javascript", (js_folder / BUILD).read_bytes()),
        "/given.json": ("application/json", json.dumps(known).encode()),
    }

    diary = browser.open_page(chromium, files, tmp_path)

    assert diary == {
        "an upload": f"{given.people['ada']}/letter.txt",
        "a signed download": "Dear Ben",
        "a signed link by the other": "Object not found",
        "a refused join": (
            "Unauthorized: You do not have permissions to read from this Channel topic: "
            "meeting:closed"
        ),
        "a broadcast is acknowledged": "ok",
        "a broadcast is heard by the other": [{"n": 1}],
    }
