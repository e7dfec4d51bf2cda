"""What the Auth service is told: addresses, switches and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AUDIENCE = "authenticated"
ADMIN_ROLES = ("service_role", "supabase_admin")

# Who could sign people in for the real service; the local one asks none of them.
PROVIDERS = frozenset({
    "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab",
    "google", "kakao", "keycloak", "linkedin", "linkedin_oidc", "notion", "slack", "slack_oidc",
    "snapchat", "spotify", "twitch", "twitter", "workos", "zoom",
})  # fmt: skip

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_DIGITS = "0123456789"
_SYMBOLS = "!@#$%^&*()_+-=[]{};'\\:\"|<>?,./`~"

# The names config.toml knows, as the sets a password must draw from.
PASSWORD_REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "": (),
    "letters_digits": (_LOWER + _UPPER, _DIGITS),
    "lower_upper_letters_digits": (_LOWER, _UPPER, _DIGITS),
    "lower_upper_letters_digits_symbols": (_LOWER, _UPPER, _DIGITS, _SYMBOLS),
}


@dataclass(frozen=True)
class LetterWords:
    """A project's own words for a letter; blank parts stay as they are."""

    subject: str = ""
    file: Path | None = None


@dataclass(frozen=True)
class AuthConfig:
    """Settings of one Auth service; durations are seconds, and 0 means never where it says so.

    `database_url` logs in as supabase_auth_admin. `external_url` is where browsers reach the
    service, for instance http://127.0.0.1:54321/auth/v1. `hooks` maps custom_access_token,
    before_user_created, password_verification_attempt and mfa_verification_attempt to
    pg-functions:// addresses. `letters` maps letters (those in templates/) to the project's own
    words, which are Go templates. `test_otps` maps telephone numbers to the code that works for
    them.
    """

    database_url: str = field(repr=False)
    external_url: str
    site_url: str
    redirect_urls: tuple[str, ...] = ()
    issuer: str = ""

    jwt_expiry: int = 3600
    rotate_refresh_tokens: bool = True
    refresh_token_reuse_interval: int = 10
    session_timebox: float = 0  # 0 is never
    session_inactivity: float = 0  # 0 is never

    allow_sign_up: bool = True
    allow_email: bool = True
    allow_phone: bool = False
    allow_anonymous: bool = False
    allow_manual_linking: bool = False
    confirm_email: bool = False
    confirm_phone: bool = False
    double_confirm_changes: bool = True
    secure_password_change: bool = False
    minimum_password_length: int = 6
    password_requirements: str = ""

    otp_length: int = 6
    otp_expiry: int = 3600
    sms_otp_expiry: int = 60
    sms_interval: float = 5
    test_otps: Mapping[str, str] = field(default_factory=dict, repr=False)
    mail_interval: float = 1
    mails_per_hour: int = 360_000
    failures_per_five_minutes: int = 30

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 54325
    mail_from: str = "no-reply@localhost"
    letters: Mapping[str, LetterWords] = field(default_factory=dict)

    allow_totp_enroll: bool = True
    allow_totp_verify: bool = True
    maximum_factors: int = 10

    hooks: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.password_requirements not in PASSWORD_REQUIREMENTS:
            known = ", ".join(filter(None, PASSWORD_REQUIREMENTS))
            raise InvalidInput(f"auth.password_requirements must be blank or one of {known}.")

    @property
    def token_issuer(self) -> str:
        """The `iss` of sessions."""
        return self.issuer or self.external_url

    @property
    def required_characters(self) -> tuple[str, ...]:
        """Sets of characters, each of which a password must draw from."""
        return PASSWORD_REQUIREMENTS[self.password_requirements]
