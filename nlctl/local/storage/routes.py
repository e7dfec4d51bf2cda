"""Routes: which call does what, for whom, and what policies hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from nlctl.local.storage import (
    buckets,
    changes,
    downloads,
    errors,
    links,
    listing,
    resumable,
    uploads,
)
from nlctl.local.storage.call import answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nlctl.local.storage.call import Answer, Call

    Act = Callable[[Call], Awaitable[Answer]]


class Access(Enum):
    """Who is let in before the policies are asked."""

    KNOWN = auto()  # a token that is believed
    ANYBODY = auto()  # a token that is not believed counts as none
    OPEN = auto()  # nobody is asked who they are


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked; the operation is what storage.operation() tells policies."""

    act: Act
    operation: str
    access: Access = Access.KNOWN
    is_resumable: bool = False


async def _say_healthy(_call: Call) -> Answer:
    return answer({"healthy": True})


KNOWN, ANYBODY, OPEN = Access.KNOWN, Access.ANYBODY, Access.OPEN

# By method and path, where ":bucket" is one segment and "*" the rest.
_TABLE: tuple[tuple[str, str, Act, str, Access], ...] = (
    ("GET", "/status", _say_healthy, "", OPEN),
    ("GET", "/health", _say_healthy, "", OPEN),
    ("GET", "/bucket", buckets.show_all, "storage.bucket.list", KNOWN),
    ("POST", "/bucket", buckets.create, "storage.bucket.create", KNOWN),
    ("GET", "/bucket/:bucket", buckets.show, "storage.bucket.get", KNOWN),
    ("PUT", "/bucket/:bucket", buckets.change, "storage.bucket.update", KNOWN),
    ("DELETE", "/bucket/:bucket", buckets.delete, "storage.bucket.delete", KNOWN),
    ("POST", "/bucket/:bucket/*", buckets.empty, "storage.bucket.empty", KNOWN),
    ("POST", "/object/move", changes.move, "storage.object.move", KNOWN),
    ("POST", "/object/copy", changes.copy, "storage.object.copy", KNOWN),
    ("POST", "/object/list/:bucket", listing.list_level, "storage.object.list", KNOWN),
    ("POST", "/object/list-v2/:bucket", listing.list_pages, "storage.object.list_v2", KNOWN),
    ("POST", "/object/sign/:bucket", links.sign_many, "storage.object.sign_many", KNOWN),
    ("POST", "/object/sign/:bucket/*", links.sign, "storage.object.sign", KNOWN),
    ("GET", "/object/sign/:bucket/*", downloads.send_signed, "storage.object.get_signed", OPEN),
    ("HEAD", "/object/sign/:bucket/*", downloads.head_signed, "storage.object.get_signed", OPEN),
    ("POST", "/object/upload/sign/:bucket/*", links.sign_upload,
     "storage.object.sign_upload_url", KNOWN),
    ("PUT", "/object/upload/sign/:bucket/*", uploads.create_signed,
     "storage.object.upload_signed", OPEN),
    ("GET", "/object/info/:bucket/*", downloads.info, "object.get_authenticated_info", ANYBODY),
    ("GET", "/object/info/authenticated/:bucket/*", downloads.info,
     "object.get_authenticated_info", KNOWN),
    ("GET", "/object/info/public/:bucket/*", downloads.info_public,
     "storage.object.info_public", OPEN),
    ("GET", "/object/public/:bucket/*", downloads.send_public, "storage.object.get_public", OPEN),
    ("HEAD", "/object/public/:bucket/*", downloads.head_public, "storage.object.info_public", OPEN),
    ("GET", "/object/authenticated/:bucket/*", downloads.send,
     "storage.object.get_authenticated", KNOWN),
    ("HEAD", "/object/authenticated/:bucket/*", downloads.head,
     "object.head_authenticated_info", KNOWN),
    ("GET", "/object/:bucket/*", downloads.send, "storage.object.get_authenticated", ANYBODY),
    ("HEAD", "/object/:bucket/*", downloads.head, "object.head_authenticated_info", ANYBODY),
    ("POST", "/object/:bucket/*", uploads.create, "storage.object.upload", KNOWN),
    ("PUT", "/object/:bucket/*", uploads.update, "storage.object.upload_update", KNOWN),
    ("DELETE", "/object/:bucket/*", changes.remove, "storage.object.delete", KNOWN),
    ("DELETE", "/object/:bucket", changes.remove_many, "storage.object.delete_many", KNOWN),
    ("GET", "/render/image/*", downloads.refuse_image, "", OPEN),
    ("HEAD", "/render/image/*", downloads.refuse_image, "", OPEN),
)  # fmt: skip

_RESUMABLE: tuple[tuple[str, str, Act, str], ...] = (
    ("OPTIONS", "", resumable.describe, "storage.tus.options"),
    ("OPTIONS", "/*", resumable.describe, "storage.tus.options"),
    ("POST", "", resumable.create, "storage.tus.upload.create"),
    ("HEAD", "/*", resumable.look, "storage.tus.upload.get"),
    ("PATCH", "/*", resumable.resume, "storage.tus.upload.part"),
    ("DELETE", "/*", resumable.stop, "storage.tus.upload.delete"),
)

_KNOWN_ENDS = {(): "", (":bucket",): ":bucket", (":bucket", "*"): "*", ("*",): "rest"}


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route of a path, and what stands in the path's open places."""
    words = tuple(path.removeprefix("/").split("/"))
    for fixed in range(min(len(words), 3), 0, -1):
        rest = words[fixed:]
        if rest == ("",):
            rest = ()
        for end, place in _ends(rest):
            route = _ROUTES.get((method, words[:fixed], end))
            if route:
                return route, place
    raise errors.no_route(method, path)


def _ends(rest: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The ways in which the open places of a route may be filled by `rest`."""
    if not rest:
        return (("", ()),)
    whole = "/".join(rest)
    if len(rest) == 1:
        return ((":bucket", rest), ("rest", (whole,)))
    return (("*", (rest[0], "/".join(rest[1:]))), ("rest", (whole,)))


def _split(pattern: str) -> tuple[tuple[str, ...], str]:
    words = tuple(pattern.removeprefix("/").split("/"))
    fixed = tuple(word for word in words if word not in {":bucket", "*"})
    return fixed, _KNOWN_ENDS[words[len(fixed) :]]


def _table() -> dict[tuple[str, tuple[str, ...], str], Route]:
    routes = {
        (method, *_split(pattern)): Route(act, operation, access)
        for method, pattern, act, operation, access in _TABLE
    }
    for method, pattern, act, operation in _RESUMABLE:
        for prefix, suffix in (("/upload/resumable", ""), (resumable.SIGNED, "_signed")):
            is_open = bool(suffix) or method in {"OPTIONS", "HEAD"}
            routes[(method, *_split(prefix + pattern))] = Route(
                act, operation + suffix, OPEN if is_open else KNOWN, is_resumable=True
            )
    return routes


_ROUTES = _table()
