"""The worker beside the API: it does what the database queues for as long as the stack runs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from nlctl import database, targets
from nlctl.queue import functions, schema
from nlctl.queue.crew import Crew
from nlctl.queue.order import Order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nlctl.project import Project

GRACE_SECONDS = 2  # `nlctl down` waits no longer for the API


def are_needed(project: Project, url: str) -> bool:
    """Whether the database queues jobs and the project has functions for them."""
    if not functions.exist(project.functions):
        return False
    with database.connect(url) as connection:
        return schema.exists(connection)


def tell(url: str) -> str:
    """How the worker stands, for people."""
    from nlctl.queue import status

    return "runs" if status.read(url).workers else "starts; see: nlctl logs worker"


@contextlib.asynccontextmanager
async def beside(project: Project) -> AsyncIterator[None]:
    """Have one worker until the end of the block, or of this process, however it ends."""
    crew = Crew(project, Order(targets.LOCAL, grace=GRACE_SECONDS, reload=True))
    crew.start()
    try:
        yield
    finally:
        await asyncio.to_thread(crew.stop)
