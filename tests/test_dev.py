"""./dev hands over: in a checkout of almost any name, and with Ctrl-C left to the command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests import checkouts

if TYPE_CHECKING:
    from pathlib import Path

INSTALL = "from hatchling.build import build_editable; build_editable({!r})"
SLOW_TO_STOP = """#!{python}
import signal, time
def stop(*_):
    time.sleep(1)
    print("Nothing was applied.", flush=True)
    raise SystemExit(130)
signal.signal(signal.SIGINT, stop)
print("Working.", flush=True)
time.sleep(60)
"""


def test_a_checkout_keeps_the_accents_of_its_path(tmp_path: Path) -> None:
    checkout = tmp_path / "Côté à moi"
    checkout.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(checkouts.ROOT / name, checkout)
    shutil.copytree(checkouts.ROOT / "nlctl", checkout / "nlctl")

    install = INSTALL.format(str(tmp_path))
    subprocess.run([sys.executable, "-c", install], cwd=checkout, check=True, capture_output=True)

    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        paths = {n: files.read(n) for n in files.namelist() if n.endswith(".pth")}
    assert paths
    assert all(content.isascii() for content in paths.values())


def test_a_folder_that_can_hold_no_environment_is_explained(tmp_path: Path) -> None:
    checkout = tmp_path / f"a{os.pathsep}b"
    checkout.mkdir()
    for name in ("dev", "pyproject.toml", "requirements.lock"):
        shutil.copy(checkouts.ROOT / name, checkout)
    environment = {name: value for name, value in os.environ.items() if name != "NLCTL_VENV"}

    done = subprocess.run(
        [sys.executable, "dev", "up"], cwd=checkout, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("No environment can be made here: ")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to interrupt")
def test_ctrl_c_lets_the_command_finish_its_sentence(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "nlctl"
    program.parent.mkdir()
    program.write_text(SLOW_TO_STOP.format(python=sys.executable))
    program.chmod(0o755)
    dev = subprocess.Popen(
        [sys.executable, checkouts.ROOT / "dev", "nlctl"],
        env={**os.environ, "NLCTL_VENV": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with dev:
        assert dev.stdout
        assert dev.stdout.readline() == "Working.\n"
        os.killpg(dev.pid, signal.SIGINT)
        said = dev.stdout.read()
    assert (said, dev.returncode) == ("Nothing was applied.\n", 130)
