"""nlctl up, down, status, logs, reset: the local stack."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlctl import console
from nlctl.commands import options

if TYPE_CHECKING:
    from nlctl.local.bringup import Ready
    from nlctl.project import Project


class Format(StrEnum):
    """How `status -o` writes."""

    table = "table"
    json = "json"
    env = "env"


class Service(StrEnum):
    """Whose lines `logs` shows."""

    database = "database"
    api = "api"
    gateway = "gateway"
    rest = "rest"
    auth = "auth"
    storage = "storage"
    realtime = "realtime"
    mail = "mail"
    worker = "worker"


Workdir = Annotated[
    Path | None,
    typer.Option(
        "--workdir",
        help="Any Supabase project: the folder that holds supabase/config.toml.",
        metavar="DIR",
        file_okay=False,
    ),
]


Demo = Annotated[
    bool,
    typer.Option("--demo", help="With the demonstration: people, courses and what they did."),
]


def up(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay here until Ctrl-C, then stop everything.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option("--port", help="The API's port, this one or none.", min=1, max=65535),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="The API's address; others need --let-anyone-in.")
    ] = "127.0.0.1",
    let_anyone_in: Annotated[
        bool,
        typer.Option(
            "--let-anyone-in",
            help="With --host: anyone on the network may read and change everything.",
        ),
    ] = False,
    demo: Demo = False,
    workdir: Workdir = None,
    json: options.Json = False,
) -> None:
    """Start the local backend: database, migrations, seeds, API and inbox.

    Safe to run again at any moment: it only does what is missing.

    Example: nlctl up --workdir ~/my-supabase-project
    """
    from nlctl.local import bringup, ports
    from nlctl.local.bringup import Front

    ports.check_host(host, anyone_may_enter=let_anyone_in)
    step = _quiet if json else console.note
    front = Front(host, port)
    if foreground:
        bringup.serve(
            _project(workdir), front, demo=demo, step=step, started=lambda r: _tell(r, json=json)
        )
    else:
        _tell(bringup.bring_up(_project(workdir), front, demo=demo, step=step), json=json)


def down(workdir: Workdir = None, json: options.Json = False) -> None:
    """Stop the local backend; its data stays.

    Example: nlctl down
    """
    from nlctl.local.stack import Stack

    stack = Stack(_project(workdir))
    with stack.lock():
        stopped = stack.stop()
    if json:
        console.say_json({"stopped": stopped})
    else:
        console.say("Stopped." if stopped else "It was not running.")


def status(
    output: Annotated[
        Format, typer.Option("--output", "-o", help="table, json, or env for shells.")
    ] = Format.table,
    workdir: Workdir = None,
    json: options.Json = False,
) -> None:
    """Tell whether the local backend is healthy and where it answers; exit 1 when it is not.

    Example: nlctl status --output env > .env.local
    """
    from nlctl.local import bringup

    health = bringup.look(_project(workdir))
    if json or output is Format.json:
        console.say_json(health.as_dict())
    elif health.ready is None:
        say = console.note if output is Format.env else console.say
        say(f"Not healthy: {health.reason}")
    elif output is Format.env:
        for name, value in health.ready.addresses.as_environment().items():
            console.say(f'{name}="{value}"')
    else:
        console.say_pairs(health.ready.rows())
    raise typer.Exit(0 if health.healthy else 1)


def logs(
    service: Annotated[
        Service | None, typer.Argument(help="Whose lines; everybody's by default.")
    ] = None,
    lines: Annotated[
        int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)
    ] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come.")] = False,
    workdir: Workdir = None,
    json: options.Json = False,
) -> None:
    """Show what the database server and the API wrote.

    Example: nlctl logs auth --follow
    """
    from nlctl.local import logbook
    from nlctl.local.stack import Stack

    logs = logbook.of_stack(Stack(_project(workdir)), service)
    recent = logbook.recent(logs, lines)
    if json:
        console.say_json({"log": recent})
        return
    for line in logbook.following(logs, recent) if follow else recent:
        console.say(line)


def reset(
    wipe: Annotated[
        bool, typer.Option("--wipe", help="Throw the whole server away, not only its database.")
    ] = False,
    demo: Demo = False,
    workdir: Workdir = None,
    json: options.Json = False,
) -> None:
    """Throw the local data away and start again from the migrations and seeds.

    Example: nlctl reset
    """
    from nlctl.local import bringup

    step = _quiet if json else console.note
    _tell(bringup.start_afresh(_project(workdir), wipe=wipe, demo=demo, step=step), json=json)


def _project(workdir: Path | None) -> Project:
    from nlctl import project

    return project.at(workdir) if workdir else project.find()


def _quiet(_step: str) -> None:
    """Machines read the answer only."""


def _tell(ready: Ready, *, json: bool) -> None:
    if json:
        console.say_json(ready.as_dict())
    else:
        console.say_pairs(ready.rows())
        for line in ready.absent:
            console.note(line)
