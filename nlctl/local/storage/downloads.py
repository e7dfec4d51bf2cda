"""Downloads: the bytes of an object, or what is known of them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nlctl.local.storage import errors, links, ranges
from nlctl.local.storage.bodies import DEFAULT_CACHE_CONTROL, DEFAULT_TYPE
from nlctl.local.storage.call import Answer, answer
from nlctl.local.storage.database import text
from nlctl.local.storage.folder import READ_SIZE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import BinaryIO

    from nlctl.local.storage.call import Call
    from nlctl.local.storage.folder import Folder
    from nlctl.local.storage.ranges import Span

MARKUP = "text/html"
PLAIN = "text/plain"
ATTEMPTS = 3
"""How often a file is looked for whose object is replaced again and again meanwhile."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as its row tells it."""

    row: dict[str, Any]

    @property
    def version(self) -> str:
        return str(self.row["version"])

    @property
    def metadata(self) -> dict[str, Any]:
        return self.row["metadata"] or {}

    @property
    def etag(self) -> str:
        return str(self.metadata.get("eTag", ""))

    @property
    def modified_at(self) -> datetime:
        said = self.metadata.get("lastModified") or self.row["updated_at"]
        try:
            return datetime.fromisoformat(str(said)).astimezone(UTC)
        except ValueError:
            return datetime.fromisoformat(self.row["updated_at"])

    @property
    def size(self) -> int | None:
        said = str(self.metadata.get("size", self.metadata.get("contentLength")))
        return int(said) if said.isdecimal() else None


async def send(call: Call) -> Answer:
    """GET /object/:bucket/* and /object/authenticated/…: for those who may read it."""
    return await _send(call, find_readable)


async def send_public(call: Call) -> Answer:
    """GET /object/public/:bucket/*: for everybody, from a public bucket."""
    return await _send(call, _find_public)


async def send_signed(call: Call) -> Answer:
    """GET /object/sign/:bucket/*: for whoever has the link, until it expires."""
    claims = links.verify(call, call.query.get("token"), links.DOWNLOAD)
    sent = await _send(call, _find_any)
    kept = [(name, value) for name, value in sent.headers if name != "cache-control"]
    sent.headers = [*kept, ("expires", formatdate(claims["exp"], usegmt=True))]
    return sent


async def head(call: Call) -> Answer:
    """HEAD of the same: whether it is there, and what would be sent."""
    return _describe(call, await find_readable(call))


async def head_public(call: Call) -> Answer:
    """HEAD /object/public/:bucket/*."""
    return _describe(call, await _find_public(call))


async def head_signed(call: Call) -> Answer:
    """HEAD /object/sign/:bucket/*."""
    links.verify(call, call.query.get("token"), links.DOWNLOAD)
    return _describe(call, await _find_any(call))


async def info(call: Call) -> Answer:
    """GET /object/info/:bucket/* and /object/info/authenticated/…"""
    return _inform(await find_readable(call))


async def info_public(call: Call) -> Answer:
    """GET /object/info/public/:bucket/*"""
    return _inform(await _find_public(call))


async def refuse_image(_call: Call) -> Answer:
    """/render/image/…: what imgproxy does on the platform."""
    raise errors.not_available("Image transformation")


async def find_readable(call: Call) -> Stored:
    """The object, if its bucket is public or the policies let the caller read it."""
    place = (call.bucket, call.name)
    steps = [call.own_step("bucket_object", *place)]
    if call.caller.is_known:
        steps += [call.acting_as(call.caller), call.step("object_show", *place)]
    results = await call.service.database.run(*steps)
    is_public = text(results[0])
    if is_public is None or (is_public == "false" and not call.caller.is_known):
        raise errors.no_bucket()
    row = text(results[0], 1) if is_public == "true" else text(results[2])
    return _stored(row)


async def _find_public(call: Call) -> Stored:
    step = call.own_step("bucket_object", call.bucket, call.name)
    [found] = await call.service.database.run(step)
    if text(found) != "true":
        raise errors.no_bucket()
    return _stored(text(found, 1))


async def _find_any(call: Call) -> Stored:
    step = call.own_step("object_show", call.bucket, call.name)
    [found] = await call.service.database.run(step)
    return _stored(text(found))


def _stored(row: str | None) -> Stored:
    if row is None:
        raise errors.no_object()
    return Stored(json.loads(row))


async def _send(call: Call, find: Callable[[Call], Awaitable[Stored]]) -> Answer:
    for _ in range(ATTEMPTS):
        stored = await find(call)
        if _is_unchanged(call, stored):
            return Answer(304, headers=_headers(call, stored))
        try:
            file = await call.service.folder.open_file(stored.version)
        except FileNotFoundError:
            continue  # replaced between the look at the row and at the file
        return await _read(call, stored, file)
    raise errors.no_file()


async def _read(call: Call, stored: Stored, file: BinaryIO) -> Answer:
    headers = _headers(call, stored)
    try:
        size = os.fstat(file.fileno()).st_size
        span = _span(call, stored, size)
    except BaseException:
        file.close()
        raise
    status = 200
    if span:
        status = 206
        headers.append(("content-range", f"bytes {span.first}-{span.last}/{size}"))
    start, length = (span.first, span.size) if span else (0, size)
    headers.append(("content-length", str(length)))
    return Answer(status, headers=headers, chunks=_chunks(call.service.folder, file, start, length))


def _span(call: Call, stored: Stored, size: int) -> Span | None:
    asked = call.headers.get("range")
    if not asked or call.headers.get("if-range", stored.etag) != stored.etag:
        return None
    return ranges.read(asked, size)


async def _chunks(folder: Folder, file: BinaryIO, start: int, size: int) -> AsyncGenerator[bytes]:
    try:
        if start:
            file.seek(start)
        while size > 0:
            chunk = await folder.do(file.read, min(size, READ_SIZE))
            if not chunk:
                return
            size -= len(chunk)
            yield chunk
    finally:
        file.close()


def _is_unchanged(call: Call, stored: Stored) -> bool:
    """Whether the caller has it already; a tag says more than a moment."""
    tags = call.headers.get("if-none-match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return stored.etag in known or "*" in known
    since = call.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return stored.modified_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False


def _headers(call: Call, stored: Stored) -> list[tuple[str, str]]:
    metadata = stored.metadata
    content_type = str(metadata.get("mimetype") or DEFAULT_TYPE)
    headers = [
        ("accept-ranges", "bytes"),
        # Or pages of strangers would run as if they were ours.
        ("content-type", PLAIN if MARKUP in content_type.lower() else content_type),
        ("etag", stored.etag),
        ("x-robots-tag", "none"),
        ("last-modified", format_datetime(stored.modified_at, usegmt=True)),
        ("cache-control", str(metadata.get("cacheControl") or DEFAULT_CACHE_CONTROL)),
    ]
    name = call.query.get("download")
    if name == "":
        headers.append(("content-disposition", "attachment;"))
    elif name is not None:
        quoted = quote(name, safe="!'()*")
        disposition = f"attachment; filename={quoted}; filename*=UTF-8''{quoted}"
        headers.append(("content-disposition", disposition))
    return headers


def _describe(call: Call, stored: Stored) -> Answer:
    if _is_unchanged(call, stored):
        return Answer(304, headers=_headers(call, stored))
    return Answer(headers=[*_headers(call, stored), ("content-length", str(stored.size or 0))])


def _inform(stored: Stored) -> Answer:
    row, metadata = stored.row, stored.metadata
    return answer(
        {
            "id": row["id"],
            "name": row["name"],
            "version": row["version"],
            "bucket_id": row["bucket_id"],
            "size": stored.size,
            "content_type": metadata.get("mimetype"),
            "cache_control": metadata.get("cacheControl"),
            "etag": metadata.get("eTag"),
            "metadata": row["user_metadata"],
            "last_modified": row["updated_at"],
            "created_at": row["created_at"],
        }
    )
