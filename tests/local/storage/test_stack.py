"""Storage as frontends meet it: behind the gateway of a stack that nlctl up has started."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from storage3.exceptions import StorageApiError
from supabase.lib.client_options import AsyncClientOptions

from supabase import acreate_client

if TYPE_CHECKING:
    from tests.stacks import Stack

DECLARED = {"avatars", "resources", "chat-attachments", "client-documents"}
PIXEL = b"\x89PNG\r\n"


@pytest.fixture
def name() -> str:
    """A name that no object has."""
    return f"{uuid4()}/me.png"


def test_the_declared_buckets_are_there(stack: Stack) -> None:
    buckets = {bucket.id: bucket for bucket in stack.service().storage.list_buckets()}

    assert buckets.keys() >= DECLARED
    assert buckets["avatars"].file_size_limit == 5 * 1024 * 1024
    assert "image/png" in (buckets["avatars"].allowed_mime_types or [])
    assert not buckets["avatars"].public


def test_opaque_keys_upload_sign_and_download(stack: Stack, name: str) -> None:
    avatars = stack.service().storage.from_("avatars")

    avatars.upload(name, PIXEL, {"content-type": "image/png"})
    link = avatars.create_signed_url(name, 60)["signedURL"]

    assert link
    assert link.startswith(f"{stack.api_url}/storage/v1/object/sign/avatars/")
    answer = httpx.get(link)
    assert (answer.content, answer.headers["content-type"]) == (PIXEL, "image/png")
    assert avatars.remove([name])[0]["name"] == name


def test_a_bucket_takes_what_config_toml_allows(stack: Stack, name: str) -> None:
    with pytest.raises(StorageApiError) as refusal:
        stack.service().storage.from_("avatars").upload(name, b"x", {"content-type": "text/plain"})

    assert (refusal.value.status, refusal.value.code) == ("415", "invalid_mime_type")


def test_a_client_that_awaits_speaks_the_same(stack: Stack, name: str) -> None:
    async def go() -> tuple[bytes, bool, list[str]]:
        http = httpx.AsyncClient(timeout=30)
        options = AsyncClientOptions(auto_refresh_token=False, httpx_client=http)
        client = await acreate_client(stack.api_url, stack.secret_key, options)
        files = client.storage.from_("avatars")
        await files.upload(name, PIXEL, {"content-type": "image/png"})
        content = await files.download(name)
        exists = await files.exists(name)
        moved = name.replace("me", "you")
        await files.move(name, moved)
        listed = await files.list(moved.partition("/")[0])
        await files.remove([moved])
        await http.aclose()
        return content, exists, [entry["name"] for entry in listed]

    assert asyncio.run(go()) == (PIXEL, True, ["you.png"])


def test_pages_of_other_origins_may_resume_uploads(stack: Stack) -> None:
    asked = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "tus-resumable,upload-offset",
    }

    preflight = httpx.options(f"{stack.api_url}/storage/v1/upload/resumable/x", headers=asked)
    spoken = httpx.options(f"{stack.api_url}/storage/v1/upload/resumable")

    assert preflight.headers["access-control-allow-headers"] == "tus-resumable,upload-offset"
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    exposed = spoken.headers["access-control-expose-headers"].lower().split(", ")
    assert {"location", "upload-offset", "tus-resumable"} <= set(exposed)
