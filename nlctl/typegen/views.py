"""Views: which column of which table each of their columns is, as the server's own tree says."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from nlctl.typegen.shape import Reference, Relation

Origin = tuple[int, int]  # a relation's id and the number of its column

# A backslash hides what a name has in common with the tree's own signs.
_TOKEN = re.compile(r"\\.|(?P<brace>[{}])| :(?P<field>resno|resorigtbl|resorigcol) (?P<value>\d+)")
_OUTPUT = 2  # the depth of braces at which the columns of the view itself stand
_CASTS_DOUBT = re.compile(r" :jointype [1-9]| :setOperations \{| :groupingSets \(\{")


class Origins:
    """Where the columns of views come from, followed through views of views."""

    def __init__(self, relations: Sequence[Relation]) -> None:
        self.views = [relation for relation in relations if relation.definition]
        self._direct = {view.id: _read(view.definition or "") for view in self.views}

    def find(self, relation_id: int, column: int) -> Origin | None:
        """The column of a table that a view's column is; none if it is computed."""
        found: Origin | None = (relation_id, column)
        while found and found[0] in self._direct:
            found = self._direct[found[0]].get(found[1])
        return found

    def is_certain(self, view: Relation) -> bool:
        """Whether what is never null in the tables is never null in the view."""
        direct = self._direct[view.id].values()
        through = [other for other in self.views if other.id in {origin[0] for origin in direct}]
        return not _CASTS_DOUBT.search(view.definition or "") and all(map(self.is_certain, through))

    def sides(
        self, relation_id: int, columns: Sequence[int]
    ) -> Iterator[tuple[int, Sequence[int]]]:
        """Where these columns of a table can be named: there, and in views that have them all."""
        yield relation_id, columns
        for view in self.views:
            named = [self._names_of(view, (relation_id, column)) for column in columns]
            for choice in product(*named):
                yield view.id, choice

    def _names_of(self, view: Relation, origin: Origin) -> list[int]:
        return [c.number for c in view.columns if self.find(view.id, c.number) == origin]


def settle_nulls(
    relations: Sequence[Relation], origins: Origins, never_null: Collection[Origin]
) -> list[Relation]:
    """Views' columns are nullable to the server; say otherwise where a table's column shows."""

    def settle(view: Relation) -> Relation:
        if not view.definition or not origins.is_certain(view):
            return view
        return replace(
            view,
            columns=tuple(
                replace(column, is_nullable=origins.find(view.id, column.number) not in never_null)
                for column in view.columns
            ),
        )

    return [settle(relation) for relation in relations]


def expand(reference: Reference, origins: Origins) -> Iterator[Reference]:
    """A foreign key, and the same between views that show its columns."""
    for relation_id, columns in origins.sides(reference.relation_id, reference.columns):
        for referenced_id, referenced in origins.sides(
            reference.referenced_id, reference.referenced_columns
        ):
            yield replace(
                reference,
                relation_id=relation_id,
                columns=tuple(columns),
                referenced_id=referenced_id,
                referenced_columns=tuple(referenced),
            )


def _read(definition: str) -> dict[int, Origin]:
    """Origins by column number; the three fields follow each other in the text."""
    found: dict[int, Origin] = {}
    entry: dict[str, int] = {}
    depth = 0
    for token in _TOKEN.finditer(definition):
        if brace := token["brace"]:
            depth += 1 if brace == "{" else -1
        elif token["field"] and depth == _OUTPUT:
            entry[token["field"]] = int(token["value"])
            if token["field"] == "resorigcol" and entry["resorigtbl"]:
                found[entry["resno"]] = (entry["resorigtbl"], entry["resorigcol"])
    return found
