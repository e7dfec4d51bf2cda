"""Shells: psql on a target, with its secret out of sight."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import pq

from nlctl import database
from nlctl.errors import InvalidInput
from nlctl.local import binaries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECRETS = {"PGPASSWORD", "PGSSLPASSWORD"}


@dataclass(frozen=True)
class Shell:
    """One psql to start: its program, its arguments and what it finds in its environment."""

    program: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For machines, without the secrets."""
        shown = {name: value for name, value in self.environment.items() if name not in SECRETS}
        return {"program": self.program, "arguments": self.arguments, "environment": shown}

    def start(self) -> int:
        """Become psql where the system can, else wait for it; its exit code."""
        command = [self.program, *self.arguments]
        environment = {**os.environ, **self.environment}
        if os.name != "nt":
            os.execve(self.program, command, environment)  # noqa: S606
        return subprocess.call(command, env=environment)


def prepare(
    url: str, arguments: Sequence[str], *, who: str | None = None, read_only: bool = False
) -> Shell:
    """psql on `url`, for `who` if given, read-only until its user says otherwise."""
    settings = {"default_transaction_read_only": "on"} if read_only else {}
    if who:
        with database.connect(url) as connection:
            caller = database.find_caller(connection, who)
            settings |= database.settings_of(connection, caller)
    environment = _environment(url)
    options = [environment.get("PGOPTIONS", ""), *map(_option, settings.items())]
    environment["PGOPTIONS"] = " ".join(filter(None, options))
    return Shell(_program(), tuple(arguments), environment)


def _environment(url: str) -> dict[str, str]:
    """The parts of a URL under the names libpq reads from the environment."""
    return {
        option.envvar.decode(): option.val.decode()
        for option in pq.Conninfo.parse(url.encode())
        if option.envvar and option.val
    }


def _option(setting: tuple[str, str]) -> str:
    name, value = setting
    escaped = value.replace("\\", r"\\").replace(" ", r"\ ")
    return f"-c {name}={escaped}"


def _program() -> str:
    try:
        embedded = binaries.find().program("psql")
    except InvalidInput:
        embedded = ""
    program = shutil.which(embedded) or shutil.which("psql")
    if program is None:
        raise InvalidInput(
            "No psql on this machine.",
            hint="Install PostgreSQL's client, or point NLCTL_LOCAL_PG_BIN at its bin folder.",
        )
    return program
