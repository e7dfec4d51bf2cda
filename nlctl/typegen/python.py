"""Python: rows as pydantic models; what is sent as typed dictionaries that JSON can carry."""

from __future__ import annotations

import json
import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.typegen.order import by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nlctl.typegen.shape import Column, Function, Relation, Shape, Type

_HEAD = """from __future__ import annotations

import datetime
import uuid
from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue
from typing_extensions import NotRequired, TypeAlias, TypedDict
"""
_PLAIN = {
    "bool": "bool",
    **dict.fromkeys(("int2", "int4", "int8"), "int"),
    **dict.fromkeys(("float4", "float8", "numeric"), "float"),
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "bytea", "vector", "interval"), "str"),
    **dict.fromkeys(("json", "jsonb"), "JsonValue"),
    "void": "None",
    "record": "dict[str, Any]",
}
_PARSED = {
    "uuid": "uuid.UUID",
    "date": "datetime.date",
    **dict.fromkeys(("time", "timetz"), "datetime.time"),
    **dict.fromkeys(("timestamp", "timestamptz"), "datetime.datetime"),
}
# What BaseModel already calls something else.
_TAKEN = re.compile(
    r"(copy|dict|json|schema|construct|validate|from_orm|(parse|schema|model)_.*)\Z"
)


def write(shape: Shape) -> str:
    """The module: aliases of enums, then classes whose names begin with their schema."""
    writer = _Writer(shape)
    classes = "\n\n".join(writer.classes())
    aliases = "\n".join(writer.enums(set(re.findall(r"\w+", classes))))
    return "\n\n".join(filter(None, [_HEAD.rstrip(), aliases, classes])) + "\n"


@dataclass(frozen=True)
class _Writer:
    shape: Shape

    def enums(self, mentioned: set[str]) -> Iterator[str]:
        """Those of the schemas, and others that their classes mention."""
        for enum in sorted(
            self.shape.types.values(), key=lambda t: by_name(f"{t.schema}.{t.name}")
        ):
            if enum.labels and (
                enum.schema in self.shape.schemas or _class_name(enum) in mentioned
            ):
                labels = ", ".join(json.dumps(each, ensure_ascii=False) for each in enum.labels)
                yield f"{_class_name(enum)}: TypeAlias = Literal[{labels}]"

    def classes(self) -> Iterator[str]:
        for relation in self.shape.relations:
            yield from self.relation(relation)
        for schema in self.shape.schemas:
            for composite in self.shape.composites_in(schema):
                yield self.composite(composite)
            for overloads in self.shape.functions_in(schema).values():
                yield from self.function(overloads)

    def relation(self, relation: Relation) -> Iterator[str]:
        name = _class_name(relation)
        columns = relation.columns
        yield _model(name, ((c.name, self.read(c.type_id, c.is_nullable)) for c in columns))
        if relation.takes_inserts:
            yield _dictionary(f"{name}Insert", self.written(relation, is_new=True))
        if relation.takes_updates:
            yield _dictionary(f"{name}Update", self.written(relation, is_new=False))

    def written(self, relation: Relation, *, is_new: bool) -> Iterator[tuple[str, str]]:
        for column in relation.columns:
            if not column.is_read_only:
                is_optional = not is_new or relation.is_view or column.is_optional
                yield column.name, _not_required(self.sent(column, relation), is_optional)

    def sent(self, column: Column, relation: Relation) -> str:
        return self.spell(column.type_id, {}, relation.is_view or column.is_nullable)

    def composite(self, composite: Type) -> str:
        return _model(
            _class_name(composite), ((n, self.read(t, True)) for n, t in composite.attributes)
        )

    def function(self, overloads: list[Function]) -> Iterator[str]:
        """What is passed to a function and, of `returns table`, a row of what comes back."""
        for number, function in enumerate(overloads, 1):
            name = _class_name(function) + (str(number) if len(overloads) > 1 else "")
            arguments = [
                (each.name, _not_required(self.spell(each.type_id, {}, False), each.has_default))
                for each in function.inputs
                if each.name
            ]
            if arguments:
                yield _dictionary(f"{name}Args", arguments)
            if function.table:
                rows = ((each.name, self.read(each.type_id, True)) for each in function.table)
                yield _model(f"{name}Returns", rows)

    def read(self, type_id: int, is_nullable: bool) -> str:
        return self.spell(type_id, _PARSED, is_nullable)

    def spell(self, type_id: int, parsed: dict[str, str], is_nullable: bool) -> str:
        """A value as pydantic parses it, or with nothing in `parsed` as JSON carries it."""
        found = self.shape.types[type_id]
        text = self.name_of(found, parsed)
        return f"{text} | None" if is_nullable and text not in {"Any", "None"} else text

    def name_of(self, found: Type, parsed: dict[str, str]) -> str:
        if found.name in _PARSED:
            return parsed.get(found.name, "str")
        if found.name in _PLAIN:
            return _PLAIN[found.name]
        if found.element_id:
            return f"list[{self.name_of(self.shape.types[found.element_id], parsed)}]"
        is_row = found.relation_id in self.shape.relation_of
        is_composite = found.attributes and found.schema in self.shape.schemas
        if found.labels or ((is_row or is_composite) and parsed):
            return _class_name(found)
        return "Any"


def _class_name(thing: Relation | Type | Function) -> str:
    words = re.split(r"[\W_]+", f"{thing.schema}_{thing.name}")
    return "".join(word[:1].upper() + word[1:] for word in words)


def _model(name: str, fields: Iterable[tuple[str, str]]) -> str:
    lines = [f"    {_field(column, kind)}" for column, kind in fields]
    return "\n".join([f"\nclass {name}(BaseModel):", *(lines or ["    pass"])])


def _field(column: str, kind: str) -> str:
    attribute = re.sub(r"\W", "_", column).lstrip("_")
    if keyword.iskeyword(attribute) or _TAKEN.match(attribute):
        attribute += "_"
    if not attribute or attribute[0].isdigit():
        attribute = f"column_{attribute}"
    alias = "" if attribute == column else f" = Field(alias={json.dumps(column)})"
    return f"{attribute}: {kind}{alias}"


def _dictionary(name: str, keys: Iterable[tuple[str, str]]) -> str:
    members = list(keys)
    if all(key.isidentifier() and not keyword.iskeyword(key) for key, _ in members):
        lines = [f"    {key}: {kind}" for key, kind in members]
        return "\n".join([f"\nclass {name}(TypedDict):", *(lines or ["    pass"])])
    lines = [f"        {json.dumps(key)}: {json.dumps(kind)}," for key, kind in members]
    return "\n".join([f"\n{name} = TypedDict(", f'    "{name}",', "    {", *lines, "    },", ")"])


def _not_required(kind: str, is_optional: bool) -> str:
    return f"NotRequired[{kind}]" if is_optional else kind
