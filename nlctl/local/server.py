"""The API process: every service of the stack on one port, and the inbox on another.

`nlctl up` starts it in the background: python -m nlctl.local.server ROOT …
It tells where it answers in .nlctl/api.json, from the moment it listens until it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import fasteners
import psutil
import uvicorn

from nlctl import console
from nlctl.errors import NlctlError
from nlctl.local import assembly, connections, lifespan, logbook, mail, ports, settings, workers
from nlctl.local.api import Api, Order, Whereabouts
from nlctl.local.assembly import Places
from nlctl.local.mail import Inbox
from nlctl.local.stack import DATABASE, Stack, StackBusy
from nlctl.project import Project

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from nlctl.local.settings import Settings

GRACE_SECONDS = 5
LARGEST_FRAME = 5_000_000
IDLE_SECONDS = 75  # longer than clients keep a connection, who then never meet one just closed


def main(arguments: list[str]) -> int:
    """Serve one project until told to stop."""
    parser = argparse.ArgumentParser(prog="nlctl.local.server", description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--host", default=ports.LOOPBACK)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--fingerprint", default="")
    parser.add_argument("--worker", action="store_true")
    given = parser.parse_args(arguments)
    try:
        run(
            Project(given.root),
            Order(given.host, given.port, given.exact, given.fingerprint, given.worker),
        )
    except (NlctlError, OSError) as error:
        console.say_error(_as_ours(error), as_json=False)
        return 1
    return 0


def _as_ours(error: NlctlError | OSError) -> NlctlError:
    if isinstance(error, NlctlError):
        return error
    return NlctlError(f"{error.strerror or error}.")


def run(
    project: Project, order: Order, *, started: Callable[[Whereabouts], None] | None = None
) -> None:
    """Serve `project` until a signal says stop; `started` hears where it answers."""
    logbook.keep()
    connections.allow_many()
    with _only_one(project), contextlib.ExitStack() as sockets:
        asked = settings.read(project)
        api = sockets.enter_context(ports.listen(order.host, order.port, exact=order.exact))
        page = sockets.enter_context(ports.listen(ports.LOOPBACK, asked.mail.port))
        smtp = sockets.enter_context(ports.listen(ports.LOOPBACK, asked.mail.smtp_port))
        doors = _Doors(api, page, smtp)
        told = _whereabouts(order, doors, asked)
        serving = _serve(project, asked, told, doors, lambda: started and started(told))
        with (
            asyncio.Runner(loop_factory=_loop_factory()) as runner,
            contextlib.suppress(asyncio.CancelledError),  # stopped before it had started
        ):
            runner.run(serving)


@dataclass(frozen=True)
class _Doors:
    api: socket.socket
    page: socket.socket
    smtp: socket.socket


async def _serve(
    project: Project,
    asked: Settings,
    told: Whereabouts,
    doors: _Doors,
    announce: Callable[[], object],
) -> None:
    keyring = assembly.keyring(project, asked)
    stack = Stack(project)
    places = Places(told.url, _database_url(stack), told.smtp_port, stack.objects)
    apps = assembly.services(asked, keyring, places)
    health = {"status": "ok", "project": project.default_name, "pid": told.pid}
    front = assembly.front(apps, asked, keyring, health=health, write=logbook.write)
    inbox = Inbox(project.state / "mail")
    server = serving(_by_door(doors, front, mail.create(inbox)))
    _stop_at_signals(server)
    async with contextlib.AsyncExitStack() as running:
        for app in apps.values():
            await running.enter_async_context(lifespan.running(app))
        post = await mail.serve(inbox, doors.smtp)
        running.callback(post.close)
        Api(project).remember(told)
        running.callback(Api(project).forget)
        gc.freeze()  # what is imported stays; later collections need not look at it
        announce()
        if told.worker:
            await running.enter_async_context(workers.beside(project))
        await server.serve([doors.api, *ports.listen_beside(doors.api), doors.page])


def serving(app: ASGIApp) -> uvicorn.Server:
    """The server for one application, which has been started."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=connections.HttpConnection,
            ws=connections.Connection,
            ws_max_size=LARGEST_FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=None,  # clients send heartbeats of their own
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def _stop_at_signals(server: uvicorn.Server) -> None:
    """End the start at a signal. Once started, uvicorn stops at it, then sends it here again."""
    loop, starting = asyncio.get_running_loop(), asyncio.current_task()

    def stop(_number: int, _frame: object) -> None:
        if starting and not (server.started or starting.done()):
            loop.call_soon_threadsafe(starting.cancel)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _by_door(doors: _Doors, front: ASGIApp, page: ASGIApp) -> ASGIApp:
    """One application for both ports: a request says at which of them it came in."""
    page_port = doors.page.getsockname()[1]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = page if scope["server"][1] == page_port else front
        await chosen(scope, receive, send)

    return app


def _whereabouts(order: Order, doors: _Doors, asked: Settings) -> Whereabouts:
    port = doors.api.getsockname()[1]
    return Whereabouts(
        pid=os.getpid(),
        created=psutil.Process().create_time(),
        fingerprint=order.fingerprint,
        url=f"http://{_reachable(order.host)}:{port}",
        mail_url=f"http://{ports.LOOPBACK}:{doors.page.getsockname()[1]}",
        smtp_port=doors.smtp.getsockname()[1],
        secret_key=asked.auth.secret_key,
        worker=order.worker,
    )


def _reachable(host: str) -> str:
    """Where callers on this machine reach a server that listens on `host`."""
    if host in {"localhost", "0.0.0.0", "::"}:  # noqa: S104 (read here, not bound)
        return ports.LOOPBACK
    return f"[{host}]" if ":" in host else host


def _database_url(stack: Stack) -> Callable[[str], str]:
    cluster = stack.cluster
    return lambda user: cluster.url(DATABASE, user)


@contextlib.contextmanager
def _only_one(project: Project) -> Iterator[None]:
    """One API process for each project; a killed one leaves no lock behind."""
    project.state.mkdir(exist_ok=True)
    lock = fasteners.InterProcessLock(project.state / "api.lock")
    if not lock.acquire(blocking=False):
        raise StackBusy("Another process serves the API of this project.", hint="Run: nlctl down")
    try:
        yield
    finally:
        lock.release()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    if sys.platform == "win32":
        return asyncio.SelectorEventLoop  # psycopg cannot use the other one
    import uvloop

    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
