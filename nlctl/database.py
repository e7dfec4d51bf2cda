"""Connections, and whom they act as."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from nlctl.errors import DatabaseUnreachable, InvalidInput

# What the driver warns of are connections that an error has already ended; the error is told.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

API_ROLES = ("anon", "authenticated", "service_role")
API_SEARCH_PATH = "public, extensions"


@dataclass(frozen=True)
class Caller:
    """Who asks: the database role and the JWT claims that the platform would set."""

    role: str
    claims: dict[str, Any] = field(default_factory=dict)


def connect(url: str, *, autocommit: bool = False, name: str = "nlctl") -> psycopg.Connection:
    """A connection that says who it is; its failure never repeats the URL."""
    try:
        return psycopg.connect(
            url, autocommit=autocommit, application_name=name, connect_timeout=10
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"The database did not answer: {_first_line(error)}.",
            hint="Is it running? `nlctl status` tells for the local stack.",
        ) from None


def check_url(url: str, name: str) -> None:
    """Refuse what is no URL of a database, without a word of it: a part of it is a password."""
    if _is_misread(url):
        raise InvalidInput(
            f"{name} is not the URL of a database.",
            hint="Write postgresql://user:password@host:5432/postgres, and in the password "
            "%40 for @, %3A for :, %2F for /, %25 for %.",
        )


def act_as(connection: psycopg.Connection[Any], caller: Caller) -> None:
    """For the rest of this transaction, be `caller` as PostgREST would."""
    settings = json.dumps(settings_of(connection, caller))
    connection.execute(
        "select set_config(name, value, true) from json_each_text(%s::json) s(name, value)",
        (settings,),
    )


def settings_of(connection: psycopg.Connection[Any], caller: Caller) -> dict[str, str]:
    """What PostgREST sets for `caller`: the limits of the role, search path, claims and role."""
    cursor = connection.cursor(row_factory=tuple_row)
    limits = cursor.execute(load_sql("nlctl.sql", "settings_of_role"), {"role": caller.role})
    return {
        **dict(limits.fetchall()),
        "search_path": API_SEARCH_PATH,
        "request.jwt.claims": json.dumps({"role": caller.role, **caller.claims}),
        "role": caller.role,
    }


def find_caller(connection: psycopg.Connection[Any], who: str) -> Caller:
    """`anon`, `authenticated`, `service_role`, or a person by e-mail address or id."""
    if who in API_ROLES:
        return Caller(who)
    cursor = connection.cursor(row_factory=tuple_row)
    person = cursor.execute(load_sql("nlctl.sql", "claims_of_person"), {"who": who}).fetchone()
    if person is None:
        raise InvalidInput(
            f"Nobody is called {who!r}.",
            hint="Give anon, authenticated, service_role, an e-mail address or a user id.",
        )
    claims: dict[str, Any] = person[0]
    return Caller(claims["role"], claims)


def run_script(connection: psycopg.Connection, script: str) -> None:
    """Run many statements at once, as they stand (no parameters)."""
    connection.execute(sql.SQL(_trusted(script)))


def load_sql(package: str, name: str) -> LiteralString:
    """The query kept as `name`.sql beside the modules of `package`."""
    return _trusted(files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8"))


def reason(error: psycopg.Error) -> str:
    """Why the database refused, in one line; in the words of `app.refuse` where it was that."""
    said = error.diag.message_primary or str(error) or "no reason given"
    detail = error.diag.message_detail
    if error.sqlstate == "PGRST":
        answer = json.loads(said)
        said, detail = answer["message"], answer.get("details")
    line = " ".join(said.split()).rstrip(".")
    return f"{line} ({' '.join(detail.split()).rstrip('.')})" if detail else line


def _is_misread(url: str) -> bool:
    """Whether libpq refuses it, or takes a piece of the password for the host or the port."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return True
    host, port = str(parts.get("host", "")), str(parts.get("port", ""))
    return "@" in host or re.search(r"[^\d,]", port) is not None


def _trusted(script: str) -> LiteralString:
    # psycopg types its queries as literals; ours come from files of the project.
    return script


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
