"""Things: a catalogue laid flat, each object with its facts in words, ready to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.catalogue.names import dotted, quoted, role
from nlctl.catalogue.thing import OPTION, SETTING, Absence, Thing, grants_of, make, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.catalogue import model
    from nlctl.catalogue.thing import Key

_FUNCTIONS = {"f": "function", "p": "procedure", "a": "aggregate", "w": "function"}


def of(catalogue: model.Catalogue) -> dict[Key, Thing]:
    """Everything in a catalogue that two databases of one project should agree on."""
    return {thing.key: thing for thing in _all(catalogue)}


def _all(catalogue: model.Catalogue) -> Iterator[Thing]:
    for schema in catalogue.schemas:
        yield make("schema", quoted(schema.name), schema)
    for table in catalogue.tables:
        yield from _table(table)
    for view in catalogue.views:
        yield from _view(view)
    yield from map(_function, catalogue.functions)
    yield from map(_type, catalogue.types)
    yield from map(_sequence, catalogue.sequences)
    yield from map(_default_privileges, catalogue.default_privileges)
    for publication in catalogue.publications:
        yield from _publication(publication)
    for extension in catalogue.extensions:
        facts = {"schema": extension.schema}
        yield Thing("extension", quoted(extension.name), facts, extension)
    yield from map(_event_trigger, catalogue.event_triggers)
    yield from map(_bucket, catalogue.buckets)
    for trigger in catalogue.platform_triggers:
        yield _trigger(trigger, None)
    for policy in catalogue.platform_policies:
        yield _policy(policy, None)


def _table(table: model.Table) -> Iterator[Thing]:
    name = dotted(table.schema, table.name)
    kind = "foreign table" if table.kind == "foreign table" else "table"
    inherits = table.partition_bound is None and table.parents
    whole = make(
        kind,
        name,
        table,
        part_of=_schema(table.schema),
        facts={
            "row level security": _switch(table.has_rls),
            "forced row level security": _switch(table.forces_rls),
            "persistence": "unlogged" if table.is_unlogged else "logged",
            "replica identity": table.replica_identity,
            "partition key": table.partition_key,
            "partition": table.partition_bound and f"of {table.parents[0]} {table.partition_bound}",
            "parents": ", ".join(table.parents) if inherits else None,
            **settings_of(OPTION, table.options),
        },
    )
    yield whole
    yield from (_column(column, name, whole.key) for column in table.columns)
    yield from (_constraint(constraint, name, whole.key) for constraint in table.constraints)
    yield from _on_relation(table, whole.key)
    yield from (_policy(policy, whole.key) for policy in table.policies)


def _view(view: model.View) -> Iterator[Thing]:
    name = dotted(view.schema, view.name)
    whole = make(
        view.kind,
        name,
        view,
        part_of=_schema(view.schema),
        facts={"definition": view.definition, **settings_of(OPTION, view.options)},
    )
    yield whole
    for column in view.columns:
        facts = {"default": column.default}
        yield make(
            "column",
            f"{name}.{quoted(column.name)}",
            column,
            facts=facts,
            part_of=whole.key,
            absence=Absence.IS_TOLD_ELSEWHERE,
        )
    yield from _on_relation(view, whole.key)


def _on_relation(relation: model.Relation, key: Key) -> Iterator[Thing]:
    for index in relation.indexes:
        if not index.is_of_constraint:
            yield make(
                "index",
                dotted(relation.schema, index.name),
                index,
                part_of=key,
                facts={
                    "definition": index.definition,
                    "state": "valid" if index.is_valid else "invalid",
                },
            )
    for trigger in relation.triggers:
        yield _trigger(trigger, key)
    for rule in relation.rules:
        name = f"{quoted(rule.name)} on {dotted(relation.schema, relation.name)}"
        yield make("rule", name, rule, part_of=key, facts={"definition": rule.definition})


def _column(column: model.Column, table: str, key: Key) -> Thing:
    return make(
        "column",
        f"{table}.{quoted(column.name)}",
        column,
        part_of=key,
        absence=Absence.IS_TOLD_ELSEWHERE if column.is_inherited else Absence.IS_NEWS,
        facts={
            "default": column.default,
            **({} if column.is_inherited else _column_facts(column)),
        },
    )


def _column_facts(column: model.Column) -> dict[str, str | None]:
    """What a child's column has from its parent."""
    return {
        "type": column.type,
        "collation": column.collation,
        "null": "not allowed" if column.is_not_null else "allowed",
        "generated": column.generated and _generated(column),
        "identity": column.identity,
    }


def _generated(column: model.Column) -> str:
    kind = "stored" if column.generated_kind == "s" else "virtual"
    return f"as ({column.generated}) {kind}"


def _constraint(constraint: model.Constraint, table: str, key: Key) -> Thing:
    return make(
        "constraint",
        f"{quoted(constraint.name)} on {table}",
        constraint,
        part_of=key,
        facts={
            "definition": constraint.definition.removesuffix(" NOT VALID"),
            "state": "validated" if constraint.is_valid else "not validated",
        },
    )


def _trigger(trigger: model.Trigger, key: Key | None) -> Thing:
    return make(
        "trigger",
        f"{quoted(trigger.name)} on {dotted(trigger.schema, trigger.table)}",
        trigger,
        part_of=key,
        facts={"definition": trigger.definition, "state": _firing(trigger.enabled)},
    )


def _policy(policy: model.Policy, key: Key | None) -> Thing:
    return make(
        "policy",
        f"{quoted(policy.name)} on {dotted(policy.schema, policy.table)}",
        policy,
        part_of=key,
        facts={
            "kind": "permissive" if policy.is_permissive else "restrictive",
            "command": policy.command,
            "roles": ", ".join(map(role, policy.roles)),
            "using": policy.using,
            "with check": policy.check,
        },
    )


def _function(function: model.Function) -> Thing:
    return make(
        _FUNCTIONS[function.kind],
        function.identity,
        function,
        part_of=_schema(function.schema),
        facts={
            "arguments": function.arguments,
            "returns": function.returns,
            "language": function.language,
            "volatility": function.volatility,
            "parallel": function.parallel,
            "security": "definer" if function.is_security_definer else "invoker",
            "null arguments": "return null" if function.is_strict else "are passed",
            "leakproof": "yes" if function.is_leakproof else "no",
            "cost": f"{function.cost:g}",
            "rows": f"{function.rows:g}",
            "body": function.body.replace("\r\n", "\n"),
            **settings_of(SETTING, function.settings),
        },
    )


def _type(kind: model.Type) -> Thing:
    return make(
        "domain" if kind.kind == "domain" else "type",
        dotted(kind.schema, kind.name),
        kind,
        part_of=_schema(kind.schema),
        facts={
            "form": kind.kind,
            "values": ", ".join(kind.labels),
            "base": kind.base,
            "default": kind.default,
            "null": "not allowed" if kind.is_not_null else None,
            "attributes": ", ".join(f"{quoted(c.name)} {c.type}" for c in kind.columns),
            "constraints": ", ".join(kind.constraints),
        },
    )


def _sequence(sequence: model.Sequence) -> Thing:
    own = sequence.is_identity
    return make(
        "sequence",
        dotted(sequence.schema, sequence.name),
        sequence,
        part_of=_schema(sequence.schema),
        absence=Absence.IS_TOLD_ELSEWHERE if own else Absence.IS_NEWS,
        has_owner=sequence.owned_by is None,  # else it is its table's
        facts={
            "type": sequence.type,
            "start": str(sequence.start),
            "increment": str(sequence.increment),
            "minimum": str(sequence.minimum),
            "maximum": str(sequence.maximum),
            "cache": str(sequence.cache),
            "cycle": "yes" if sequence.cycles else "no",
            "column": sequence.owned_by,
        },
    )


def _default_privileges(default: model.DefaultPrivileges) -> Thing:
    where = f" in schema {quoted(default.schema)}" if default.schema else ""
    return Thing(
        "default privileges",
        f"for role {quoted(default.role)}{where} on {default.kind}",
        grants_of(default.grants, None),
        default,
        part_of=_schema(default.schema) if default.schema else None,
        absence=Absence.IS_EMPTY,
    )


def _publication(publication: model.Publication) -> Iterator[Thing]:
    is_platforms = publication.name == "supabase_realtime"
    name = quoted(publication.name)
    whole = make(
        "publication",
        name,
        publication,
        has_owner=not is_platforms,
        facts={
            "operations": ", ".join(publication.operations),
            "tables": "all" if publication.is_for_all_tables else "by name",
            "schemas": ", ".join(publication.schemas),
            "via root": "yes" if publication.is_via_root else "no",
        },
    )
    yield whole
    for table in publication.tables:
        columns = table.columns
        yield make(
            "published table",
            f"{dotted(table.schema, table.table)} in {name}",
            table,
            part_of=whole.key,
            facts={
                "columns": "all" if columns is None else ", ".join(map(quoted, columns)),
                "where": table.where,
            },
        )


def _event_trigger(trigger: model.EventTrigger) -> Thing:
    return make(
        "event trigger",
        quoted(trigger.name),
        trigger,
        has_owner=False,  # the platform gives them to a superuser
        facts={
            "event": trigger.event,
            "tags": ", ".join(trigger.tags),
            "function": trigger.function,
            "state": _firing(trigger.enabled),
        },
    )


def _bucket(bucket: model.Bucket) -> Thing:
    limit = bucket.file_size_limit
    return Thing(
        "bucket",
        bucket.id,
        {
            "visibility": "public" if bucket.is_public else "private",
            "file size limit": "none" if limit is None else str(limit),
            "MIME types": ", ".join(bucket.allowed_mime_types) or "all",
        },
        bucket,
    )


def _schema(name: str) -> Key:
    return "schema", quoted(name)


def _switch(is_on: bool) -> str:
    return "on" if is_on else "off"


def _firing(enabled: str) -> str:
    return {"origin": "enabled", "replica": "on replicas"}.get(enabled, enabled)
