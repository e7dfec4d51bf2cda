"""What the stack's processes write, and how it is read again.

A line of the API process is a moment, a service and what happened; a traceback goes on below it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from nlctl.local.stack import Stack

DATABASE = "database"
PROCESS = "api"
SERVICES = ("gateway", "rest", "auth", "storage", "realtime", "mail", "worker")
FOLLOW_SECONDS = 0.2


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        parts = record.name.split(".")
        service = next((part for part in parts if part in SERVICES), PROCESS)
        said = super().format(record)
        return f"{moment.replace('+00:00', 'Z')} {service} {record.levelname} {said}"


def keep() -> None:
    """From now on, what happens in this process goes to its standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Formatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for talkative in ("uvicorn", "mail.log", "asyncio"):
        logging.getLogger(talkative).setLevel(logging.ERROR)


def write(line: str) -> None:
    """One line as it is; a full disk loses the line and nothing else."""
    with suppress(OSError):
        print(line, flush=True)


@dataclass(frozen=True)
class Log:
    """A file of lines, of which those about `service` are shown (None: all), behind a label."""

    path: Path
    service: str | None = None
    label: str = ""


def of_stack(stack: Stack, service: str | None) -> list[Log]:
    """The logs to read for one service, or for all."""
    server, api = stack.cluster.log, stack.api.log
    if service is None:
        return [Log(server, label=f"{DATABASE} | "), Log(api, label=f"{PROCESS} | ")]
    if service == DATABASE:
        return [Log(server)]
    return [Log(api, None if service == PROCESS else service)]


def recent(logs: Sequence[Log], lines: int) -> list[str]:
    """The last lines of each log."""
    shown: list[str] = []
    for log in logs:
        if log.path.is_file():
            with _open(log) as file:
                shown.extend(deque(_Reader(log, file).new_lines(), maxlen=lines))
    return shown


def following(logs: Sequence[Log], already: Sequence[str]) -> Iterator[str]:
    """`already`, then each new line as it is written, until interrupted."""
    yield from already
    with ExitStack() as files:
        readers = []
        for log in logs:
            log.path.touch()
            file = files.enter_context(_open(log))
            file.seek(0, os.SEEK_END)
            readers.append(_Reader(log, file))
        while True:
            found = [line for reader in readers for line in reader.new_lines()]
            yield from found
            if not found:
                time.sleep(FOLLOW_SECONDS)


class _Reader:
    """Somebody in the middle of a log, who remembers whose traceback it is."""

    def __init__(self, log: Log, file: TextIO) -> None:
        self._log = log
        self._file = file
        self._is_shown = log.service is None

    def new_lines(self) -> Iterator[str]:
        while line := self._file.readline():
            if self._log.service and line[:4].isdecimal():
                self._is_shown = line.split(" ", 2)[1:2] == [self._log.service]
            if self._is_shown:
                yield self._log.label + line.rstrip("\n")


def _open(log: Log) -> TextIO:
    return log.path.open(encoding="utf-8", errors="replace")
