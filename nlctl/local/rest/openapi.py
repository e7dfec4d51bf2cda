"""The API described as OpenAPI 2.0: what the caller may see of relations and functions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nlctl.local.rest.media import written
from nlctl.local.rest.names import identifier
from nlctl.local.rest.request import CSV, JSON, OPENAPI, SINGLE, SINGLE_STRIPPED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.names import Name
    from nlctl.local.rest.relationships import Relationship
    from nlctl.local.rest.schema import Column, Function, Parameter, Relation

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visible:
    """What a role sees of one schema."""

    relations: tuple[Relation, ...]
    functions: tuple[Function, ...]
    relationships: Mapping[Name, tuple[Relationship, ...]] = field(default_factory=dict)
    comment: str | None = None
    """Of the schema: its first line is the title."""
    search_path: tuple[str, ...] = ()
    """The schemas that types of arguments are told without."""


ANSWERED = [written(media) for media in (JSON, SINGLE_STRIPPED, SINGLE, CSV)]
CALLED = ANSWERED[:-1]

_TYPES = {
    "character varying": "string",
    "character": "string",
    "text": "string",
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "real": "number",
    "double precision": "number",
    "json": None,
    "jsonb": None,
}
_FORMATS = {"smallint": "int32", "integer": "int32", "bigint": "int64"}
_PAGING = ("select", "order", "range", "rangeUnit", "offset", "limit", "preferCount")


def describe(visible: Visible, config: RestConfig) -> bytes:
    """The document, as JSON."""
    relations = sorted(visible.relations, key=lambda relation: relation.name)
    functions = sorted(visible.functions, key=lambda function: function.name)
    address = urlsplit(config.server_url)
    title, description = _title(visible.comment)
    document: Document = {
        "swagger": "2.0",
        "info": {
            "title": title or "Data API",
            "description": description or "Tables, views and functions over HTTP",
            "version": "16.1",
        },
        "host": address.netloc,
        "basePath": address.path or "/",
        "schemes": [address.scheme],
        "consumes": ANSWERED,
        "produces": ANSWERED,
        "paths": {
            "/": {"get": _introspection()},
            **{f"/{one.name.name}": _relation_path(one) for one in relations},
            **{f"/rpc/{one.name.name}": _function_path(one, visible) for one in functions},
        },
        "definitions": {one.name.name: _definition(one, visible) for one in relations},
        "parameters": {**_shared_parameters(), **_row_parameters(relations)},
        "externalDocs": {"url": "https://postgrest.org", "description": "PostgREST"},
        **(_security() if config.openapi_security_active else {}),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


# Paths.


def _introspection() -> Document:
    return {
        "tags": ["Introspection"],
        "summary": "OpenAPI description (this document)",
        "produces": [written(OPENAPI), written(JSON)],
        "responses": _responses({200: "OK"}),
    }


def _relation_path(relation: Relation) -> Document:
    name = relation.name.name
    told = {"tags": [name], **_summary(relation.description)}
    filters = [f"rowFilter.{name}.{column}" for column in relation.columns]
    rows = {"type": "array", "items": {"$ref": f"#/definitions/{name}"}}
    read = {
        **told,
        "parameters": _references(*filters, *_PAGING),
        "responses": {
            "200": {"description": "OK", "schema": rows},
            **_responses({206: "Partial Content"}),
        },
    }
    if not (relation.is_insertable or relation.is_updatable or relation.is_deletable):
        return {"get": read}
    return {
        "get": read,
        "post": {
            **told,
            "parameters": _references(f"body.{name}", "select", "preferPost"),
            "responses": _responses({201: "Created"}),
        },
        "patch": {
            **told,
            "parameters": _references(*filters, f"body.{name}", "preferReturn"),
            "responses": _responses({204: "No Content"}),
        },
        "delete": {
            **told,
            "parameters": _references(*filters, "preferReturn"),
            "responses": _responses({204: "No Content"}),
        },
    }


def _function_path(function: Function, visible: Visible) -> Document:
    parameters = [_unqualified(one, visible.search_path) for one in function.parameters]
    told = {
        "tags": [f"(rpc) {function.name.name}"],
        **_summary(function.description),
        "produces": CALLED,
        "responses": _responses({200: "OK"}),
    }
    arguments = {
        "type": "object",
        **_described(function.description),
        "properties": {one.name: _typed(one.type) for one in parameters},
        **_required(one.name for one in parameters if one.is_required),
    }
    posted = {"name": "args", "in": "body", "required": True, "schema": arguments}
    post = {**told, "parameters": [posted, *_references("preferParams")]}
    if function.may_write:
        return {"post": post}
    queried = [_query_argument(parameter) for parameter in parameters]
    return {"get": {**told, "parameters": queried}, "post": post}


def _unqualified(parameter: Parameter, search_path: tuple[str, ...]) -> Parameter:
    """With its type as PostgreSQL writes it where the search path finds it."""
    for schema in search_path:
        for start in (f"{schema}.", f"{identifier(schema)}."):
            if parameter.type.startswith(start):
                return replace(parameter, type=parameter.type.removeprefix(start))
    return parameter


def _query_argument(parameter: Parameter) -> Document:
    told: Document = {"name": parameter.name, "in": "query", "required": parameter.is_required}
    if parameter.is_variadic:
        element = parameter.type.removesuffix("[]")
        items = {"type": _type(element), "format": _format(element)}
        return {**told, "type": "array", "items": items, "collectionFormat": "multi"}
    kind = _type(parameter.type)
    # Arrays and JSON are written as text in a query string.
    kind = "string" if kind in {None, "array"} else kind
    return {**told, "type": kind, "format": _format(parameter.type)}


# Definitions.


def _definition(relation: Relation, visible: Visible) -> Document:
    relationships = visible.relationships.get(relation.name, ())
    columns = relation.columns.values()
    return {
        "type": "object",
        **_described(relation.description),
        "properties": {one.name: _property(one, relation, relationships) for one in columns},
        **_required(one.name for one in columns if not one.is_nullable),
    }


def _property(
    column: Column, relation: Relation, relationships: tuple[Relationship, ...]
) -> Document:
    notes = []
    if column.name in relation.key:
        notes.append("This is a Primary Key.<pk/>")
    if (reference := _reference(column, relationships)) is not None:
        table, key = reference
        notes.append(
            f"This is a Foreign Key to `{table}.{key}`.<fk table='{table}' column='{key}'/>"
        )
    described = column.description
    if notes:
        start = f"{described}\n\n" if described else ""
        described = start + "\n".join(["Note:", *notes])
    default = _default(column)
    return {
        **_typed(column.type),
        **_described(described),
        **({} if default is None else {"default": default}),
        **({"enum": list(column.labels)} if column.labels else {}),
        **({} if column.max_length is None else {"maxLength": column.max_length}),
    }


def _reference(column: Column, relationships: tuple[Relationship, ...]) -> tuple[str, str] | None:
    """The column that this one alone points at; tables before views."""
    for relationship in sorted(relationships, key=lambda one: one.is_to_view):
        if relationship.kind not in {"many-to-one", "one-to-one"} or relationship.is_parent:
            continue
        if [ours for ours, _ in relationship.columns] == [column.name]:
            return relationship.target.name, relationship.columns[0][1]
    return None


def _default(column: Column) -> Any:
    """A default that is a plain value; what PostgreSQL computes has no place in JSON."""
    if column.default is None:
        return None
    if _type(column.type) == "string":
        written_default = column.default
        plain = written_default.removesuffix(f"::{column.type}")
        return plain.strip("'") if plain != written_default else written_default
    try:
        return json.loads(column.default)
    except ValueError:
        return None


def _typed(kind: str) -> Document:
    typed = _type(kind)
    document: Document = {"format": _format(kind)}
    if typed is not None:
        document["type"] = typed
    if typed == "array":
        items = _type(kind.removesuffix("[]"))
        document["items"] = {} if items is None else {"type": items}
    return document


def _type(kind: str) -> str | None:
    if kind in _TYPES:
        return _TYPES[kind]
    return "array" if kind.endswith("[]") else "string"


def _format(kind: str) -> str:
    return _FORMATS.get(kind, kind)


# Parameters.


def _shared_parameters() -> Document:
    returns = ["return=representation", "return=minimal", "return=none"]
    resolutions = ["resolution=ignore-duplicates", "resolution=merge-duplicates"]
    return {
        "preferParams": _prefer([]),
        "preferReturn": _prefer(returns),
        "preferCount": _prefer(["count=none"]),
        "preferPost": _prefer([*returns, *resolutions]),
        "select": _text("select", "query", "Filtering Columns"),
        "on_conflict": _text("on_conflict", "query", "On Conflict"),
        "order": _text("order", "query", "Ordering"),
        "range": _text("Range", "header", "Limiting and Pagination"),
        "rangeUnit": {
            **_text("Range-Unit", "header", "Limiting and Pagination"),
            "default": "items",
        },
        "offset": _text("offset", "query", "Limiting and Pagination"),
        "limit": _text("limit", "query", "Limiting and Pagination"),
    }


def _row_parameters(relations: list[Relation]) -> Document:
    parameters: Document = {}
    for relation in relations:
        name = relation.name.name
        parameters[f"body.{name}"] = {
            "name": name,
            "description": name,
            "required": False,
            "in": "body",
            "schema": {"$ref": f"#/definitions/{name}"},
        }
        for column in relation.columns.values():
            named = f"rowFilter.{name}.{column.name}"
            parameters[named] = _text(column.name, "query", column.description)
    return parameters


def _prefer(choices: list[str]) -> Document:
    return {
        **_text("Prefer", "header", "Preference"),
        **({"enum": choices} if choices else {}),
    }


def _text(name: str, place: str, description: str | None) -> Document:
    typed = {"name": name, "in": place, "required": False, "type": "string"}
    return {**typed, **_described(description)}


def _references(*names: str) -> list[Document]:
    return [{"$ref": f"#/parameters/{name}"} for name in names]


# Small parts.


def _responses(responses: dict[int, str]) -> Document:
    return {str(status): {"description": said} for status, said in responses.items()}


def _title(comment: str | None) -> tuple[str, str]:
    """A comment's first line, and the rest of it."""
    first, _, rest = (comment or "").partition("\n")
    return first, rest.lstrip("\n")


def _summary(comment: str | None) -> Document:
    summary, description = _title(comment)
    told: Document = {"summary": summary} if comment is not None else {}
    return {**told, **_described(description or None)}


def _described(text: str | None) -> Document:
    return {} if text is None else {"description": text}


def _required(names: Any) -> Document:
    required = list(names)
    return {"required": required} if required else {}


def _security() -> Document:
    scheme = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "The token, after `Bearer` and a blank",
    }
    return {"securityDefinitions": {"JWT": scheme}, "security": [{"JWT": []}]}
