"""Overloads: which of the functions of one name a call means, by the names of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest import hints
from nlctl.local.rest.errors import ApiError
from nlctl.local.rest.request import (
    BYTES,
    JSON,
    TEXT,
    XML,
    Action,
    FormBody,
    JsonBody,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlctl.local.rest.names import Name
    from nlctl.local.rest.request import ApiRequest, Media
    from nlctl.local.rest.schema import Function, Schema

UNNAMED = {JSON: ("json", "jsonb"), TEXT: ("text",), XML: ("xml",), BYTES: ("bytea",)}
"""Types of the single unnamed parameter that takes a whole body of this media type."""


def find(schema: Schema, name: Name, request: ApiRequest) -> Function:
    """The one function meant; one with a single unnamed parameter where no names fit."""
    arguments = argument_names(request)
    media = _posted_media(request)
    overloads = schema.functions.get(name, ())
    named = [one for one in overloads if _fits(one, arguments, media)]
    meant = named or [one for one in overloads if _takes_body(one, media)]
    if not meant:
        raise _not_found(schema, name, sorted(arguments), media)
    if len(meant) > 1:
        raise _ambiguous(meant)
    return meant[0]


def argument_names(request: ApiRequest) -> frozenset[str]:
    """The names a call gives its arguments, wherever they are written."""
    if request.action is not Action.CALL:
        return frozenset(name for name, _ in request.query.arguments)
    if request.query.columns is not None:
        return frozenset(request.query.columns)
    if isinstance(request.body, FormBody):
        return frozenset(name for name, _ in request.body.fields)
    if isinstance(request.body, JsonBody):
        return frozenset(request.body.keys or ())
    return frozenset()


def _posted_media(request: ApiRequest) -> Media | None:
    """What kind of body was posted; None where there is none but named arguments."""
    if request.action is not Action.CALL or isinstance(request.body, FormBody):
        return None
    return request.body.media if request.body else JSON


def _fits(function: Function, arguments: frozenset[str], media: Media | None) -> bool:
    if not function.parameters:
        return not arguments and media in {None, JSON}
    required = {one.name for one in function.parameters if one.is_required}
    return required <= arguments <= {one.name for one in function.parameters}


def _takes_body(function: Function, media: Media | None) -> bool:
    if media is None or len(function.parameters) != 1:
        return False
    (parameter,) = function.parameters
    return not parameter.name and parameter.type in UNNAMED.get(media, ())


def _not_found(schema: Schema, name: Name, arguments: list[str], media: Media | None) -> ApiError:
    function = f"{name.schema}.{name.name}"
    listed = ", ".join(arguments)
    alone = UNNAMED.get(media, ("",))[0] if media not in {None, JSON} else None
    named = f"({listed})" if arguments else " without parameters"
    plural = "s" if len(arguments) > 1 else ""
    searched = f" with parameter{plural} {listed}" if arguments else " without parameters"
    if alone:
        named, searched = "", f" with a single unnamed {alone} parameter"
    elif media == JSON:
        searched += " or with a single unnamed json/jsonb parameter"
    return ApiError(
        "PGRST202",
        f"Could not find the function {function}{named} in the schema cache",
        details=(
            f"Searched for the function {function}{searched}, "
            "but no matches were found in the schema cache."
        ),
        hint=None if alone else _suggestion(schema.functions, name, arguments),
    )


def _suggestion(
    functions: Mapping[Name, tuple[Function, ...]], name: Name, arguments: list[str]
) -> str | None:
    overloads = functions.get(name)
    if overloads:
        lists = [_listed([parameter.name for parameter in one.parameters]) for one in overloads]
        alike = hints.closest(_listed(arguments), lists, at_least=hints.VAGUELY_ALIKE)
        meant = None if alike is None else name.name + alike
    else:
        meant = hints.closest(name.name, [n for schema, n in functions if schema == name.schema])
    return (
        None if meant is None else f"Perhaps you meant to call the function {name.schema}.{meant}"
    )


def _listed(names: list[str]) -> str:
    return f"({', '.join(sorted(names))})"


def _ambiguous(candidates: list[Function]) -> ApiError:
    written = ", ".join(_signature(one) for one in candidates)
    return ApiError(
        "PGRST203",
        f"Could not choose the best candidate function between: {written}",
        hint=(
            "Try renaming the parameters or the function itself in the database "
            "so function overloading can be resolved"
        ),
    )


def _signature(function: Function) -> str:
    parameters = ", ".join(f"{one.name} => {one.type}" for one in function.parameters)
    return f"{function.name.schema}.{function.name.name}({parameters})"
