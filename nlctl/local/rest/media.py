"""Media types: what a client accepts, what it sends, and what it is answered with."""

from __future__ import annotations

import re
from functools import lru_cache

from nlctl.local.rest.request import (
    ANY,
    ARRAY_STRIPPED,
    BYTES,
    CSV,
    FORM,
    GEOJSON,
    JSON,
    OPENAPI,
    SINGLE,
    SINGLE_STRIPPED,
    TEXT,
    XML,
    Media,
    PlanOptions,
)

PLAN = "application/vnd.pgrst.plan"
PLAN_OPTIONS = ("analyze", "verbose", "settings", "buffers", "wal")
_PLAIN = {media.mime: media for media in (JSON, GEOJSON, CSV, TEXT, XML, OPENAPI, FORM, BYTES, ANY)}
_SINGLE = {SINGLE.mime, "application/vnd.pgrst.object"}
_ARRAY = {ARRAY_STRIPPED.mime, "application/vnd.pgrst.array"}
_VENDORED = {SINGLE.mime, ARRAY_STRIPPED.mime}

_TYPE = re.compile(r"\s*([a-zA-Z0-9.*]+/[a-zA-Z0-9.*+-]+)")
_PARAMETER = re.compile(r'\s*;\s*([a-zA-Z0-9-]+)\s*=\s*(?:"([^"]*)"|([a-zA-Z0-9|./+-]+))')


@lru_cache(maxsize=256)
def decode(text: str) -> Media:
    """One media type of a header. One that means nothing special here stays as it is written."""
    match = _TYPE.match(text)
    mime = match[1].lower() if match else ""
    parameters = {
        name.lower(): quoted or plain
        for name, quoted, plain in _PARAMETER.findall(text, match.end() if match else len(text))
    }
    strips_nulls = parameters.get("nulls") == "stripped"
    if mime in _SINGLE:
        return SINGLE_STRIPPED if strips_nulls else SINGLE
    if mime in _ARRAY:
        return ARRAY_STRIPPED if strips_nulls else JSON
    if mime in {PLAN, f"{PLAN}+text", f"{PLAN}+json"}:
        return _plan(mime, parameters)
    return _PLAIN.get(mime) or Media(text.strip())


@lru_cache(maxsize=256)
def accepted(header: str | None) -> tuple[Media, ...]:
    """What Accept lists, best first: by quality, then the more precise before the less."""
    ranges = [part for part in (header or "").split(",") if part.strip()]
    weighed = sorted((_weighed(part) for part in ranges), key=lambda entry: entry[0], reverse=True)
    return tuple(decode(text) for _, text in weighed) or (ANY,)


def written(media: Media) -> str:
    """As headers write it."""
    if media.plan is not None:
        options = "|".join(media.plan.options)
        listed = f"; options={options}" if options else ""
        return f'{media.mime}; for="{written(media.plan.of)}"{listed}'
    return f"{media.mime};nulls=stripped" if media.strips_nulls else media.mime


@lru_cache(maxsize=256)
def content_type(media: Media) -> str:
    """The header Content-Type; what PostgREST doesn't know may be anything but text."""
    is_text = media in _PLAIN.values() or media.plan or media.mime in _VENDORED
    bare = media == BYTES or not is_text
    return written(media) if bare else f"{written(media)}; charset=utf-8"


def _plan(mime: str, parameters: dict[str, str]) -> Media:
    as_json = mime.endswith("+json")
    asked = parameters.get("options", "").split("|")
    return Media(
        f"{PLAN}+json" if as_json else f"{PLAN}+text",
        plan=PlanOptions(
            of=decode(parameters.get("for", JSON.mime)),
            as_json=as_json,
            options=tuple(option for option in PLAN_OPTIONS if option in asked),
        ),
    )


def _weighed(text: str) -> tuple[tuple[float, int], str]:
    bare, _, quality = text.replace(" ", "").partition(";q=")
    try:
        weight = float(quality) if quality else 1.0
    except ValueError:
        weight = 1.0
    return (weight, bare.count(";") - bare.count("*")), bare
