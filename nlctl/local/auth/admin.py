"""/admin: what servers with the secret key do with other people's accounts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
from starlette.responses import JSONResponse

from nlctl.local.auth import (
    accounts,
    audit,
    callers,
    calls,
    factors,
    identities,
    passwords,
    removal,
    timestamps,
    users,
)
from nlctl.local.auth.config import AUDIENCE
from nlctl.local.auth.errors import (
    DUPLICATE_EMAIL,
    broken,
    invalid,
    not_found,
    unprocessable,
)

if TYPE_CHECKING:
    from uuid import UUID

    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.factors import Factor
    from nlctl.local.auth.users import User

PER_PAGE = 50
DUPLICATE_PHONE = "Phone number already registered by another user"

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


async def list_users(call: Call) -> Response:
    """GET /admin/users: a page of accounts, the youngest first unless asked otherwise."""
    async with call.transaction() as db:
        await callers.require_admin(call, db)
        oldest_first = _is_ascending(call)
        page, per_page = _page(call)
        found, total = await users.search(
            db,
            call.query("filter"),
            limit=per_page,
            offset=(page - 1) * per_page,
            oldest_first=oldest_first,
        )
    # Like the real service, lists leave identities to the single account.
    shown = [{**user.as_dict(), "identities": None} for user in found]
    headers = _page_headers(call, page, per_page, total)
    return JSONResponse({"users": shown, "aud": AUDIENCE}, headers=headers)


async def show_user(call: Call) -> Response:
    """GET /admin/users/{user_id}."""
    async with call.transaction() as db:
        await callers.require_admin(call, db)
        user = await _find(call, db)
    return JSONResponse(user.as_dict())


async def create_user(call: Call) -> Response:
    """POST /admin/users: an account as the server describes it."""
    async with call.transaction() as db:
        admin = await callers.require_admin(call, db)
    address, number = _addresses(call)
    if not address and not number:
        raise invalid("Cannot create a user without either an email or phone")
    digest = await _digest_of_newcomer(call)
    providers = [name for name, value in (("email", address), ("phone", number)) if value]
    draft = users.draft(
        email=address,
        phone=number,
        encrypted_password=digest,
        aud=call.body.text("aud") or AUDIENCE,
        role=call.body.text("role"),
        app_metadata={"provider": providers[0], "providers": providers},
        user_metadata=call.body.record("user_metadata") or {},
    )
    draft = _with_chosen_id(call, draft)
    ban = _ban(call)
    try:
        async with call.transaction() as db:
            await _check_free(db, address, number)
            user = await _store(call, db, draft, ban)
            await audit.record_admin(
                db, admin, "user_signedup", provider=providers[0], **_traits(user)
            )
    except psycopg.Error as error:
        raise broken("Database error creating new user") from error
    return JSONResponse(user.as_dict())


async def change_user(call: Call) -> Response:
    """PUT /admin/users/{user_id}: only what is named changes; metadata is merged."""
    async with call.transaction() as db:
        admin = await callers.require_admin(call, db)
        await _find(call, db)
    addresses = _addresses(call)
    ban = _ban(call)
    password = call.body.optional_text("password")
    if password is not None:
        passwords.check(call.config, password)
    digest = await passwords.digest(password) if password else None
    try:
        async with call.transaction() as db:
            user = await users.lock(db, call.path_id("user_id"))
            if user is None:
                raise not_found("user_not_found", "User not found")
            user = await _apply(call, db, user, addresses, digest)
            if ban:
                user = await users.change(db, user, banned_until=ban.until)
            await audit.record_admin(db, admin, "user_modified", **_traits(user))
            user = await users.reload(db, user)
    except psycopg.Error as error:
        raise broken("Error updating user") from error
    return JSONResponse(user.as_dict())


async def delete_user(call: Call) -> Response:
    """DELETE /admin/users/{user_id}: for good, or softly: nobody, with the same id."""
    async with call.transaction() as db:
        admin = await callers.require_admin(call, db)
        user = await _find(call, db)
        await audit.record_admin(db, admin, "user_deleted", **_traits(user))
        try:
            if not call.body.is_blank and call.body.flag("should_soft_delete"):
                await removal.anonymise(db, user)
            else:
                await removal.delete(db, user)
        except psycopg.Error as error:
            raise broken("Database error deleting user") from error
    return JSONResponse({})


async def list_factors(call: Call) -> Response:
    """GET /admin/users/{user_id}/factors."""
    async with call.transaction() as db:
        await callers.require_admin(call, db)
        user = await _find(call, db)
    return JSONResponse([factor.as_dict() for factor in user.factors])


async def rename_factor(call: Call) -> Response:
    """PUT /admin/users/{user_id}/factors/{factor_id}."""
    async with call.transaction() as db:
        admin = await callers.require_admin(call, db)
        user = await _find(call, db)
        factor = _find_factor(call, user)
        if name := call.body.text("friendly_name"):
            await factors.rename(db, factor, name)
        traits = {"user_id": str(user.id), "factor_id": str(factor.id)}
        await audit.record_admin(
            db, admin, "factor_updated", factor_type=factor.factor_type, **traits
        )
        user = await users.reload(db, user)
    return JSONResponse(_find_factor(call, user).as_dict())


async def delete_factor(call: Call) -> Response:
    """DELETE /admin/users/{user_id}/factors/{factor_id}."""
    async with call.transaction() as db:
        await callers.require_admin(call, db)
        user = await _find(call, db)
        factor = _find_factor(call, user)
        traits = {"user_id": str(user.id), "factor_id": str(factor.id)}
        await audit.record(db, user, "factor_deleted", ip=call.ip, **traits)
        await factors.delete(db, factor)
    return JSONResponse(factor.as_dict())


async def show_audit(call: Call) -> Response:
    """GET /admin/audit: what people did, the latest first."""
    async with call.transaction() as db:
        await callers.require_admin(call, db)
        page, per_page = _page(call)
        scope, text = _search(call)
        entries, total = await audit.search(
            db, audit.SEARCHABLE.get(scope, []), text, limit=per_page, offset=(page - 1) * per_page
        )
    shown = [
        {
            "id": str(entry["id"]),
            "payload": entry["payload"],
            "created_at": timestamps.rfc3339(entry["created_at"]),
            "ip_address": entry["ip_address"],
        }
        for entry in entries
    ]
    return JSONResponse(shown, headers=_page_headers(call, page, per_page, total))


class Ban:
    """Until when somebody may not sign in; None lifts a ban."""

    def __init__(self, until: datetime | None) -> None:
        self.until = until


async def _find(call: Call, db: Connection) -> User:
    user = await users.find(db, call.path_id("user_id"))
    if user is None:
        raise not_found("user_not_found", "User not found")
    return user


def _find_factor(call: Call, user: User) -> Factor:
    factor_id = call.path_id("factor_id")
    factor = next((each for each in user.factors if each.id == factor_id), None)
    if factor is None:
        raise not_found("mfa_factor_not_found", "Factor not found")
    return factor


def _addresses(call: Call) -> tuple[str, str]:
    address, number = call.body.text("email"), call.body.text("phone")
    return calls.email(address) if address else "", calls.phone(number) if number else ""


async def _check_free(
    db: Connection, address: str, number: str, *, besides: UUID | None = None
) -> None:
    if address and await users.find_email_owner(db, address, besides=besides):
        raise unprocessable("email_exists", DUPLICATE_EMAIL)
    owner = await users.find_by_phone(db, number) if number else None
    if owner and owner.id != besides:
        raise unprocessable("phone_exists", DUPLICATE_PHONE)


async def _digest_of_newcomer(call: Call) -> str:
    password, digest = call.body.optional_text("password"), call.body.text("password_hash")
    if password is not None and digest:
        raise invalid("Only a password or a password hash should be provided")
    if digest and not passwords.is_digest(digest):
        raise broken("Error creating user")
    if digest:
        return digest
    password = password or passwords.generate(call.config)
    if len(password.encode()) > passwords.MAXIMUM_LENGTH:
        raise invalid("bcrypt: password length exceeds 72 bytes")
    return await passwords.digest(password)


def _with_chosen_id(call: Call, draft: User) -> User:
    chosen = call.body.text("id")
    if not chosen:
        return draft
    user_id = calls.parse_uuid(chosen)
    if user_id is None:
        raise invalid("ID must conform to the uuid v4 format")
    if user_id.int == 0:
        raise invalid("ID cannot be a nil uuid")
    return users.with_id(draft, user_id)


async def _store(call: Call, db: Connection, draft: User, ban: Ban | None) -> User:
    user = await users.create(db, draft)
    for provider, known in (("email", {"email": user.email}), ("phone", {"phone": user.phone})):
        if known[provider]:
            data = identities.claims(user.id, **known)
            await identities.create(db, user.id, provider, data)
    user = await users.merge(db, user, app_metadata=call.body.record("app_metadata"))
    user = await _confirm(call, db, user)
    if ban:
        user = await users.change(db, user, banned_until=ban.until)
    return await users.reload(db, user)


async def _confirm(call: Call, db: Connection, user: User) -> User:
    if call.body.flag("email_confirm"):
        user = await accounts.confirm(db, user)
    if call.body.flag("phone_confirm"):
        user = await accounts.confirm_phone(db, user)
    return user


async def _apply(
    call: Call, db: Connection, user: User, addresses: tuple[str, str], digest: str | None
) -> User:
    address, number = addresses
    if role := call.body.text("role").strip():
        user = await users.change(db, user, role=role)
    user = await _confirm(call, db, user)
    if digest:
        user = await accounts.set_password(db, user, digest)
    await _check_free(db, address, number, besides=user.id)
    if address:
        is_verified = call.body.flag("email_confirm")
        user = await accounts.set_email(db, user, address, is_verified=is_verified)
    if number:
        is_verified = call.body.flag("phone_confirm")
        user = await accounts.set_phone(db, user, number, is_verified=is_verified)
    return await users.merge(
        db,
        user,
        app_metadata=call.body.record("app_metadata"),
        user_metadata=call.body.record("user_metadata"),
    )


def _ban(call: Call) -> Ban | None:
    asked = call.body.text("ban_duration")
    if not asked:
        return None
    seconds = 0.0 if asked == "none" else _seconds(asked)
    return Ban(timestamps.now() + timedelta(seconds=seconds) if seconds else None)


def _seconds(duration: str) -> float:
    """A duration such as 1h30m."""
    sign, digits = (-1, duration[1:]) if duration.startswith("-") else (1, duration)
    parts = _DURATION.findall(digits)
    try:
        if digits != "0" and (not parts or "".join(map("".join, parts)) != digits):
            raise ValueError
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        timestamps.now() + timedelta(seconds=seconds)
    except (ValueError, OverflowError) as error:
        message = f'invalid format for ban duration: time: invalid duration "{duration}"'
        raise invalid(message) from error
    return sign * seconds


def _traits(user: User) -> dict[str, Any]:
    return {"user_id": str(user.id), "user_email": user.email, "user_phone": user.phone}


def _search(call: Call) -> tuple[str, str]:
    asked = call.query("query")
    scope, _, text = asked.partition(":")
    if asked and (scope not in audit.SEARCHABLE or not text):
        raise invalid(f"Invalid query scope: {asked}")
    return scope, text


def _is_ascending(call: Call) -> bool:
    """Whether `sort` asks for it; `created_at` is the only column to sort by."""
    column, _, direction = call.query("sort").partition(" ")
    if column not in {"", "created_at"}:
        raise invalid(f"Bad Sort Parameters: bad field for sort '{column}'")
    if direction.lower() not in {"", "asc", "desc"}:
        raise invalid(
            f"Bad Sort Parameters: bad direction for sort '{direction}', "
            "only 'asc' and 'desc' allowed"
        )
    return direction.lower() == "asc"


def _page(call: Call) -> tuple[int, int]:
    numbers = []
    for name, default in (("page", 1), ("per_page", PER_PAGE)):
        asked = call.query(name) or str(default)
        if not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
            raise invalid(
                f'Bad Pagination Parameters: strconv.ParseUint: parsing "{asked}": invalid syntax'
            )
        numbers.append(max(1, int(asked)))
    return numbers[0], numbers[1]


def _page_headers(call: Call, page: int, per_page: int, total: int) -> dict[str, str]:
    last = -(-total // per_page)
    targets = [("next", page + 1)] if last > page else []
    links = [
        f'<{_page_path(call, number)}>; rel="{name}"' for name, number in [*targets, ("last", last)]
    ]
    return {"X-Total-Count": str(total), "Link": ", ".join(links)}


def _page_path(call: Call, page: int) -> str:
    # The clients read the number behind the first "=", so page must come first: sorted, it does.
    query = {**call.request.query_params, "page": str(page)}
    return f"{call.path}?{urlencode(sorted(query.items()))}"
