"""Services in processes of their own, which start in a moment and are killed."""

from __future__ import annotations

import gc
import multiprocessing
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess

# Children of a process that has imported everything already need not do so themselves. There is
# one such process, whichever test is first to need it.
IMPORTED = [
    "pytest",
    "nlctl.local.server",
    "tests.local.realtime.listener",
    "tests.local.realtime.serving",
    "tests.local.storage.services",
]
forked: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")


@contextmanager
def started(serve: Callable[..., None], *arguments: object) -> Iterator[tuple[BaseProcess, Pipe]]:
    """A process in which `serve` runs, and what it tells; killed at the end of the block.

    The last argument of `serve` is where it tells: a multiprocessing connection.
    """
    if sys.platform != "win32":
        forked.set_forkserver_preload(IMPORTED)
    ours, theirs = forked.Pipe(duplex=False)
    child = forked.Process(target=_begin, args=(serve, *arguments, theirs), daemon=True)
    child.start()
    theirs.close()  # what it tells ends when it does
    try:
        yield child, ours
    finally:
        child.kill()
        child.join()
        ours.close()


@contextmanager
def process(serve: Callable[..., None], *arguments: object) -> Iterator[tuple[BaseProcess, str]]:
    """The same for a service that tells its address and nothing else."""
    with started(serve, *arguments) as (child, told):
        yield child, told.recv()


def _begin(serve: Callable[..., None], *arguments: object) -> None:
    gc.freeze()  # looking through what was imported would copy all of it
    serve(*arguments)
