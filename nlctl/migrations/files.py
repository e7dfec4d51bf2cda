"""Migration files: their names, their text, and what may stand in them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from nlctl.errors import InvalidInput, Place
from nlctl.migrations import statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nlctl.migrations.statements import Statement

STAMP = "%Y%m%d%H%M%S"
MARKER = "-- nlctl: no-transaction"
DOWN = "down"

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_FILE_NAME = re.compile(r"^([0-9]+)_(.*)\.sql$")
_MARKED, _QUEUE_MARKED = (
    re.compile(
        rf"\A(?:[ \t]*(?:--[^\n]*)?\n)*?[ \t]*--[ \t]*nlctl:[ \t]*{mark}[ \t]*$", re.MULTILINE
    )
    for mark in ("no-transaction", "needs job-queue")
)
# The Supabase CLI once wrote a first file that only its own stack may run, and still skips it.
_OLDEST_INIT = "20211209000000"


@dataclass(frozen=True)
class Migration:
    """One file. `text` has Unix line ends and no byte order mark: one hash on every system."""

    version: str
    name: str
    path: Path
    text: str

    @property
    def order(self) -> tuple[int, str]:
        """Versions count as numbers."""
        return order(self.version)

    @cached_property
    def sha256(self) -> str:
        """What tells an edited file from the one that was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The file taken apart; an unclosed quote or comment is refused with its place."""
        try:
            return statements.split(self.text)
        except InvalidInput as error:
            raise InvalidInput(f"{self.path.name}:{error.message}") from None

    @cached_property
    def work(self) -> tuple[Statement, ...]:
        """What is sent. The file is one transaction: a begin with its commit would end it early."""
        return statements.unwrap(self.statements) if self.is_transactional else self.statements

    @property
    def is_transactional(self) -> bool:
        """Whether the file runs in one transaction; its first comment lines may say it does not."""
        return _MARKED.match(self.text) is None

    @property
    def needs_queue(self) -> bool:
        """Whether its first comment lines say that it stands on the job queue."""
        return _QUEUE_MARKED.match(self.text) is not None

    @cached_property
    def mentions(self) -> frozenset[str]:
        """Every word and quoted name in the text, as the catalogue would spell them."""
        words = re.findall(r"\w+", self.text)
        return frozenset(map(str.lower, words)) | frozenset(re.findall(r'"([^"]+)"', self.text))

    def at(self, offset: int) -> str:
        """A position in the text as people look it up: file:line:column."""
        return f"{self.path.name}:{statements.place(self.text, offset)}"


def order(version: str) -> tuple[int, str]:
    """The sort key of a version: by number, so that 9 comes before 10."""
    return int(version), version


def read(folder: Path) -> tuple[Migration, ...]:
    """Every migration of a folder in order. Two files of one version are refused."""
    migrations = sorted(
        (_read_file(path) for path in _sql_files(folder) if _is_migration(path)),
        key=lambda migration: migration.order,
    )
    _refuse_ways_back(migrations)
    for earlier, later in pairwise(migrations):
        if earlier.version == later.version:
            raise InvalidInput(
                f"Two files have version {later.version}: {earlier.path.name}, {later.path.name}.",
                hint="Give one of them a version of its own.",
            )
    return tuple(migrations)


def skipped(folder: Path) -> tuple[str, ...]:
    """Names of SQL files that `read` leaves out because they are not called <digits>_<name>.sql."""
    return tuple(path.name for path in _sql_files(folder) if not _is_migration(path))


def read_down(migration: Migration) -> Migration | None:
    """The way back of a file, if somebody wrote one.

    It lies in a folder of its own: beside its migration the Supabase CLI, which reads whatever is
    called <digits>_<anything>.sql, would apply it as a second migration of the same version.
    """
    path = migration.path.parent / DOWN / f"{migration.path.stem}.down.sql"
    return _read_file(path) if path.is_file() else None


def orphaned_downs(folder: Path) -> tuple[str, ...]:
    """Names of files in the folder of ways back that belong to no migration."""
    known = {f"{migration.path.stem}.down.sql" for migration in read(folder)}
    there = sorted(path.name for path in (folder / DOWN).glob("*.sql"))
    return tuple(f"{DOWN}/{name}" for name in there if name not in known)


def create(folder: Path, name: str, now: datetime | None = None) -> Path:
    """A new file, later than every other, with the beginning of a sentence in it."""
    words = slug(name)
    if not words:
        raise InvalidInput("A migration needs a name.", hint="Example: nlctl migrate new loans")
    folder.mkdir(parents=True, exist_ok=True)
    version = _next_version(read(folder), now or datetime.now(UTC))
    path = folder / f"{version}_{words}.sql"
    path.write_text(_template(name), encoding="utf-8", newline="\n")
    return path


def slug(name: str) -> str:
    """A title as part of a file name: « Être ou non » is etre_ou_non."""
    whole = name.lower().translate(_LIGATURES)
    plain = unicodedata.normalize("NFKD", whole).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def check(migration: Migration, *, allow_empty: bool = False) -> None:
    """Refuse what cannot be applied safely, before anything runs."""
    if not migration.work and not allow_empty:
        raise InvalidInput(
            f"{migration.path.name} holds no statement yet.", hint="Write it or delete it."
        )
    for statement in migration.work:
        if statement.controls_transaction:
            raise _unfit(
                migration,
                statement,
                "a file may not begin or end a transaction.",
                "Delete the statement: each file already runs in a transaction of its own.",
            )
        if statement.streams:
            raise _unfit(
                migration,
                statement,
                "a migration cannot copy to or from its reader.",
                "Write the rows as insert statements, or keep them as a seed.",
            )
        if statement.stands_alone and migration.is_transactional:
            raise _unfit(
                migration,
                statement,
                "this cannot run in a transaction.",
                f"Move it to a file of its own whose first line is: {MARKER}",
            )


def _refuse_ways_back(migrations: Sequence[Migration]) -> None:
    for migration in migrations:
        if migration.path.name.endswith(f".{DOWN}.sql"):
            raise InvalidInput(
                f"{migration.path.name} is a way back among the migrations.",
                hint=f"Move it into {DOWN}/: here the Supabase CLI would run it as a migration.",
            )


def _unfit(migration: Migration, statement: Statement, complaint: str, hint: str) -> InvalidInput:
    found = statements.place(migration.text, statement.begins)
    return InvalidInput(
        f"{migration.at(statement.begins)}: {complaint}",
        hint=hint,
        place=Place(migration.path, found.line, found.column),
    )


def _sql_files(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        raise InvalidInput(
            f"There is no folder {folder}.", hint="`nlctl migrate new NAME` makes the first file."
        )
    return sorted(path for path in folder.iterdir() if path.suffix == ".sql")


def _is_migration(path: Path) -> bool:
    found = _FILE_NAME.match(path.name)
    if found is None or not path.is_file():
        return False
    is_old_init = found[2] == "init" and len(found[1]) == len(_OLDEST_INIT)
    return not (is_old_init and found[1] < _OLDEST_INIT)


def _read_file(path: Path) -> Migration:
    version, _, rest = path.name.partition("_")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"{path.name}:{line}: this is not UTF-8.", hint="Save the file as UTF-8."
        ) from None
    if "\0" in text:
        raise InvalidInput(f"{path.name}:{statements.place(text, text.index(chr(0)))}: a NUL byte.")
    return Migration(version, rest.removesuffix(".sql"), path, text)


def _next_version(existing: Sequence[Migration], now: datetime) -> str:
    stamp = now.astimezone(UTC).strftime(STAMP)
    if not existing or int(existing[-1].version) < int(stamp):
        return stamp
    newest = existing[-1].version
    try:
        following = datetime.strptime(newest, STAMP).replace(tzinfo=UTC) + timedelta(seconds=1)
    except ValueError:  # a number that is no date
        return str(int(newest) + 1)
    return following.strftime(STAMP)


def _template(name: str) -> str:
    title = " ".join(name.replace("_", " ").split())
    return f"-- {title[:1].upper()}{title[1:]}: what this is for, in one sentence.\n"
