"""Changing a fact of what is there; no statement where it has to be made anew, or cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.catalogue import model
from nlctl.catalogue.mending import creation
from nlctl.catalogue.names import dotted, literal, quoted
from nlctl.catalogue.thing import OPTION

if TYPE_CHECKING:
    from nlctl.catalogue.thing import Thing

_FIRING = {
    "enabled": "enable",
    "disabled": "disable",
    "on replicas": "enable replica",
    "always": "enable always",
}
_SWITCHES = {
    ("row level security", "on"): "enable row level security",
    ("row level security", "off"): "disable row level security",
    ("forced row level security", "on"): "force row level security",
    ("forced row level security", "off"): "no force row level security",
    ("persistence", "logged"): "set logged",
    ("persistence", "unlogged"): "set unlogged",
}


def of(fact: str, wanted: Thing, seen: Thing) -> list[str]:
    """The statements that give the fact its expected value."""
    name = wanted.name
    match wanted.source:
        case model.Table() as table:
            return _table(table, wanted, fact)
        case model.View() as view:
            return _view(view, wanted, fact, seen)
        case model.Column() as column:
            return _column(column, wanted, fact, seen)
        case model.Constraint() as constraint if fact == "state" and constraint.is_valid:
            whole = wanted.part_of[1] if wanted.part_of else ""
            return [f"alter table {whole} validate constraint {quoted(constraint.name)};"]
        case model.Index() as index if fact == "state" and index.is_valid:
            return [f"reindex index {name};"]
        case model.Trigger() as trigger if fact == "state":
            table_name, act = dotted(trigger.schema, trigger.table), _FIRING[wanted.facts[fact]]
            return [f"alter table {table_name} {act} trigger {quoted(trigger.name)};"]
        case model.Function() if fact not in {"arguments", "returns"}:
            return [creation.of(wanted)]
        case model.Type() as kind if isinstance(seen.source, model.Type):
            return _type(kind, name, fact, seen.source)
        case source:
            return _change_rest(source, wanted, fact, seen)


def _change_rest(source: object, wanted: Thing, fact: str, seen: Thing) -> list[str]:
    name = wanted.name
    match source:
        case model.Sequence() as sequence if fact == "column":
            return [f"alter sequence {name} owned by {sequence.owned_by or 'none'};"]
        case model.Sequence() as sequence:
            options = creation.sequence_options(sequence)
            return [f"alter sequence {name} as {sequence.type} {options};"]
        case model.Publication() as publication if isinstance(seen.source, model.Publication):
            return _publication(publication, name, fact, seen.source)
        case model.Extension() as extension:
            return [f"alter extension {name} set schema {quoted(extension.schema)};"]
        case model.EventTrigger() if fact == "state":
            return [f"alter event trigger {name} {_FIRING[wanted.facts[fact]]};"]
        case model.Bucket() as bucket:
            public, limit, types = creation.bucket_values(bucket)
            values = f"public = {public}, file_size_limit = {limit}, allowed_mime_types = {types}"
            where = f"id = {literal(bucket.id)}"
            return [f"update storage.buckets set {values} where {where};"]  # noqa: S608
        case _:
            return []


def _table(source: model.Table, wanted: Thing, fact: str) -> list[str]:
    if fact == "replica identity":
        identity = source.replica_identity.replace("index ", "using index ")
        return [f"alter table {wanted.name} replica identity {identity};"]
    act = _SWITCHES.get((fact, wanted.facts.get(fact, "")))
    return [f"alter table {wanted.name} {act};"] if act else _option(wanted, fact)


def _view(source: model.View, wanted: Thing, fact: str, seen: Thing) -> list[str]:
    if fact == "definition" and source.kind == "view" and _begins_like(seen.source, source):
        return [creation.of(wanted)]
    return _option(wanted, fact)


def _option(wanted: Thing, fact: str) -> list[str]:
    if not fact.startswith(OPTION):
        return []
    name, value = fact.removeprefix(OPTION), wanted.facts.get(fact)
    act = f"reset ({name})" if value is None else f"set ({name} = {literal(value)})"
    return [f"alter {wanted.kind} {wanted.name} {act};"]


def _begins_like(seen: object, wanted: model.View) -> bool:
    """Whether CREATE OR REPLACE will do, which can only add columns at the end."""
    if not isinstance(seen, model.View):
        return False
    before = [(each.name, each.type) for each in seen.columns]
    after = [(each.name, each.type) for each in wanted.columns]
    return before == after[: len(before)]


def _column(source: model.Column, wanted: Thing, fact: str, seen: Thing) -> list[str]:
    kind, table = wanted.part_of or ("table", "")
    act = _column_act(source, fact, seen)
    return [f"alter {kind} {table} alter column {quoted(source.name)} {act};"] if act else []


def _column_act(source: model.Column, fact: str, seen: Thing) -> str | None:
    if fact in {"type", "collation"}:
        collation = f" collate {source.collation}" if source.collation else ""
        return f"type {source.type}{collation} using {quoted(source.name)}::{source.type}"
    if fact == "null":
        return "set not null" if source.is_not_null else "drop not null"
    if fact == "default":
        return f"set default {source.default}" if source.default else "drop default"
    if fact == "identity":
        return _identity_act(source, seen)
    return None


def _identity_act(source: model.Column, seen: Thing) -> str:
    if source.identity is None:
        return "drop identity"
    if "identity" in seen.facts:
        return f"set generated {source.identity}"
    return f"add generated {source.identity} as identity"


def _type(wanted: model.Type, name: str, fact: str, seen: model.Type) -> list[str]:
    if fact == "values":
        return _new_labels(name, wanted.labels, seen.labels)
    if wanted.kind != "domain":
        return []
    if fact == "default":
        act = f"set default {wanted.default}" if wanted.default else "drop default"
        return [f"alter domain {name} {act};"]
    if fact == "null":
        return [f"alter domain {name} {'set' if wanted.is_not_null else 'drop'} not null;"]
    if fact == "constraints":
        return _new_constraints(name, wanted.constraints, seen.constraints)
    return []


def _new_labels(name: str, wanted: tuple[str, ...], seen: tuple[str, ...]) -> list[str]:
    """Values can be added anywhere, but never dropped or moved."""
    if not seen or tuple(label for label in wanted if label in seen) != seen:
        return []
    added = []
    for place, label in enumerate(wanted):
        if label not in seen:
            where = f"after {literal(wanted[place - 1])}" if place else f"before {literal(seen[0])}"
            added.append(f"alter type {name} add value {literal(label)} {where};")
    return added


def _new_constraints(name: str, wanted: tuple[str, ...], seen: tuple[str, ...]) -> list[str]:
    gone = [each for each in seen if each not in wanted]
    missing = [each for each in wanted if each not in seen]
    return [
        *(f"alter domain {name} drop {each.partition(' CHECK ')[0]};" for each in gone),
        *(f"alter domain {name} add {each};" for each in missing),
    ]


def _publication(
    wanted: model.Publication, name: str, fact: str, seen: model.Publication
) -> list[str]:
    alter = f"alter publication {name}"
    if fact == "operations":
        return [f"{alter} set (publish = {literal(', '.join(wanted.operations))});"]
    if fact == "via root":
        value = str(wanted.is_via_root).lower()
        return [f"{alter} set (publish_via_partition_root = {value});"]
    if fact == "schemas":
        before, after = set(seen.schemas), set(wanted.schemas)
        return [
            *(f"{alter} drop tables in schema {schema};" for schema in sorted(before - after)),
            *(f"{alter} add tables in schema {schema};" for schema in sorted(after - before)),
        ]
    return []
