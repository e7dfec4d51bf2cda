"""Connections, and whom they act as."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from nlctl.errors import DatabaseUnreachable, InvalidInput

API_ROLES = ("anon", "authenticated", "service_role")


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


def act_as(connection: psycopg.Connection, caller: Caller) -> None:
    """For the rest of this transaction, be `caller` as PostgREST would (reference, section 0.3)."""
    claims = {"role": caller.role, **caller.claims}
    connection.execute(
        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
        (caller.role, json.dumps(claims)),
    )


def find_caller(connection: psycopg.Connection, who: str) -> Caller:
    """`anon`, `authenticated`, `service_role`, or a person by e-mail address or id."""
    if who in API_ROLES:
        return Caller(who)
    person = connection.execute(
        "select id::text, email from auth.users where id::text = %(who)s or email = lower(%(who)s)",
        {"who": who},
    ).fetchone()
    if person is None:
        raise InvalidInput(
            f"Nobody is called {who!r}.",
            hint="Give anon, authenticated, service_role, an e-mail address or a user id.",
        )
    return Caller("authenticated", {"sub": person[0], "email": person[1], "aal": "aal1"})


def run_script(connection: psycopg.Connection, script: str) -> None:
    """Run many statements at once, as they stand (no parameters)."""
    connection.execute(sql.SQL(_trusted(script)))


def _trusted(script: str) -> LiteralString:
    # psycopg types its queries as literals; ours come from files of the project.
    return script  # type: ignore[return-value]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
