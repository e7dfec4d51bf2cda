"""A crew: worker processes that are started again when they die, and stop with this process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nlctl

if TYPE_CHECKING:
    from nlctl.project import Project
    from nlctl.queue.order import Order

PROCESS = ("-m", "nlctl.queue.process")
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
HEALTHY_SECONDS = 60  # a worker that lived so long did not die of its start
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 2  # beyond the grace of the job in hand


@dataclass
class Crew:
    """As many workers as asked for, each a process with a thread of this one to look after it."""

    project: Project
    order: Order
    count: int = 1
    first_pause: float = FIRST_PAUSE
    _members: list[_Member] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Start every worker."""
        command = [
            sys.executable, "-P", *PROCESS, str(self.project.root), "--watched",
            *self.order.as_arguments(),
        ]  # fmt: skip
        for _ in range(self.count):
            member = _Member(command, self.first_pause, once=self.order.once)
            self._members.append(member)
            member.start()

    def run(self) -> int:
        """Work until a signal says stop or all have ended for good; 1 where one of them failed."""
        told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: told.set())
        self.start()
        while any(member.is_alive() for member in self._members) and not told.wait(LOOK_SECONDS):
            continue
        self.stop()
        return int(any(member.code for member in self._members))

    def stop(self) -> None:
        """Let each end the job in hand within the grace, then end it."""
        for member in self._members:
            member.tell_to_stop()
        deadline = time.monotonic() + self.order.grace + PATIENCE_SECONDS
        for member in self._members:
            member.end_by(deadline)


class _Member(threading.Thread):
    def __init__(self, command: list[str], first_pause: float, *, once: bool) -> None:
        super().__init__(daemon=True)
        self._command = command
        self._first_pause = first_pause
        self._once = once
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.code = 0

    def run(self) -> None:
        pause = self._first_pause
        while process := self._launch():
            began = time.monotonic()
            with process:  # closes our end of its input
                self.code = process.wait()
            if self._once:
                return
            if self.code == 0 or time.monotonic() - began > HEALTHY_SECONDS:
                pause = self._first_pause
            self._stopping.wait(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def tell_to_stop(self) -> None:
        with self._lock:
            self._stopping.set()
            if self._process and self._process.stdin:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()

    def end_by(self, deadline: float) -> None:
        self.join(timeout=max(0, deadline - time.monotonic()))
        if self.is_alive() and self._process:
            self._process.kill()
            self.join()

    def _launch(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            # The same nlctl as this one, whatever stands in the project's folder.
            ours = str(Path(nlctl.__file__).parents[1])
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,  # its end tells the worker that this process is gone
                env={**os.environ, "PYTHONPATH": ours, "PYTHONUTF8": "1"},
                **_apart(),
            )
            return self._process


def _apart() -> dict[str, Any]:
    """Signals from the terminal are for this process; its workers hear of them by their input."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
