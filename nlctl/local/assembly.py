"""From config.toml to running services: each gets what it needs, and nothing of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local import auth, gateway, realtime, rest, storage, tokens
from nlctl.local.auth.config import AuthConfig, LetterWords
from nlctl.local.gateway import ApiKeys
from nlctl.local.realtime import RealtimeConfig
from nlctl.local.rest.config import RestConfig
from nlctl.local.storage.config import StorageConfig
from nlctl.local.tokens import Keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp

    from nlctl.local.settings import Settings
    from nlctl.project import Project

SIGNING_KEYS = "signing_keys.json"


@dataclass(frozen=True)
class Places:
    """Where the services find the database and the mail, and where callers find the services."""

    url: str
    database_url: Callable[[str], str]
    smtp_port: int
    storage_folder: Path


def services(settings: Settings, keyring: Keyring, places: Places) -> dict[str, ASGIApp]:
    """The services that are switched on, by their names in the gateway."""
    apps: dict[str, ASGIApp] = {}
    if settings.api.enabled:
        apps["rest"] = rest.create(rest_config(settings, places), keyring)
    if settings.auth.enabled:
        apps["auth"] = auth.create(auth_config(settings, places), keyring)
    if settings.storage.enabled:
        apps["storage"] = storage.create(storage_config(settings, places), keyring)
    if settings.realtime.enabled:
        config = RealtimeConfig(places.database_url("supabase_realtime_admin"))
        apps["realtime"] = realtime.create(config, keyring)
    return apps


def front(
    apps: Mapping[str, ASGIApp],
    settings: Settings,
    keyring: Keyring,
    *,
    health: Mapping[str, object],
    write: Callable[[str], None],
) -> ASGIApp:
    """The gateway in front of `apps`, for the keys of the project."""
    keys = ApiKeys(keyring, settings.auth.publishable_key, settings.auth.secret_key)
    return gateway.create(apps, keys, health=health, write=write)


def keyring(project: Project, settings: Settings) -> Keyring:
    """The project's keys; where it names signing keys that are not there, the stack makes one."""
    path = settings.signing_keys_path
    if path is None:
        return Keyring(settings.jwt_secret)
    if not path.exists():
        path = project.state / SIGNING_KEYS
        if not path.exists():
            tokens.write_signing_keys(path, [tokens.make_signing_key()])
    return Keyring(settings.jwt_secret, tokens.read_signing_keys(path))


def rest_config(settings: Settings, places: Places) -> RestConfig:
    """The Data API, which logs in as authenticator."""
    return RestConfig(
        database_url=places.database_url("authenticator"),
        schemas=settings.api.schemas,
        extra_search_path=settings.api.extra_search_path,
        max_rows=settings.api.max_rows,
        server_url=f"{places.url}/rest/v1",
    )


def auth_config(settings: Settings, places: Places) -> AuthConfig:
    """Auth, which logs in as supabase_auth_admin."""
    asked = settings.auth
    return AuthConfig(
        database_url=places.database_url("supabase_auth_admin"),
        external_url=f"{places.url}/auth/v1",
        site_url=asked.site_url,
        redirect_urls=asked.additional_redirect_urls,
        issuer=asked.jwt_issuer,
        jwt_expiry=asked.jwt_expiry,
        rotate_refresh_tokens=asked.enable_refresh_token_rotation,
        refresh_token_reuse_interval=asked.refresh_token_reuse_interval,
        session_timebox=asked.sessions.timebox,
        session_inactivity=asked.sessions.inactivity_timeout,
        allow_sign_up=asked.enable_signup,
        allow_email=asked.email.enable_signup,
        allow_phone=asked.sms.enable_signup,
        allow_anonymous=asked.enable_anonymous_sign_ins,
        allow_manual_linking=asked.enable_manual_linking,
        confirm_email=asked.email.enable_confirmations,
        confirm_phone=asked.sms.enable_confirmations,
        double_confirm_changes=asked.email.double_confirm_changes,
        secure_password_change=asked.email.secure_password_change,
        minimum_password_length=asked.minimum_password_length,
        password_requirements=asked.password_requirements,
        otp_length=asked.email.otp_length,
        otp_expiry=asked.email.otp_expiry,
        test_otps=asked.sms.test_otp,
        sms_interval=asked.sms.max_frequency,
        mail_interval=asked.email.max_frequency,
        mails_per_hour=asked.letters_per_hour,
        failures_per_five_minutes=asked.rate_limit.sign_in_sign_ups,
        smtp_port=places.smtp_port,
        mail_from=settings.mail_from,
        letters=letters(settings),
        allow_totp_enroll=asked.mfa.totp.enroll_enabled,
        allow_totp_verify=asked.mfa.totp.verify_enabled,
        maximum_factors=asked.mfa.max_enrolled_factors,
        hooks={name: hook.uri for name, hook in asked.hook.items() if hook.enabled},
    )


def letters(settings: Settings) -> dict[str, LetterWords]:
    """The letters for which the project has words of its own."""
    return {
        name: LetterWords(
            letter.subject,
            settings.letter_file(letter.content_path) if letter.content_path else None,
        )
        for name, letter in settings.auth.email.template.items()
    }


def storage_config(settings: Settings, places: Places) -> StorageConfig:
    """Storage, which logs in as supabase_storage_admin."""
    return StorageConfig(
        database_url=places.database_url("supabase_storage_admin"),
        folder=places.storage_folder,
        public_url=f"{places.url}/storage/v1",
        file_size_limit=settings.storage.file_size_limit,
    )
