"""nlctl queue: jobs that wait, run and failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nlctl import console, project, targets
from nlctl.commands import options
from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from nlctl.queue.status import Overview

app = options.group("queue", "Look after jobs: what waits, what failed, what should run again.")

Jobs = Annotated[list[int] | None, typer.Argument(help="Numbers of jobs.", metavar="[JOB]...")]


@app.command()
def status(target: options.TargetName = None, json: options.Json = False) -> None:
    """Count jobs by queue and tell why some were given up; exit 1 where there are such.

    Example: nlctl queue status --target production
    """
    from nlctl.queue import status as queue

    found = queue.read(targets.resolve(project.find(), target).database_url)
    if json:
        console.say_json(found.as_dict())
    else:
        _show(found)
    raise typer.Exit(1 if found.failed else 0)


@app.command()
def retry(
    jobs: Jobs = None,
    failed: Annotated[bool, typer.Option("--failed", help="All jobs that were given up.")] = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Have jobs that failed or were cancelled run again, from their first attempt.

    Exit 1 where one of them did not end that way, or the same work waits already.

    Example: nlctl queue retry 12 13
    """
    from nlctl.queue import status as queue

    if bool(jobs) == failed:
        raise InvalidInput("Name jobs, or say --failed.")
    put_back = queue.retry(targets.resolve(project.find(), target).database_url, jobs)
    left = sorted(set(jobs or ()) - set(put_back))
    if json:
        console.say_json({"queued": put_back, "left": left})
    else:
        console.say(f"Jobs that wait again: {len(put_back)}.")
        _say_left(left)
    raise typer.Exit(1 if left else 0)


@app.command()
def cancel(
    jobs: Annotated[list[int], typer.Argument(help="Numbers of jobs.", metavar="JOB...")],
    yes: options.Yes = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Let jobs go: those that wait or failed never run, one that runs is asked to stop.

    Exit 1 where one of them has ended already.

    Example: nlctl queue cancel 12 --yes
    """
    from nlctl.queue import status as queue

    chosen = targets.resolve(project.find(), target)
    targets.confirm(chosen, f"Cancelling {len(jobs)} jobs", yes=yes)
    outcomes = queue.cancel(chosen.database_url, jobs)
    left = sorted(set(jobs) - set(outcomes))
    if json:
        console.say_json({"jobs": outcomes, "left": left})
    else:
        for job, outcome in outcomes.items():
            console.say(f"{job}: {outcome}.")
        _say_left(left)
    raise typer.Exit(1 if left else 0)


def _show(found: Overview) -> None:
    columns = ["queue", "waiting", "oldest", "later", "running", "stalled", "failed", "done"]
    rows = [
        [
            each.name, each.waiting, f"{each.waits_seconds} s" if each.waiting else "",
            each.later, each.running, each.stalled, each.failed, each.done,
        ]
        for each in found.queues
    ]  # fmt: skip
    if rows:
        console.say_table(columns, rows)
    else:
        console.say("No job was queued.")
    console.say(f"Workers: {found.workers}.")
    for job in found.failures:
        console.say(f"{job.id} {job.task} was given up: {job.error or 'no reason was kept'}")


def _say_left(left: list[int]) -> None:
    if left:
        console.note(f"Left as they are: {', '.join(map(str, left))}.")
