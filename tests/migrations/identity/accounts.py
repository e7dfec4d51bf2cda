"""Accounts as Auth makes them, and the profiles that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from tests.databases import Database

STAFF = ["owner", "admin"]
EVERYBODY = ["owner", "admin", "prof", "client"]
NAMES = {"first_name": "Ada", "last_name": "Lovelace"}


def profile_of(database: Database, user_id: str) -> dict[str, Any]:
    [(profile,)] = database.run(
        "select to_jsonb(p) from public.profiles p where id = %s", [user_id]
    )
    return dict(profile)


def sign_up(database: Database, email: str | None, metadata: Any, **columns: Any) -> str:
    """Make the row that Auth makes, as the Auth service does."""
    user_id = str(uuid4())
    named = {"id": user_id, "email": email, "raw_user_meta_data": Jsonb(metadata), **columns}
    places = ", ".join(f"%({column})s" for column in named)
    database.run(
        f"insert into auth.users ({', '.join(named)}) values ({places})",
        named,
        user="supabase_auth_admin",
    )
    return user_id


def change_account(database: Database, user_id: str, changes: str) -> None:
    database.run(
        f"update auth.users set {changes} where id = %s", [user_id], user="supabase_auth_admin"
    )
