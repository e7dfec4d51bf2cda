"""The local PostgreSQL cluster: from nothing to ready, whatever was killed before.

A folder holds it: `data/` (PostgreSQL's own), `server.log`, and `extensions/` (ours).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from nlctl.errors import NlctlError
from nlctl.local import binaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nlctl.local.binaries import Binaries

HOST = "127.0.0.1"
SUPERUSER = "supabase_admin"
PASSWORD = "postgres"  # noqa: S105 (the Supabase CLI's public default; the server is on loopback)
START_SECONDS = 60
PORT_STEP = 10  # a stack's ports differ in the last digit, which stays
PORTS_TRIED = 100

# Safe to lose: what tests and scratch databases run on.
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# By itself glibc gives the memory of each long answer back to the system and asks for it again at
# the next one, which is half of the work for an answer of 80 kB.
KEPT_MEMORY = str(4 * 1024 * 1024)
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": KEPT_MEMORY, "MALLOC_MMAP_THRESHOLD_": KEPT_MEMORY}


class ClusterFailed(NlctlError):
    """The server did not start or stop; the data is as it was."""


class PortTaken(NlctlError):
    """Another program listens on the port that was asked for; nothing was started."""


class _AddressInUse(Exception):
    """The port went to somebody else between our look and the server's."""


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data folder and the server on it.

    `settings` go to postgresql.conf after ours. Not safe for two starts at once: callers lock.
    """

    home: Path
    binaries: Binaries
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home / "server.log"

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Where a running server answers; the password is the local one."""
        port = self.port()
        if port is None:
            raise ClusterFailed("The local database is not running.", hint="Run: nlctl up")
        return f"postgresql://{user}:{PASSWORD}@{HOST}:{port}/{database}"

    def port(self) -> int | None:
        """The port of the running server, or None where none runs."""
        running = self._running()
        return running[1] if running else None

    def start(self, port: int, *, exact: bool = False) -> int:
        """Make the server run and return its port: `port`, or a free one with the same last digit.

        Where it has to be `exact`, a taken port is refused.
        """
        self._refuse_other_major()
        if not (self.data / "PG_VERSION").is_file():
            self._initialise()
        if running := self._settle():
            return running
        self._remove_stale_pid_file()
        for candidate in _ports(port, exact=exact):
            with contextlib.suppress(_AddressInUse):
                self._launch(candidate)
                return candidate
        raise PortTaken(
            f"Port {port} is taken by another program.",
            hint="Stop it, or choose another port: db.port in supabase/config.toml.",
        )

    def stop(self) -> bool:
        """Stop the server; False where none ran. Open transactions are rolled back."""
        if not self._running():
            return False
        try:
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.data))
        except ClusterFailed:
            if self._running():  # and not stopped by somebody else meanwhile
                raise
        return True

    def destroy(self) -> None:
        """Stop the server and delete everything it held."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _running(self) -> tuple[int, int] | None:
        """Process id and port of our own ready server, read from its pid file."""
        entry = self._pid_file()
        if len(entry) < 8 or entry[7].strip() != "ready" or not self._is_ours(int(entry[0])):
            return None
        return int(entry[0]), int(entry[3])

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return []

    def _is_ours(self, pid: int) -> bool:
        """Whether `pid` is a server on our data folder, not a stranger that got its number."""
        try:
            process = psutil.Process(pid)
            return "postgres" in process.name() and _same(process.cwd(), self.data)
        except (psutil.Error, OSError):
            return False

    def _refuse_other_major(self) -> None:
        try:
            made_by = (self.data / "PG_VERSION").read_text().strip()
        except OSError:
            return
        if made_by != str(self.binaries.major):
            raise ClusterFailed(
                f"The data folder was made by PostgreSQL {made_by}, "
                f"but these programs are {self.binaries.major}.",
                hint=f"Point NLCTL_LOCAL_PG_BIN at PostgreSQL {made_by} to keep the data, "
                "or start afresh: nlctl reset --wipe",
            )

    def _initialise(self) -> None:
        """Make the data folder beside its place and move it there, so a kill leaves none or all."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._lend(self.home)
        partial = self.home / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            password = Path(folder) / "password"
            password.write_text(PASSWORD)
            self._lend(Path(folder))
            self._lend(password)
            self._run(
                "initdb", "-D", str(partial), "-U", SUPERUSER, "--pwfile", str(password),
                "--auth=scram-sha-256", "--encoding=UTF8", *self._locale(), *self._sync(),
            )  # fmt: skip
        partial.rename(self.data)

    def _locale(self) -> list[str]:
        if self.binaries.major >= 17:  # the same everywhere, with no library of the system
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8"] if sys.platform == "linux" else ["--locale=C"]

    def _sync(self) -> list[str]:
        return ["--no-sync"] if self.settings.get("fsync") == "off" else []

    def _settle(self) -> int | None:
        """The port of the running server, once it is ready; None once nothing of ours runs.

        A server may still be starting for an `up` that was killed, and the children of a killed
        server end by themselves a moment later.
        """
        deadline = time.monotonic() + START_SECONDS
        while processes := self._processes():
            if running := self._running():
                return running[1]
            if time.monotonic() > deadline:
                numbers = ", ".join(str(process.pid) for process in processes)
                raise ClusterFailed(
                    f"Processes of an earlier server still use the data folder: {numbers}.",
                    hint="End them, then run: nlctl up",
                )
            psutil.wait_procs(processes, timeout=0.1)
        return None

    def _processes(self) -> list[psutil.Process]:
        named = (p for p in psutil.process_iter(["name"]) if "postgres" in (p.info["name"] or ""))
        return [process for process in named if self._is_ours(process.pid)]

    def _remove_stale_pid_file(self) -> None:
        # Nothing of ours runs any more. If its number went to another program, PostgreSQL would
        # take that program for itself and refuse to start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _launch(self, port: int) -> None:
        self._write_configuration(port)
        self._lend(self.home)
        started_at = self.log.stat().st_size if self.log.is_file() else 0
        command = ("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", str(self.data))
        try:
            self._run(*command, "-l", str(self.log))
        except ClusterFailed as failure:
            said = self._said_since(started_at)
            if "could not bind" in said or "could not create any TCP/IP sockets" in said:
                raise _AddressInUse from failure
            if not said:
                raise
            raise _explain(said) from failure

    def _said_since(self, offset: int) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(offset)
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _write_configuration(self, port: int) -> None:
        settings = {**self._defaults(), **self.settings, "port": str(port)}
        lines = [f"{name} = {_quoted(value)}" for name, value in settings.items()]
        header = "# Written by nlctl at every start; changes here are lost."
        path = self.data / "postgresql.conf"
        try:
            path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        except OSError as error:
            raise _explain(str(error)) from error

    def _defaults(self) -> dict[str, str]:
        defaults = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_preload_libraries": "pg_stat_statements",
            "wal_level": "logical",
            # A slot that nobody reads must never fill the disk.
            "max_slot_wal_keep_size": "1GB",
            # Realtime finds by it what was committed while it could not listen.
            "track_commit_timestamp": "on",
            "max_wal_size": "1GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%u@%d %a ",
            "lc_messages": "C",
            # The C locale would choose `simple`; Supabase's databases stem English.
            "default_text_search_config": "pg_catalog.english",
            "jit": "off",
        }
        if self.binaries.major >= 18:
            from nlctl.local.platform import extensions

            folder = self.home / "extensions"
            extensions.prepare(folder, self.binaries.share)
            defaults["extension_control_path"] = f"{folder}{os.pathsep}$system"
        return defaults

    def _lend(self, path: Path) -> None:
        """When we are root, hand a path to the user that the server runs as."""
        user = binaries.server_user()
        if user:
            shutil.chown(path, user)

    def _run(self, name: str, *arguments: str) -> None:
        # Output goes to a file: a pipe would stay open for as long as the server lives.
        with tempfile.TemporaryFile() as output:
            status = subprocess.call(
                [self.binaries.program(name), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home,
                **_as_user(binaries.server_user(), {**ENVIRONMENT, **os.environ}),
            )
            if status:
                output.seek(0)
                raise _explain(output.read().decode("utf-8", "replace"))


def _quoted(value: str) -> str:
    """As postgresql.conf reads it: folders have apostrophes, and on Windows backslashes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _as_user(user: str | None, environment: Mapping[str, str]) -> dict[str, Any]:
    if user is None:
        return {"env": environment}
    import pwd

    entry = pwd.getpwnam(user)
    return {
        "user": entry.pw_uid,
        "group": entry.pw_gid,
        "extra_groups": [],
        "env": {**environment, "HOME": entry.pw_dir, "USER": user, "LOGNAME": user},
    }


def _same(one: str | Path, other: Path) -> bool:
    return Path(one).resolve() == other.resolve()


def _ports(first: int, *, exact: bool) -> Iterator[int]:
    end = min(first + PORT_STEP * PORTS_TRIED, 65536)
    candidates = [first] if exact else range(first, end, PORT_STEP)
    return (port for port in candidates if _free(port))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _explain(said: str) -> ClusterFailed:
    """Turn what a PostgreSQL program said into one line with the way out."""
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return ClusterFailed(
            "The disk is full, so the local database cannot run; nothing committed is lost.",
            hint="Free some space, then run: nlctl up",
        )
    if "Permission denied" in said:
        return ClusterFailed(
            f"PostgreSQL may not use its folder: {_worst_line(said)}.",
            hint="Give the folder back to the user that runs nlctl, or start afresh elsewhere.",
        )
    return ClusterFailed(
        f"The local database did not start: {_worst_line(said)}.", hint="See: nlctl logs"
    )


def _worst_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    grave = [line for line in lines if any(w in line for w in ("FATAL", "PANIC", "error", "could"))]
    return (grave or lines or ["no reason given"])[0].rstrip(".")
