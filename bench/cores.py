"""Cores: on which of them a bench and its servers run.

Where one process only works while another waits, it is chance whether they share a core, and a core
that slept takes longer to wake than most of what is measured: 0.04 ms on one virtual machine, where
passing a byte to another process and back took 0.009 ms on one core and 0.075 ms on two.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

ALL = os.sched_getaffinity(0) if sys.platform == "linux" else set[int]()
ONE = {max(ALL, default=0)}


def stay_on(cores: set[int], *processes: int) -> None:
    """Let processes, or this one, run on these cores only; elsewhere than on Linux anywhere."""
    if sys.platform == "linux":
        for process in processes or (0,):
            os.sched_setaffinity(process, cores)


@contextmanager
def shared(server: psycopg.Connection) -> Iterator[None]:
    """Have this process, those it started and a whole database server share one core."""
    postmaster = psutil.Process(server.info.backend_pid).parent()
    parents = [psutil.Process(), *([postmaster] if postmaster else [])]
    stay_on(ONE, *_families(parents))
    try:
        yield
    finally:
        stay_on(ALL, *_families(parents))  # those too that began meanwhile


def _families(parents: list[psutil.Process]) -> list[int]:
    return [one.pid for each in parents for one in (each, *each.children(recursive=True))]
