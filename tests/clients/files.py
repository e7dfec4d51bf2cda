"""Two people and their files with supabase-py: what each can do, and what he is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from storage3.exceptions import StorageApiError
from supabase.lib.client_options import AsyncClientOptions

from supabase import acreate_client

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from storage3._async.file_api import AsyncBucketProxy

    from tests.clients.meeting import Given

PATIENCE_SECONDS = 60


async def keep(given: Given) -> dict[str, Any]:
    """The whole life of a letter; what came of each step."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:

        async def connect(name: str) -> AsyncBucketProxy:
            headers = {"Authorization": f"Bearer {given.tokens[name]}"}
            chosen = AsyncClientOptions(httpx_client=http, headers=headers)
            client = await acreate_client(given.url, given.publishable_key, chosen)
            return client.storage.from_(given.bucket)

        ada, ben = await connect("ada"), await connect("ben")
        folder = given.people["ada"]
        letter, moved = f"{folder}/letter.txt", f"{folder}/sent/letter.txt"
        return {
            **await share(http, ada, letter),
            **await intrude(ben, folder, letter),
            **await tidy(ada, folder, letter, moved),
        }


async def share(http: httpx.AsyncClient, ada: AsyncBucketProxy, letter: str) -> dict[str, Any]:
    """She puts a letter there, and makes a link to it for whoever has no account."""
    uploaded = await ada.upload(letter, b"Dear Ben", {"content-type": "text/plain"})
    link = (await ada.create_signed_url(letter, 60))["signedUrl"]
    answer = await http.get(str(link))
    return {
        "an upload": uploaded.path,
        "a signed download": [answer.status_code, answer.headers["content-type"], answer.text],
    }


async def intrude(ben: AsyncBucketProxy, folder: str, letter: str) -> dict[str, Any]:
    """What he gets of her folder."""
    return {
        "a download by the other": await refused(ben.download(letter)),
        "a signed link by the other": await refused(ben.create_signed_url(letter, 60)),
        "an upload by the other": await refused(ben.upload(f"{folder}/reply.txt", b"Dear Ada")),
        "a list by the other": await ben.list(folder),
        "a move by the other": await refused(ben.move(letter, f"{folder}/lost.txt")),
        "a remove by the other": await ben.remove([letter]),
    }


async def tidy(ada: AsyncBucketProxy, folder: str, letter: str, moved: str) -> dict[str, Any]:
    """She lists, moves and removes; he has changed nothing."""
    diary: dict[str, Any] = {}
    diary["a list"] = [describe(found) for found in await ada.list(folder)]
    diary["a move"] = (await ada.move(letter, moved))["message"]
    diary["the old name"] = await refused(ada.download(letter))
    diary["the new name"] = (await ada.download(moved)).decode()
    diary["a remove"] = [row["name"] for row in await ada.remove([moved])]
    diary["what is left"] = await ada.list(folder)
    return diary


def describe(found: dict[str, Any]) -> list[Any]:
    """An object of a list, without its identity and its moments."""
    return [found["name"], found["metadata"]["size"], found["metadata"]["mimetype"]]


async def refused(act: Awaitable[Any]) -> list[str]:
    """The status and the words of a refusal."""
    try:
        answer = await act
    except StorageApiError as refusal:
        return [str(refusal.status), refusal.message]
    raise AssertionError(f"not refused: {answer}")
