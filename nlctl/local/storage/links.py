"""Links: URLs that carry a token, and with it the right to read or to write one object."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nlctl.local.storage import bodies, callers, errors, objects
from nlctl.local.storage.call import answer, to_json
from nlctl.local.storage.database import text, texts
from nlctl.local.storage.objects import Draft
from nlctl.local.tokens import TokenRejected

if TYPE_CHECKING:
    from nlctl.local.storage.call import Answer, Call
    from nlctl.local.storage.fields import Fields

DOWNLOAD = "download"
UPLOAD = "upload"
MOST_PATHS = 1000
LATEST = (2**53 - 1) // 1000
"""The last second that a token can name and a browser can count."""

UNREADABLE = "Either the object does not exist or you do not have access to it"


async def sign(call: Call) -> Answer:
    """POST /object/sign/:bucket/*: a link to read the object with, for whoever may read it.

    A link to a transformed image leads to the image as it is, as on projects that transform none.
    """
    seconds = _seconds(await call.document())
    found = (
        await call.service.database.run(
            call.acting_as(call.caller), call.step("object_find", call.bucket, call.name)
        )
    )[1]
    if text(found) is None:
        raise errors.no_object()
    return answer({"signedURL": _download_link(call, call.name, seconds)})


async def sign_many(call: Call) -> Answer:
    """POST /object/sign/:bucket: links to those of the objects that the caller may read."""
    fields = await call.document()
    fields.require("paths")
    seconds, paths = _seconds(fields), fields.texts("paths")
    if not 0 < len(paths) <= MOST_PATHS:
        raise errors.invalid(f"body/paths must have between 1 and {MOST_PATHS} items")
    results = await call.service.database.run(
        call.acting_as(call.caller),
        call.step("object_find_many", call.bucket, to_json(paths)),
    )
    readable = set(texts(results[1]))
    return answer([_signed_path(call, path, seconds, path in readable) for path in paths])


async def sign_upload(call: Call) -> Answer:
    """POST /object/upload/sign/:bucket/*: a link to write the object with."""
    declared = objects.declare(call.headers.get("content-type"), bodies.declared_size(call))
    metadata = bodies.decode_metadata(call.headers.get("x-metadata"))
    owner, is_upsert = call.caller.owner, call.is_upsert
    await objects.admit(call, Draft(call.bucket, call.name, owner, declared, metadata, is_upsert))
    place = f"{call.bucket}/{call.name}"
    owned = {"owner": owner} if owner else {}
    token = _token(
        call,
        {**owned, "url": place, "upsert": is_upsert, "scope": UPLOAD},
        call.service.config.signed_upload_seconds,
    )
    return answer({"url": f"/object/upload/sign/{place}?token={token}", "token": token})


def verify(call: Call, token: str | None, scope: str, place: str | None = None) -> dict[str, Any]:
    """What the token says, if it is ours and made for this object and this use of it.

    Tokens of older releases have no scope; those to write with say whether they may replace.
    """
    if token is None:
        raise errors.invalid("querystring must have required property 'token'")
    try:
        claims = call.service.keyring.verify(token)
    except TokenRejected as rejection:
        raise errors.invalid_token(callers.explain(rejection)) from rejection
    if claims.get("scope", UPLOAD if "upsert" in claims else DOWNLOAD) != scope:
        raise errors.invalid_signature(f"Token is not scoped for {scope}")
    if claims.get("url") != (place or f"{call.bucket}/{call.name}") or "exp" not in claims:
        raise errors.invalid_signature()
    return claims


def _signed_path(call: Call, path: str, seconds: int, is_readable: bool) -> dict[str, Any]:
    link = _download_link(call, path, seconds) if is_readable else None
    return {"error": None if is_readable else UNREADABLE, "path": path, "signedURL": link}


def _download_link(call: Call, name: str, seconds: int) -> str:
    place = f"{call.bucket}/{name}"
    token = _token(call, {"url": place, "scope": DOWNLOAD}, seconds)
    return f"/object/sign/{place}?token={token}"


def _token(call: Call, claims: dict[str, Any], seconds: int) -> str:
    now = int(time.time())
    return call.service.keyring.sign({**claims, "iat": now, "exp": now + seconds})


def _seconds(fields: Fields) -> int:
    fields.require("expiresIn")
    seconds = fields.number("expiresIn", 0, least=1)
    if seconds > LATEST - int(time.time()):
        raise errors.invalid_parameter("Invalid Parameter expiresIn")
    return seconds
