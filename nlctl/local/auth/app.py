"""The Auth service as an ASGI application: its routes, and how it starts and stops."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from nlctl.local.auth import (
    account,
    admin,
    calls,
    errors,
    grants,
    links,
    mfa,
    public,
    requested_letters,
    sign_up,
    verification,
)
from nlctl.local.auth.calls import Service
from nlctl.local.auth.database import Database
from nlctl.local.auth.limits import Allowance
from nlctl.local.auth.mailer import Mailer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.tokens import Keyring

log = logging.getLogger(__name__)

HOUR = 3600
FIVE_MINUTES = 300
CLIENT_GONE = 499
WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}

_no_oauth = public.switched_off("feature_disabled", "OAuth server is disabled")
_no_custom = public.switched_off("feature_disabled", "Custom OAuth providers are disabled")
_no_passkeys = public.switched_off("passkey_disabled", "Passkeys are disabled")
_no_saml = public.switched_off("saml_provider_disabled", "SAML 2.0 is disabled")

ROUTES = (
    ("GET", "/health", public.health),
    ("GET", "/settings", public.settings),
    ("GET", "/.well-known/jwks.json", public.keys),
    ("GET", "/.well-known/openid-configuration", public.discovery),
    ("POST", "/signup", sign_up.sign_up),
    ("POST", "/token", grants.give_token),
    ("POST", "/otp", requested_letters.send_otp),
    ("POST", "/magiclink", requested_letters.send_magic_link),
    ("POST", "/recover", requested_letters.send_recovery),
    ("POST", "/resend", requested_letters.resend),
    ("GET", "/reauthenticate", requested_letters.reauthenticate),
    ("GET", "/verify", verification.follow_link),
    ("POST", "/verify", verification.type_code),
    ("GET", "/authorize", account.refuse_provider),
    ("GET", "/user", account.show),
    ("PUT", "/user", account.change),
    ("POST", "/logout", account.sign_out),
    ("GET", "/user/identities/authorize", account.link),
    ("DELETE", "/user/identities/{identity_id}", account.unlink),
    ("POST", "/factors", mfa.enroll),
    ("POST", "/factors/{factor_id}/challenge", mfa.challenge),
    ("POST", "/factors/{factor_id}/verify", mfa.verify),
    ("DELETE", "/factors/{factor_id}", mfa.unenroll),
    ("POST", "/invite", links.invite),
    ("POST", "/admin/generate_link", links.generate_link),
    ("GET", "/admin/users", admin.list_users),
    ("POST", "/admin/users", admin.create_user),
    ("GET", "/admin/users/{user_id}", admin.show_user),
    ("PUT", "/admin/users/{user_id}", admin.change_user),
    ("DELETE", "/admin/users/{user_id}", admin.delete_user),
    ("GET", "/admin/users/{user_id}/factors", admin.list_factors),
    ("PUT", "/admin/users/{user_id}/factors/{factor_id}", admin.rename_factor),
    ("DELETE", "/admin/users/{user_id}/factors/{factor_id}", admin.delete_factor),
    ("GET", "/admin/audit", admin.show_audit),
    ("*", "/sso{rest:path}", _no_saml),
    ("*", "/passkeys{rest:path}", _no_passkeys),
    ("*", "/oauth{rest:path}", _no_oauth),
    ("*", "/user/oauth{rest:path}", _no_oauth),
    ("*", "/admin/oauth{rest:path}", _no_oauth),
    ("*", "/.well-known/oauth-authorization-server", _no_oauth),
    ("*", "/admin/sso{rest:path}", _no_saml),
    ("*", "/admin/custom-providers{rest:path}", _no_custom),
)
ANY_METHOD = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def create(config: AuthConfig, keyring: Keyring) -> Starlette:
    """The service for one project; it connects when its lifespan starts."""
    service = Service(
        config=config,
        keyring=keyring,
        database=Database(config.database_url),
        mailer=Mailer(config),
        letters=Allowance(config.mails_per_hour, HOUR),
        guesses=Allowance(config.failures_per_five_minutes, FIVE_MINUTES),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await service.database.open()
        try:
            yield
        finally:
            await service.database.close()

    routes = [_route(path, method, _endpoint(service, act)) for method, path, act in ROUTES]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    return app


def _route(path: str, method: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    methods = ANY_METHOD if method == "*" else {method}
    route = Route(path, endpoint, methods=methods)
    # Starlette adds HEAD to GET; a mail scanner that asks for it would use the link up.
    route.methods = methods
    return route


def _endpoint(
    service: Service, act: Callable[[Call], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await act(
                await calls.read(service, request, has_body=request.method in WITH_BODY)
            )
        except errors.Refusal as refusal:
            return errors.response(refusal, request.headers)
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return errors.response(errors.broken(), request.headers)

    return endpoint
