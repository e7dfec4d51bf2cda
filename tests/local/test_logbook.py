"""Logs: whose lines are shown, and that new ones follow."""

from __future__ import annotations

import logging
import time
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from nlctl.local import logbook
from nlctl.local.logbook import Log

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = """\
2026-11-20T08:00:00.000Z rest GET /rest/v1/todos 200 2B 1.0ms 127.0.0.1
2026-11-20T08:00:01.000Z auth POST /auth/v1/token 400 90B 80.0ms 127.0.0.1
2026-11-20T08:00:02.000Z rest ERROR it failed
Traceback (most recent call last):
ZeroDivisionError: division by zero
2026-11-20T08:00:03.000Z gateway GET /nowhere 404 50B 0.1ms 127.0.0.1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with something in it."""
    file = tmp_path / "api.log"
    file.write_text(WRITTEN)
    return file


def test_everybodys_lines_are_shown(path: Path) -> None:
    assert logbook.recent([Log(path)], 50) == WRITTEN.splitlines()


def test_a_service_shows_its_own_lines_and_tracebacks(path: Path) -> None:
    lines = logbook.recent([Log(path, "rest")], 50)

    assert [line[:9] for line in lines] == ["2026-11-2", "2026-11-2", "Traceback", "ZeroDivis"]
    assert all(" auth " not in line for line in lines)


def test_only_the_last_lines_are_shown(path: Path) -> None:
    assert logbook.recent([Log(path)], 1) == WRITTEN.splitlines()[-1:]


def test_several_logs_are_told_apart(path: Path) -> None:
    lines = logbook.recent([Log(path, label="database | "), Log(path, label="api | ")], 1)

    assert [line.split(" | ")[0] for line in lines] == ["database", "api"]


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert logbook.recent([Log(tmp_path / "none.log")], 50) == []


def test_new_lines_follow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = "2026-11-20T08:00:04.000Z auth GET /auth/v1/user 200 9B 1.0ms 127.0.0.1"

    def write_while_the_reader_waits(_seconds: float) -> None:
        with path.open("a") as log:
            log.write(f"2026-11-20T08:00:04.000Z rest GET /x 200 9B 1.0ms\n{mine}\n")

    monkeypatch.setattr(time, "sleep", write_while_the_reader_waits)
    lines = logbook.following([Log(path, "auth")], ["before"])

    assert list(islice(lines, 2)) == ["before", mine]


@pytest.mark.parametrize(
    ("logger", "service"),
    [("nlctl.gateway", "gateway"), ("nlctl.local.rest.watcher", "rest"), ("uvicorn.error", "api")],
)
def test_a_line_names_its_service(
    logger: str, service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = logging.getLogger().handlers[:]
    try:
        logbook.keep()
        logging.getLogger(logger).error("something")
    finally:
        logging.getLogger().handlers[:] = before

    moment, *rest = capsys.readouterr().out.split()
    assert moment.endswith("Z")
    assert rest == [service, "ERROR", "something"]
