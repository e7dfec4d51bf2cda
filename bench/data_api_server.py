"""The gateway with the Data API behind it, for bench.data_api: URL"""

from __future__ import annotations

import gc
import sys

import uvloop

from nlctl.local import gateway, keys, lifespan, ports, rest, server
from nlctl.local.gateway import ApiKeys
from nlctl.local.tokens import Keyring


def forget(_line: str) -> None:
    """Keep no access log; the limit keeps none either."""


async def serve(url: str) -> None:
    """Listen on a free port, print where, and serve until told to stop."""
    keyring = Keyring(keys.JWT_SECRET)
    api = rest.create(rest.RestConfig(url), keyring)
    known = ApiKeys(keyring, keys.PUBLISHABLE_KEY, keys.SECRET_KEY)
    front = gateway.create({"rest": api}, known, health={}, write=forget)
    with ports.listen(ports.LOOPBACK, 0) as socket:
        async with lifespan.running(api):
            gc.freeze()  # as the API process does
            print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
            await server.serving(front).serve([socket])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
