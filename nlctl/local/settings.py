"""What supabase/config.toml asks of the local stack, with the Supabase CLI's defaults."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from email.utils import formataddr
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from nlctl.buckets import Bucket
from nlctl.errors import InvalidInput
from nlctl.local import keys, tables
from nlctl.local.tables import FILE, Port, Seconds, Size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlctl.project import Project

MINIMUM_SECRET = 16
NOBODY = "no-reply@localhost"
UNLIMITED = 360_000  # what the CLI gives Auth while letters only go to the local inbox

_ENVIRONMENT = re.compile(r"env\((\w+)\)")
# Auth understands web addresses too. The local stack does not call them; absences.py says so.
_HOOK = re.compile(r"pg-functions://[^/]*/[^/]+/[^/]+/?|https?://.+", re.IGNORECASE)


@dataclass(frozen=True)
class ApiSettings:
    """The Data API, and the port of the whole gateway."""

    enabled: bool = True
    port: Port = 54321
    schemas: tuple[str, ...] = ("public", "graphql_public")
    extra_search_path: tuple[str, ...] = ("public", "extensions")
    max_rows: int = 1000
    auto_expose_new_tables: bool = True


@dataclass(frozen=True)
class MigrationSettings:
    """Whether supabase/migrations is applied."""

    enabled: bool = True


@dataclass(frozen=True)
class SeedSettings:
    """SQL files run after the migrations; globs, relative to supabase/."""

    enabled: bool = True
    sql_paths: tuple[str, ...] = ("./seed.sql",)


@dataclass(frozen=True)
class DatabaseSettings:
    """The database's port, and what fills it."""

    port: Port = 54322
    migrations: MigrationSettings = MigrationSettings()
    seed: SeedSettings = SeedSettings()


@dataclass(frozen=True)
class MailSettings:
    """The inbox that catches every letter: its page and its SMTP door."""

    port: Port = 54324
    smtp_port: Port = 54325
    admin_email: str = ""
    sender_name: str = ""


@dataclass(frozen=True)
class RateLimits:
    """How often one address may ask: letters by the hour, the others by five minutes."""

    email_sent: int = 2
    sms_sent: int = 30
    anonymous_users: int = 30
    token_refresh: int = 150
    sign_in_sign_ups: int = 30
    token_verifications: int = 30
    web3: int = 30


@dataclass(frozen=True)
class SmtpSettings:
    """Whether production sends through a server of the project's own; locally nothing leaves."""

    enabled: bool = False
    admin_email: str = ""
    sender_name: str = ""


@dataclass(frozen=True)
class LetterSettings:
    """A letter in the project's own words: its subject, and a file with its text."""

    subject: str = ""
    content_path: str = ""


@dataclass(frozen=True)
class EmailSettings:
    """Sign-up, confirmation and codes by e-mail."""

    enable_signup: bool = True
    double_confirm_changes: bool = True
    enable_confirmations: bool = False
    secure_password_change: bool = False
    max_frequency: Seconds = 1
    otp_length: int = 6
    otp_expiry: int = 3600
    smtp: SmtpSettings = SmtpSettings()
    template: dict[str, LetterSettings] = field(default_factory=dict)


@dataclass(frozen=True)
class SmsSettings:
    """Codes by telephone; `test_otp` maps numbers to the code that always works for them."""

    enable_signup: bool = False
    enable_confirmations: bool = False
    max_frequency: Seconds = 5
    test_otp: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SessionSettings:
    """When sessions end by themselves; 0 is never."""

    timebox: Seconds = 0
    inactivity_timeout: Seconds = 0


@dataclass(frozen=True)
class HookSettings:
    """A function that Auth asks: pg-functions://<database>/<schema>/<function>."""

    enabled: bool = False
    uri: str = ""
    secrets: str = field(default="", repr=False)


@dataclass(frozen=True)
class FactorSettings:
    """One kind of second factor."""

    enroll_enabled: bool = False
    verify_enabled: bool = False


@dataclass(frozen=True)
class MfaSettings:
    """Second factors."""

    max_enrolled_factors: int = 10
    totp: FactorSettings = FactorSettings()
    phone: FactorSettings = FactorSettings()
    web_authn: FactorSettings = FactorSettings()


@dataclass(frozen=True)
class ProviderSettings:
    """A social login."""

    enabled: bool = False
    client_id: str = ""
    secret: str = field(default="", repr=False)
    redirect_uri: str = ""
    url: str = ""
    skip_nonce_check: bool = False
    email_optional: bool = False


@dataclass(frozen=True)
class AuthSettings:
    """Accounts, sessions, letters and the keys that admit callers."""

    enabled: bool = True
    site_url: str = "http://127.0.0.1:3000"
    additional_redirect_urls: tuple[str, ...] = ("https://127.0.0.1:3000",)
    jwt_expiry: int = 3600
    jwt_issuer: str = ""
    signing_keys_path: str = ""
    enable_refresh_token_rotation: bool = True
    refresh_token_reuse_interval: int = 10
    enable_signup: bool = True
    enable_anonymous_sign_ins: bool = False
    enable_manual_linking: bool = False
    minimum_password_length: int = 6
    password_requirements: str = ""
    jwt_secret: str = field(default=keys.JWT_SECRET, repr=False)
    publishable_key: str = keys.PUBLISHABLE_KEY
    secret_key: str = field(default=keys.SECRET_KEY, repr=False)
    anon_key: str = ""
    service_role_key: str = field(default="", repr=False)
    rate_limit: RateLimits = RateLimits()
    email: EmailSettings = field(default_factory=EmailSettings)
    sms: SmsSettings = SmsSettings()
    sessions: SessionSettings = SessionSettings()
    mfa: MfaSettings = MfaSettings()
    hook: dict[str, HookSettings] = field(default_factory=dict)
    external: dict[str, ProviderSettings] = field(default_factory=dict)

    @property
    def letters_per_hour(self) -> int:
        """The limit counts only where letters leave this machine."""
        return self.rate_limit.email_sent if self.email.smtp.enabled else UNLIMITED


@dataclass(frozen=True)
class BucketSettings:
    """A bucket that `nlctl up` and `nlctl storage sync` make; a limit of 0 is none of its own."""

    public: bool = False
    file_size_limit: Size = 0
    allowed_mime_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class StorageSettings:
    """Objects: how large they may be, and the buckets they are in."""

    enabled: bool = True
    file_size_limit: Size = 50 * 1024 * 1024
    buckets: dict[str, BucketSettings] = field(default_factory=dict)

    def declared(self) -> list[Bucket]:
        """The buckets, as they shall be in the database."""
        return [
            Bucket(name, bucket.public, bucket.file_size_limit or None, bucket.allowed_mime_types)
            for name, bucket in self.buckets.items()
        ]


@dataclass(frozen=True)
class RealtimeSettings:
    """Messages and changes of rows."""

    enabled: bool = True


@dataclass(frozen=True)
class Settings:
    """Everything the local stack takes from config.toml, under the file's own names."""

    folder: Path = Path("supabase")
    api: ApiSettings = ApiSettings()
    db: DatabaseSettings = DatabaseSettings()
    mail: MailSettings = MailSettings()
    auth: AuthSettings = field(default_factory=AuthSettings)
    realtime: RealtimeSettings = RealtimeSettings()
    storage: StorageSettings = field(default_factory=StorageSettings)

    @property
    def jwt_secret(self) -> str:
        """What HS256 tokens are signed with."""
        return self.auth.jwt_secret

    @property
    def signing_keys_path(self) -> Path | None:
        """The file of private keys that sign sessions, where the project has one."""
        named = self.auth.signing_keys_path
        return (self.folder / named).resolve() if named else None

    @property
    def mail_from(self) -> str:
        """Whom letters are from, where config.toml says it."""
        smtp = self.auth.email.smtp
        sender = smtp if smtp.enabled and smtp.admin_email else self.mail
        return formataddr((sender.sender_name, sender.admin_email or NOBODY))

    def letter_file(self, named: str) -> Path:
        """A letter's text: the CLI reads such paths from the project's root or from supabase/."""
        from_root = self.folder.parent / named
        return from_root if from_root.is_file() else self.folder / named


def read(project: Project) -> Settings:
    """The settings of `project`; what its file leaves out is as the CLI has it."""
    folder = project.root / "supabase"
    document = read_document(project)
    # The inbox was called inbucket until version 2.109 of the CLI.
    document["mail"] = document.get("local_smtp", document.get("inbucket", {}))
    settings = tables.fill(Settings, document, "", folder=folder)
    _check_schemas(settings.api)
    _check_secret(settings.auth)
    for name, hook in settings.auth.hook.items():
        _check_hook(f"auth.hook.{name}", hook)
    return settings


def read_document(project: Project) -> dict[str, Any]:
    """config.toml itself, with variables in the places of env(NAME)."""
    document: dict[str, Any] = _substitute(project.platform_settings, _variables(project))
    return document


def _check_schemas(api: ApiSettings) -> None:
    if api.enabled and not api.schemas:
        raise InvalidInput(
            f"api.schemas in {FILE} names no schema.",
            hint="Name one, or leave the Data API out: enabled = false.",
        )


def _check_secret(auth: AuthSettings) -> None:
    if unset := _ENVIRONMENT.fullmatch(auth.jwt_secret):
        raise InvalidInput(f"auth.jwt_secret in {FILE} is in ${unset[1]}, which is not set.")
    if len(auth.jwt_secret) < MINIMUM_SECRET:
        raise InvalidInput(
            f"auth.jwt_secret in {FILE} must have at least {MINIMUM_SECRET} characters."
        )


def _check_hook(name: str, hook: HookSettings) -> None:
    if not hook.enabled:
        return
    if not hook.uri:
        raise InvalidInput(f"{name} in {FILE} is enabled and has no uri.")
    if not _HOOK.fullmatch(hook.uri):
        raise InvalidInput(
            f"{name}.uri in {FILE} must be pg-functions://<database>/<schema>/<function>, "
            f"not {hook.uri!r}."
        )


def _variables(project: Project) -> dict[str, str]:
    files = (project.root / ".env", project.root / "supabase" / ".env")
    written = {name: value or "" for path in files for name, value in dotenv_values(path).items()}
    return {**written, **os.environ}


def _substitute(value: Any, variables: Mapping[str, str]) -> Any:
    """Put variables in place of env(NAME); one that is not set stays as it is written."""
    if isinstance(value, dict):
        return {name: _substitute(inner, variables) for name, inner in value.items()}
    if isinstance(value, list):
        return [_substitute(inner, variables) for inner in value]
    if isinstance(value, str) and (found := _ENVIRONMENT.fullmatch(value)):
        return variables.get(found[1], value)
    return value
