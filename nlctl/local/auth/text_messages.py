"""Text messages: codes for telephone numbers.

Nobody sends them from here. Numbers that the project gives a fixed code for tests work; others
are refused in the words of the real service when it has no provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlctl.local.auth import calls, one_time_tokens, timestamps, users
from nlctl.local.auth.errors import broken, invalid, too_often

if TYPE_CHECKING:
    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.users import User

MESSAGE_ID = "test-otp"
BAD_CHANNEL = (
    "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if "
    "Twilio or Twilio Verify is used as the provider."
)


def check_channel(call: Call) -> None:
    """Refuse what is not a text message."""
    if (call.body.text("channel") or "sms") != "sms":
        raise invalid(BAD_CHANNEL)


def fixed_code(config: AuthConfig, number: str) -> str | None:
    """The code that always works for this number, if the project has fixed one."""
    fixed = {calls.digits(known): code for known, code in config.test_otps.items()}
    return fixed.get(number)


async def send(call: Call, db: Connection, user: User, number: str, column: str) -> User:
    """Give a code out; `column` (confirmation, phone_change, reauthentication) remembers it."""
    sent_at = getattr(user, f"{column}_sent_at")
    left = timestamps.seconds_left(sent_at, call.config.sms_interval)
    if left is not None:
        message = f"For security purposes, you can only request this after {left} seconds."
        raise too_often("over_sms_send_rate_limit", message)
    code = fixed_code(call.config, number)
    if code is None:
        raise broken("Unable to get SMS provider")
    hashed = one_time_tokens.digest(number, code)
    columns: dict[str, Any] = {
        f"{column}_token": hashed,
        f"{column}_sent_at": timestamps.now(),
    }
    if column == "phone_change":
        columns["phone_change"] = number
    await one_time_tokens.keep(db, user.id, f"{column}_token", hashed, number)
    return await users.change(db, user, **columns)
