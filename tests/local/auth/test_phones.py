"""Telephone numbers: passwords, and the codes that a project fixes for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.auth.services import PASSWORD, at_once, refused, succeeded

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

NUMBER = "+33 6 12 34 56 78"
DIGITS = "33612345678"
CODE = "424242"
BAD_CODE = (403, "otp_expired", "Token has expired or is invalid")


@pytest.fixture
def auth(serve: Serve) -> Running:
    """A service that takes numbers and believes them, as the CLI configures it."""
    return serve(allow_phone=True)


@pytest.fixture
def confirming(serve: Serve) -> Running:
    """A service that asks for numbers to be confirmed, with a fixed code for one of them."""
    return serve(
        allow_phone=True, confirm_phone=True, test_otps={f"+{DIGITS}": CODE}, sms_interval=0
    )


def test_a_newcomer_signs_up_with_a_number(auth: Running) -> None:
    session = _sign_up(auth)

    user = session["user"]
    assert (user["phone"], user["email"]) == (DIGITS, "")
    assert user["app_metadata"] == {"provider": "phone", "providers": ["phone"]}
    assert "phone_confirmed_at" in user
    again = succeeded(_sign_in(auth))
    assert again["user"]["id"] == user["id"]
    assert auth.claims(again)["phone"] == DIGITS


def test_a_number_already_known_is_told_so(auth: Running) -> None:
    _sign_up(auth)

    answer = auth.ask("POST", "/signup", {"phone": NUMBER, "password": PASSWORD})

    assert refused(answer) == (422, "user_already_exists", "User already registered")


def test_two_newcomers_with_one_number_make_one_account(auth: Running) -> None:
    body = {"phone": NUMBER, "password": PASSWORD}

    answers = at_once(lambda: auth.ask("POST", "/signup", body), times=3)

    assert sorted(answer.status_code for answer in answers) == [200, 422, 422]


def test_a_newcomer_confirms_a_number_by_its_code(confirming: Running) -> None:
    user = _sign_up(confirming)
    assert "access_token" not in user
    assert refused(_sign_in(confirming)) == (400, "phone_not_confirmed", "Phone not confirmed")

    session = succeeded(_verify(confirming, CODE))

    assert session["user"]["id"] == user["id"]
    succeeded(_sign_in(confirming))


def test_a_wrong_code_confirms_nothing(confirming: Running) -> None:
    _sign_up(confirming)

    assert refused(_verify(confirming, "000000")) == BAD_CODE
    assert refused(_verify(confirming, CODE, kind="email")) == BAD_CODE


def test_a_number_without_a_fixed_code_cannot_be_reached(confirming: Running) -> None:
    body = {"phone": "33699999999", "password": PASSWORD}

    answer = confirming.ask("POST", "/signup", body)

    assert refused(answer) == (500, "unexpected_failure", "Unable to get SMS provider")
    assert confirming.database.run("select count(*) from auth.users") == [(0,)]


def test_a_person_signs_in_by_code(confirming: Running) -> None:
    _sign_up(confirming)
    _verify(confirming, CODE)

    answer = confirming.ask("POST", "/otp", {"phone": NUMBER})

    assert succeeded(answer) == {"message_id": "test-otp"}
    assert confirming.claims(succeeded(_verify(confirming, CODE)))["phone"] == DIGITS


def test_an_unknown_number_gets_an_account_by_otp(confirming: Running) -> None:
    assert succeeded(confirming.ask("POST", "/otp", {"phone": NUMBER})) == {}

    assert succeeded(_verify(confirming, CODE))["user"]["phone"] == DIGITS


def test_impatient_people_wait_between_codes(serve: Serve) -> None:
    auth = serve(allow_phone=True, test_otps={DIGITS: CODE}, sms_interval=60)
    _sign_up(auth)
    succeeded(auth.ask("POST", "/otp", {"phone": NUMBER}))

    status, code, _ = refused(auth.ask("POST", "/otp", {"phone": NUMBER}))

    assert (status, code) == (429, "over_sms_send_rate_limit")


def test_a_confirmation_can_be_asked_for_again(confirming: Running) -> None:
    _sign_up(confirming)

    answer = confirming.ask("POST", "/resend", {"type": "sms", "phone": NUMBER})

    assert succeeded(answer) == {"message_id": "test-otp"}


def test_a_person_changes_their_number_by_code(confirming: Running) -> None:
    session = confirming.sign_up("ada@example.test")
    changed = confirming.ask("PUT", "/user", {"phone": NUMBER}, token=session["access_token"])
    assert succeeded(changed)["new_phone"] == DIGITS

    user = succeeded(_verify(confirming, CODE, kind="phone_change"))["user"]

    assert (user["phone"], user["email"]) == (DIGITS, "ada@example.test")
    assert {each["provider"] for each in user["identities"]} == {"email", "phone"}
    assert user["app_metadata"]["providers"] == ["email", "phone"]


def test_a_person_changes_their_number_at_once_where_it_is_believed(auth: Running) -> None:
    session = auth.sign_up("ada@example.test")

    answer = auth.ask("PUT", "/user", {"phone": NUMBER}, token=session["access_token"])

    assert succeeded(answer)["phone"] == DIGITS


def test_a_number_of_somebody_else_is_refused(auth: Running) -> None:
    _sign_up(auth)
    session = auth.sign_up("ada@example.test")

    answer = auth.ask("PUT", "/user", {"phone": NUMBER}, token=session["access_token"])

    message = "A user with this phone number has already been registered"
    assert refused(answer) == (422, "phone_exists", message)


def test_a_person_without_an_address_proves_themselves_by_text(confirming: Running) -> None:
    _sign_up(confirming)
    session = succeeded(_verify(confirming, CODE))

    answer = confirming.ask("GET", "/reauthenticate", token=session["access_token"])

    assert succeeded(answer) == {"message_id": "test-otp"}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"phone": "0612"}, "validation_failed", "Invalid phone number format (E.164 required)"),
        ({"phone": NUMBER, "channel": "pigeon"}, "validation_failed", None),
        (
            {"phone": NUMBER, "code_challenge": "x" * 43, "code_challenge_method": "plain"},
            "validation_failed",
            "PKCE not supported for phone signups",
        ),
    ],
)
def test_a_sign_up_that_cannot_be_is_refused(
    auth: Running, body: dict[str, str], code: str, message: str | None
) -> None:
    answer = auth.ask("POST", "/signup", {"password": PASSWORD, **body})

    status, said_code, said = refused(answer)
    assert (status, said_code) == (400, code)
    assert message in {None, said}


def test_settings_tell_that_numbers_are_taken(confirming: Running) -> None:
    settings = succeeded(confirming.ask("GET", "/settings"))

    assert settings["external"]["phone"] is True
    assert settings["phone_autoconfirm"] is False


def _sign_up(auth: Running) -> dict[str, Any]:
    return succeeded(auth.ask("POST", "/signup", {"phone": NUMBER, "password": PASSWORD}))


def _sign_in(auth: Running) -> Any:
    body = {"phone": NUMBER, "password": PASSWORD}
    return auth.ask("POST", "/token?grant_type=password", body)


def _verify(auth: Running, code: str, *, kind: str = "sms") -> Any:
    return auth.ask("POST", "/verify", {"type": kind, "phone": NUMBER, "token": code})
