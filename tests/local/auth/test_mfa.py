"""Second proofs: TOTP enrolled, asked for, given and given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4
from xml.etree import ElementTree

import pyotp
import pytest

from tests.local.auth.services import at_once, refused, succeeded

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
WRONG_CODE = (422, "mfa_verification_failed", "Invalid TOTP code entered")


def test_a_factor_comes_as_a_picture_and_a_secret(auth: Running) -> None:
    session = auth.sign_up(ADA)

    factor = succeeded(_enroll(auth, session, "phone of Ada"))

    assert (factor["type"], factor["friendly_name"]) == ("totp", "phone of Ada")
    # In a data: address, as the clients show it, a # would end the picture.
    assert "#" not in factor["totp"]["qr_code"]
    assert ElementTree.fromstring(factor["totp"]["qr_code"]).tag.endswith("svg")
    assert factor["totp"]["secret"] in factor["totp"]["uri"]
    assert factor["totp"]["uri"].startswith("otpauth://totp/127.0.0.1%3A3000:ada%40example.test?")


def test_a_right_code_raises_the_session(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))

    raised = _prove(auth, session, factor)

    claims = auth.claims(raised)
    assert claims["aal"] == "aal2"
    assert claims["session_id"] == auth.claims(session)["session_id"]
    assert [proof["method"] for proof in claims["amr"]] == ["totp", "password"]
    assert raised["user"]["factors"][0]["status"] == "verified"
    assert "secret" not in raised["user"]["factors"][0]


def test_the_refresh_token_from_before_is_replaced(auth: Running) -> None:
    session = auth.sign_up(ADA)
    raised = _prove(auth, session, succeeded(_enroll(auth, session)))

    assert raised["refresh_token"] != session["refresh_token"]
    again = succeeded(auth.refresh(raised["refresh_token"]))
    assert auth.claims(again)["aal"] == "aal2"


def test_a_right_code_ends_sessions_that_gave_none(auth: Running) -> None:
    session, other = auth.sign_up(ADA), auth.sign_in(ADA)

    _prove(auth, session, succeeded(_enroll(auth, session)))

    answer = auth.ask("GET", "/user", token=other["access_token"])
    assert refused(answer)[1] == "session_not_found"


def test_a_right_code_removes_what_was_begun_and_not_finished(auth: Running) -> None:
    session = auth.sign_up(ADA)
    succeeded(_enroll(auth, session, "first"))

    raised = _prove(auth, session, succeeded(_enroll(auth, session, "second")))

    assert [each["friendly_name"] for each in raised["user"]["factors"]] == ["second"]


def test_a_new_session_starts_at_aal1_and_can_be_raised(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    _prove(auth, session, factor)

    later = auth.sign_in(ADA)

    assert auth.claims(later)["aal"] == "aal1"
    assert auth.claims(_prove(auth, later, factor))["aal"] == "aal2"


def test_a_wrong_code_is_refused_and_the_challenge_goes_on(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    challenge = succeeded(_challenge(auth, session, factor))

    assert refused(_verify(auth, session, factor, challenge, "abcdef")) == WRONG_CODE
    succeeded(_verify(auth, session, factor, challenge, _code(factor)))


def test_somebody_who_guesses_codes_has_to_wait(serve: Serve) -> None:
    auth = serve(failures_per_five_minutes=2)
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    challenge = succeeded(_challenge(auth, session, factor))

    statuses = [_verify(auth, session, factor, challenge, "abcdef").status_code for _ in range(3)]

    assert statuses == [422, 422, 429]


def test_a_challenge_is_answered_once_however_many_try(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    challenge = succeeded(_challenge(auth, session, factor))
    code = _code(factor)

    answers = at_once(lambda: _verify(auth, session, factor, challenge, code), times=4)

    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


def test_an_old_challenge_is_refused(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    challenge = succeeded(_challenge(auth, session, factor))
    auth.database.run("update auth.mfa_challenges set created_at = now() - interval '6 minutes'")

    answer = _verify(auth, session, factor, challenge, _code(factor))

    assert refused(answer)[:2] == (422, "mfa_challenge_expired")


def test_a_challenge_from_elsewhere_is_refused(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    challenge = succeeded(_challenge(auth, session, factor))

    answer = auth.ask(
        "POST",
        f"/factors/{factor['id']}/verify",
        {"challenge_id": challenge["id"], "code": _code(factor)},
        token=session["access_token"],
        headers={"X-Forwarded-For": "203.0.113.9"},
    )

    message = "Challenge and verify IP addresses mismatch."
    assert refused(answer) == (422, "mfa_ip_address_mismatch", message)


def test_a_challenge_that_was_never_made_is_refused(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))

    answer = _verify(auth, session, factor, {"id": str(uuid4())}, _code(factor))

    message = "MFA factor with the provided challenge ID not found"
    assert refused(answer) == (422, "mfa_factor_not_found", message)


def test_a_code_without_a_challenge_is_refused_like_one_for_another(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    path = f"/factors/{factor['id']}/verify"

    unnamed = auth.ask("POST", path, {"code": _code(factor)}, token=session["access_token"])
    nonsense = _verify(auth, session, factor, {"id": "first"}, _code(factor))

    message = "MFA factor with the provided challenge ID not found"
    assert refused(unnamed) == (422, "mfa_factor_not_found", message)
    assert refused(nonsense)[:2] == (400, "bad_json")


def test_a_factor_of_somebody_else_is_not_found(auth: Running) -> None:
    factor = succeeded(_enroll(auth, auth.sign_up(ADA)))
    eve = auth.sign_up("eve@example.test")
    refusal = (404, "mfa_factor_not_found", "Factor not found")

    assert refused(_challenge(auth, eve, factor)) == refusal
    assert refused(_unenroll(auth, eve, factor)) == refusal
    answer = _challenge(auth, eve, {"id": "first"})
    assert refused(answer) == (404, "validation_failed", "factor_id must be an UUID")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            {"factor_type": "horse"},
            (400, "validation_failed", "factor_type needs to be totp, phone, or webauthn"),
        ),
        (
            {"factor_type": "phone", "phone": "33612345678"},
            (422, "mfa_phone_enroll_not_enabled", "MFA enroll is disabled for Phone"),
        ),
        (
            {"factor_type": "webauthn"},
            (422, "mfa_webauthn_enroll_not_enabled", "MFA enroll is disabled for WebAuthn"),
        ),
    ],
)
def test_a_factor_of_another_kind_is_refused(
    auth: Running, body: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    token = auth.sign_up(ADA)["access_token"]

    assert refused(auth.ask("POST", "/factors", body, token=token)) == refusal


def test_totp_can_be_switched_off(serve: Serve) -> None:
    auth = serve(allow_totp_enroll=False)

    answer = _enroll(auth, auth.sign_up(ADA))

    message = "MFA enroll is disabled for TOTP"
    assert refused(answer) == (422, "mfa_totp_enroll_not_enabled", message)


def test_two_factors_need_two_names(auth: Running) -> None:
    session = auth.sign_up(ADA)
    _enroll(auth, session, "phone")

    answer = _enroll(auth, session, "phone")

    message = 'A factor with the friendly name "phone" for this user already exists'
    assert refused(answer) == (422, "mfa_factor_name_conflict", message)


def test_factors_have_a_limit(serve: Serve) -> None:
    auth = serve(maximum_factors=1)
    session = auth.sign_up(ADA)
    _enroll(auth, session, "first")

    answer = _enroll(auth, session, "second")

    message = "Maximum number of verified factors reached, unenroll to continue"
    assert refused(answer) == (422, "too_many_enrolled_mfa_factors", message)


def test_a_second_factor_needs_the_first(auth: Running) -> None:
    session = auth.sign_up(ADA)
    _prove(auth, session, succeeded(_enroll(auth, session)))

    answer = _enroll(auth, auth.sign_in(ADA), "second")

    message = "AAL2 required to enroll a new factor"
    assert refused(answer) == (403, "insufficient_aal", message)


def test_a_password_changes_only_after_the_second_proof(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    _prove(auth, session, factor)
    later = auth.sign_in(ADA)
    change = {"password": "another password 2"}

    answer = auth.ask("PUT", "/user", change, token=later["access_token"])
    raised = _prove(auth, later, factor)

    message = "AAL2 session is required to update email or password when MFA is enabled."
    assert refused(answer) == (401, "insufficient_aal", message)
    succeeded(auth.ask("PUT", "/user", change, token=raised["access_token"]))


def test_a_verified_factor_goes_only_after_its_proof(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    _prove(auth, session, factor)
    later = auth.sign_in(ADA)

    answer = _unenroll(auth, later, factor)

    message = "AAL2 required to unenroll verified factor"
    assert refused(answer) == (422, "insufficient_aal", message)


def test_sessions_fall_back_when_the_factor_goes(auth: Running) -> None:
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    raised = _prove(auth, session, factor)

    assert succeeded(_unenroll(auth, raised, factor)) == {"id": factor["id"]}

    claims = auth.claims(succeeded(auth.refresh(raised["refresh_token"])))
    assert claims["aal"] == "aal1"
    assert [proof["method"] for proof in claims["amr"]] == ["password"]


def test_a_visitor_without_a_name_enrolls_nothing(serve: Serve) -> None:
    auth = serve(allow_anonymous=True)
    session = succeeded(auth.ask("POST", "/signup", {}))

    answer = _enroll(auth, session)

    message = "Anonymous user not allowed to perform these actions"
    assert refused(answer) == (403, "no_authorization", message)


def test_a_hook_that_rejects_a_code_signs_the_person_out(serve: Serve) -> None:
    auth = serve(hooks={"mfa_verification_attempt": "pg-functions://postgres/public/judge"})
    auth.database.run(
        """
        create function public.judge(event jsonb) returns jsonb language sql as
          $$ select '{"decision": "reject"}'::jsonb $$
        """
    )
    session = auth.sign_up(ADA)
    factor = succeeded(_enroll(auth, session))
    challenge = succeeded(_challenge(auth, session, factor))

    answer = _verify(auth, session, factor, challenge, _code(factor))

    message = "Further MFA verification attempts will be rejected."
    assert refused(answer) == (403, "mfa_verification_rejected", message)
    assert auth.ask("GET", "/user", token=session["access_token"]).status_code == 403


def _enroll(auth: Running, session: dict[str, Any], name: str = "phone") -> Any:
    body = {"factor_type": "totp", "friendly_name": name}
    return auth.ask("POST", "/factors", body, token=session["access_token"])


def _challenge(auth: Running, session: dict[str, Any], factor: dict[str, Any]) -> Any:
    path = f"/factors/{factor['id']}/challenge"
    return auth.ask("POST", path, {}, token=session["access_token"])


def _verify(
    auth: Running,
    session: dict[str, Any],
    factor: dict[str, Any],
    challenge: dict[str, Any],
    code: str,
) -> Any:
    body = {"challenge_id": challenge["id"], "code": code}
    path = f"/factors/{factor['id']}/verify"
    return auth.ask("POST", path, body, token=session["access_token"])


def _unenroll(auth: Running, session: dict[str, Any], factor: dict[str, Any]) -> Any:
    return auth.ask("DELETE", f"/factors/{factor['id']}", token=session["access_token"])


def _code(factor: dict[str, Any]) -> str:
    return pyotp.TOTP(factor["totp"]["secret"]).now()


def _prove(auth: Running, session: dict[str, Any], factor: dict[str, Any]) -> dict[str, Any]:
    challenge = succeeded(_challenge(auth, session, factor))
    return succeeded(_verify(auth, session, factor, challenge, _code(factor)))
