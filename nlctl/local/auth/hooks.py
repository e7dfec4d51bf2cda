"""Hooks: functions of the project's database that Auth asks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from nlctl.local.auth import timestamps
from nlctl.local.auth.errors import Refusal, broken

if TYPE_CHECKING:
    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.users import User

log = logging.getLogger(__name__)

TIMEOUT_MS = 2000
# What tokens must keep saying, whatever a hook does to them.
REQUIRED_CLAIMS: dict[str, tuple[type, ...]] = {
    "aud": (str, list),
    "exp": (int,),
    "iat": (int,),
    "sub": (str,),
    "email": (str,),
    "phone": (str,),
    "role": (str,),
    "aal": (str,),
    "session_id": (str,),
    "is_anonymous": (bool,),
}


async def allow_user(call: Call, user: User) -> None:
    """Let the project refuse a new account before it is stored."""
    if "before_user_created" in call.config.hooks:
        event = {"metadata": _metadata(call, "before-user-created"), "user": user.as_dict()}
        async with call.transaction() as db:
            await _ask(db, call.config.hooks["before_user_created"], event)


async def customize_claims(
    call: Call, db: Connection, user: User, claims: dict[str, Any], method: str
) -> dict[str, Any]:
    """The claims as the project wants them, complete enough to be a session."""
    uri = call.config.hooks.get("custom_access_token")
    if uri is None:
        return claims
    event = {
        "metadata": _metadata(call, "customize-access-token"),
        "user_id": str(user.id),
        "claims": claims,
        "authentication_method": method,
    }
    answer = await _ask(db, uri, event)
    customized = answer.get("claims")
    if not isinstance(customized, dict):
        raise broken("output claims field is missing")
    _check_claims(customized)
    return customized


async def judge_attempt(
    call: Call, hook: str, event: dict[str, Any]
) -> tuple[dict[str, Any], bool]:
    """What the project says to a password or code that was tried, and whether it rejects."""
    uri = call.config.hooks.get(hook)
    if uri is None:
        return {}, False
    name = hook.removesuffix("_attempt").replace("_", "-")
    async with call.transaction() as db:
        answer = await _ask(db, uri, {"metadata": _metadata(call, name), **event})
    return answer, answer.get("decision") == "reject"


async def _ask(db: Connection, uri: str, event: dict[str, Any]) -> dict[str, Any]:
    function = _function(uri)
    statement = sql.SQL("select {}({}) as answer").format(function, Jsonb(event))
    try:
        async with db.transaction():
            await db.execute(f"set local statement_timeout = {TIMEOUT_MS}".encode())
            row = await (await db.execute(statement)).fetchone()
            await db.execute("set local statement_timeout to default")
    except psycopg.Error as error:
        log.exception("The hook %s failed", uri)
        raise broken(f"Error running hook URI: {uri}") from error
    answer = row["answer"] if row else None
    if not isinstance(answer, dict):
        return {}
    _raise_what_it_refused(answer)
    return answer


def _function(uri: str) -> sql.Composable:
    parts = urlsplit(uri)
    names = [unquote(name) for name in parts.path.strip("/").split("/")]
    if parts.scheme != "pg-functions" or len(names) != 2 or not all(names):
        log.error("The hook %s is not pg-functions://<database>/<schema>/<function>", uri)
        raise broken(f"Error running hook URI: {uri}")
    return sql.Identifier(*names)


def _raise_what_it_refused(answer: dict[str, Any]) -> None:
    refusal = answer.get("error")
    if not isinstance(refusal, dict) or not refusal.get("message"):
        return
    status = refusal.get("http_code")
    status = status if isinstance(status, int) and 400 <= status <= 599 else 500
    code = "unexpected_failure" if status == 500 else "unknown"
    raise Refusal(status, code, str(refusal["message"]))


def _check_claims(claims: dict[str, Any]) -> None:
    flaws = [
        f"- (root): {name} is required" if name not in claims else f"- {name}: Invalid type"
        for name, kinds in REQUIRED_CLAIMS.items()
        if not isinstance(claims.get(name), kinds)
    ]
    if flaws:
        stated = "\n".join(flaws)
        raise broken(f"output claims do not conform to the expected schema: \n{stated}\n")


def _metadata(call: Call, name: str) -> dict[str, Any]:
    moment = timestamps.rfc3339(timestamps.now())
    return {"uuid": str(uuid4()), "time": moment, "name": name, "ip_address": call.ip}
