"""Supabase's own images, put together as its self-hosting guide does, for tests to call.

The settings are those of supabase/config.toml, as the embedded stack reads them. Source of the
variables' names: docker/docker-compose.yml of supabase/supabase.
"""

from __future__ import annotations

import base64
import gc
import json
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local import keys, ports
from nlctl.local.auth.config import PASSWORD_REQUIREMENTS
from nlctl.local.stack import Addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testcontainers.core.container import DockerContainer
    from testcontainers.core.network import Network
    from testcontainers.core.waiting_utils import WaitStrategy

    from nlctl.local.settings import Settings
    from nlctl.local.tokens import SigningKey

IMAGES = {
    "db": "supabase/postgres:17.6.1.084",
    "mail": "axllent/mailpit:v1.22.3",
    "auth": "supabase/gotrue:v2.186.0",
    "rest": "postgrest/postgrest:v14.5",
    "storage": "supabase/storage-api:v1.44.2",
    "realtime": "supabase/realtime:v2.78.15",
    "gateway": "kong:2.8.1",
}
PASSWORD = "postgres"
TENANT = "realtime-dev"  # Realtime finds it in the name that it is called by
REALTIME = f"{TENANT}.supabase-realtime"
PATHS = {
    "/auth/v1/": "http://auth:9999/",
    "/rest/v1/": "http://rest:3000/",
    "/storage/v1/": "http://storage:5000/",
    "/realtime/v1/api/": f"http://{REALTIME}:4000/api/",
    "/realtime/v1/": f"http://{REALTIME}:4000/socket/",
}
ROLES = "\n".join(
    f"alter user {name} with password '{PASSWORD}';"
    for name in (
        "supabase_admin", "authenticator", "supabase_auth_admin", "supabase_storage_admin",
    )
)  # fmt: skip
REALTIME_SCHEMA = "create schema if not exists _realtime authorization supabase_admin;"
START_SECONDS = 180


@dataclass(frozen=True)
class Service:
    """One container: what it is told, where it listens, and how one knows that it is ready.

    `port` is where it listens, `published` where this machine reaches it, if tests call it.
    `ready` is a path that answers 200, asked with `bearer`, or a command that succeeds.
    """

    name: str
    environment: dict[str, str]
    port: int
    ready: str | tuple[str, ...]
    published: int | None = None
    alias: str | None = None
    bearer: str = ""
    files: dict[str, str] = field(default_factory=dict)


def services(settings: Settings, signing_keys: list[SigningKey]) -> list[Service]:
    """What the stack consists of, in the order of its start."""
    secrets = _Secrets(settings.jwt_secret, signing_keys)
    return [
        _database(settings),
        _mail(settings),
        _auth(settings, secrets),
        _rest(settings, secrets),
        _storage(settings, secrets),
        _realtime(secrets),
        _gateway(settings),
    ]


@contextmanager
def running(settings: Settings, signing_keys: list[SigningKey]) -> Iterator[Addresses]:
    """The stack until the end of the block; the test is skipped where no engine answers."""
    require_engine()
    from testcontainers.core.network import Network

    with ExitStack() as stack:
        network = stack.enter_context(Network())
        for service in services(settings, signing_keys):
            stack.enter_context(container(service, network))
        yield addresses(settings)


def require_engine() -> None:
    """Skip the test, saying why, where no Docker engine answers."""
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.core.docker_client import DockerClient

    reason = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it forgets the socket that it tried
        try:
            DockerClient().client.close()
        except DockerException as error:
            reason = str(error)
        gc.collect()
    if reason:
        pytest.skip(f"NLCTL_TEST_STACK=docker needs a Docker engine. {reason}")


def container(service: Service, network: Network) -> DockerContainer:
    """The container of a service, not started yet."""
    from testcontainers.core.container import DockerContainer

    made = DockerContainer(IMAGES[service.name], env=service.environment)
    made.with_network(network).with_network_aliases(service.alias or service.name)
    if service.published:
        made.with_bind_ports(service.port, service.published)
    else:
        made.with_exposed_ports(service.port)
    for path, text in service.files.items():
        made.with_copy_into_container(text.encode(), path)
    return made.waiting_for(_readiness(service))


def addresses(settings: Settings) -> Addresses:
    """Where the stack answers. Its gateway knows the older kind of keys only."""
    secret = settings.jwt_secret
    anon, service_role = (keys.legacy_key(role, secret) for role in ("anon", "service_role"))
    return Addresses(
        api_url=_url(settings.api.port),
        database_url=f"postgresql://postgres:{PASSWORD}@{ports.LOOPBACK}:{settings.db.port}/postgres",
        mail_url=_url(settings.mail.port),
        publishable_key=anon,
        secret_key=service_role,
        anon_key=anon,
        service_role_key=service_role,
        jwt_secret=secret,
    )


class _Secrets:
    """The project's keys in the forms that the services read."""

    def __init__(self, secret: str, signing_keys: list[SigningKey]) -> None:
        coded = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
        shared = {"kty": "oct", "alg": "HS256", "k": coded}
        self.secret = secret
        self.private = json.dumps([*(key.document for key in signing_keys), shared])
        self.public = json.dumps({"keys": [*(key.public() for key in signing_keys), shared]})


def _database(settings: Settings) -> Service:
    folder = "/docker-entrypoint-initdb.d"
    return Service(
        "db",
        {"POSTGRES_PASSWORD": PASSWORD, "PGPASSWORD": PASSWORD, "POSTGRES_DB": "postgres"},
        port=5432,
        published=settings.db.port,
        ready=("pg_isready", "-U", "postgres", "-h", "localhost"),
        files={
            f"{folder}/init-scripts/99-roles.sql": ROLES,
            f"{folder}/migrations/99-realtime.sql": REALTIME_SCHEMA,
        },
    )


def _mail(settings: Settings) -> Service:
    return Service("mail", {}, port=8025, published=settings.mail.port, ready="/livez")


def _auth(settings: Settings, secrets: _Secrets) -> Service:
    asked = settings.auth
    api_url = _url(settings.api.port)
    link = f"{api_url}/auth/v1/verify"
    mails = ("INVITE", "CONFIRMATION", "RECOVERY", "EMAIL_CHANGE")
    required = PASSWORD_REQUIREMENTS[asked.password_requirements]
    told = {
        "API_HOST": "0.0.0.0",
        "API_PORT": "9999",
        "DB_DRIVER": "postgres",
        "DB_DATABASE_URL": _database_url("supabase_auth_admin"),
        "SITE_URL": asked.site_url,
        "URI_ALLOW_LIST": ",".join(asked.additional_redirect_urls),
        "DISABLE_SIGNUP": _boolean(not asked.enable_signup),
        "JWT_ADMIN_ROLES": "service_role",
        "JWT_AUD": "authenticated",
        "JWT_DEFAULT_GROUP_NAME": "authenticated",
        "JWT_EXP": str(asked.jwt_expiry),
        "JWT_ISSUER": f"{api_url}/auth/v1",
        "JWT_SECRET": secrets.secret,
        "JWT_KEYS": secrets.private,
        "EXTERNAL_EMAIL_ENABLED": _boolean(asked.email.enable_signup),
        "EXTERNAL_ANONYMOUS_USERS_ENABLED": _boolean(asked.enable_anonymous_sign_ins),
        "MAILER_AUTOCONFIRM": _boolean(not asked.email.enable_confirmations),
        "MAILER_SECURE_EMAIL_CHANGE_ENABLED": _boolean(asked.email.double_confirm_changes),
        "MAILER_OTP_LENGTH": str(asked.email.otp_length),
        "MAILER_OTP_EXP": str(asked.email.otp_expiry),
        "PASSWORD_MIN_LENGTH": str(asked.minimum_password_length),
        "PASSWORD_REQUIRED_CHARACTERS": ":".join(
            letters.replace(":", r"\:") for letters in required
        ),
        "RATE_LIMIT_EMAIL_SENT": str(asked.letters_per_hour),
        "SECURITY_REFRESH_TOKEN_ROTATION_ENABLED": _boolean(asked.enable_refresh_token_rotation),
        "SECURITY_REFRESH_TOKEN_REUSE_INTERVAL": str(asked.refresh_token_reuse_interval),
        "SECURITY_MANUAL_LINKING_ENABLED": _boolean(asked.enable_manual_linking),
        "SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION": _boolean(
            asked.email.secure_password_change
        ),
        "MFA_TOTP_ENROLL_ENABLED": _boolean(asked.mfa.totp.enroll_enabled),
        "MFA_TOTP_VERIFY_ENABLED": _boolean(asked.mfa.totp.verify_enabled),
        "MFA_MAX_ENROLLED_FACTORS": str(asked.mfa.max_enrolled_factors),
        "SMTP_HOST": "mail",
        "SMTP_PORT": "1025",
        "SMTP_ADMIN_EMAIL": "admin@example.test",
        "SMTP_MAX_FREQUENCY": f"{asked.email.max_frequency}s",
        **{f"MAILER_URLPATHS_{mail}": link for mail in mails},
    }
    environment = {f"GOTRUE_{name}": value for name, value in told.items()}
    environment["API_EXTERNAL_URL"] = api_url
    return Service("auth", environment, port=9999, ready="/health")


def _rest(settings: Settings, secrets: _Secrets) -> Service:
    told = {
        "DB_URI": _database_url("authenticator"),
        "DB_SCHEMAS": ",".join(settings.api.schemas),
        "DB_EXTRA_SEARCH_PATH": ",".join(settings.api.extra_search_path),
        "DB_MAX_ROWS": str(settings.api.max_rows),
        "DB_ANON_ROLE": "anon",
        "DB_USE_LEGACY_GUCS": "false",
        "JWT_SECRET": secrets.public,
    }
    environment = {f"PGRST_{name}": value for name, value in told.items()}
    return Service("rest", environment, port=3000, ready="/")


def _storage(settings: Settings, secrets: _Secrets) -> Service:
    told = {
        "ANON_KEY": keys.legacy_key("anon", secrets.secret),
        "SERVICE_KEY": keys.legacy_key("service_role", secrets.secret),
        "POSTGREST_URL": "http://rest:3000",
        "PGRST_JWT_SECRET": secrets.secret,
        "JWT_JWKS": secrets.public,
        "DATABASE_URL": _database_url("supabase_storage_admin"),
        "STORAGE_PUBLIC_URL": _url(settings.api.port),
        "REQUEST_ALLOW_X_FORWARDED_PATH": "true",
        "FILE_SIZE_LIMIT": str(settings.storage.file_size_limit),
        "STORAGE_BACKEND": "file",
        "FILE_STORAGE_BACKEND_PATH": "/var/lib/storage",
        "GLOBAL_S3_BUCKET": "stub",
        "TENANT_ID": "stub",
        "REGION": "stub",
        "ENABLE_IMAGE_TRANSFORMATION": "false",
    }
    return Service("storage", told, port=5000, ready="/status")


def _realtime(secrets: _Secrets) -> Service:
    told = {
        "PORT": "4000",
        "DB_HOST": "db",
        "DB_PORT": "5432",
        "DB_USER": "supabase_admin",
        "DB_PASSWORD": PASSWORD,
        "DB_NAME": "postgres",
        "DB_AFTER_CONNECT_QUERY": "SET search_path TO _realtime",
        "DB_ENC_KEY": "supabaserealtime",
        "API_JWT_SECRET": secrets.secret,
        "API_JWT_JWKS": secrets.public,
        "METRICS_JWT_SECRET": secrets.secret,
        "SECRET_KEY_BASE": secrets.secret * 2,
        "ERL_AFLAGS": "-proto_dist inet_tcp",
        "DNS_NODES": "''",
        "RLIMIT_NOFILE": "10000",
        "APP_NAME": "realtime",
        "SEED_SELF_HOST": "true",
        "RUN_JANITOR": "true",
    }
    # Whoever asks after the tenant's health makes Realtime migrate its schema first.
    ready = f"/api/tenants/{TENANT}/health"
    bearer = keys.legacy_key("anon", secrets.secret)
    return Service("realtime", told, port=4000, ready=ready, alias=REALTIME, bearer=bearer)


def _gateway(settings: Settings) -> Service:
    told = {
        "KONG_DATABASE": "off",
        "KONG_DECLARATIVE_CONFIG": "/home/kong/routes.json",
        "KONG_DNS_ORDER": "LAST,A,CNAME",
        "KONG_PLUGINS": "cors",
        "KONG_NGINX_PROXY_PROXY_BUFFER_SIZE": "160k",
        "KONG_NGINX_PROXY_PROXY_BUFFERS": "64 160k",
    }
    files = {"/home/kong/routes.json": json.dumps(_routes())}
    port = settings.api.port
    return Service("gateway", told, port=8000, published=port, ready="/auth/v1/health", files=files)


def _routes() -> dict[str, Any]:
    """Which path leads where; Kong takes the prefix off."""
    routed = [
        {
            "name": path.strip("/").replace("/", "-"),
            "url": url,
            "routes": [{"paths": [path], "strip_path": True}],
        }
        for path, url in PATHS.items()
    ]
    return {"_format_version": "2.1", "services": routed, "plugins": [{"name": "cors"}]}


def _readiness(service: Service) -> WaitStrategy:
    from testcontainers.core.wait_strategies import ExecWaitStrategy, HttpWaitStrategy

    if isinstance(service.ready, tuple):
        return ExecWaitStrategy([*service.ready]).with_startup_timeout(START_SECONDS)
    asking = HttpWaitStrategy(service.port, service.ready).with_startup_timeout(START_SECONDS)
    if service.bearer:
        asking.with_header("Authorization", f"Bearer {service.bearer}")
    return asking


def _database_url(user: str) -> str:
    return f"postgres://{user}:{PASSWORD}@db:5432/postgres"


def _url(port: int) -> str:
    return f"http://{ports.LOOPBACK}:{port}"


def _boolean(value: bool) -> str:
    return str(value).lower()
