"""What the tests of real clients share: a place where Node finds supabase-js."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("@supabase/supabase-js@2", "ws@8")
INSTALL_SECONDS = 120


@pytest.fixture(scope="session")
def js_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where Node finds supabase-js, as npm installs it."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("supabase-js needs Node and npm")
    folder = tmp_path_factory.mktemp("supabase-js")
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode:
        pytest.skip(f"npm cannot install supabase-js: {done.stderr.decode()[-200:]}")
    return folder
