"""What the idle API process weighs, beside the same Python with nothing in it, and after work."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import psutil

from bench import stopwatch
from nlctl import console
from tests import checkouts

if TYPE_CHECKING:
    from tests.checkouts import Checkout

MEGABYTE = 1024 * 1024


def megabytes(process: psutil.Process) -> float:
    """Resident memory."""
    return process.memory_info().rss / MEGABYTE


def bare_python() -> float:
    """A Python that waits for nothing."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout is not None
        waiting.stdout.readline()
        weight = megabytes(psutil.Process(waiting.pid))
        waiting.communicate(b"\n")
    return weight


def api_of(checkout: Checkout) -> psutil.Process:
    """The API process of a checkout that is up."""
    told = json.loads((checkout.root / ".nlctl" / "api.json").read_text())
    return psutil.Process(told["pid"])


def work(checkout: Checkout, requests: int) -> None:
    """Ask both services many times."""
    told = checkout.answer("status")
    with httpx.Client(base_url=told["api_url"], headers={"apikey": told["secret_key"]}) as client:
        for _ in range(requests):
            client.get("/rest/v1/user_types").raise_for_status()
            client.get("/auth/v1/settings").raise_for_status()


def main() -> None:
    """Print the table."""
    requests = stopwatch.runs(1000, __doc__)
    checkout = checkouts.copy()
    try:
        checkout.answer("up")
        idle = megabytes(api_of(checkout))
        work(checkout, requests)
        after = megabytes(api_of(checkout))
    finally:
        checkout.remove()
    weights = {
        "python": bare_python(),
        "API process, idle": idle,
        f"after {2 * requests} requests": after,
    }
    console.say_table(("", "MB"), [(name, f"{weight:.0f}") for name, weight in weights.items()])


if __name__ == "__main__":
    main()
