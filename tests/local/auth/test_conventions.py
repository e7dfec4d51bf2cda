"""How Auth speaks: shapes of errors, limits, and what anybody may ask."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from nlctl.errors import InvalidInput
from tests.local.auth.services import PASSWORD, refused, succeeded

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
WRONG = {"email": ADA, "password": "wrong"}


def test_a_client_of_today_reads_code_and_message(auth: Running) -> None:
    answer = auth.ask("POST", "/token?grant_type=password", WRONG)

    assert answer.json() == {
        "code": "invalid_credentials",
        "message": "Invalid login credentials",
    }
    assert answer.headers["x-supabase-api-version"] == "2024-01-01"
    assert answer.headers["x-sb-error-code"] == "invalid_credentials"


@pytest.mark.parametrize("version", [None, "", "2023-12-31", "yesterday"])
def test_a_client_from_before_reads_error_code_and_msg(auth: Running, version: str | None) -> None:
    headers = {} if version is None else {"X-Supabase-Api-Version": version}

    answer = httpx.post(f"{auth.url}/token?grant_type=password", json=WRONG, headers=headers)

    assert answer.json() == {
        "code": 400,
        "error_code": "invalid_credentials",
        "msg": "Invalid login credentials",
    }
    assert "x-supabase-api-version" not in answer.headers
    assert answer.headers["x-sb-error-code"] == "invalid_credentials"


def test_a_client_from_the_future_is_understood(auth: Running) -> None:
    answer = auth.ask(
        "POST",
        "/token?grant_type=password",
        WRONG,
        headers={"X-Supabase-Api-Version": "2030-05-06"},
    )

    assert answer.json()["code"] == "invalid_credentials"
    assert answer.headers["x-supabase-api-version"] == "2024-01-01"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'"text"',
        b"\xff",
        b"[" * 100_000,
        b'{"email": "\\ud800"}',
        b'{"email": 1e999}',
        b'{"email": NaN}',
    ],
)
def test_a_body_that_is_no_object_is_refused(auth: Running, body: bytes) -> None:
    answer = auth.http.post("/token?grant_type=password", content=body)

    status, code, message = refused(answer)
    assert (status, code) == (400, "bad_json")
    assert message.startswith("Could not parse request body as JSON: ")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/user"), ("POST", "/factors"), ("POST", "/admin/users"), ("POST", "/invite")],
)
def test_who_may_not_ask_hears_that_before_anything_else(
    auth: Running, method: str, path: str
) -> None:
    answer = auth.http.request(method, path, content=b"{")

    assert refused(answer)[:2] == (401, "no_authorization")


def test_a_body_over_a_megabyte_is_refused(auth: Running) -> None:
    answer = auth.http.post("/signup", content=b" " * (1024 * 1024 + 1))

    message = "Request body too large (max 1048576 bytes)"
    assert refused(answer) == (413, "request_entity_too_large", message)


def test_moments_are_rfc_3339_in_utc(auth: Running) -> None:
    user = auth.sign_up(ADA)["user"]

    moments = [
        *(user[name] for name in ("created_at", "updated_at", "email_confirmed_at")),
        user["identities"][0]["created_at"],
    ]

    for moment in moments:
        assert moment.endswith("Z")
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(moment)
        assert abs(age) < dt.timedelta(minutes=1)


def test_an_unexpected_failure_keeps_its_reasons_to_the_log(
    auth: Running, caplog: pytest.LogCaptureFixture
) -> None:
    auth.database.run("drop table auth.mfa_amr_claims", user="supabase_admin")

    with caplog.at_level(logging.ERROR):
        answer = auth.ask("POST", "/signup", {"email": ADA, "password": PASSWORD})

    message = "Unexpected failure, please check server logs for more information"
    assert refused(answer) == (500, "unexpected_failure", message)
    assert "mfa_amr_claims" in caplog.text
    assert PASSWORD not in caplog.text


def test_the_service_introduces_itself_as_gotrue(auth: Running) -> None:
    assert succeeded(auth.ask("GET", "/health"))["name"] == "GoTrue"


def test_settings_tell_the_ways_in(serve: Serve) -> None:
    auth = serve(confirm_email=True, allow_anonymous=True, allow_sign_up=False)

    settings = succeeded(auth.ask("GET", "/settings"))

    ways = {name for name, is_open in settings["external"].items() if is_open}
    assert ways == {"email", "anonymous_users"}
    assert settings["disable_signup"] is True
    assert settings["mailer_autoconfirm"] is False


def test_the_published_key_verifies_sessions(auth: Running) -> None:
    session = auth.sign_up(ADA)

    answer = auth.ask("GET", "/.well-known/jwks.json")

    (key,) = succeeded(answer)["keys"]
    assert "d" not in key
    assert answer.headers["cache-control"] == "public, max-age=600"
    assert jwt.get_unverified_header(session["access_token"])["kid"] == key["kid"]
    claims = jwt.decode(
        session["access_token"], jwt.PyJWK(key), ["ES256"], audience="authenticated"
    )
    assert claims["email"] == ADA


def test_whoever_knows_the_issuer_finds_the_keys(auth: Running) -> None:
    session = auth.sign_up(ADA)
    issuer = jwt.decode(session["access_token"], options={"verify_signature": False})["iss"]

    answer = auth.ask("GET", "/.well-known/openid-configuration")

    told = succeeded(answer)
    assert (told["issuer"], told["jwks_uri"]) == (issuer, f"{issuer}/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=600"


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("POST", "/sso", (404, "saml_provider_disabled", "SAML 2.0 is disabled")),
        ("GET", "/sso/saml/metadata", (404, "saml_provider_disabled", "SAML 2.0 is disabled")),
        ("GET", "/admin/oauth/clients", (404, "feature_disabled", "OAuth server is disabled")),
        ("GET", "/user/oauth/grants", (404, "feature_disabled", "OAuth server is disabled")),
        ("POST", "/passkeys/authentication/options",
         (404, "passkey_disabled", "Passkeys are disabled")),
        ("GET", "/admin/custom-providers",
         (404, "feature_disabled", "Custom OAuth providers are disabled")),
        ("GET", "/authorize?provider=google",
         (400, "validation_failed", "Unsupported provider: provider is not enabled")),
        ("GET", "/authorize?provider=horse",
         (400, "validation_failed", "Unsupported provider: Provider horse could not be found")),
    ],
)  # fmt: skip
def test_what_the_local_service_lacks_is_switched_off(
    auth: Running, method: str, path: str, refusal: tuple[int, str, str]
) -> None:
    assert refused(auth.ask(method, path)) == refusal


def test_an_unknown_path_is_not_found(auth: Running) -> None:
    assert auth.ask("GET", "/nowhere").status_code == 404
    assert auth.ask("DELETE", "/signup").status_code == 405


def test_the_service_outlives_its_connections(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.database.run(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and application_name = 'nlctl auth'",
        user="supabase_admin",
    )

    auth.sign_in(ADA)


def test_requirements_that_nobody_knows_stop_the_start(serve: Serve) -> None:
    with pytest.raises(InvalidInput) as refusal:
        serve(password_requirements="runes")

    assert refusal.value.message.startswith("auth.password_requirements must be blank or one of")
