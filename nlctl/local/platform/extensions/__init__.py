"""Extensions that Supabase lets `postgres` create and the embedded server does not.

pgcrypto, uuid-ossp and pgjwt are missing from it altogether: they are rewritten here in SQL. So is
the part of pg_cron that keeps schedules; nothing here runs them.
Others are there, but PostgreSQL keeps them to superusers.
A few more can be created and do nothing, because `supabase db pull` writes them into the first
migration of a project, even of one that never calls them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDER = Path(__file__).parent

# What each script is made of, in order.
REWRITTEN = {
    "pgcrypto": ("sha1", "bcrypt", "pgcrypto"),
    "uuid-ossp": ("sha1", "uuid-ossp"),
    "pgjwt": ("pgjwt",),
    "pg_cron": ("pg_cron",),
}

# They can be created, in the schema that each keeps to, and hold nothing.
NAMED = {
    "http": None,
    "pg_graphql": "graphql",
    "pg_net": None,
    "pgsodium": "pgsodium",
    "supabase_vault": "vault",
}
# What its extension would bring is part of the platform already, so there is nothing to warn of.
PRESENT = {"supabase_vault"}

# On Supabase's list of privileged extensions, and in PostgreSQL's contrib or the wheel.
TRUSTED = (
    "autoinc",
    "bloom",
    "dblink",
    "dict_xsyn",
    "earthdistance",
    "insert_username",
    "moddatetime",
    "pg_buffercache",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_walinspect",
    "pgrowlocks",
    "pgstattuple",
    "postgres_fdw",
    "refint",
    "vector",
)


def prepare(folder: Path, share: Path) -> None:
    """Fill `folder`/extension, which `extension_control_path` names before `$system`.

    `share` is the server's share folder; what it has itself is not rewritten. PostgreSQL knows that
    setting since 18: an older server needs contrib, and goes without pgjwt.
    Safe to repeat, also while a server reads the folder.
    """
    system = share / "extension"
    wanted = _rewritten_files(system) | _named_files(system) | _trusted_files(system)
    target = folder / "extension"
    target.mkdir(parents=True, exist_ok=True)
    for name, content in wanted.items():
        _write(target / name, content)
    for file in target.iterdir():
        if file.name not in wanted:
            file.unlink(missing_ok=True)


def _rewritten_files(system: Path) -> dict[str, str]:
    files = {}
    for name, parts in REWRITTEN.items():
        if (system / f"{name}.control").is_file():
            continue
        control = _read(FOLDER / f"{name}.control")
        [version] = re.findall(r"default_version = '(.+)'", control)
        script = "".join(_read(FOLDER / f"{part}.sql") for part in parts)
        files[f"{name}.control"] = control
        files[f"{name}--{version}.sql"] = script.replace("@extension@", name)
    return files


def _named_files(system: Path) -> dict[str, str]:
    files = {}
    for name, schema in NAMED.items():
        if (system / f"{name}.control").is_file():
            continue
        place = f"schema = {schema}" if schema else "relocatable = true"
        files[f"{name}.control"] = f"default_version = '0'\ntrusted = true\n{place}\n"
        files[f"{name}--0.sql"] = "" if name in PRESENT else _warning(name)
    return files


def _warning(name: str) -> str:
    said = f"the local stack has no {name}: what calls it fails"
    return f"do $$ begin raise warning '{said}'; end $$;\n"


def _trusted_files(system: Path) -> dict[str, str]:
    files = {}
    for name in TRUSTED:
        control = system / f"{name}.control"
        if control.is_file():
            files[control.name] = _trusting(_read(control))
            files |= {script.name: _read(script) for script in system.glob(f"{name}--*.sql")}
    return files


def _trusting(control: str) -> str:
    kept = [line for line in control.splitlines() if not re.match(r"\s*trusted\s*=", line)]
    return "\n".join([*kept, "trusted = true", ""])


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _write(file: Path, content: str) -> None:
    if file.is_file() and _read(file) == content:
        return
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
    draft.write_text(content, encoding="utf-8")
    draft.replace(file)
