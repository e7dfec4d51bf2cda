"""What is sent along: JSON is only looked at and handed on, the rest is made into JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote_to_bytes

from nlctl.local.rest import errors
from nlctl.local.rest.media import written
from nlctl.local.rest.request import (
    BYTES,
    CSV,
    FORM,
    JSON,
    TEXT,
    XML,
    Action,
    Body,
    FormBody,
    JsonBody,
    RawBody,
)

if TYPE_CHECKING:
    from nlctl.local.rest.request import Media, Query

READERS = {Action.INSERT, Action.UPDATE, Action.PUT, Action.CALL}
NOTHING = JsonBody("[]", (), is_array=True)

csv.field_size_limit(2**31 - 1)  # the body as a whole has its limit


def read(content: bytes, media: Media, action: Action, query: Query) -> Body | None:
    """The body of a request that has one; other requests may send what they like."""
    if action not in READERS:
        return None
    if media == JSON:
        return _json(content, action, query)
    if media == CSV:
        return _csv(_text(content))
    if media == FORM:
        return _form(content, action)
    if media in {TEXT, XML, BYTES} and action is Action.CALL:
        return RawBody(content if media == BYTES else _text(content).encode(), media)
    raise errors.invalid_body(f"Content-Type not acceptable: {written(media)}")


def _json(content: bytes, action: Action, query: Query) -> JsonBody:
    if query.columns is not None and action is not Action.PUT:
        return JsonBody(_text(content), None)
    if not content and action is Action.CALL:
        return JsonBody("{}", (), is_object=True)
    try:
        text = content.decode()
        value = _LOOKER.decode(text)
    except (ValueError, RecursionError) as error:
        raise errors.invalid_body("Empty or invalid json") from error
    return _described(text, value)


def _described(text: str, value: Any) -> JsonBody:
    """A lone scalar holds no row, so it counts as no rows."""
    if isinstance(value, dict):
        return JsonBody(text, tuple(value), is_object=True)
    if not isinstance(value, list) or not value:
        return NOTHING
    if not all(isinstance(row, dict) and row.keys() == value[0].keys() for row in value):
        raise errors.invalid_body("All object keys must match")
    return JsonBody(text, tuple(value[0]), is_array=True)


def _csv(text: str) -> JsonBody:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise errors.invalid_body(f"Invalid CSV: {error}") from error
    if not rows:
        raise errors.invalid_body("Empty or invalid CSV")
    names, *lines = rows
    if any(len(line) < len(names) for line in lines):
        raise errors.invalid_body("All lines must have same number of fields")
    records = [
        {name: None if value == "NULL" else value for name, value in zip(names, line, strict=False)}
        for line in lines
    ]
    keys = tuple(records[0]) if records else ()
    text = json.dumps(records, ensure_ascii=False)
    return JsonBody(text, keys, is_array=True, media=CSV)


def _form(content: bytes, action: Action) -> Body:
    fields = tuple(_form_fields(content))
    if action is Action.CALL:
        return FormBody(fields)
    record = dict(fields)
    text = json.dumps(record, ensure_ascii=False)
    return JsonBody(text, tuple(record), is_object=True, media=FORM)


def _form_fields(content: bytes) -> list[tuple[str, str]]:
    parts = [part.partition(b"=") for part in re.split(rb"[&;]", content) if part]
    return [(_form_text(name), _form_text(value)) for name, _, value in parts]


def _form_text(text: bytes) -> str:
    return _text(unquote_to_bytes(text.replace(b"+", b" ")))


def _text(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise errors.text_not_unicode() from error
    if "\0" in text:
        raise errors.text_with_null_byte()
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# Numbers are PostgreSQL's to read; NaN and Infinity are no JSON.
_LOOKER = json.JSONDecoder(
    parse_int=lambda _: 0, parse_float=lambda _: 0, parse_constant=_refuse_constant
)
