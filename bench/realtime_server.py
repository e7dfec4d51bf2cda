"""The gateway with Realtime behind it, for bench.realtime: URL of the database"""

from __future__ import annotations

import sys

import uvicorn
import uvloop

from nlctl.local import connections, gateway, keys, lifespan, ports, realtime
from nlctl.local.gateway import ApiKeys
from nlctl.local.tokens import Keyring

LIMITS = realtime.Limits(messages_per_second=1_000_000, joins_per_second=1_000_000)


def forget(_line: str) -> None:
    """Keep no access log; the bare server keeps none either."""


async def serve(url: str) -> None:
    """Listen on a free port, print where, and serve until told to stop."""
    connections.allow_many()
    keyring = Keyring(keys.JWT_SECRET)
    app = realtime.create(realtime.RealtimeConfig(url, LIMITS), keyring)
    known = ApiKeys(keyring, keys.PUBLISHABLE_KEY, keys.SECRET_KEY)
    front = gateway.create({"realtime": app}, known, health={}, write=forget)
    config = uvicorn.Config(
        front,
        ws=connections.Connection,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
    )
    with ports.listen(ports.LOOPBACK, 0) as socket:
        async with lifespan.running(app):
            print(f"127.0.0.1:{socket.getsockname()[1]}", flush=True)
            await uvicorn.Server(config).serve([socket])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
