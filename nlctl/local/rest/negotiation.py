"""Negotiation: which of the media types a client accepts the answer is made in, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nlctl.local.rest.errors import media_not_available
from nlctl.local.rest.media import written
from nlctl.local.rest.request import (
    ANY,
    ARRAY_STRIPPED,
    CSV,
    GEOJSON,
    JSON,
    SINGLE,
    SINGLE_STRIPPED,
    Media,
    Return,
)

if TYPE_CHECKING:
    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.names import Name
    from nlctl.local.rest.request import ApiRequest, PlanOptions
    from nlctl.local.rest.schema import Handler, Schema


class Form(Enum):
    """What the rows are made into."""

    ARRAY = "a JSON array"
    SINGLE = "a JSON object"
    CSV = "lines of values"
    GEOJSON = "a collection of features"
    CUSTOM = "whatever a function of the database makes of them"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Answer:
    """The form of an answer. With `explain`, the plan of its query is the answer instead."""

    form: Form
    media: Media
    strips_nulls: bool = False
    handler: Handler | None = None
    explain: PlanOptions | None = None

    @property
    def is_single(self) -> bool:
        return self.media in {SINGLE, SINGLE_STRIPPED}


BUILT_IN = {
    ANY: Answer(Form.ARRAY, JSON),
    JSON: Answer(Form.ARRAY, JSON),
    CSV: Answer(Form.CSV, CSV),
    GEOJSON: Answer(Form.GEOJSON, GEOJSON),
}

FIXED = {
    SINGLE: Answer(Form.SINGLE, SINGLE),
    SINGLE_STRIPPED: Answer(Form.SINGLE, SINGLE_STRIPPED, strips_nulls=True),
    ARRAY_STRIPPED: Answer(Form.ARRAY, ARRAY_STRIPPED, strips_nulls=True),
}
"""Those that functions of the database cannot replace."""


def choose(
    request: ApiRequest,
    schema: Schema,
    config: RestConfig,
    relation: Name,
    *,
    has_default_select: bool,
) -> Answer:
    """The first media type accepted that there is an answer in."""
    for media in request.accept:
        answer = _for(media, schema, config, relation if has_default_select else None)
        if answer:
            return _silenced(answer, request)
    raise media_not_available(written(media) for media in request.accept)


def _for(media: Media, schema: Schema, config: RestConfig, relation: Name | None) -> Answer | None:
    if media.plan:
        answer = _for(media.plan.of, schema, config, relation) if config.plan_enabled else None
        if answer is None:
            return None
        return Answer(answer.form, media, answer.strips_nulls, answer.handler, media.plan)
    return FIXED.get(media) or _custom(media, schema, relation) or BUILT_IN.get(media)


def _custom(media: Media, schema: Schema, relation: Name | None) -> Answer | None:
    """A handler for just this relation takes any media type, if it says so."""
    wanted: list[tuple[Name | None, str]] = [(None, media.mime)]
    if relation:
        wanted = [(relation, ANY.mime), (relation, media.mime), *wanted]
    for key in wanted:
        handler = schema.handlers.get(key)
        if handler:
            return Answer(Form.CUSTOM, Media(handler.media), handler=handler)
    return None


def _silenced(answer: Answer, request: ApiRequest) -> Answer:
    """Nothing is made of rows that nobody will see."""
    is_mutation = request.action.is_mutation
    returns_rows = request.preferences.returning is Return.REPRESENTATION
    if request.is_head or (is_mutation and not returns_rows):
        return Answer(Form.NOTHING, answer.media, explain=answer.explain)
    return answer
