"""Relationships: how rows of one relation lead to rows of another, found in the keys.

Foreign keys lead both ways, through junction tables, and through views that show their columns.
Functions from a row to rows add more, and replace what they are named after.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from nlctl.local.rest.names import Name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

Pairs = tuple[tuple[str, str], ...]
"""Columns of one side with those of the other."""

Origin = tuple[int, int]
"""A column of the catalogue: the relation's id and the column's number."""


@dataclass(frozen=True, slots=True)
class Key:
    """A primary or foreign key as the catalogue has it."""

    name: str
    is_foreign: bool
    relation: Name
    columns: tuple[str, ...]
    origins: tuple[Origin, ...]
    target: Name | None
    target_columns: tuple[str, ...]
    target_origins: tuple[Origin, ...]
    is_unique: bool

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Key:
        """From a row of catalogue/keys.sql."""
        target = row["target"]
        return cls(
            name=row["name"],
            is_foreign=row["is_foreign"],
            relation=Name(row["schema"], row["relation"]),
            columns=tuple(row["columns"]),
            origins=tuple((row["relation_id"], number) for number in row["numbers"]),
            target=None if target is None else Name(row["target_schema"], target),
            target_columns=tuple(row["target_columns"]),
            target_origins=tuple((row["target_id"], n) for n in row["target_numbers"]),
            is_unique=row["is_unique"],
        )


@dataclass(frozen=True, slots=True)
class View:
    """A view, and where each of its columns comes from if it is another's column as it stands."""

    id: int
    name: Name
    columns: tuple[str, ...]
    origins: Mapping[int, Origin]

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> View:
        """From a row of catalogue/views.sql."""
        name = Name(row["schema"], row["name"])
        return cls(row["id"], name, tuple(row["columns"]), _column_origins(row["tree"]))


@dataclass(frozen=True, slots=True, order=True)
class Junction:
    """The table between the two sides of a many-to-many, with the columns that point at each."""

    table: Name
    constraint: str
    target_constraint: str
    columns: Pairs
    target_columns: Pairs


@dataclass(frozen=True, slots=True)
class Relationship:
    """From `relation` to `target`. Columns come in pairs: ours with theirs."""

    relation: Name
    target: Name
    kind: str
    """one-to-many, many-to-one, one-to-one, many-to-many or computed."""
    constraint: str = ""
    columns: Pairs = ()
    junction: Junction | None = None
    function: Name | None = None
    is_to_one: bool = False
    is_self: bool = False
    is_parent: bool = False
    """Of a one-to-one: whether the foreign key is on the other side."""
    is_from_view: bool = False
    is_to_view: bool = False

    @property
    def columns_used(self) -> tuple[str, ...]:
        """Our columns, without which the join cannot be made."""
        if self.junction:
            return tuple(ours for ours, _ in self.junction.columns)
        return tuple(ours for ours, _ in self.columns)


Relationships = dict[Name, tuple[Relationship, ...]]

_KINDS = ("one-to-many", "many-to-one", "one-to-one", "many-to-many", "computed")


class Copies:
    """The columns of exposed views that are, at the bottom, columns of keys."""

    def __init__(self, views: Mapping[Name, Mapping[Origin, list[str]]], keys: list[Key]) -> None:
        self._views = views
        self._keys = keys
        self._views_by_origin: dict[Origin, list[Name]] = defaultdict(list)
        for name, origins in views.items():
            for origin in origins:
                self._views_by_origin[origin].append(name)

    def of(self, origins: Sequence[Origin]) -> Iterator[tuple[Name, tuple[str, ...]]]:
        """Views that show all of `origins`, once for each way to choose among repeated columns."""
        for name in self._views_by_origin.get(origins[0], ()):
            shown = self._views[name]
            for columns in product(*(shown.get(origin, ()) for origin in origins)):
                yield name, columns

    def primary_key(self, view: Name) -> tuple[str, ...]:
        """The first column of the view for each of a primary key's, where it shows them all."""
        shown = self._views.get(view, {})
        columns: list[str] = []
        for key in self._keys:
            if not key.is_foreign and all(origin in shown for origin in key.origins):
                columns += [shown[origin][0] for origin in key.origins]
        return tuple(columns)


def trace(views: list[View], keys: list[Key], *, exposed: Collection[str]) -> Copies:
    """Follow the columns of views down to the tables, through the views between."""
    by_id = {view.id: view for view in views}
    traced: dict[Name, dict[Origin, list[str]]] = {}
    for view in views:
        if view.name.schema not in exposed:
            continue
        shown: dict[Origin, list[str]] = defaultdict(list)
        for number, column in enumerate(view.columns, start=1):
            for origin in _descend(by_id, view.origins.get(number)):
                shown[origin].append(column)
        traced[view.name] = dict(shown)
    return Copies(traced, keys)


def _descend(views: Mapping[int, View], origin: Origin | None) -> Iterator[Origin]:
    seen: set[Origin] = set()
    while origin and origin not in seen:
        yield origin
        seen.add(origin)
        relation, number = origin
        origin = views[relation].origins.get(number) if relation in views else None


def derive(
    keys: list[Key],
    copies: Copies,
    *,
    computed: list[Relationship],
    primary_keys: Mapping[Name, frozenset[str]],
    exposed: Collection[str],
) -> Relationships:
    """Everything that leads from one exposed relation to another."""
    forward = [_forward(key) for key in keys if key.is_foreign]
    foreign = [key for key in keys if key.is_foreign]
    for key, relationship in zip(foreign, tuple(forward), strict=True):
        forward += _through_views(key, relationship, copies)
    found = forward + list(_many_to_many(forward, primary_keys))
    found += [_inverse(one) for one in forward]
    return _grouped(found, computed, exposed)


def computed_from_row(row: dict[str, Any]) -> Relationship:
    """From a row of catalogue/computed_relationships.sql."""
    relation = Name(row["relation_schema"], row["relation"])
    target = Name(row["target_schema"], row["target"])
    return Relationship(
        relation=relation,
        target=target,
        kind="computed",
        function=Name(row["schema"], row["name"]),
        is_to_one=row["is_to_one"],
        is_self=relation == target,
    )


def _forward(key: Key) -> Relationship:
    if key.target is None:
        raise ValueError(f"{key.name} is not a foreign key.")
    return Relationship(
        relation=key.relation,
        target=key.target,
        kind="one-to-one" if key.is_unique else "many-to-one",
        constraint=key.name,
        columns=tuple(zip(key.columns, key.target_columns, strict=True)),
        is_to_one=True,
        is_self=key.relation == key.target,
    )


def _through_views(key: Key, table: Relationship, copies: Copies) -> Iterator[Relationship]:
    """The same from a view, to a view, and from a view to a view."""
    sources = list(copies.of(key.origins))
    targets = list(copies.of(key.target_origins))
    for view, columns in sources:
        pairs = tuple(zip(columns, key.target_columns, strict=True))
        yield replace(table, relation=view, columns=pairs, is_self=False, is_from_view=True)
    for view, columns in targets:
        pairs = tuple(zip(key.columns, columns, strict=True))
        yield replace(table, target=view, columns=pairs, is_self=False, is_to_view=True)
    for (source, ours), (target, theirs) in product(sources, targets):
        yield replace(
            table,
            relation=source,
            target=target,
            columns=tuple(zip(ours, theirs, strict=True)),
            is_self=source == target,
            is_from_view=True,
            is_to_view=True,
        )


def _many_to_many(
    forward: list[Relationship], primary_keys: Mapping[Name, frozenset[str]]
) -> Iterator[Relationship]:
    """Two foreign keys make a junction if their columns are all in its primary key."""
    by_relation: dict[Name, list[Relationship]] = defaultdict(list)
    for one in forward:
        if one.kind == "many-to-one":
            by_relation[one.relation].append(one)
    for table, pointing in by_relation.items():
        key = primary_keys.get(table, frozenset())
        for here, there in product(pointing, pointing):
            used = {*here.columns_used, *there.columns_used}
            if here.constraint != there.constraint and used <= key:
                yield _junction(table, here, there)


def _junction(table: Name, here: Relationship, there: Relationship) -> Relationship:
    junction = Junction(
        table=table,
        constraint=here.constraint,
        target_constraint=there.constraint,
        columns=_swapped(here.columns),
        target_columns=_swapped(there.columns),
    )
    return Relationship(
        relation=here.target,
        target=there.target,
        kind="many-to-many",
        junction=junction,
        is_self=here.target == there.target,
        is_from_view=here.is_to_view,
        is_to_view=there.is_to_view,
    )


def _inverse(one: Relationship) -> Relationship:
    is_unique = one.kind == "one-to-one"
    return replace(
        one,
        relation=one.target,
        target=one.relation,
        kind="one-to-one" if is_unique else "one-to-many",
        columns=_swapped(one.columns),
        is_to_one=is_unique,
        is_parent=is_unique,
        is_from_view=one.is_to_view,
        is_to_view=one.is_from_view,
    )


def _grouped(
    found: list[Relationship], computed: list[Relationship], exposed: Collection[str]
) -> Relationships:
    written = {(one.relation, one.function) for one in computed}
    detected = [one for one in found if (one.relation, one.target) not in written]
    grouped: dict[Name, list[Relationship]] = defaultdict(list)
    for one in detected + computed:
        if one.relation.schema in exposed and one.target.schema in exposed:
            # With a hidden junction there is nothing to embed, but the relation is known.
            known = grouped[one.relation]
            if one.junction is None or one.junction.table.schema in exposed:
                known.append(one)
    return {name: tuple(sorted(them, key=_order)) for name, them in grouped.items()}


def _order(one: Relationship) -> tuple[Any, ...]:
    """PostgREST's order, which clients see when a name is ambiguous."""
    return (
        one.kind == "computed",
        one.function or (),
        one.target,
        one.is_self,
        _KINDS.index(one.kind),
        one.constraint,
        one.columns,
        one.junction or (),
        one.is_parent,
        one.is_from_view,
        one.is_to_view,
    )


def _swapped(pairs: Pairs) -> Pairs:
    return tuple((theirs, ours) for ours, theirs in pairs)


# What PostgreSQL keeps of a view is a tree, printed as nested `{NODE :field value}` and `(lists)`.
# Of it we want the outermost targetList, whose entries say which column they were, if they were.
_TOKEN = re.compile(
    r"""
    \\.                                # an escaped character, bracket or not
    | (?P<open> [({] )
    | (?P<close> [)}] )
    | (?P<targets> :targetList\  )
    | :resno\ (?P<number> \d+ )
      \ :resname\ (?: \\. | [^\s\\] )+
      \ :ressortgroupref\ \d+
      \ :resorigtbl\ (?P<relation> \d+ )
      \ :resorigcol\ (?P<column> \d+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_QUERY_DEPTH = 2  # ({QUERY …})
_ENTRY_DEPTH = 4  # … :targetList ({TARGETENTRY …} …)


def _column_origins(tree: str) -> dict[int, Origin]:
    origins: dict[int, Origin] = {}
    depth = 0
    is_inside = False
    for token in _TOKEN.finditer(tree):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth -= 1
            is_inside = is_inside and depth > _QUERY_DEPTH
        elif token["targets"]:
            is_inside = is_inside or depth == _QUERY_DEPTH
        elif token["number"] and is_inside and depth == _ENTRY_DEPTH and token["relation"] != "0":
            origins[int(token["number"])] = (int(token["relation"]), int(token["column"]))
    return origins
