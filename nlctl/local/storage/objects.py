"""Objects: their rows, and the steps by which a row and its file come to agree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nlctl.local.storage import errors, names
from nlctl.local.storage.bodies import Rules
from nlctl.local.storage.call import to_json
from nlctl.local.storage.callers import SERVICE
from nlctl.local.storage.database import text

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from nlctl.local.pipeline import Step
    from nlctl.local.storage.bodies import Body
    from nlctl.local.storage.call import Call
    from nlctl.local.storage.callers import Caller
    from nlctl.local.storage.folder import Kept

TRIAL_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Draft:
    """An object that is to be written: everything but its version."""

    bucket: str
    name: str
    owner: str | None
    metadata: dict[str, Any]
    user_metadata: str | None = None
    is_upsert: bool = False

    def trial(self, call: Call) -> Step:
        """The statement that writes its row as whoever asks, who need not be able to read it."""
        return self._step(call, "object_insert", TRIAL_VERSION, call.caller)

    def step(self, call: Call, version: str) -> Step:
        """The statement that writes its row, and tells its id."""
        return self._step(call, "object_add", version, SERVICE)

    def _step(self, call: Call, insert: str, version: str, caller: Caller) -> Step:
        owner = self.owner if self.owner and names.is_uuid(self.owner) else None
        return call.step(
            "object_upsert" if self.is_upsert else insert,
            self.bucket, self.name, version, owner, self.owner,
            to_json(self.metadata), self.user_metadata,
            caller=caller,
        )  # fmt: skip


def describe(kept: Kept, content_type: str, cache_control: str) -> dict[str, Any]:
    """What the row says of its file."""
    kept_at = datetime.fromtimestamp(kept.kept_at, UTC).isoformat(timespec="milliseconds")
    return {
        "eTag": f'"{kept.digest}"',
        "size": kept.size,
        "mimetype": content_type,
        "cacheControl": cache_control,
        "lastModified": kept_at.replace("+00:00", "Z"),
        "contentLength": kept.size,
        "httpStatusCode": 200,
    }


def declare(content_type: str | None, size: int | None) -> dict[str, Any]:
    """What policies may know of an object that has not arrived yet."""
    said = {"mimetype": content_type, "contentLength": size}
    return {name: value for name, value in said.items() if value is not None}


async def admit(call: Call, draft: Draft, body: Body | None = None) -> Rules:
    """What the bucket takes, once it and the policies let `draft` be written by whoever asks.

    The policies are asked by writing the row in a transaction that comes to nothing.
    """
    scope = call.acting_as(call.caller, "scope_and_rules", draft.bucket)
    database = call.service.database
    try:
        results = await database.run(scope, draft.trial(call), keep=False)
    except errors.Refusal:
        # The bucket's own objections come first, as on the platform.
        results = await database.run(call.acting_as(SERVICE, "scope_and_rules", draft.bucket))
        _read_rules(call, results[0], draft, body)
        raise
    return _read_rules(call, results[0], draft, body)


async def write(call: Call, draft: Draft, kept: Kept) -> str:
    """Commit the row of a file that is complete, then remove the file it replaces; its id.

    Without the right to replace, a row that came in the meantime wins.
    """
    place = (draft.bucket, draft.name)
    hold = [call.step("object_hold", *place, caller=SERVICE)] if draft.is_upsert else []
    folder = call.service.folder
    try:
        results = await call.service.database.run(
            call.acting_as(SERVICE, "scope_and_lock", *place),
            *hold,
            draft.step(call, kept.version),
        )
    except errors.Uncertain:
        raise  # the row may be there, so the file has to stay
    except errors.Refusal:
        await folder.remove([kept.version])
        raise
    identifier = text(results[-1])
    if identifier is None:  # what stood there, if anything did, still needs its own file
        await folder.remove([kept.version])
        raise errors.not_written()
    if draft.is_upsert:
        replaced = text(results[1])
        await folder.remove([replaced] if replaced != kept.version else [])
    return identifier


async def find_size(call: Call, bucket: str, name: str, version: str) -> str | None:
    """The size of an object, if it is of this version."""
    [found] = await call.service.database.run(call.own_step("object_size", bucket, name, version))
    return text(found)


def _read_rules(call: Call, result: PGresult, draft: Draft, body: Body | None) -> Rules:
    document = text(result, result.nfields - 1)
    if document is None:
        raise errors.no_bucket()
    found = json.loads(document)
    own, general = found["file_size_limit"], call.service.config.file_size_limit
    limit = general if own is None else min(own, general)
    rules = Rules(limit, tuple(found["allowed_mime_types"]))
    if body:
        rules.check(body, draft.name)
    return rules
