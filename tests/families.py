"""Ports for stacks that tests start: each has some to itself, for as long as the tests run.

A stack that is stopped and started again would else find its port with another, or with a
connection that the system numbered so; all these are below what systems give to connections.
"""

from __future__ import annotations

import itertools
import os
import socket
from contextlib import ExitStack

FIRST = 20000
SIZE = 20  # a stack's own ten, and the ten that it moves to where one of them is taken
WORKERS = 8
FAMILIES = 30  # for each worker

_USUAL_FIRST = 54320
_numbers = itertools.count()


def take() -> int:
    """The first of some ports that nobody else has."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    for _ in range(FAMILIES):
        first = FIRST + SIZE * (worker * FAMILIES + next(_numbers) % FAMILIES)
        if _is_free(first):
            return first
    raise AssertionError("Every port that tests may use is taken.")


def move(config: str, first: int) -> str:
    """The text of a config.toml with its usual ports moved to those from `first` on."""
    for number in range(10):
        config = config.replace(f"port = {_USUAL_FIRST + number}", f"port = {first + number}")
    return config


def _is_free(first: int) -> bool:
    with ExitStack() as sockets:
        try:
            for port in range(first, first + SIZE):
                sockets.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
