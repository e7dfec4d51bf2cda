"""supabase-py's own Auth client, unmodified, against the local service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from supabase_auth import AsyncGoTrueClient, SyncGoTrueAdminAPI, SyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from tests.local.auth.services import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"


@pytest.fixture
def gotrue(auth: Running) -> Iterator[SyncGoTrueClient]:
    """A browser's client."""
    with _client(auth) as made:
        yield made


@pytest.fixture
def admin(auth: Running) -> Iterator[SyncGoTrueAdminAPI]:
    """A server's client."""
    headers = {"Authorization": f"Bearer {auth.service_key}"}
    with httpx.Client() as http:
        yield SyncGoTrueAdminAPI(url=auth.url, headers=headers, http_client=http)


def test_a_person_signs_up_in_and_out(gotrue: SyncGoTrueClient) -> None:
    signed_up = gotrue.sign_up(
        {"email": ADA, "password": PASSWORD, "options": {"data": {"first_name": "Ada"}}}
    )
    assert signed_up.session
    gotrue.sign_out()
    assert gotrue.get_session() is None

    signed_in = gotrue.sign_in_with_password({"email": ADA, "password": PASSWORD})

    assert signed_in.user
    assert signed_in.user.user_metadata["first_name"] == "Ada"
    assert gotrue.get_user_identities().identities[0].provider == "email"


def test_a_person_refreshes_and_verifies_their_session(gotrue: SyncGoTrueClient) -> None:
    gotrue.sign_up({"email": ADA, "password": PASSWORD})

    refreshed = gotrue.refresh_session()

    assert refreshed.session
    claims = gotrue.get_claims()
    assert claims
    assert dict(claims["claims"])["email"] == ADA
    gotrue.set_session(refreshed.session.access_token, refreshed.session.refresh_token)


def test_a_person_changes_their_account(gotrue: SyncGoTrueClient, auth: Running) -> None:
    gotrue.sign_up({"email": ADA, "password": PASSWORD})

    gotrue.update_user({"data": {"colour": "blue"}})
    gotrue.reauthenticate()
    changed = gotrue.update_user({"password": "another password 2", "nonce": auth.outbox.code(ADA)})

    assert changed.user.user_metadata["colour"] == "blue"
    with pytest.raises(AuthApiError) as refusal:
        gotrue.update_user({"password": "another password 2"})
    assert (refusal.value.status, refusal.value.code) == (422, "same_password")


def test_a_person_confirms_and_recovers_by_code(serve: Serve) -> None:
    auth = serve(confirm_email=True)
    with _client(auth) as gotrue:
        assert gotrue.sign_up({"email": ADA, "password": PASSWORD}).session is None
        gotrue.resend({"type": "signup", "email": ADA})
        code = auth.outbox.code(ADA)
        assert gotrue.verify_otp({"email": ADA, "token": code, "type": "signup"}).session

        gotrue.reset_password_for_email(ADA, {"redirect_to": "http://127.0.0.1:3000/reset"})
        code = auth.outbox.code(ADA)
        assert gotrue.verify_otp({"email": ADA, "token": code, "type": "recovery"}).session


def test_a_person_signs_in_by_link_with_pkce(auth: Running) -> None:
    with _client(auth, flow_type="pkce") as gotrue:
        gotrue.sign_up({"email": ADA, "password": PASSWORD})
        gotrue.sign_out()
        gotrue.sign_in_with_otp({"email": ADA})
        code = auth.follow(auth.outbox.link(ADA)).query["code"]

        exchanged = gotrue.exchange_code_for_session({"auth_code": code})

        assert exchanged.user
        assert exchanged.user.email == ADA


def test_a_visitor_signs_in_without_a_name(serve: Serve) -> None:
    with _client(serve(allow_anonymous=True)) as gotrue:
        signed_in = gotrue.sign_in_anonymously()

        assert signed_in.user
        assert signed_in.user.is_anonymous


def test_a_person_proves_themselves_twice(gotrue: SyncGoTrueClient) -> None:
    gotrue.sign_up({"email": ADA, "password": PASSWORD})

    factor = gotrue.mfa.enroll({"factor_type": "totp", "friendly_name": "phone"})
    assert factor.totp
    code = pyotp.TOTP(factor.totp.secret).now()
    gotrue.mfa.challenge_and_verify({"factor_id": factor.id, "code": code})

    level = gotrue.mfa.get_authenticator_assurance_level()
    assert (level.current_level, level.next_level) == ("aal2", "aal2")
    assert [each.id for each in gotrue.mfa.list_factors().totp] == [factor.id]
    assert gotrue.mfa.unenroll({"factor_id": factor.id}).id == factor.id


@pytest.mark.parametrize(
    ("act", "status", "code"),
    [
        (lambda c: c.sign_in_with_password({"email": ADA, "password": "wrong"}),
         400, "invalid_credentials"),
        (lambda c: c.sign_in_with_otp({"email": ADA, "options": {"should_create_user": False}}),
         422, "otp_disabled"),
        (lambda c: c.sign_in_anonymously(), 422, "anonymous_provider_disabled"),
        (lambda c: c.refresh_session("abcdefghijkl"), 400, "refresh_token_not_found"),
        (lambda c: c.sign_in_with_id_token({"provider": "google", "token": "x"}),
         400, "provider_disabled"),
        (lambda c: c.sign_in_with_sso({"domain": "x.test"}), 404, "saml_provider_disabled"),
        (lambda c: c.sign_up({"phone": "+33612345678", "password": PASSWORD}),
         400, "phone_provider_disabled"),
        (lambda c: c.verify_otp({"email": ADA, "token": "1", "type": "email"}),
         403, "otp_expired"),
        (lambda c: c.get_user("not.a.token"), 403, "bad_jwt"),
    ],
)  # fmt: skip
def test_a_refusal_reaches_the_caller_whole(
    gotrue: SyncGoTrueClient, act: Any, status: int, code: str
) -> None:
    with pytest.raises(AuthApiError) as refusal:
        act(gotrue)

    assert (refusal.value.status, refusal.value.code) == (status, code)


def test_a_weak_password_reaches_the_caller_with_its_reasons(gotrue: SyncGoTrueClient) -> None:
    with pytest.raises(AuthWeakPasswordError) as refusal:
        gotrue.sign_up({"email": ADA, "password": "abc"})

    assert refusal.value.reasons == ["length"]


def test_a_server_keeps_accounts(admin: SyncGoTrueAdminAPI, auth: Running) -> None:
    made = admin.create_user({"email": ADA, "password": PASSWORD, "email_confirm": True}).user
    changed = admin.update_user_by_id(made.id, {"app_metadata": {"team": "red"}}).user

    assert changed.app_metadata["team"] == "red"
    assert [user.id for user in admin.list_users(page=1, per_page=10)] == [made.id]
    assert admin.get_user_by_id(made.id).user.email == ADA
    session = auth.sign_in(ADA)
    admin.sign_out(session["access_token"], "global")
    assert auth.refresh(session["refresh_token"]).status_code == 400
    admin.delete_user(made.id)
    with pytest.raises(AuthApiError) as refusal:
        admin.get_user_by_id(made.id)
    assert (refusal.value.status, refusal.value.code) == (404, "user_not_found")


def test_a_server_invites_and_makes_links(admin: SyncGoTrueAdminAPI, auth: Running) -> None:
    invited = admin.invite_user_by_email(ADA, {"data": {"a": 1}}).user
    assert "access_token" in auth.follow(auth.outbox.link(ADA)).fragment

    link = admin.generate_link({"type": "magiclink", "email": ADA})

    assert link.user.id == invited.id
    assert parse_qs(urlsplit(link.properties.action_link).query)["token"] == [
        link.properties.hashed_token
    ]


def test_a_server_manages_factors(admin: SyncGoTrueAdminAPI, gotrue: SyncGoTrueClient) -> None:
    signed_up = gotrue.sign_up({"email": ADA, "password": PASSWORD})
    assert signed_up.user
    factor = gotrue.mfa.enroll({"factor_type": "totp", "friendly_name": "phone"})

    listed = admin.mfa.list_factors({"user_id": signed_up.user.id})
    deleted = admin.mfa.delete_factor({"user_id": signed_up.user.id, "id": factor.id})

    assert [each.id for each in listed] == [factor.id]
    assert deleted.id == factor.id


def test_the_asynchronous_client_signs_up_and_refreshes(auth: Running) -> None:
    async def scenario() -> str:
        async with httpx.AsyncClient() as http:
            gotrue = AsyncGoTrueClient(url=auth.url, auto_refresh_token=False, http_client=http)
            await gotrue.sign_up({"email": ADA, "password": PASSWORD})
            refreshed = await gotrue.refresh_session()
            await gotrue.sign_out()
            assert refreshed.user
            return str(refreshed.user.email)

    assert asyncio.run(scenario()) == ADA


class _client:  # noqa: N801 - reads as a function
    """A client whose connections end with the block."""

    def __init__(self, auth: Running, **options: Any) -> None:
        self._http = httpx.Client()
        self._made = SyncGoTrueClient(
            url=auth.url, auto_refresh_token=False, http_client=self._http, **options
        )

    def __enter__(self) -> SyncGoTrueClient:
        return self._made

    def __exit__(self, *_: object) -> None:
        self._http.close()
