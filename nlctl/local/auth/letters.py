"""Letters: tokens made, remembered and sent to a person's address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from nlctl.local.auth import one_time_tokens, timestamps, users
from nlctl.local.auth.errors import broken, too_often
from nlctl.local.auth.mailer import Letter, MailFailed

if TYPE_CHECKING:
    from datetime import datetime

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.users import User


@dataclass(frozen=True)
class Purpose:
    """Why a token is sent; `column` begins the names of the columns that remember it."""

    template: str
    link_type: str
    column: str
    noun: str
    throttled: bool = True


CONFIRMATION = Purpose("confirmation", "signup", "confirmation", "confirmation")
INVITE = Purpose("invite", "invite", "confirmation", "invite", throttled=False)
RECOVERY = Purpose("recovery", "recovery", "recovery", "recovery")
MAGIC_LINK = Purpose("magic_link", "magiclink", "recovery", "magic link")
REAUTHENTICATION = Purpose("reauthentication", "", "reauthentication", "reauthentication")


async def send(
    call: Call, db: Connection, user: User, purpose: Purpose, *, pkce: bool = False
) -> User:
    """Send a new code (and link) for `purpose`; the account as it is afterwards."""
    if purpose.throttled:
        _check_interval(call.config, getattr(user, f"{purpose.column}_sent_at"))
    otp = one_time_tokens.make_otp(call.config.otp_length)
    user, token = await keep(db, user, purpose, otp, pkce=pkce)
    link = verify_link(call.config, token, purpose.link_type, call.redirect_to)
    link = link if purpose.link_type else ""
    fields = _fields(call, user, otp=otp, token=token, link=link)
    letter = Letter(purpose.template, user.email, otp, link, fields=fields)
    await _post(call, [letter], purpose.noun)
    return user


async def keep(
    db: Connection, user: User, purpose: Purpose, otp: str, *, pkce: bool = False
) -> tuple[User, str]:
    """Remember a code; the account afterwards, and what a link carries instead of the code."""
    token = _token(user.email, otp, pkce=pkce)
    moment = timestamps.now()
    columns: dict[str, Any] = {
        f"{purpose.column}_token": token,
        f"{purpose.column}_sent_at": moment,
    }
    if purpose is INVITE:
        columns["invited_at"] = moment
    user = await users.change(db, user, **columns)
    await one_time_tokens.keep(db, user.id, f"{purpose.column}_token", token, user.email)
    return user, token


async def send_email_change(
    call: Call, db: Connection, user: User, new_email: str, *, pkce: bool
) -> User:
    """Ask the new address, and the old one where both must agree, to confirm the change."""
    _check_interval(call.config, user.email_change_sent_at)
    otp, otp_of_current = (one_time_tokens.make_otp(call.config.otp_length) for _ in range(2))
    asks_current = call.config.double_confirm_changes and user.email != ""
    token = _token(new_email, otp, pkce=pkce)
    token_of_current = _token(user.email, otp_of_current, pkce=pkce) if asks_current else ""
    user = await keep_email_change(db, user, new_email, token, token_of_current)

    def letter(address: str, code: str, hashed: str) -> Letter:
        link = verify_link(call.config, hashed, "email_change", call.redirect_to)
        fields = _fields(call, user, otp=code, token=hashed, link=link)
        fields.update(SendingTo=address, NewEmail=new_email)
        return Letter("email_change", address, code, link, new_email, fields)

    outgoing = [letter(new_email, otp, token)]
    if asks_current:
        outgoing.append(letter(user.email, otp_of_current, token_of_current))
    await _post(call, outgoing, "email change")
    return user


async def keep_email_change(
    db: Connection, user: User, new_email: str, token: str, token_of_current: str
) -> User:
    """Remember that an address is to change, and the tokens that confirm it."""
    user = await users.change(
        db,
        user,
        email_change=new_email,
        email_change_token_new=token,
        email_change_token_current=token_of_current,
        email_change_sent_at=timestamps.now(),
        email_change_confirm_status=0,
    )
    if token:
        await one_time_tokens.keep(db, user.id, "email_change_token_new", token, new_email)
    if token_of_current:
        await one_time_tokens.keep(
            db, user.id, "email_change_token_current", token_of_current, user.email
        )
    return user


def verify_link(config: AuthConfig, token: str, link_type: str, redirect_to: str) -> str:
    """Where a letter's button leads."""
    # The real service leaves an address alone that needs no quoting to stand in a query.
    if any(letter in redirect_to for letter in "&=#"):
        redirect_to = quote_plus(redirect_to)
    query = f"token={quote_plus(token)}&type={link_type}&redirect_to={redirect_to}"
    return f"{config.external_url}/verify?{query}"


def _fields(call: Call, user: User, *, otp: str, token: str, link: str) -> dict[str, Any]:
    """Under the names that the real service's templates know."""
    return {
        "SiteURL": call.config.site_url,
        "ConfirmationURL": link,
        "Email": user.email,
        "NewEmail": "",
        "SendingTo": user.email,
        "Token": otp,
        "TokenHash": token,
        "RedirectTo": call.redirect_to,
        "Data": user.user_metadata or {},
    }


def _token(address: str, otp: str, *, pkce: bool) -> str:
    hashed = one_time_tokens.digest(address, otp)
    return one_time_tokens.PKCE_PREFIX + hashed if pkce else hashed


def _check_interval(config: AuthConfig, sent_at: datetime | None) -> None:
    left = timestamps.seconds_left(sent_at, config.mail_interval)
    if left is not None:
        message = f"For security purposes, you can only request this after {left} seconds."
        raise too_often("over_email_send_rate_limit", message)


async def _post(call: Call, outgoing: list[Letter], noun: str) -> None:
    if call.config.mails_per_hour == 0 or (
        call.config.confirm_email and not call.service.letters.take()
    ):
        raise too_often("over_email_send_rate_limit", "email rate limit exceeded")
    try:
        for letter in outgoing:
            await call.service.mailer.send(letter)
    except MailFailed as error:
        raise broken(f"Error sending {noun} email") from error
