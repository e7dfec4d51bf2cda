"""What everybody may ask: health, settings, keys, and features that are switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from nlctl.local.auth.config import PROVIDERS
from nlctl.local.auth.errors import not_found

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response

    from nlctl.local.auth.calls import Call

VERSION = "v2.180.0"
KEYS_MAX_AGE = 600
CLAIMS = (
    "sub", "aud", "iss", "exp", "iat", "auth_time", "nonce", "email", "email_verified",
    "phone_number", "phone_number_verified", "name", "picture", "preferred_username", "updated_at",
)  # fmt: skip


async def health(call: Call) -> Response:
    """GET /health: as the real service introduces itself."""
    description = "GoTrue is a user registration and authentication API"
    async with call.transaction() as db:
        await db.execute("select 1")
    return JSONResponse({"version": VERSION, "name": "GoTrue", "description": description})


async def settings(call: Call) -> Response:
    """GET /settings: the ways in that are open."""
    config = call.config
    external = {
        **dict.fromkeys(sorted(PROVIDERS), False),
        "anonymous_users": config.allow_anonymous,
        "email": config.allow_email,
        "phone": config.allow_phone,
    }
    return JSONResponse(
        {
            "external": external,
            "disable_signup": not config.allow_sign_up,
            "mailer_autoconfirm": not config.confirm_email,
            "phone_autoconfirm": not config.confirm_phone,
            "sms_provider": "",
            "saml_enabled": False,
            "saml_private_key_next_configured": False,
            "passkeys_enabled": False,
        }
    )


async def keys(call: Call) -> Response:
    """GET /.well-known/jwks.json: the public keys, for whoever verifies sessions."""
    headers = {"Cache-Control": f"public, max-age={KEYS_MAX_AGE}"}
    return JSONResponse(call.service.keyring.jwks(), headers=headers)


async def discovery(call: Call) -> Response:
    """GET /.well-known/openid-configuration: where the keys are, for whoever knows the issuer.

    As the real service tells it, which does so with its OAuth server switched off too.
    """
    issuer = call.config.token_issuer
    base = issuer.rstrip("/")
    body = {
        "issuer": issuer,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "userinfo_endpoint": f"{base}/oauth/userinfo",
        "scopes_supported": ["openid", "profile", "email", "phone", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "ES256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "claims_supported": list(CLAIMS),
        "code_challenge_methods_supported": ["S256", "plain"],
    }
    return JSONResponse(body, headers={"Cache-Control": f"public, max-age={KEYS_MAX_AGE}"})


def switched_off(code: str, message: str) -> Callable[[Call], Awaitable[Response]]:
    """An answer for a feature of the real service that the local stack does not have."""

    async def refuse(call: Call) -> Response:  # noqa: ARG001 - as all endpoints
        raise not_found(code, message)

    return refuse
