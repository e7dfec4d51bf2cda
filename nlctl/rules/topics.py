"""Topics: what is published through Realtime, by which change, and who may hear or say it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.rules import access, markdown, tables
from nlctl.rules import atlas as atlases

if TYPE_CHECKING:
    from nlctl.catalogue.model import Policy, Table
    from nlctl.rules.atlas import Atlas
    from nlctl.rules.bodies import Publication
    from nlctl.rules.chapters import Domain

MESSAGES = "realtime.messages"
OBJECTS = "storage.objects"


@dataclass(frozen=True)
class TopicLine:
    """One event on one topic, and all that sends it."""

    topic: str
    event: str
    payload: str
    senders: tuple[str, ...]


@dataclass(frozen=True)
class DoorLine:
    """One policy on a table of the platform."""

    policy: str
    who: str
    may: str
    when: str


def told(publication: Publication) -> str:
    """An event and its topic in a few words."""
    return f"{markdown.code(publication.event)} on {markdown.code(publication.topic)}"


def of_table(table: Table, atlas: Atlas) -> list[str]:
    """What the triggers of a table send, each once."""
    functions = [trigger.function for trigger in table.triggers]
    sent = (each for function in functions for each in atlas.bodies.publications(function))
    return list(dict.fromkeys(map(told, sent)))


def published(domain: Domain, atlas: Atlas) -> list[TopicLine]:
    """What the triggers and calls of a domain send."""
    senders: dict[Publication, list[str]] = defaultdict(list)
    for trigger in atlas.triggers(domain):
        line = tables.trigger_line(trigger, atlas)
        when = f" when {markdown.code(line.when)}" if line.when else ""
        table = atlas.link(f"{trigger.schema}.{trigger.table}")
        for publication in atlas.bodies.publications(trigger.function):
            senders[publication].append(f"{table}: {line.moment}{when}")
    for function in atlas.calls(domain):
        name = atlases.full_name(function)
        for publication in atlas.bodies.publications(name):
            senders[publication].append(atlas.link(name))
    return [_line(publication, sent_by) for publication, sent_by in senders.items()]


def _line(publication: Publication, senders: list[str]) -> TopicLine:
    payload = markdown.code(publication.payload) if publication.payload else "the changed row"
    return TopicLine(publication.topic, publication.event, payload, tuple(senders))


def doors(domain: Domain, atlas: Atlas, table: str) -> list[DoorLine]:
    """Who may join, send, see or keep something, by the domain's policies on `table`."""
    words = {"select": "receive", "insert": "send"} if table == MESSAGES else access.VERBS
    return [_door(policy, words) for policy in atlas.policies(domain, table)]


def _door(policy: Policy, words: dict[str, str]) -> DoorLine:
    privileges = access.VERBS if policy.command == "all" else (policy.command,)
    return DoorLine(
        policy.name,
        ", ".join(access.name(role) for role in access.in_order(set(policy.roles))),
        "anything" if policy.command == "all" else words.get(policy.command, policy.command),
        access.when([policy], next(iter(privileges))),
    )
