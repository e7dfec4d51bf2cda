"""Buckets: made, shown, changed, emptied and deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nlctl.local.storage import errors, names
from nlctl.local.storage.call import answer, answer_rows, answer_text
from nlctl.local.storage.callers import SERVICE
from nlctl.local.storage.database import text, texts
from nlctl.local.storage.fields import Fields

if TYPE_CHECKING:
    from nlctl.local.storage.call import Answer, Call

COLUMNS = ("id", "name", "created_at", "updated_at")
KINDS = ("STANDARD", "ANALYTICS")
EMPTIED = "Empty bucket has been queued. Completion may take up to an hour."


async def show_all(call: Call) -> Answer:
    """GET /bucket."""
    asked = Fields(call.query, "querystring")
    limit = str(asked.number("limit", 0, least=1)) if "limit" in asked else None
    column = asked.text("sortColumn", among=COLUMNS) if "sortColumn" in asked else ""
    results = await call.service.database.run(
        call.acting_as(call.caller),
        call.step(
            "bucket_list", limit, str(asked.number("offset", 0, least=0)), column,
            asked.text("sortOrder", "asc", among=("asc", "desc")), asked.text("search"),
        ),
    )  # fmt: skip
    return answer_rows(texts(results[1]))


async def show(call: Call) -> Answer:
    """GET /bucket/:id."""
    results = await call.service.database.run(
        call.acting_as(call.caller), call.step("bucket_show", call.place[0])
    )
    row = text(results[1])
    if row is None:
        raise errors.no_bucket()
    return answer_text(row)


async def create(call: Call) -> Answer:
    """POST /bucket."""
    fields = await call.document()
    fields.require("name")
    name = names.check_bucket(fields.text("name"))
    identifier = names.check_bucket(fields.text("id") if fields.raw("id") else name)
    if name != name.strip() or identifier != identifier.strip():
        raise errors.invalid_bucket_name()
    if fields.raw("type") and fields.text("type", among=KINDS) != "STANDARD":
        raise errors.not_available("An analytics bucket")
    owner = call.caller.owner
    limit, types = _limit(call, fields), _types(fields)
    try:
        await call.service.database.run(
            call.acting_as(call.caller),
            call.step(
                "bucket_create", identifier, name, str(fields.boolean("public")).lower(),
                owner if owner and names.is_uuid(owner) else None, owner,
                None if limit is None else str(limit), json.dumps(types or []),
            ),
        )  # fmt: skip
    except errors.Refusal as refusal:
        if refusal.code == "ResourceAlreadyExists":
            raise errors.taken("BucketAlreadyExists") from refusal
        raise
    return answer({"name": name})


async def change(call: Call) -> Answer:
    """PUT /bucket/:id: what the body names; the rest stays as it is."""
    fields = await call.document()
    given: dict[str, Any] = {}
    if "public" in fields:
        given["public"] = fields.boolean("public")
    if "file_size_limit" in fields:
        given["file_size_limit"] = _limit(call, fields)
    if "allowed_mime_types" in fields:
        given["allowed_mime_types"] = _types(fields)
    if not given:
        raise errors.invalid("body must have required property 'public'")
    results = await call.service.database.run(
        call.acting_as(call.caller), call.step("bucket_change", call.bucket, json.dumps(given))
    )
    if text(results[1]) is None:
        raise errors.no_bucket()
    return answer({"message": "Successfully updated"})


async def delete(call: Call) -> Answer:
    """DELETE /bucket/:id, if nothing is in it."""
    identifier = call.place[0]
    async with call.service.database.transaction() as transaction:
        [looked] = await transaction.run(call.own_step("bucket_look", identifier))
        is_filled = text(looked)
        if is_filled is None:
            raise errors.no_bucket()
        if is_filled == "true":
            raise errors.bucket_not_empty()
        deleted = await transaction.run(
            call.acting_as(call.caller), call.step("bucket_delete", identifier)
        )
        if text(deleted[1]) is None:
            raise errors.no_bucket()
    return answer({"message": "Successfully deleted"})


async def empty(call: Call) -> Answer:
    """POST /bucket/:id/empty, for servers only; here it is done when the answer comes."""
    if call.place[1] != "empty":
        raise errors.no_route(call.method, call.path)
    if call.caller.role != SERVICE.role:
        raise errors.access_denied("Access denied: Invalid role", http_status=403)
    identifier = call.place[0]
    results = await call.service.database.run(
        call.acting_as(call.caller),
        call.step("bucket_show", identifier),
        call.step("bucket_empty", identifier),
    )
    if text(results[1]) is None:
        raise errors.no_bucket()
    await call.service.folder.remove(texts(results[2]))
    return answer({"message": EMPTIED})


def _limit(call: Call, fields: Fields) -> int | None:
    """The size limit in the body: bytes, a size such as 20MB, or null."""
    value = fields.raw("file_size_limit")
    if value is None:
        return None
    if isinstance(value, str) and not value.isdecimal():
        limit = names.parse_size(value)
    else:
        limit = fields.number("file_size_limit", 0, least=0)
    if limit > call.service.config.file_size_limit:
        raise errors.too_large()
    return limit


def _types(fields: Fields) -> list[str] | None:
    if fields.raw("allowed_mime_types") is None:
        return None
    types = [each for each in fields.texts("allowed_mime_types") if each]
    names.check_types(types)
    return types
