"""A worker process: python -m nlctl.queue.process ROOT … (what `nlctl worker run` does).

With --watched it ends as soon as its standard input does, so that it never outlives the process
that started it, however that one ended.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nlctl import database, targets
from nlctl.errors import NlctlError
from nlctl.project import Project
from nlctl.queue import functions, schema
from nlctl.queue.order import Order
from nlctl.queue.pace import Pace
from nlctl.queue.worker import Worker
from nlctl.queue.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nlctl.queue.functions import Function

LOOK_SECONDS = 1
PATIENCE_SECONDS = 3  # beyond the grace, for a function that does not let go


_log = logging.getLogger("nlctl.worker")


class NothingToServe(NlctlError):
    """There is no function, or none for the queues that were named."""

    exit_code = 2


def main(arguments: list[str]) -> int:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(prog="nlctl.queue.process", description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--target")
    parser.add_argument("--queue", action="append", default=[], dest="queues")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--grace", type=float, default=Pace.grace)
    parser.add_argument("--reload", action="store_true")
    parser.add_argument("--watched", action="store_true")
    given = parser.parse_args(arguments)
    keep_log()
    try:
        order = Order(given.target, given.queues, given.once, given.grace, given.reload)
        run(Project(given.root), order, watched=given.watched)
    except NlctlError as error:
        _log.error("did not start: %s", " ".join(filter(None, (error.message, error.hint))))
        return error.exit_code
    return 0


def run(project: Project, order: Order, *, watched: bool = False) -> None:
    """Run one worker in this process until a signal says stop."""
    url, found = check(project, order)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(project, order, url, found, watched=watched))


def check(project: Project, order: Order) -> tuple[str, Sequence[Function]]:
    """The database and the functions of a worker, which have to be there."""
    url = targets.resolve(project, order.target).database_url
    with database.connect(url) as connection:
        schema.require(connection)
    return url, _require_functions(project, order.queues)


def _require_functions(project: Project, queues: Sequence[str]) -> Sequence[Function]:
    found = functions.find(project.functions)
    served = {function.queue for function in found}
    if not found:
        raise NothingToServe("functions/ holds no function.")
    if unknown := set(queues) - served:
        raise NothingToServe(
            f"No function serves the queue {', '.join(sorted(unknown))}.",
            hint=f"Served: {', '.join(sorted(served))}.",
        )
    return found


def keep_log() -> None:
    """From now on, what happens to jobs goes to standard error, a line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)sZ worker %(levelname)s %(message)s"))
    _log.setLevel(logging.INFO)
    _log.handlers, _log.propagate = [handler], False
    # Procrastinate writes the arguments of jobs, which may be personal.
    for talkative in ("procrastinate", "procrastinate.worker", "psycopg.pool", "asyncio"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)


async def _serve(
    project: Project,
    order: Order,
    url: str,
    found: Sequence[Function],
    *,
    watched: bool,
) -> None:
    world = World(project, order.target)
    worker = Worker(
        url,
        found,
        project.functions,
        world=world.makers,
        secrets=world.secrets,
        pace=replace(Pace(), grace=order.grace),
        queues=order.queues,
    )
    _stop_at_signals(worker.stop)
    if watched:
        _stop_at_end_of_input(worker.stop, order.grace)
    try:
        await (worker.run_once() if order.once else _run(worker, project, order))
    finally:
        await world.close()


async def _run(worker: Worker, project: Project, order: Order) -> None:
    looking = [_stop_at_changes(project, worker.stop)] if order.reload else []
    tasks = [asyncio.create_task(look) for look in looking]
    await worker.run()
    for task in tasks:
        task.cancel()


async def _stop_at_changes(project: Project, stop: Callable[[], None]) -> None:
    """Stop where a function was changed: whoever looks after this process starts another."""
    before = functions.fingerprint(project.functions)
    while functions.fingerprint(project.functions) == before:
        await asyncio.sleep(LOOK_SECONDS)
    _log.info("begins again: functions/ has changed")
    stop()


def _stop_at_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _stop_at_end_of_input(stop: Callable[[], None], grace: float) -> None:
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(0, 1024):  # nobody writes; it returns when the other end is closed
            continue
        loop.call_soon_threadsafe(stop)
        time.sleep(grace + PATIENCE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    # psycopg cannot use the loop that Windows has by default.
    return asyncio.SelectorEventLoop if sys.platform == "win32" else None


class _Formatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03d"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
