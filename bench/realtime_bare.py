"""The limit for bench.realtime: `websockets` alone, passing on whatever one client sends."""

from __future__ import annotations

import asyncio

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedError

from nlctl.local import connections, ports

connected: set[ServerConnection] = set()


async def pass_on(connection: ServerConnection) -> None:
    """Say to everybody else what this client says."""
    connected.add(connection)
    try:
        async for message in connection:
            broadcast(connected - {connection}, message)
    except ConnectionClosedError:
        pass  # the load says no goodbye
    finally:
        connected.discard(connection)


async def main() -> None:
    """Listen on a free port, print where, and serve until told to stop."""
    connections.allow_many()
    with ports.listen(ports.LOOPBACK, 0) as socket:
        async with serve(pass_on, sock=socket, compression=None, ping_interval=None):
            print(f"127.0.0.1:{socket.getsockname()[1]}", flush=True)
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(main())
