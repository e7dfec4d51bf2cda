"""nlctl doctor: what is wrong with this checkout, this machine or a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nlctl import console
from nlctl.commands import options

if TYPE_CHECKING:
    from nlctl.doctor import Finding


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Remove local files of Storage that belong to no object.")
    ] = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Look for what is wrong, each finding with its remedy; exit 1 on errors.

    It reads the machine, the settings, files that browsers or git can see, and the database of
    the target where it answers. Without --fix it changes nothing. It prints no secret.

    Example: nlctl doctor --target production
    """
    from nlctl import doctor as noun
    from nlctl import project

    findings = list(noun.examine(project.find(), target, fix=fix))
    healthy = not any(finding.status is noun.Status.ERROR for finding in findings)
    if json:
        listed = [finding.as_dict() for finding in findings]
        console.say_json({"healthy": healthy, "findings": listed})
    else:
        for finding in findings:
            _say(finding)
    raise typer.Exit(0 if healthy else 1)


def _say(finding: Finding) -> None:
    console.say(f"{finding.status:<8} {finding.check}: {finding.message}")
    if finding.fix:
        console.say(f"{'':<8} → {finding.fix}")
