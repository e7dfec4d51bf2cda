"""Grants as statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.catalogue import model
from nlctl.catalogue.names import quoted, role
from nlctl.catalogue.thing import GRANTS, OWNER, THE_OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.catalogue.differences import Difference
    from nlctl.catalogue.thing import Thing

_WITH_OPTION = " with grant option"
_WORDS = {
    "view": "table",
    "materialized view": "table",
    "foreign table": "table",
    "procedure": "routine",
    "aggregate": "routine",
    "domain": "type",
}
# Roles that default privileges may have let in while the object was made.
_OTHERS = "public, anon, authenticated, service_role"


def change(difference: Difference) -> list[str]:
    """Take what is too much, give what is missing."""
    thing = difference.wanted or difference.seen
    grantee = (difference.fact or "").removeprefix(GRANTS)
    if thing is None:
        return []
    expected, found = _privileges(difference.expected), _privileges(difference.found)
    return [
        *(_revoke(thing, privilege, grantee, expected) for privilege in sorted(found - expected)),
        *(_grant(thing, privilege, grantee) for privilege in sorted(expected - found)),
        *(_of_columns(thing, grantee, found - expected)),
    ]


def afresh(thing: Thing) -> Iterator[str]:
    """The rights of an object that has just been made, whatever the default privileges were."""
    held = {fact: text for fact, text in thing.facts.items() if fact.startswith(GRANTS)}
    if not held:
        return
    if thing.kind not in {"column", "default privileges"}:
        yield f"revoke all on {_word(thing)} {thing.name} from {_OTHERS};"
    for fact, text in held.items():
        if fact != f"{GRANTS}{THE_OWNER}":
            for privilege in sorted(_privileges(text)):
                yield _grant(thing, privilege, fact.removeprefix(GRANTS))


def _of_columns(thing: Thing, grantee: str, revoked: set[str]) -> Iterator[str]:
    """What a revocation from a table takes from its columns as well, given back."""
    source = thing.source
    if isinstance(source, model.Relation):
        for column in source.columns:
            for grant in column.grants:
                if role(grant.grantee) == grantee and grant.privilege in revoked:
                    yield (
                        f"grant {grant.privilege} ({quoted(column.name)}) on table {thing.name} "
                        f"to {grantee};"
                    )


def _privileges(text: str | None) -> set[str]:
    return set(text.split(", ")) if text else set()


def _grant(thing: Thing, privilege: str, grantee: str) -> str:
    name = privilege.removesuffix(_WITH_OPTION)
    option = _WITH_OPTION if privilege.endswith(_WITH_OPTION) else ""
    return f"{_act(thing, 'grant', name)} to {_role(thing, grantee)}{option};"


def _revoke(thing: Thing, privilege: str, grantee: str, expected: set[str]) -> str:
    name = privilege.removesuffix(_WITH_OPTION)
    keeps = name in expected and name != privilege
    verb = "revoke grant option for" if keeps else "revoke"
    return f"{_act(thing, verb, name)} from {_role(thing, grantee)};"


def _act(thing: Thing, verb: str, privilege: str) -> str:
    source = thing.source
    if isinstance(source, model.DefaultPrivileges):
        where = thing.name.removesuffix(f" on {source.kind}")
        return f"alter default privileges {where} {verb} {privilege} on {source.kind}"
    if isinstance(source, model.Column) and thing.part_of:
        return f"{verb} {privilege} ({quoted(source.name)}) on table {thing.part_of[1]}"
    return f"{verb} {privilege} on {_word(thing)} {thing.name}"


def _word(thing: Thing) -> str:
    return _WORDS.get(thing.kind, thing.kind)


def _role(thing: Thing, grantee: str) -> str:
    return quoted(thing.facts[OWNER]) if grantee == THE_OWNER else grantee
