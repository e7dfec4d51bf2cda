"""The atlas: every object of a catalogue in its domain, and the way from one to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from nlctl.errors import RulesIncomplete
from nlctl.rules import markdown
from nlctl.rules.bodies import Bodies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nlctl.catalogue.model import (
        Catalogue,
        Function,
        Policy,
        Table,
        Trigger,
        Type,
        View,
    )
    from nlctl.rules.chapters import Chapters, Domain, Place

Thing = TypeVar("Thing")

PUBLICATION = "supabase_realtime"
NAMED_AT_MOST = 5
_REFUSES = re.compile(r"(?:^| )(?:Refuses|Else refuses) with")
_EVENT = re.compile(r"\b(INSERT|UPDATE|DELETE|TRUNCATE)\b")


@dataclass(frozen=True)
class Atlas:
    """What there is and where it belongs. `exposed` are the schemas that the Data API shows."""

    catalogue: Catalogue
    chapters: Chapters
    exposed: tuple[str, ...]

    def require_places(self) -> None:
        """Refuse what no migration makes by name: it would be on no page."""
        lost = [name for name in self._names() if name not in self.chapters.places]
        if lost:
            more = f" and {len(lost) - NAMED_AT_MOST} more" if len(lost) > NAMED_AT_MOST else ""
            raise RulesIncomplete(
                f"No migration makes by name: {', '.join(lost[:NAMED_AT_MOST])}{more}.",
                hint="Where one makes it in a DO block, let it also say `comment on … is '…'`.",
            )

    @property
    def domains(self) -> list[Domain]:
        """Those that still have something to show."""
        living = {self._place(name).domain for name in self._names()}
        return [domain for domain in self.chapters.domains if domain.slug in living]

    @cached_property
    def bodies(self) -> Bodies:
        """What all functions do."""
        texts: dict[str, str] = {}
        for function in self.catalogue.functions:
            name = full_name(function)
            texts[name] = f"{texts.get(name, '')}\n{function.body}"
        return Bodies(texts)

    def tables(self, domain: Domain) -> list[Table]:
        """Its tables, less the partitions of one that is told whole."""
        return self._of(domain, [(each.full_name, each) for each in self._whole_tables()])

    def views(self, domain: Domain) -> list[View]:
        return self._of(domain, [(each.full_name, each) for each in self.catalogue.views])

    def types(self, domain: Domain) -> list[Type]:
        return self._of(domain, [(each.full_name, each) for each in self.catalogue.types])

    def calls(self, domain: Domain) -> list[Function]:
        """Functions that a frontend can call."""
        return [each for each in self._functions(domain) if self._is_call(each)]

    def internals(self, domain: Domain) -> list[Function]:
        """Functions that only the database calls."""
        return [each for each in self._functions(domain) if not self._is_call(each)]

    def policies(self, domain: Domain, table: str) -> list[Policy]:
        """Its policies on a table of the platform."""
        named = [
            (_name_on_table(each), each)
            for each in self.catalogue.platform_policies
            if f"{each.schema}.{each.table}" == table
        ]
        return self._of(domain, named)

    def platform_triggers(self, domain: Domain) -> list[Trigger]:
        """Its triggers on tables of the platform."""
        triggers = self.catalogue.platform_triggers
        return self._of(domain, [(_name_on_table(each), each) for each in triggers])

    def triggers(self, domain: Domain) -> list[Trigger]:
        """All its triggers."""
        own = [trigger for table in self.tables(domain) for trigger in table.triggers]
        return [*own, *self.platform_triggers(domain)]

    def triggers_on(self, table: str, wanted: set[str]) -> list[Trigger]:
        """What runs when somebody writes to a table: on INSERT, UPDATE or DELETE."""
        on_table = (each for each in self.catalogue.tables if each.full_name == table)
        return [t for each in on_table for t in each.triggers if wanted & events(t)]

    def comment(self, function: str) -> str:
        """What the comment of a function says, up to whom it refuses."""
        return _REFUSES.split(self._comments.get(function, ""))[0].rstrip(".")

    def link(self, name: str) -> str:
        """A name that leads to where it is described, as far as it is."""
        shown = short(name)
        place = self.chapters.places.get(name)
        if place is None or name not in self._headed:
            return markdown.code(shown)
        return f"[{markdown.code(shown)}]({place.domain}.md#{anchor(shown)})"

    @cached_property
    def _comments(self) -> dict[str, str]:
        return {full_name(each): each.comment or "" for each in self.catalogue.functions}

    @cached_property
    def published(self) -> set[str]:
        """Tables whose rows `postgres_changes` tells of."""
        return {
            f"{table.schema}.{table.table}"
            for publication in self.catalogue.publications
            if publication.name == PUBLICATION
            for table in publication.tables
        }

    @cached_property
    def _headed(self) -> set[str]:
        calls = (full_name(each) for each in self.catalogue.functions if self._is_call(each))
        relations = (each.full_name for each in (*self._whole_tables(), *self.catalogue.views))
        return {*calls, *relations}

    def _functions(self, domain: Domain) -> list[Function]:
        return self._of(domain, [(full_name(each), each) for each in self.catalogue.functions])

    def _is_call(self, function: Function) -> bool:
        return function.schema in self.exposed and function.returns != "trigger"

    def _whole_tables(self) -> list[Table]:
        return [each for each in self.catalogue.tables if each.partition_bound is None]

    def _names(self) -> Iterator[str]:
        catalogue = self.catalogue
        yield from (each.full_name for each in self._whole_tables())
        yield from (each.full_name for each in catalogue.views)
        yield from (each.full_name for each in catalogue.types)
        yield from dict.fromkeys(map(full_name, catalogue.functions))
        yield from map(_name_on_table, catalogue.platform_policies)
        yield from map(_name_on_table, catalogue.platform_triggers)

    def _of(self, domain: Domain, named: Iterable[tuple[str, Thing]]) -> list[Thing]:
        """Those of one domain, in the order their migrations make them."""
        placed = [(self._place(name), thing) for name, thing in named]
        own = [(place.order, thing) for place, thing in placed if place.domain == domain.slug]
        return [thing for _, thing in sorted(own, key=lambda pair: pair[0])]

    def _place(self, name: str) -> Place:
        return self.chapters.places[name]


def _name_on_table(thing: Policy | Trigger) -> str:
    return f"{thing.schema}.{thing.table} {thing.name}"


def full_name(function: Function) -> str:
    """Schema and name: what overloads share."""
    return f"{function.schema}.{function.name}"


def short(name: str) -> str:
    """Without the schema that every frontend starts in."""
    return name.removeprefix("public.")


def anchor(heading: str) -> str:
    """What GitHub calls a heading in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def events(trigger: Trigger) -> set[str]:
    """INSERT, UPDATE, DELETE or TRUNCATE, as many as it has."""
    return set(_EVENT.findall(trigger.definition.partition(" ON ")[0]))
