"""What the README shows is what a newcomer gets: its transcript is typed in a fresh checkout."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests import checkouts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checkouts import Checkout

ANYTHING = "…"
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """One command of the README and the lines below it; … stands for any lines."""

    command: str
    lines: tuple[str, ...]


def transcript() -> list[Shown]:
    readme = (checkouts.ROOT / "README.md").read_text(encoding="utf-8")
    shown = []
    for block in FENCE.findall(readme):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            shown.append(Shown(command, tuple(lines)))
    return shown


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Checkout]:
    """A fresh checkout; the commands of the README run in it from first to last."""
    made = checkouts.copy()
    yield made
    made.remove()


@pytest.mark.parametrize("shown", transcript(), ids=lambda shown: shown.command)
def test_a_command_answers_as_the_readme_shows(newcomer: Checkout, shown: Shown) -> None:
    done = subprocess.run(
        [sys.executable, *shlex.split(shown.command.removeprefix("./"))],
        cwd=newcomer.root,
        env=newcomer.environment(),
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )

    assert done.returncode == 0, done.stderr
    assert re.fullmatch(pattern(shown.lines), steady("\n".join(done.stdout.splitlines())))


def test_every_prompt_of_the_readme_is_typed() -> None:
    readme = (checkouts.ROOT / "README.md").read_text(encoding="utf-8")
    prompts = re.findall(r"^\$ (.*)$", readme, re.MULTILINE)
    assert prompts[0] == "./dev up"
    assert [shown.command for shown in transcript()] == prompts


def pattern(lines: tuple[str, ...]) -> str:
    parts = [r"(?s:.+)" if line == ANYTHING else re.escape(steady(line)) for line in lines]
    return "\n".join(parts)


def steady(text: str) -> str:
    """Without what differs from one machine to the next."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
