"""Access as pages show it: which role may do what when, by its grants and the policies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from nlctl.catalogue import model
from nlctl.rules import markdown, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROLES = {
    "public": "everybody",
    "anon": "visitors",
    "authenticated": "signed-in people",
    "service_role": "servers",
}
VERBS = {"select": "read", "insert": "add", "update": "change", "delete": "delete"}
UNCHECKED = {"service_role"}  # it passes by row level security


@dataclass(frozen=True)
class AccessLine:
    """Who may do something, and when."""

    who: str
    may: str
    when: str
    policy: str


def name(role: str) -> str:
    """A role as a page calls it."""
    return ROLES.get(role, markdown.code(role))


def in_order(roles: set[str]) -> list[str]:
    """From everybody to the few."""
    return [role for role in (*ROLES, *sorted(roles - ROLES.keys())) if role in roles]


def lines(relation: model.Table | model.View) -> list[AccessLine]:
    """Who may do what when: grants and the policies they pass; equal lines are one."""
    found = [line for role in _roles(relation) for line in _lines_of(relation, role)]
    alike = groupby(found, lambda line: (line.who, line.when, line.policy))
    return [_merged(list(same)) for _, same in alike]


def _merged(lines: list[AccessLine]) -> AccessLine:
    first = lines[0]
    return AccessLine(first.who, ", ".join(line.may for line in lines), first.when, first.policy)


def _roles(relation: model.Table | model.View) -> list[str]:
    granted = {grant.grantee for grant in relation.grants}
    granted |= {grant.grantee for column in relation.columns for grant in column.grants}
    return in_order(granted - {relation.owner})


def _lines_of(relation: model.Table | model.View, role: str) -> Iterator[AccessLine]:
    whole = [grant.privilege for grant in relation.grants if grant.grantee == role]
    others = sorted(set(whole) - VERBS.keys() - {"maintain"})  # which only PostgreSQL 17 knows
    who = name(role)
    for privilege, verb in VERBS.items():
        listed = [
            markdown.code(column.name)
            for column in relation.columns
            if any((g.grantee, g.privilege) == (role, privilege) for g in column.grants)
        ]
        if privilege in whole or listed:
            may = verb if privilege in whole else f"{verb} {', '.join(listed)}"
            for when, policy in _conditions(relation, role, privilege):
                yield AccessLine(who, may, when, policy)
    if others:
        yield AccessLine(who, ", ".join(others), "always", "")


def _conditions(
    relation: model.Table | model.View, role: str, privilege: str
) -> list[tuple[str, str]]:
    """When a role may do it, one for each policy that lets it through."""
    if isinstance(relation, model.View):
        return [("as its tables allow" if relation.is_security_invoker else "always", "")]
    if not relation.has_rls or role in UNCHECKED:
        return [("always", "")]
    policies = [each for each in relation.policies if _is_about(each, role, privilege)]
    limits = [each for each in policies if not each.is_permissive]
    doors = [each for each in policies if each.is_permissive]
    if not doors:
        return [("never: no policy lets it through", "")]
    return [(when([door, *limits], privilege), markdown.code(door.name)) for door in doors]


def _is_about(policy: model.Policy, role: str, privilege: str) -> bool:
    return policy.command in {privilege, "all"} and bool({role, "public"} & set(policy.roles))


def when(policies: Sequence[model.Policy], privilege: str) -> str:
    """The condition of policies that must all agree, in words."""
    before = words.tell(_all(policy.using for policy in policies))
    after = words.tell(_all(policy.check or policy.using for policy in policies))
    if privilege == "insert" or before == after:
        told = after
    else:
        told = f"{before}; and afterwards {after}" if privilege == "update" else before
    return {"all": "always", "none": "never"}.get(told, told)


def _all(conditions: Iterable[str | None]) -> str | None:
    """One condition of several; true says nothing beside another."""
    saying = [f"({each})" for each in conditions if each and each != "true"]
    return " AND ".join(saying) or None
