"""A bare Starlette endpoint that keeps files, for bench.storage: FOLDER

It promises what Storage does: a file that was acknowledged is whole and on the disk. It knows
nobody, asks no policy and keeps no row.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

from nlctl.local import ports

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

FOLDER = Path(sys.argv[1])


async def keep(request: Request) -> Response:
    """Write beside, then settle it in a thread, since a disk takes its time."""
    partial, name = FOLDER / str(uuid4()), request.path_params["name"]
    with partial.open("wb") as file:
        async for chunk in request.stream():
            file.write(chunk)
        file.flush()
        await asyncio.to_thread(settle, file.fileno(), partial, FOLDER / name)
    return JSONResponse({"Key": name})


def settle(handle: int, partial: Path, place: Path) -> None:
    """Bring the file to the disk, move it, and bring its name to the disk too."""
    os.fsync(handle)
    partial.replace(place)
    folder = os.open(FOLDER, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


async def give(request: Request) -> Response:
    """The file, as Starlette sends files."""
    return FileResponse(FOLDER / request.path_params["name"])


async def serve() -> None:
    """Listen on a free port, print where, and serve until told to stop."""
    routes = [
        Route("/{name}", keep, methods=["POST"]),
        Route("/{name}", give, methods=["GET"]),
    ]
    config = uvicorn.Config(
        Starlette(routes=routes), http="httptools", ws="none", lifespan="off", log_config=None,
        access_log=False,
    )  # fmt: skip
    with ports.listen(ports.LOOPBACK, 0) as socket:
        print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
        await uvicorn.Server(config).serve([socket])


if __name__ == "__main__":
    uvloop.run(serve())
