"""Listings: what is in a bucket, as far as the caller may see it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl.local.pipeline import Step
from nlctl.local.storage import errors
from nlctl.local.storage.call import answer, answer_rows
from nlctl.local.storage.database import query, texts

if TYPE_CHECKING:
    from nlctl.local.storage.call import Answer, Call
    from nlctl.local.storage.fields import Fields

COLUMNS = ("name", "updated_at", "created_at", "last_accessed_at")
COLUMNS_V2 = ("name", "updated_at", "created_at")
ORDERS = ("asc", "desc")
USUAL_PAGE = 100
LARGEST_PAGE = 1000

_CURSOR_LINE = re.compile(r"([loca]):(.*)", re.DOTALL)


async def list_level(call: Call) -> Answer:
    """POST /object/list/:bucket: one level, folders among the objects."""
    fields = await call.document()
    fields.require("prefix")
    prefix = fields.text("prefix")
    folder = f"{prefix}/" if prefix and not prefix.endswith("/") else prefix
    search = fields.text("search") if fields.raw("search") is not None else ""
    column, order = _sorting(fields, COLUMNS)
    results = await call.service.database.run(
        call.acting_as(call.caller),
        call.step(
            "list", folder, call.bucket, str(fields.number("limit", USUAL_PAGE, least=1)),
            str(len((folder + search).split("/"))), str(fields.number("offset", 0, least=0)),
            search, column or "name", order or "asc",
        ),
    )  # fmt: skip
    return answer_rows(texts(results[1]))


async def list_pages(call: Call) -> Answer:
    """POST /object/list-v2/:bucket: page by page, one level or all of them."""
    fields = await call.document()
    size = min(fields.number("limit", LARGEST_PAGE, least=1), LARGEST_PAGE)
    column, order = _sorting(fields, COLUMNS_V2)
    cursor = _Cursor("", order or "asc", column or "name")
    if fields.raw("cursor"):
        cursor = _Cursor.read(fields.text("cursor"))
    step = _step(call, fields, cursor, size + 1)
    results = await call.service.database.run(call.acting_as(call.caller), step)
    found = [json.loads(row) for row in texts(results[1])]
    page = found[:size]
    document: dict[str, Any] = {
        "hasNext": len(found) > size,
        "folders": [_folder(entry) for entry in page if entry["id"] is None],
        "objects": [entry for entry in page if entry["id"] is not None],
    }
    if document["hasNext"]:
        document["nextCursor"] = cursor.after(page[-1]).write()
        document["nextCursorKey"] = page[-1]["name"]
    return answer(document)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a listing goes on: after this name, and the moment it has in the sorted column."""

    name: str
    order: str = "asc"
    column: str = "name"
    moment: str = ""

    @classmethod
    def read(cls, encoded: str) -> _Cursor:
        """A cursor as it was given out."""
        try:
            lines = base64.b64decode(encoded, validate=True).decode().split("\n")
        except (binascii.Error, ValueError) as error:
            raise _unknown_cursor() from error
        found = [_CURSOR_LINE.fullmatch(line) for line in lines]
        known = {one[1]: one[2] for one in found if one}
        cursor = cls(
            known.get("l", ""), known.get("o", "asc"), known.get("c", "name"), known.get("a", "")
        )
        if None in found or cursor.order not in ORDERS or cursor.column not in COLUMNS_V2:
            raise _unknown_cursor()
        return cursor

    def after(self, entry: dict[str, Any]) -> _Cursor:
        """The cursor behind the last entry of a page."""
        moment = entry[self.column] if self.column != "name" else ""
        return _Cursor(entry["name"], self.order, self.column, moment or "")

    def write(self) -> str:
        """The cursor as it is given out."""
        lines = {"l": self.name, "o": self.order, "c": self.column, "a": self.moment}
        text = "\n".join(f"{letter}:{value}" for letter, value in lines.items() if value)
        return base64.b64encode(text.encode()).decode()


def _step(call: Call, fields: Fields, cursor: _Cursor, limit: int) -> Step:
    prefix = fields.text("prefix") if fields.raw("prefix") is not None else ""
    if fields.boolean("with_delimiter"):
        return call.step(
            "list_folders", prefix, call.bucket, str(limit), str(len(prefix.split("/"))),
            cursor.name, cursor.order, cursor.column, cursor.moment,
        )  # fmt: skip
    beyond = ">" if cursor.order == "asc" else "<"
    values = (call.bucket, prefix, str(limit), cursor.name, cursor.column, cursor.moment)
    return Step(
        query("list_all", beyond=beyond, direction=cursor.order),
        [value.encode() for value in values],
        call.caller.role,
    )


def _sorting(fields: Fields, columns: tuple[str, ...]) -> tuple[str | None, str | None]:
    sorting = fields.table("sortBy")
    column = sorting.text("column", among=columns) if sorting.raw("column") else None
    order = sorting.text("order", among=ORDERS) if sorting.raw("order") else None
    return column, order


def _folder(entry: dict[str, Any]) -> dict[str, Any]:
    name = entry["name"]
    return {**entry, "name": name if name.endswith("/") else f"{name}/"}


def _unknown_cursor() -> errors.Refusal:
    return errors.invalid_parameter("Invalid Parameter continuation token")
