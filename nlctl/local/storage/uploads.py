"""Uploads: new objects, replaced ones, and those whose URL was signed beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.storage import bodies, links, objects
from nlctl.local.storage.call import answer
from nlctl.local.storage.callers import SERVICE
from nlctl.local.storage.objects import Draft

if TYPE_CHECKING:
    from nlctl.local.storage.call import Answer, Call


async def create(call: Call) -> Answer:
    """POST /object/:bucket/*: a new object, or with x-upsert any."""
    made = await _store(call, call.caller.owner, is_upsert=call.is_upsert)
    return answer({"Id": made, "Key": f"{call.bucket}/{call.name}"})


async def update(call: Call) -> Answer:
    """PUT /object/:bucket/*: the object, whether it stands there or not."""
    made = await _store(call, call.caller.owner, is_upsert=True)
    return answer({"Id": made, "Key": f"{call.bucket}/{call.name}"})


async def create_signed(call: Call) -> Answer:
    """PUT /object/upload/sign/:bucket/*: what the token in the URL allows, whoever has it."""
    claims = links.verify(call, call.query.get("token"), links.UPLOAD)
    call.caller = SERVICE
    await _store(call, claims.get("owner") or None, is_upsert=bool(claims.get("upsert")))
    return answer({"Key": f"{call.bucket}/{call.name}"})


async def _store(call: Call, owner: str | None, *, is_upsert: bool) -> str:
    place = (call.bucket, call.name, owner)
    body = await bodies.read(call)
    declared = objects.declare(body.content_type, body.size)
    trial = Draft(*place, declared, body.user_metadata, is_upsert=is_upsert)
    rules = await objects.admit(call, trial, body)
    kept = await call.service.folder.keep(rules.measured(body, call.name))
    described = objects.describe(kept, body.content_type, body.cache_control)
    final = Draft(*place, described, body.user_metadata or "{}", is_upsert=is_upsert)
    return await objects.write(call, final, kept)
