"""The gateway with Storage behind it, for bench.storage: DATABASE_URL FOLDER"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import uvloop

from nlctl.local import gateway, keys, lifespan, ports, server, storage
from nlctl.local.gateway import ApiKeys
from nlctl.local.storage import StorageConfig
from nlctl.local.tokens import Keyring

LARGEST = 2**40


def forget(_line: str) -> None:
    """Keep no access log; the other side keeps none either."""


async def serve(database_url: str, folder: Path) -> None:
    """Listen on a free port, print where, and serve until told to stop."""
    keyring = Keyring(keys.JWT_SECRET)
    known = ApiKeys(keyring, keys.PUBLISHABLE_KEY, keys.SECRET_KEY)
    with ports.listen(ports.LOOPBACK, 0) as socket:
        url = f"http://127.0.0.1:{socket.getsockname()[1]}/storage/v1"
        service = storage.create(StorageConfig(database_url, folder, url, LARGEST), keyring)
        front = gateway.create({"storage": service}, known, health={}, write=forget)
        async with lifespan.running(service):
            gc.freeze()  # as the API process does
            print(f"{url}/object/bench", flush=True)
            await server.serving(front).serve([socket])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], Path(sys.argv[2])))
