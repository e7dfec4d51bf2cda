"""One thing: an object of a catalogue with its facts in words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from nlctl.catalogue import platform
from nlctl.catalogue.names import role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nlctl.catalogue.acl import Grant

Key: TypeAlias = tuple[str, str]

OWNER = "owner"
COMMENT = "comment"
GRANTS = "grants to "
OPTION = "option "
SETTING = "setting "
THE_OWNER = "its owner"


class Absence(Enum):
    """What it means that only one side has a thing."""

    IS_NEWS = "is news"
    IS_EMPTY = "is the same as having no facts"
    IS_TOLD_ELSEWHERE = "follows from another difference"


@dataclass(frozen=True)
class Thing:
    """One object. `name` is what SQL calls it, `source` the dataclass it was made from.

    A thing that is `part_of` another comes and goes with it.
    """

    kind: str
    name: str
    facts: Mapping[str, str]
    source: object
    part_of: Key | None = None
    absence: Absence = Absence.IS_NEWS

    @property
    def key(self) -> Key:
        """What it is found by on the other side."""
        return self.kind, self.name


def make(
    kind: str,
    name: str,
    source: object,
    *,
    facts: Mapping[str, str | None] | None = None,
    part_of: Key | None = None,
    absence: Absence = Absence.IS_NEWS,
    has_owner: bool = True,
) -> Thing:
    """A thing with the facts that most kinds have, and those of its own that say something."""
    owner: str | None = getattr(source, "owner", None)
    common = {
        OWNER: owner if has_owner else None,
        **(facts or {}),
        COMMENT: getattr(source, "comment", None),
    }
    said = {label: text for label, text in common.items() if text}
    grants = grants_of(getattr(source, "grants", ()), owner)
    return Thing(kind, name, said | grants, source, part_of, absence)


def grants_of(grants: Iterable[Grant], owner: str | None) -> dict[str, str]:
    """What each role may do, but for the platform's own roles, which it lets in as it likes.

    An owner is not named: his rights follow the object to the next.
    """
    held: dict[str, list[str]] = defaultdict(list)
    for grant in grants:
        if grant.grantee != owner and grant.grantee in platform.ROLES:
            continue
        grantee = THE_OWNER if grant.grantee == owner else role(grant.grantee)
        star = " with grant option" if grant.is_grantable else ""
        held[grantee].append(grant.privilege + star)
    return {f"{GRANTS}{grantee}": ", ".join(sorted(held[grantee])) for grantee in sorted(held)}


def settings_of(label: str, settings: Iterable[str]) -> dict[str, str]:
    """Each option or setting as a fact of its own."""
    pairs = (setting.partition("=") for setting in settings)
    return {f"{label}{name}": value for name, _, value in pairs}
