"""Making and dropping: the statement for one object, without its parts, rights and comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.catalogue import model
from nlctl.catalogue.names import dotted, literal, quoted, role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.catalogue.thing import Thing


def of(thing: Thing) -> str:
    """The statement that makes it."""
    name, whole = thing.name, thing.part_of[1] if thing.part_of else ""
    match thing.source:
        case model.Table() as table:
            return _table(table, name)
        case model.Column() as added:
            return f"alter table {whole} add column {column(added)};"
        case model.Constraint() as constraint:
            definition = constraint.definition
            return f"alter table {whole} add constraint {quoted(constraint.name)} {definition};"
        case model.View() as view:
            return _view(view, name)
        case model.Index() | model.Trigger() as defined:
            return f"{defined.definition};"
        case model.Policy() as policy:
            return _policy(policy, name)
        case model.Function() as function if function.definition:
            return f"{function.definition.rstrip()};"
        case model.Type() as kind:
            return _type(kind, name)
        case model.PublishedTable() as published:
            return _published_table(published, whole)
        case source:
            return _make_rest(source, thing)


def _make_rest(source: object, thing: Thing) -> str:
    name = thing.name
    match source:
        case model.Schema():
            return f"create schema {name};"
        case model.Extension() as extension:
            return f"create extension {name} with schema {quoted(extension.schema)};"
        case model.Rule() as rule:
            return rule.definition
        case model.Sequence() as sequence:
            return f"create sequence {name} as {sequence.type} {sequence_options(sequence)};"
        case model.Publication() as publication:
            return _publication(publication, name)
        case model.EventTrigger() as trigger:
            tags = ", ".join(map(literal, trigger.tags))
            on = f"{trigger.event} when tag in ({tags})" if tags else trigger.event
            return f"create event trigger {name} on {on} execute function {trigger.function}();"
        case model.Bucket() as bucket:
            values = ", ".join([literal(bucket.id), literal(bucket.name), *bucket_values(bucket)])
            columns = "id, name, public, file_size_limit, allowed_mime_types"
            return f"insert into storage.buckets ({columns}) values ({values});"  # noqa: S608
        case _:
            return f"-- No statement of ours makes this: {thing.kind} {name}"


def undo(thing: Thing) -> str:
    """The statement that drops it."""
    whole = thing.part_of[1] if thing.part_of else ""
    match thing.source:
        case model.Column() | model.Constraint() as part:
            return f"alter table {whole} drop {thing.kind} {quoted(part.name)};"
        case model.PublishedTable() as published:
            table = dotted(published.schema, published.table)
            return f"alter publication {whole} drop table {table};"
        case model.Schema():
            return f"drop schema {thing.name} cascade;"
        case model.Bucket() as bucket:
            return f"-- A bucket goes through the Storage API, with what is in it: {bucket.id}"
        case _:
            return f"drop {thing.kind} {thing.name};"


def column(source: model.Column) -> str:
    """A column as CREATE TABLE writes it."""
    words = [quoted(source.name), source.type]
    if source.collation:
        words.append(f"collate {source.collation}")
    if source.generated:
        kind = "stored" if source.generated_kind == "s" else "virtual"
        words.append(f"generated always as ({source.generated}) {kind}")
    if source.identity:
        words.append(f"generated {source.identity} as identity")
    if source.default:
        words.append(f"default {source.default}")
    if source.is_not_null:
        words.append("not null")
    return " ".join(words)


def sequence_options(source: model.Sequence) -> str:
    """All that CREATE and ALTER SEQUENCE may say of how it counts."""
    cycle = "cycle" if source.cycles else "no cycle"
    return (
        f"increment {source.increment} minvalue {source.minimum} maxvalue {source.maximum} "
        f"start {source.start} cache {source.cache} {cycle}"
    )


def bucket_values(source: model.Bucket) -> tuple[str, str, str]:
    """Whether a bucket is public, its limit, its types."""
    limit = "null" if source.file_size_limit is None else str(source.file_size_limit)
    types = ", ".join(map(literal, source.allowed_mime_types))
    return str(source.is_public).lower(), limit, f"array[{types}]::text[]" if types else "null"


def _table(source: model.Table, name: str) -> str:
    if source.kind == "foreign table":
        return f"-- A foreign table is made with its server: {name}"
    head = f"create {'unlogged ' if source.is_unlogged else ''}table {name}"
    tail = f" partition by {source.partition_key}" if source.partition_key else ""
    if source.partition_bound:
        return f"{head} partition of {source.parents[0]} {source.partition_bound}{tail};"
    own = [column(each) for each in source.columns if not each.is_inherited]
    columns = ",\n".join(f"  {each}" for each in own)
    parents = f" inherits ({', '.join(source.parents)})" if source.parents else ""
    return f"{head} (\n{columns}\n){parents}{tail};"


def _policy(source: model.Policy, name: str) -> str:
    kind = "" if source.is_permissive else " as restrictive"
    roles = ", ".join(map(role, source.roles))
    using = f"\n  using ({source.using})" if source.using else ""
    check = f"\n  with check ({source.check})" if source.check else ""
    return f"create policy {name}{kind} for {source.command} to {roles}{using}{check};"


def _view(source: model.View, name: str) -> str:
    verb = "create or replace view" if source.kind == "view" else "create materialized view"
    pairs = (option.partition("=") for option in source.options)
    options = ", ".join(f"{option} = {literal(value)}" for option, _, value in pairs)
    settings = f" with ({options})" if options else ""
    return f"{verb} {name}{settings} as\n{source.definition.rstrip('; ')};"


def _type(source: model.Type, name: str) -> str:
    if source.kind == "enum":
        return f"create type {name} as enum ({', '.join(map(literal, source.labels))});"
    if source.kind == "range":
        return f"create type {name} as range (subtype = {source.base});"
    if source.kind == "composite":
        attributes = ", ".join(f"{quoted(each.name)} {each.type}" for each in source.columns)
        return f"create type {name} as ({attributes});"
    default = f" default {source.default}" if source.default else ""
    null = " not null" if source.is_not_null else ""
    constraints = "".join(f" {each}" for each in source.constraints)
    return f"create domain {name} as {source.base}{default}{null}{constraints};"


def _publication(source: model.Publication, name: str) -> str:
    operations = literal(", ".join(source.operations))
    via_root = str(source.is_via_root).lower()
    schemas = f" for tables in schema {', '.join(source.schemas)}" if source.schemas else ""
    tables = " for all tables" if source.is_for_all_tables else schemas
    options = f"publish = {operations}, publish_via_partition_root = {via_root}"
    return f"create publication {name}{tables} with ({options});"


def _published_table(source: model.PublishedTable, publication: str) -> str:
    columns = "" if source.columns is None else f" ({_names(source.columns)})"
    where = f" where ({source.where})" if source.where else ""
    table = dotted(source.schema, source.table)
    return f"alter publication {publication} add table {table}{columns}{where};"


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))
