"""How a command says what breaks a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl import console, project
from nlctl.errors import Place

if TYPE_CHECKING:
    from nlctl.lints import Finding, Report


def say_report(report: Report) -> None:
    """Each finding with its remedy, or that there is none."""
    for finding in report.findings:
        _say(finding)
        console.annotate(f"{finding.object}: {finding.detail} → {finding.remedy}", _place(finding))
    allowed = f" ({len(report.allowed)} allowed by lints.toml)" if report.allowed else ""
    if report.is_clean:
        console.say(f"Every promise is kept{allowed}.")
    else:
        console.say(f"To mend: {len(report.findings)}{allowed}.")


def _say(finding: Finding) -> None:
    where = f"{finding.place}: " if finding.place else ""
    console.say(f"{where}{finding.object}: {finding.detail} [{finding.lint}]")
    console.say(f"  → {finding.remedy}")


def _place(finding: Finding) -> Place | None:
    if finding.file is None:
        return None
    return Place(project.find().root / finding.file, finding.line or 1, 1)
