"""nlctl up, down, status, logs, reset: the local stack."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nlctl import console
from nlctl.commands import options

if TYPE_CHECKING:
    from nlctl.local.bringup import Ready


class Format(StrEnum):
    """How `status -o` writes."""

    table = "table"
    json = "json"
    env = "env"


def up(json: options.Json = False) -> None:
    """Start the local backend: database, migrations, reference seeds, themes.

    Safe to run again at any moment: it only does what is missing.

    Example: nlctl up
    """
    from nlctl import project
    from nlctl.local import bringup

    ready = bringup.bring_up(project.find(), step=_quiet if json else console.note)
    if json:
        console.say_json(ready.as_dict())
    else:
        _show(ready)


def down(json: options.Json = False) -> None:
    """Stop the local backend; its data stays.

    Example: nlctl down
    """
    from nlctl import project
    from nlctl.local.stack import Stack

    stack = Stack(project.find())
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
    json: options.Json = False,
) -> None:
    """Tell whether the local backend is healthy and where it answers; exit 1 when it is not.

    Example: nlctl status --output env > .env.local
    """
    from nlctl import project
    from nlctl.local import bringup

    health = bringup.look(project.find())
    if json or output is Format.json:
        console.say_json(health.as_dict())
    elif health.ready is None:
        console.say(f"Not healthy: {health.reason}")
    elif output is Format.env:
        for name, value in health.ready.addresses.as_environment().items():
            console.say(f'{name}="{value}"')
    else:
        _show(health.ready)
    raise typer.Exit(0 if health.healthy else 1)


def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come.")] = False,
    json: options.Json = False,
) -> None:
    """Show what the database server wrote.

    Example: nlctl logs --follow
    """
    from nlctl import project
    from nlctl.local.stack import Stack

    cluster = Stack(project.find()).cluster
    recent = cluster.recent_log(lines)
    if json:
        console.say_json({"log": recent})
        return
    for line in cluster.following(recent) if follow else recent:
        console.say(line)


def reset(
    wipe: Annotated[
        bool, typer.Option("--wipe", help="Throw the whole server away, not only its database.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Throw the local data away and start again from the migrations, seeds and themes.

    Example: nlctl reset
    """
    from nlctl import project
    from nlctl.local import bringup

    ready = bringup.start_afresh(project.find(), wipe=wipe, step=_quiet if json else console.note)
    if json:
        console.say_json(ready.as_dict())
    else:
        _show(ready)


def _quiet(_step: str) -> None:
    """Machines read the answer only."""


def _show(ready: Ready) -> None:
    console.say_pairs(ready.rows())
