"""Bodies: what an upload carries, whether it comes raw or in a form."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local.storage import errors, names
from nlctl.local.storage.fields import read_object
from nlctl.local.storage.forms import Form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nlctl.local.storage.call import Call

DEFAULT_TYPE = "application/octet-stream"
DEFAULT_CACHE_CONTROL = "no-cache"


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes that are still to arrive, and what was said of them.

    `size` is what the sender declares of the whole body, which policies may ask for; `exact_size`
    is that of the object, where it is known before it has arrived.
    """

    content_type: str
    cache_control: str
    chunks: AsyncIterator[bytes]
    user_metadata: str | None = None
    size: int | None = None
    exact_size: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What one bucket takes."""

    file_size_limit: int
    allowed_types: tuple[str, ...] = ()

    def check(self, body: Body, name: str) -> None:
        """Refuse what the bucket does not take, as far as it can be told before it arrives."""
        if self.allowed_types and not names.is_placeholder(name):
            names.check_type(body.content_type, self.allowed_types)
        if body.exact_size is not None and body.exact_size > self.limit_of(name):
            raise errors.too_large()

    def limit_of(self, name: str) -> int:
        """The most bytes an object of this name may have."""
        return 0 if names.is_placeholder(name) else self.file_size_limit

    async def measured(self, body: Body, name: str) -> AsyncIterator[bytes]:
        """The bytes of `body`, refused as soon as they are too many."""
        limit, size = self.limit_of(name), 0
        async for chunk in body.chunks:
            size += len(chunk)
            if size > limit:
                raise errors.too_large()
            yield chunk


async def read(call: Call) -> Body:
    """The body of `call`, read as far as it describes itself."""
    content_type = call.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        return await _read_form(call, content_type)
    size = declared_size(call)
    return Body(
        content_type=content_type or DEFAULT_TYPE,
        cache_control=call.headers.get("cache-control") or DEFAULT_CACHE_CONTROL,
        chunks=call.chunks(),
        user_metadata=decode_metadata(call.headers.get("x-metadata")),
        size=size,
        exact_size=size,
    )


def declared_size(call: Call) -> int | None:
    """What Content-Length says."""
    text = call.headers.get("content-length", "")
    return int(text) if text.isdecimal() else None


def decode_metadata(encoded: str | None) -> str | None:
    """The JSON object in a base64 header; what is not one is left out, as the service does."""
    if not encoded:
        return None
    try:
        return read_object(base64.b64decode(encoded + "==").decode())
    except (binascii.Error, ValueError):
        return None


async def _read_form(call: Call, content_type: str) -> Body:
    form = Form(content_type, call.chunks())
    file_type = await form.open()
    seconds = form.fields.get("cacheControl")
    metadata = form.fields.get("metadata") or form.fields.get("userMetadata")
    return Body(
        content_type=file_type,
        cache_control=f"max-age={seconds}" if seconds else DEFAULT_CACHE_CONTROL,
        chunks=form.file(),
        user_metadata=read_object(metadata) if metadata else None,
        size=declared_size(call),
    )
