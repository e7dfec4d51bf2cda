"""Calls as pages show them: arguments, answer, who may call, how it refuses, what it does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.rules import access, bodies, markdown, topics
from nlctl.rules import atlas as atlases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.catalogue.model import Function
    from nlctl.rules.atlas import Atlas

_ARGUMENT = re.compile(
    r"(?:(?P<mode>IN|OUT|INOUT|VARIADIC) )?(?P<name>\"[^\"]+\"|\w+) (?P<type>.+?)"
    r"(?: DEFAULT (?P<default>.+))?",
    re.DOTALL,
)
_EVENTS = {
    "adds to": {"INSERT"},
    "adds to or changes": {"INSERT", "UPDATE"},
    "changes": {"UPDATE"},
    "deletes from": {"DELETE"},
}


@dataclass(frozen=True)
class Argument:
    """One argument; without a default it must be given."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True)
class RefusalLine:
    """One way to be refused."""

    code: str
    status: int
    message: str
    details: str


@dataclass(frozen=True)
class Effect:
    """What a call leaves behind, and what runs because of it."""

    act: str
    consequences: tuple[str, ...]


@dataclass(frozen=True)
class CallLine:
    """One function in a list."""

    name: str
    link: str
    signature: str
    meaning: str
    callers: tuple[str, ...]
    guards: tuple[str, ...]


def line(function: Function, atlas: Atlas) -> CallLine:
    """A function in one line."""
    name = atlases.full_name(function)
    given = ", ".join(each.name for each in arguments(function))
    return CallLine(
        atlases.short(name),
        atlas.link(name),
        f"{atlases.short(name)}({given})",
        markdown.sentence(markdown.prose(atlas.comment(name))),
        tuple(callers(function)),
        tuple(markdown.code(guard) for guard, _ in guards(function, atlas)),
    )


def arguments(function: Function) -> list[Argument]:
    """What it takes."""
    given = bodies.arguments(function.arguments) if function.arguments else []
    return [each for each in map(_argument, given) if each]


def _argument(text: str) -> Argument | None:
    found = _ARGUMENT.fullmatch(text)
    if found is None:  # without a name, only SQL can give it
        return Argument("", markdown.short_type(text), None)
    if found["mode"] == "OUT":
        return None
    default = found["default"] and markdown.value(found["default"])
    return Argument(found["name"], markdown.short_type(found["type"]), default)


def example(function: Function) -> str:
    """The call as supabase-js makes it, with what must be given."""
    client = "supabase" if function.schema == "public" else f'supabase.schema("{function.schema}")'
    needed = [each.name for each in arguments(function) if each.default is None]
    given = f", {{ {', '.join(needed)} }}" if needed else ""
    return f'await {client}.rpc("{function.name}"{given})'


def returns(function: Function, atlas: Atlas) -> str:
    """What it answers, a row leading to its table."""
    answer = function.returns or "nothing"
    if answer == "void":
        return "nothing (`null`)"
    if answer.startswith("TABLE("):
        return "rows of the columns below"
    bare = answer.removeprefix("SETOF ")
    kind = atlas.link(bare) if "." in bare else markdown.code(markdown.short_type(bare))
    row = "row of " if "." in bare else ""
    return f"rows of {kind}" if function.returns_set else f"{'one ' if row else ''}{row}{kind}"


def returned_columns(function: Function) -> list[Argument]:
    """The columns of an answer that has its own."""
    answer = function.returns or ""
    if not answer.startswith("TABLE("):
        return []
    listed = bodies.arguments(answer, len("TABLE("))
    return [each for each in map(_argument, listed) if each]


def callers(function: Function) -> list[str]:
    """Roles that may call it, in words."""
    granted = {grant.grantee for grant in function.grants if grant.privilege == "execute"}
    return [access.name(role) for role in access.in_order(granted - {function.owner})]


def guards(function: Function, atlas: Atlas) -> list[tuple[str, str]]:
    """What it asks of its caller: the functions that turn others away, each with its comment."""
    own = atlases.full_name(function)
    called = atlas.bodies.guards(own)
    return [
        (name, markdown.prose(atlas.comment(name)))
        for name in called
        if name.partition(".")[0] not in atlas.exposed
    ]


def refusals(function: Function, atlas: Atlas) -> list[RefusalLine]:
    """Every code and sentence, in the order of the statuses."""
    known = atlas.bodies.statuses
    found = atlas.bodies.refusals(atlases.full_name(function))
    lines = [
        RefusalLine(each.code, known.get(each.code, 0), each.message, each.details)
        for each in found
    ]
    return sorted(lines, key=lambda line: line.status)


def effects(function: Function, atlas: Atlas) -> list[Effect]:
    """Tables it writes, with what their triggers do then, and what it publishes itself."""
    name = atlases.full_name(function)
    written = [
        Effect(f"{verb} {atlas.link(table)}", _consequences(atlas, verb, table))
        for verb, table in atlas.bodies.writes(name)
    ]
    sent = [
        Effect(f"publishes {topics.told(each)}", ()) for each in atlas.bodies.publications(name)
    ]
    return [*written, *sent]


def _consequences(atlas: Atlas, verb: str, table: str) -> tuple[str, ...]:
    """What the triggers of a table do when it is written to, each function once."""
    functions = [each.function for each in atlas.triggers_on(table, _EVENTS[verb])]
    told = ((name, list(_deeds(atlas, name))) for name in dict.fromkeys(functions))
    return tuple(f"`{name}` {', '.join(deeds)}" for name, deeds in told if deeds)


def _deeds(atlas: Atlas, function: str) -> Iterator[str]:
    for verb, table in atlas.bodies.writes(function):
        yield f"{verb} {atlas.link(table)}"
    for sent in atlas.bodies.publications(function):
        yield f"publishes {topics.told(sent)}"
    codes = atlas.bodies.codes(function)
    if codes:
        yield f"may refuse with {', '.join(map(markdown.code, codes))}"
