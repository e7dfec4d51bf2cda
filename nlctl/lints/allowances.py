"""Allowances: what may break a promise, and why; the project's lints.toml holds them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl.errors import InvalidInput
from nlctl.lints.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nlctl.project import Project

FILE = "lints.toml"
UNUSED = "allowance_is_used"


@dataclass(frozen=True)
class Allowance:
    """One object that one lint lets pass."""

    lint: str
    object: str
    reason: str


def read(project: Project) -> tuple[Allowance, ...]:
    """The project's allowances; none where it has no lints.toml."""
    path = project.root / FILE
    if not path.is_file():
        return ()
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("allow", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{FILE} cannot be read: {error}.") from error
    return tuple(_read_entry(entry) for entry in entries)


def sort_out(
    found: Iterable[Finding], allowances: Sequence[Allowance]
) -> tuple[tuple[Finding, ...], tuple[tuple[Finding, str], ...]]:
    """What is left to mend, and what is allowed with its reason.

    An allowance that nothing needs is to be mended too: it would hide the next fault.
    """
    reasons = {(each.lint, each.object): each.reason for each in allowances}
    findings: list[Finding] = []
    allowed: list[tuple[Finding, str]] = []
    for finding in found:
        reason = reasons.get((finding.lint, finding.object))
        if reason is None:
            findings.append(finding)
        else:
            allowed.append((finding, reason))
    used = {(finding.lint, finding.object) for finding, _ in allowed}
    unused = (each for each in allowances if (each.lint, each.object) not in used)
    return (*findings, *map(_as_finding, unused)), tuple(allowed)


def _read_entry(entry: Any) -> Allowance:
    fields = {"lint", "object", "reason"}
    if not isinstance(entry, dict) or set(entry) != fields or not all(entry.values()):
        raise InvalidInput(f"{FILE}: each [[allow]] has a lint, an object and a reason: {entry}.")
    return Allowance(**{name: str(value) for name, value in entry.items()})


def _as_finding(allowance: Allowance) -> Finding:
    return Finding(
        UNUSED,
        allowance.object,
        f"{allowance.lint} finds nothing there any more.",
        "Take it out.",
        FILE,
    )
