"""Changes: objects that are moved, copied and removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nlctl.local.storage import bodies, errors, names, objects
from nlctl.local.storage.call import answer, answer_rows, to_json
from nlctl.local.storage.callers import SERVICE
from nlctl.local.storage.database import text, texts
from nlctl.local.storage.objects import Draft

if TYPE_CHECKING:
    from nlctl.local.storage.call import Answer, Call
    from nlctl.local.storage.fields import Fields

MOST_NAMES = 1000
Place = tuple[str, str]


async def move(call: Call) -> Answer:
    """POST /object/move: the same object under another name; its bytes stay where they are."""
    source, target = _places(await call.document())
    owner = call.caller.owner
    uuid = owner if owner and names.is_uuid(owner) else None
    change = (*source, *target, uuid, owner)
    database = call.service.database
    trial = await database.run(
        call.acting_as(call.caller),
        call.step("object_find", *source),
        call.step("object_move", *change),
        keep=False,
    )
    if text(trial[1]) is None or text(trial[2]) is None:
        raise errors.no_object()
    moved = await database.run(
        # In one order everywhere, or two who swap names would wait for each other.
        *(call.acting_as(SERVICE, "scope_and_lock", *each) for each in sorted({source, target})),
        call.step("object_move", *change, caller=SERVICE),
    )
    made = text(moved[-1])
    if made is None:
        raise errors.no_object()
    return answer({"message": "Successfully moved", "Id": made, "Key": target[1]})


async def copy(call: Call) -> Answer:
    """POST /object/copy: the same bytes under another name, for those who may read and write."""
    fields = await call.document()
    source, target = _places(fields)
    database = call.service.database
    found = text(
        (await database.run(call.acting_as(call.caller), call.step("object_show", *source)))[1]
    )
    if found is None:
        raise errors.no_object()
    row = json.loads(found)
    draft = _copy_of(row, target, call, fields)
    await objects.admit(call, draft)
    try:
        kept = await call.service.folder.copy(row["version"])
    except (FileNotFoundError, ValueError) as error:
        raise errors.no_file() from error
    made = await objects.write(call, draft, kept)
    [shown] = await database.run(call.own_step("object_show", *target))
    copied = json.loads(text(shown) or "{}")
    return answer({**copied, "Id": made, "Key": "/".join(target)})


async def remove(call: Call) -> Answer:
    """DELETE /object/:bucket/*: one object."""
    place = (call.bucket, call.name)
    results = await call.service.database.run(
        call.acting_as(SERVICE),
        call.step("object_hold", *place, caller=SERVICE),
        call.acting_as(call.caller),
        call.step("object_remove", *place),
    )
    if results[1].ntuples == 0:
        raise errors.no_object()
    if results[3].ntuples == 0:
        raise errors.access_denied()
    await call.service.folder.remove(texts(results[3]))
    return answer({"message": "Successfully deleted"})


async def remove_many(call: Call) -> Answer:
    """DELETE /object/:bucket: those of the named objects that the caller may remove."""
    fields = await call.document()
    fields.require("prefixes")
    wanted = fields.texts("prefixes")
    if not 0 < len(wanted) <= MOST_NAMES:
        raise errors.invalid(f"body/prefixes must have between 1 and {MOST_NAMES} items")
    results = await call.service.database.run(
        call.acting_as(call.caller),
        call.step("object_remove_many", call.bucket, to_json(wanted)),
    )
    await call.service.folder.remove(texts(results[1]))
    return answer_rows(texts(results[1], 1))


def _places(fields: Fields) -> tuple[Place, Place]:
    """Where the object is, and where it shall be."""
    fields.require("bucketId", "sourceKey", "destinationKey")
    bucket = names.check_bucket(fields.text("bucketId"))
    other = fields.text("destinationBucket") if fields.raw("destinationBucket") else bucket
    target = names.check_object(fields.text("destinationKey"))
    return (bucket, fields.text("sourceKey")), (names.check_bucket(other), target)


def _copy_of(row: dict[str, object], target: Place, call: Call, fields: Fields) -> Draft:
    """The copied object: with all that is known of it, or with what the caller says instead."""
    metadata = dict(row["metadata"] or {})  # type: ignore[call-overload]
    known = row["user_metadata"]
    user_metadata = None if known is None else to_json(known)
    if not fields.boolean("copyMetadata", default=True):
        said = fields.table("metadata")
        given = {name: said.text(name) for name in ("cacheControl", "mimetype") if name in said}
        metadata.update(given)
        user_metadata = bodies.decode_metadata(call.headers.get("x-metadata"))
    return Draft(*target, call.caller.owner, metadata, user_metadata, call.is_upsert)
