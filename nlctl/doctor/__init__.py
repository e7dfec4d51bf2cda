"""Doctor: small independent checks of a checkout, this machine and one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.doctor import environment, findings, secrets, settings
from nlctl.doctor.findings import Finding, Status
from nlctl.errors import NlctlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.project import Project

__all__ = ["Finding", "Status", "carefully", "examine"]


def examine(
    project: Project, target_name: str | None = None, *, fix: bool = False
) -> Iterator[Finding]:
    """Every finding, the machine first, then the files, then the database of the target.

    `fix` lets it repair what needs no decision.
    """
    yield from environment.check(project)
    problems = list(settings.check(project))
    yield from problems
    yield from secrets.check(project)
    if any(finding.status is Status.ERROR for finding in problems):
        yield findings.warning("database", "Not examined.", "Mend the settings first.")
    else:
        yield from _check_database(project, target_name, fix=fix)


def _check_database(project: Project, target_name: str | None, *, fix: bool) -> Iterator[Finding]:
    from nlctl import database, targets
    from nlctl.doctor import history, jobs, server, storage, texts

    try:
        target = targets.resolve(project, target_name)
        connection = database.connect(target.database_url, autocommit=True, name="nlctl doctor")
    except NlctlError as failure:
        is_local = targets.chosen(target_name) == targets.LOCAL
        status = Status.WARNING if is_local else Status.ERROR
        yield Finding("database", status, failure.message, failure.hint)
        return
    with connection:
        yield findings.ok("database", f"{target.name} answers.")
        yield from carefully("server", server.check(project, connection))
        yield from carefully("migrations", history.check(project, target))
        yield from carefully("texts", texts.check(project, target, connection))
        yield from carefully("queue", jobs.check(project, connection))
        yield from carefully("storage", storage.check(project, target, connection, fix=fix))


def carefully(name: str, found: Iterator[Finding]) -> Iterator[Finding]:
    """What a check finds; where the database will not let it look, that is a finding too."""
    import psycopg

    try:
        yield from found
    except psycopg.Error as failure:
        reason = failure.diag.message_primary or "the connection was lost"
        fix = "Look again as a user who may read it: postgres."
        yield findings.error(name, f"Could not be examined: {reason}.", fix)
