"""The API process from outside: started, found again and stopped, whatever was killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

import nlctl
from nlctl.errors import NlctlError

if TYPE_CHECKING:
    from nlctl.project import Project

SERVER = ("-m", "nlctl.local.server")
START_SECONDS = 60
STOP_SECONDS = 8
LOOK_SECONDS = 0.05
ANSWER_SECONDS = 2
LARGEST_LOG = 10 * 1024 * 1024


class ApiFailed(NlctlError):
    """The API process did not start; the database runs on."""


@dataclass(frozen=True)
class Order:
    """What the process is started for; `fingerprint` tells it from one started for less."""

    host: str
    port: int
    exact: bool = False
    fingerprint: str = ""
    worker: bool = False


@dataclass(frozen=True)
class Whereabouts:
    """A running API process, as api.json tells it."""

    pid: int
    created: float
    fingerprint: str
    url: str
    mail_url: str
    smtp_port: int
    secret_key: str
    worker: bool

    def fits(self, order: Order) -> bool:
        """Whether this process does what `order` asks for."""
        return self.fingerprint == order.fingerprint and (
            not order.exact or urlsplit(self.url).port == order.port
        )


@dataclass(frozen=True)
class Api:
    """The API process of one project; callers lock."""

    project: Project

    @property
    def log(self) -> Path:
        """What the process wrote."""
        return self.project.state / "api.log"

    def running(self) -> Whereabouts | None:
        """The process that api.json tells of, where it still lives."""
        try:
            told = Whereabouts(**json.loads(self._memory.read_text(encoding="utf-8")))
            process = psutil.Process(told.pid)
            is_it = abs(process.create_time() - told.created) < 1
            return told if is_it and not _has_ended(process) else None
        except (OSError, ValueError, TypeError, psutil.Error):
            return None

    def answers(self) -> bool:
        """Whether the running process answers, and is the one we think it is."""
        told = self.running()
        return told is not None and _health(told) == told.pid

    def start(self, order: Order) -> Whereabouts:
        """Make the process run as ordered and wait until it answers."""
        running = self.running()
        answers = running is not None and _health(running) == running.pid
        if running and answers and running.fits(order):
            return running
        self.stop(patience=STOP_SECONDS if answers else 0)
        self._make_room_in_log()
        offset = self.log.stat().st_size if self.log.exists() else 0
        process = self._launch(order)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise self._explain(offset)
            told = self.running()
            if told and told.pid == process.pid and _health(told) == told.pid:
                return told
            time.sleep(LOOK_SECONDS)
        process.kill()
        raise ApiFailed("The API did not answer in time.", hint="See: nlctl logs api")

    def stop(self, *, patience: float = STOP_SECONDS) -> bool:
        """End the process; False where none ran. It gets `patience` seconds to finish."""
        told = self.running()
        processes = [psutil.Process(told.pid)] if told else self._strays()
        for process in processes:
            _end(process, patience)
        self.forget()
        return bool(processes)

    def remember(self, told: Whereabouts) -> None:
        """Keep where the process answers: beside, then moved, so a kill leaves all or nothing."""
        partial = self._memory.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(asdict(told), indent=2), encoding="utf-8")
        partial.replace(self._memory)

    def forget(self) -> None:
        """Nothing answers any more."""
        self._memory.unlink(missing_ok=True)

    @property
    def _memory(self) -> Path:
        return self.project.state / "api.json"

    def _strays(self) -> list[psutil.Process]:
        """Processes that serve this project though api.json, lost or damaged, tells of none."""
        wanted = [*SERVER, str(self.project.root)]
        found = psutil.process_iter(["cmdline"])
        return [process for process in found if _runs(process.info["cmdline"] or [], wanted)]

    def _launch(self, order: Order) -> subprocess.Popen[bytes]:
        command = [
            sys.executable, "-P", *SERVER, str(self.project.root),
            "--host", order.host, "--port", str(order.port), "--fingerprint", order.fingerprint,
        ]  # fmt: skip
        if order.exact:
            command.append("--exact")
        if order.worker:
            command.append("--worker")
        # The same nlctl as this one, whatever stands in the project's folder.
        ours = str(Path(nlctl.__file__).parents[1])
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.project.state,
                env={**os.environ, "PYTHONPATH": ours, "PYTHONUTF8": "1"},
                **_apart(),
            )

    def _explain(self, offset: int) -> ApiFailed:
        """Why the process ended, from what it wrote after the first `offset` bytes of its log."""
        with self.log.open("rb") as log:
            log.seek(offset)
            said = log.read().decode("utf-8", "replace")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        named = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        if not lines and shutil.disk_usage(self.project.state).free == 0:
            lines = ["the disk is full"]
        reason = (named or lines or ["it ended without a word"])[-1].rstrip(".")
        return ApiFailed(f"The API did not start: {reason}.", hint="See: nlctl logs api")

    def _make_room_in_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.old"))


def _runs(command: list[str], wanted: list[str]) -> bool:
    return any(command[at : at + len(wanted)] == wanted for at in range(len(command)))


def _end(process: psutil.Process, patience: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        if not _ends(process, patience):
            process.kill()
            _ends(process, STOP_SECONDS)


def _ends(process: psutil.Process, seconds: float) -> bool:
    """Whether the process ends in time."""
    deadline = time.monotonic() + seconds
    while not _has_ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _has_ended(process: psutil.Process) -> bool:
    """Gone, or about to be: not every container has somebody who buries the dead at once."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _apart() -> dict[str, Any]:
    """A process of its own, that outlives the terminal."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _health(told: Whereabouts) -> int | None:
    """The process id that the address answers with."""
    place = urlsplit(told.url)
    connection = http.client.HTTPConnection(
        place.hostname or "", place.port, timeout=ANSWER_SECONDS
    )
    try:
        connection.request("GET", "/health")
        return int(json.loads(connection.getresponse().read())["pid"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return None
    finally:
        connection.close()
