"""nlctl worker: run the jobs that the database queues."""

from __future__ import annotations

from typing import Annotated

import typer

from nlctl import console, project
from nlctl.commands import options

app = options.group("worker", "Run the jobs that the database queues.")


@app.callback()
def worker() -> None:
    """Run the jobs that the database queues."""


@app.command()
def run(
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", "-q", help="Only this queue; again for more.", metavar="NAME"),
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", help="How many jobs run at the same time.", min=1, max=64)
    ] = 1,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when no job is left whose moment has come.")
    ] = False,
    grace: Annotated[
        float, typer.Option("--grace", help="Seconds that a job in hand gets to end.", min=0)
    ] = 30,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Run the functions of functions/ until told to stop (Ctrl-C, SIGTERM).

    The job in hand may then end. A job that fails is tried again, twelve times over some hours;
    `nlctl queue status` has those that were given up. Locally `nlctl up` runs a worker already.

    Example: nlctl worker run --target production --processes 4
    """
    from nlctl.queue import process
    from nlctl.queue.crew import Crew
    from nlctl.queue.order import Order

    here = project.find()
    order = Order(target, tuple(queue or ()), once, grace)
    process.keep_log()
    if processes == 1:
        process.run(here, order)
        code = 0
    else:
        process.check(here, order)
        code = Crew(here, order, processes).run()
    if json:
        console.say_json({"stopped": True})
    raise typer.Exit(code)
