"""What can go wrong, said in one line: what was and was not done, and the way out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A line of a file of the project, for tools that mark it there; both count from one."""

    path: Path
    line: int
    column: int


class NlctlError(Exception):
    """A failure the operator can act on. `hint` is the way out, `exit_code` tells scripts which.

    `code` is the database's own name for it, and `place` the line at fault, where there is one.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        place: Place | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.place = place


class InvalidInput(NlctlError):
    """An argument, a file or a setting that cannot be used as it is."""

    exit_code = 2


class SystemRefused(NlctlError):
    """A file or folder that the system does not let us use; what was done before it stands."""

    @classmethod
    def because_of(cls, error: OSError) -> SystemRefused:
        """The same in one line: the file at fault, where there is one, and the system's reason."""
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return cls(f"{where}{error.strerror or error}.", hint="Put that right, then run it again.")


class ProjectNotFound(InvalidInput):
    """No project folder around the working directory."""


class UnknownTarget(InvalidInput):
    """A target that neither nlctl.toml nor the environment describes."""


class DatabaseUnreachable(NlctlError):
    """The database did not answer; nothing was changed."""


class ConfirmationNeeded(NlctlError):
    """A destructive command on a shared target was not confirmed; nothing was changed."""

    exit_code = 2


class DamagedText(InvalidInput):
    """A file that is not UTF-8, or whose accents were lost on the way; nothing was written."""


class SeedFileInvalid(InvalidInput):
    """A seed file that cannot be read, or that does not fit its table; nothing was written."""


class SeedCycle(InvalidInput):
    """Seeded tables whose foreign keys run in a circle; nothing was written."""


class SeedRefused(NlctlError):
    """The database refused a seed; its whole application was rolled back."""


class SeedsBusy(NlctlError):
    """Another application of seeds holds the database; nothing was written."""


class ThemeFileInvalid(InvalidInput):
    """A theme file that is not JSON of the form name, is_default, tokens; nothing was written."""


class UnknownTheme(InvalidInput):
    """No theme has this name, in the files or in the database."""


class ThemeRefused(NlctlError):
    """The database refused a theme; none of the themes was written."""


class BucketsRefused(NlctlError):
    """The database refused the declared buckets; none of them was changed."""


class QueryFailed(NlctlError):
    """The database refused a statement; everything its script did was rolled back."""


class SquawkFailed(NlctlError):
    """Squawk is there but could not read the files or its settings; nothing was checked."""


class RulesPageBroken(InvalidInput):
    """A page of rules/ whose markers do not pair up; no page was written."""


class RulesIncomplete(InvalidInput):
    """Something in the database that no migration makes by name; no page was written."""


class CatalogueUnreadable(NlctlError):
    """The database would not tell what it holds; nothing was changed."""


class MigrationConflict(NlctlError):
    """The files and the history disagree; nothing was run."""

    exit_code = 4


class MigrationFailed(NlctlError):
    """A file stopped with an error; the message says what of it was applied."""

    exit_code = 5


class MigrationIrreversible(NlctlError):
    """A file without a way back; nothing was run."""


class BaselineRefused(NlctlError):
    """The database is not what the files make; nothing was recorded."""


class MigrationsBusy(NlctlError):
    """Another runner held the lock for too long; nothing was run."""


class ForeignDatabase(NlctlError):
    """The database belongs to another project; nothing was changed."""


class HistoryUnavailable(NlctlError):
    """The tables of the migration history cannot be made, read or written."""


class Interrupted(NlctlError):
    """Somebody stopped the command; the message says what had been done."""

    exit_code = 130


class AccessNotMeasured(NlctlError):
    """The access matrix could not be measured; what had been tried was rolled back."""
