"""People and keys that call the database the way the Data API does for a frontend."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from nlctl.database import Caller, act_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.databases import Database

SHAPE = """
select
  proretset, prorettype = 'void'::regtype as is_void,
  array(
    select name
    from unnest(proargnames, proargtypes::oid[]) as argument (name, type)
    where type in ('json'::regtype, 'jsonb'::regtype)
  ) as documents
from pg_proc
where pronamespace = 'public'::regnamespace and proname = %s
"""


class Refused(Exception):
    """What `app.refuse` told the caller (SQLSTATE PGRST)."""

    def __init__(self, error: psycopg.Error) -> None:
        answer = json.loads(error.diag.message_primary or "{}")
        super().__init__(f"{answer.get('code')}: {answer.get('message')}")
        self.code: str = answer["code"]
        self.message: str = answer["message"]
        self.details: str | None = answer.get("details")
        self.hint: str | None = answer.get("hint")
        self.status: int = json.loads(error.diag.message_detail or "{}")["status"]


@dataclass(frozen=True)
class Person:
    """Somebody with a token: each call is one transaction as `authenticator` become their role."""

    database: Database
    caller: Caller
    email: str | None = None

    @property
    def id(self) -> str:
        """The user's id, as in the token."""
        return str(self.caller.claims["sub"])

    def run(self, query: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Run one statement and return its rows."""
        with self._transaction() as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def rpc(self, function: str, **arguments: object) -> Any:
        """Call a function of schema public by its argument names and return its decoded result."""
        with self._transaction() as connection:
            shape = connection.execute(SHAPE, (function,)).fetchone()
            if shape is None:
                raise AssertionError(f"There is no function public.{function}.")
            cursor = connection.execute(
                _call(function, arguments, shape), _values(arguments, shape["documents"])
            )
            row = cursor.fetchone()
            return None if shape["is_void"] or row is None else row["result"]

    def refusal(self, function: str, **arguments: object) -> Refused:
        """What this person is told who calls a function that must refuse him."""
        try:
            answer = self.rpc(function, **arguments)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"{function} answered {answer!r}.")

    def _transaction(self) -> _Transaction:
        return _Transaction(self)


@dataclass
class _Transaction:
    person: Person
    connection: psycopg.Connection[dict[str, Any]] = field(init=False)

    def __enter__(self) -> psycopg.Connection[dict[str, Any]]:
        self.connection = psycopg.connect(
            self.person.database.authenticator_url, row_factory=dict_row
        )
        act_as(self.connection, self.person.caller)
        return self.connection

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        with self.connection as connection:  # closes it in the end
            if error is None:
                self._settle(connection.commit)
            else:
                connection.rollback()
        if isinstance(error, psycopg.Error) and error.sqlstate == "PGRST":
            raise Refused(error) from error

    def _settle(self, commit: Any) -> None:
        try:
            commit()
        except psycopg.Error as error:  # deferred constraints speak here
            if error.sqlstate == "PGRST":
                raise Refused(error) from error
            raise


def _call(function: str, arguments: dict[str, object], shape: dict[str, Any]) -> sql.Composed:
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name))
        for name in arguments
    )
    call = sql.SQL("{}({})").format(sql.Identifier("public", function), named)
    if shape["proretset"]:
        rows = sql.SQL("select coalesce(json_agg(to_json(r)), '[]') as result from {} r")
        return rows.format(call)
    if shape["is_void"]:
        return sql.SQL("select {} as result").format(call)
    return sql.SQL("select to_json({}) as result").format(call)


def _values(arguments: dict[str, object], documents: Sequence[str]) -> dict[str, object]:
    """As the driver takes them: a list is an array, unless the function takes a document there."""
    return {
        name: Jsonb(value) if isinstance(value, dict | list) and name in documents else value
        for name, value in arguments.items()
    }


def anonymous(database: Database) -> Person:
    """A visitor: the publishable key and no session."""
    return Person(database, Caller("anon"))


def service(database: Database) -> Person:
    """A server: the secret key."""
    return Person(database, Caller("service_role"))


def sign_up(
    database: Database,
    kind: str,
    *,
    email: str | None = None,
    status: str = "active",
    first_name: str | None = None,
) -> Person:
    """Make an account as Auth does (the row, then its identity), then give it type and status."""
    user_id = str(uuid4())
    address = (email or f"{kind}-{user_id[:8]}@example.test").lower()
    metadata = {} if first_name is None else {"first_name": first_name}
    with psycopg.connect(database.auth_admin_url) as auth:
        _insert_account(auth, user_id, address, metadata)
    with psycopg.connect(database.url) as admin:
        admin.execute(
            "update public.profiles set user_type_id = %s, status = %s where id = %s",
            (kind, status, user_id),
        )
    claims = {"sub": user_id, "email": address, "aal": "aal1", "aud": "authenticated"}
    return Person(database, Caller("authenticated", claims), address)


def _insert_account(
    auth: psycopg.Connection, user_id: str, address: str, metadata: dict[str, str]
) -> None:
    auth.execute(
        """
        insert into auth.users (
          id, instance_id, aud, role, email, email_confirmed_at, confirmation_token,
          recovery_token, email_change_token_new, email_change,
          raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
        values (
          %s, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', %s, now(),
          '', '', '', '', '{"provider": "email", "providers": ["email"]}', %s, now(), now())
        """,
        (user_id, address, Jsonb(metadata)),
    )
    auth.execute(
        """
        insert into auth.identities (
          provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
        values (%s, %s, %s, 'email', now(), now(), now())
        """,
        (user_id, user_id, Jsonb({"sub": user_id, "email": address, "email_verified": True})),
    )
