"""Jobs for tests: queued as SQL queues them, and functions that tell what they were given."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nlctl
from nlctl.queue import functions
from nlctl.queue.jobs import Connector, Jobs
from nlctl.queue.pace import Pace
from nlctl.queue.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.databases import Database

# Only announcements wake such a worker, so a test that passes proves them.
DEAF = Pace(poll=3600, heartbeat=3600)
QUICK = Pace(
    attempts=3, first_pause=0, longest_pause=0, heartbeat=0.05, poll=0.02, grace=5, reconnect=0.05,
)  # fmt: skip
TELL = """
from typing import Any
from pydantic import BaseModel

QUEUE = "tests"

class Words(BaseModel):
    said: str

async def handle(words: Words, heard: list[str]) -> None:
    heard.append(words.said)
"""
WRITE = """
import asyncio
from pathlib import Path
from pydantic import BaseModel

QUEUE = "tests"

class Line(BaseModel):
    path: Path
    text: str
    until: Path | None = None

async def handle(line: Line) -> None:
    with line.path.open("a") as file:
        print(line.text, file=file)
    while line.until and not line.until.exists():
        await asyncio.sleep(0.01)
"""
FAIL = """
from pydantic import BaseModel

QUEUE = "tests"

class Trouble(BaseModel):
    reason: str

async def handle(trouble: Trouble) -> None:
    raise RuntimeError(trouble.reason)
"""
SETTINGS = """
[targets.scratch]
production = false
"""


@dataclass
class Works:
    """A project of functions, and the database whose jobs they do."""

    root: Path
    database: Database
    heard: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Write a function."""
        (self.root / "functions" / f"{name}.py").write_text(text, encoding="utf-8")

    def enqueue(self, task: str, arguments: Any = None, queue: str = "tests", **more: Any) -> int:
        """Queue a job as a trigger would, and commit."""
        named = "".join(f", {name} => %({name})s" for name in more)
        [(job,)] = self.database.run(
            f"select app.enqueue(%(task)s, %(args)s, p_queue => %(queue)s{named})",
            {"task": task, "args": json.dumps(arguments or {}), "queue": queue, **more},
        )
        return int(job)

    def worker(self, pace: Pace = QUICK, **more: Any) -> Worker:
        """A worker of this process, whose functions may name `heard`."""
        folder = self.root / "functions"
        return Worker(
            self.database.url, functions.find(folder), folder, {"heard": self._heard},
            pace=pace, **more,
        )  # fmt: skip

    def work(self, pace: Pace = QUICK) -> None:
        """Do what can be done now."""
        asyncio.run(self.worker(pace).run_once())

    def sweep(self) -> None:
        """Have a worker forget what ended long ago."""

        async def sweep() -> None:
            connector = Connector(self.database.url, QUICK)
            await connector.open_async()
            await Jobs(connector).sweep()
            await connector.close_async()

        asyncio.run(sweep())

    def state(self, job: int) -> str:
        """How a job stands."""
        rows = self.database.run(
            "select status::text from procrastinate.procrastinate_jobs where id = %s", (job,)
        )
        return str(rows[0][0])

    def failures(self, job: int) -> list[str]:
        """Why a job failed, each time."""
        rows = self.database.run(
            "select error from app.job_failures where job_id = %s order by attempt", (job,)
        )
        return [row[0] for row in rows]

    @contextmanager
    def process(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker as a process of its own; it is gone at the end, whatever happened."""
        command = [sys.executable, "-P", "-m", "nlctl.queue.process", str(self.root), *words]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            env={**os.environ, **self.environment()},
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def nlctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Type nlctl in the project's folder, whatever it answers."""
        return subprocess.run(
            [sys.executable, "-m", "nlctl", *words],
            cwd=self.root,
            env={**os.environ, **self.environment()},
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
        )

    def let_time_pass(self) -> None:
        """Make the last sign of life of every worker a minute older."""
        self.database.run(
            "update procrastinate.procrastinate_workers "
            "set last_heartbeat = last_heartbeat - interval '1 minute'"
        )

    def is_served(self) -> bool:
        """Whether a worker has said that it is there."""
        return bool(self.database.run("select 1 from procrastinate.procrastinate_workers"))

    def environment(self) -> dict[str, str]:
        """What leads nlctl to this database."""
        return {
            "NLCTL_TARGET": "scratch",
            "NLCTL_SCRATCH_DATABASE_URL": self.database.url,
            "PYTHONPATH": str(Path(nlctl.__file__).parents[1]),
        }

    async def _heard(self) -> list[str]:
        return self.heard


def open_at(root: Path, database: Database) -> Works:
    """Works with three functions: tell, write and fail."""
    (root / "nlctl.toml").write_text(SETTINGS)
    (root / "functions").mkdir()
    works = Works(root, database)
    for name, text in (("tell", TELL), ("write", WRITE), ("fail", FAIL)):
        works.write(name, text)
    return works


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    """The worker at work meanwhile; it is told to stop at the end, and has then stopped."""
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        worker.stop()
        await task


async def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to become so."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not is_so():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("It did not become so.")
        await asyncio.sleep(0.01)
