"""Embeds: which relationship is meant by the name, and the hint, in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest import hints
from nlctl.local.rest.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nlctl.local.rest.names import Name
    from nlctl.local.rest.relationships import Pairs, Relationship

    Relationships = Mapping[Name, tuple[Relationship, ...]]


def find(relationships: Relationships, origin: Name, target: str, hint: str | None) -> Relationship:
    """The one relationship meant, or a refusal that names the candidates."""
    known = relationships.get(origin, ())
    matching = [one for one in known if _is_meant(one, origin.schema, target, hint)]
    if not matching:
        raise _not_found(relationships, origin, target, hint)
    if len(matching) > 1:
        raise _ambiguous(origin.name, target, matching)
    return matching[0]


def _is_meant(one: Relationship, schema: str, target: str, hint: str | None) -> bool:
    if one.function:
        return one.function == (schema, target)
    if one.target.schema != schema:
        return False
    if one.is_self:
        return _is_meant_of_itself(one, target, hint)
    if hint is not None:
        return target == one.target.name and _fits_hint(one, hint)
    if target == one.target.name:
        return True
    # A constraint or a column names what it points at, if that is a table.
    return not one.is_to_view and _names_key(one, target)


def _is_meant_of_itself(one: Relationship, target: str, hint: str | None) -> bool:
    """Among rows of one table, its name means the children, the column's name the parent."""
    if one.kind == "one-to-many" and target == one.target.name:
        return hint is None or hint == _only(one.columns, 1)
    return hint is None and one.kind == "many-to-one" and target == _only(one.columns, 0)


def _fits_hint(one: Relationship, hint: str) -> bool:
    if one.junction:
        return hint == one.junction.table.name
    return _names_key(one, hint) or hint == _only(one.columns, 1)


def _names_key(one: Relationship, name: str) -> bool:
    if one.junction:
        return False
    return name in {one.constraint, _only(one.columns, 0)}


def _only(columns: Pairs, side: int) -> str | None:
    return columns[0][side] if len(columns) == 1 else None


def _not_found(
    relationships: Relationships, origin: Name, target: str, hint: str | None
) -> ApiError:
    using = "" if hint is None else f"' using the hint '{hint}"
    return ApiError(
        "PGRST200",
        f"Could not find a relationship between '{origin.name}' and '{target}' in the schema cache",
        details=(
            f"Searched for a foreign key relationship between '{origin.name}' and "
            f"'{target}{using}' in the schema '{origin.schema}', but no matches were found."
        ),
        hint=_suggestion(relationships, origin, target),
    )


def _suggestion(relationships: Relationships, origin: Name, target: str) -> str | None:
    known = relationships.get(origin)
    if known is None:
        names: Iterable[str] = (name for schema, name in relationships if schema == origin.schema)
        meant, written = (
            hints.closest(origin.name, names, at_least=hints.VAGUELY_ALIKE),
            origin.name,
        )
    else:
        names = {one.target.name for one in known}
        if target in names:
            return None
        meant, written = hints.closest(target, names, at_least=hints.VAGUELY_ALIKE), target
    return f"Perhaps you meant '{meant}' instead of '{written}'." if meant else None


def _ambiguous(origin: str, target: str, candidates: list[Relationship]) -> ApiError:
    ways = ", ".join(f"'{one.target.name}!{_hint(one)}'" for one in candidates)
    return ApiError(
        "PGRST201",
        "Could not embed because more than one relationship was found "
        f"for '{origin}' and '{target}'",
        details=[_described(one) for one in candidates],
        hint=(
            f"Try changing '{target}' to one of the following: {ways}. "
            "Find the desired relationship in the 'details' key."
        ),
    )


def _hint(one: Relationship) -> str:
    return one.junction.table.name if one.junction else one.constraint


def _described(one: Relationship) -> dict[str, str]:
    if one.junction:
        here = _columns(one.junction.columns, 1)
        there = _columns(one.junction.target_columns, 1)
        relationship = (
            f"{one.junction.table.name} using {one.junction.constraint}{here} "
            f"and {one.junction.target_constraint}{there}"
        )
    else:
        ours, theirs = _columns(one.columns, 0), _columns(one.columns, 1)
        relationship = (
            f"{one.constraint} using {one.relation.name}{ours} and {one.target.name}{theirs}"
        )
    return {
        "cardinality": one.kind,
        "embedding": f"{one.relation.name} with {one.target.name}",
        "relationship": relationship,
    }


def _columns(pairs: Pairs, side: int) -> str:
    return f"({', '.join(pair[side] for pair in pairs)})"
