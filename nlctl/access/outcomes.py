"""What came of one attempt, told precisely: a constraint or a trigger is not a policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nlctl import database

if TYPE_CHECKING:
    import psycopg

# The server's messages are translated; the names of its own functions are not.
POLICY_CHECK = "ExecWithCheckOptions"
GRANT_CHECK = "aclcheck_error"
RAISED = "exec_stmt_raise"
INSUFFICIENT_PRIVILEGE = "42501"
NOT_UPDATABLE = "55000"
REFUSAL = "PGRST"
INTEGRITY = "23"


class Verdict(StrEnum):
    """How an attempt ended."""

    ALLOWED = "allowed"
    SOME = "some"
    UNSEEN = "unseen"
    ADMITTED = "admitted"
    NOTHING = "nothing"
    POLICY = "policy"
    GRANT = "grant"
    REFUSED = "refused"
    UNKNOWN = "unknown"


MEANINGS = {
    Verdict.ALLOWED: "it happened, to every row tried",
    Verdict.SOME: "some rows of the class are seen, others not",
    Verdict.UNSEEN: "the row changes, though the person cannot see it",
    Verdict.ADMITTED: "grants and policies let it through, then a constraint stopped the attempt",
    Verdict.NOTHING: "no error, and no row is there for the person",
    Verdict.POLICY: "refused by a policy",
    Verdict.GRANT: "refused for want of a grant",
    Verdict.REFUSED: "refused by a function or trigger, with its code",
    Verdict.UNKNOWN: "could not be tried; the reason says why",
}


@dataclass(frozen=True)
class Outcome:
    """A verdict, the rows it touched out of those tried, and what the database said."""

    verdict: Verdict
    rows: int | None = None
    tried: int | None = None
    code: str | None = None
    reason: str | None = None

    @property
    def sentence(self) -> str:
        """The same for people."""
        counted = f" ({self.rows} of {self.tried})" if self.rows is not None else ""
        said = f": {self.reason}" if self.reason else ""
        code = f" [{self.code}]" if self.code else ""
        return f"{MEANINGS[self.verdict]}{counted}{code}{said}"


def unknown(reason: str) -> Outcome:
    """An attempt that could not be made."""
    return Outcome(Verdict.UNKNOWN, reason=reason)


def read_error(error: psycopg.Error, *, is_granted: bool) -> Outcome:
    """What an error says; `is_granted` tells a missing grant from one missing further down."""
    code, source = error.sqlstate or "", error.diag.source_function
    reason = _said(error)
    if source == POLICY_CHECK and code == INSUFFICIENT_PRIVILEGE:
        return Outcome(Verdict.POLICY, code=code, reason=reason)
    # A view of several tables says that it cannot be written before anybody asks for the grant.
    if (source == GRANT_CHECK or code == NOT_UPDATABLE) and not is_granted:
        return Outcome(Verdict.GRANT, code=code, reason=reason)
    # PostgreSQL asks the policies before it asks any constraint.
    if code.startswith(INTEGRITY):
        return Outcome(Verdict.ADMITTED, code=code, reason=reason)
    if code == REFUSAL:
        return Outcome(Verdict.REFUSED, code=_refusal(error), reason=reason)
    if source == RAISED:
        return Outcome(Verdict.REFUSED, code=code, reason=reason)
    return Outcome(Verdict.UNKNOWN, code=code, reason=reason)


def _said(error: psycopg.Error) -> str:
    """In one line, and without the detail: that quotes the values of rows."""
    if error.sqlstate == REFUSAL:
        return database.reason(error)
    return " ".join((error.diag.message_primary or str(error)).split())


def _refusal(error: psycopg.Error) -> str:
    return str(json.loads(error.diag.message_primary or "{}").get("code", REFUSAL))
