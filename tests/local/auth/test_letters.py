"""Letters and what becomes of them: links, codes, limits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.local.auth.services import (
    PASSWORD,
    SITE,
    at_once,
    refused,
    succeeded,
    text_of,
)

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
BAD_CODE = (403, "otp_expired", "Token has expired or is invalid")
BAD_LINK = "Email link is invalid or has expired"


def test_a_letter_speaks_french_in_text_and_html(confirming: Running) -> None:
    confirming.sign_up(ADA)

    letter = confirming.outbox.to(ADA)

    assert letter["Subject"] == "Confirme ton adresse e-mail"
    assert "Valable une heure, une seule fois." in text_of(letter)
    html = letter.get_body(("html",))
    assert html
    assert confirming.outbox.code(ADA) in html.get_content()
    assert confirming.outbox.link(ADA).replace("&", "&amp;") in html.get_content()


def test_a_letter_quotes_what_people_wrote(confirming: Running) -> None:
    address = "o'brien&co@example.test"
    confirming.sign_up(address)

    html = confirming.outbox.to(address).get_body(("html",))

    assert html
    assert "o&#39;brien&amp;co@example.test" in html.get_content()


def test_a_link_is_the_one_the_real_service_makes(confirming: Running) -> None:
    confirming.sign_up(ADA)

    link = urlsplit(confirming.outbox.link(ADA))

    code = confirming.outbox.code(ADA)
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{confirming.url}/verify"
    assert parse_qs(link.query) == {
        "token": [hashlib.sha224(f"{ADA}{code}".encode()).hexdigest()],
        "type": ["signup"],
        "redirect_to": [SITE],
    }


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/otp", {}, "magiclink"),
        ("/magiclink", {}, "magiclink"),
        ("/recover", {}, "recovery"),
    ],
)
def test_a_link_signs_in_once(auth: Running, path: str, body: Any, kind: str) -> None:
    auth.sign_up(ADA)
    assert succeeded(auth.ask("POST", path, {"email": ADA, **body})) == {}
    link = auth.outbox.link(ADA)

    landing = auth.follow(link)

    assert landing.page == SITE
    assert set(landing.fragment) == {
        "access_token", "token_type", "expires_in", "expires_at", "refresh_token", "type", "sb",
    }  # fmt: skip
    assert landing.fragment["type"] == kind
    user = succeeded(auth.ask("GET", "/user", token=landing.fragment["access_token"]))
    assert user["email"] == ADA
    assert auth.follow(link).fragment == {
        "error": "access_denied",
        "error_code": "otp_expired",
        "error_description": BAD_LINK,
        "sb": "",
    }


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/otp", "email"), ("/otp", "magiclink"), ("/recover", "recovery")],
)
def test_a_code_signs_in_once(auth: Running, path: str, kind: str) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", path, {"email": ADA})
    proof = {"type": kind, "email": ADA, "token": auth.outbox.code(ADA)}

    session = succeeded(auth.ask("POST", "/verify", proof))

    assert [each["method"] for each in auth.claims(session)["amr"]] == ["otp"]
    assert refused(auth.ask("POST", "/verify", proof)) == BAD_CODE


def test_a_code_confirms_a_sign_up(confirming: Running) -> None:
    confirming.sign_up(ADA)
    proof = {"type": "email", "email": ADA, "token": confirming.outbox.code(ADA)}

    user = succeeded(confirming.ask("POST", "/verify", proof))["user"]

    assert user["confirmed_at"] == user["email_confirmed_at"]
    assert user["user_metadata"]["email_verified"] is True


def test_a_token_hash_is_as_good_as_its_link(confirming: Running) -> None:
    confirming.sign_up(ADA)
    token = parse_qs(urlsplit(confirming.outbox.link(ADA)).query)["token"][0]

    session = succeeded(confirming.ask("POST", "/verify", {"type": "email", "token_hash": token}))

    assert session["user"]["email"] == ADA


def test_a_scanner_that_only_looks_does_not_use_the_link_up(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/recover", {"email": ADA})
    link = auth.outbox.link(ADA)

    assert auth.http.head(link).status_code == 405

    assert "access_token" in auth.follow(link).fragment


def test_one_of_many_who_follow_a_link_together_gets_in(confirming: Running) -> None:
    confirming.sign_up(ADA)
    link = confirming.outbox.link(ADA)

    landings = at_once(lambda: confirming.follow(link), times=6)

    assert sum("access_token" in landing.fragment for landing in landings) == 1
    assert confirming.database.run("select count(*) from auth.sessions") == [(1,)]


def test_one_of_many_who_type_a_code_together_gets_in(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/otp", {"email": ADA})
    proof = {"type": "email", "email": ADA, "token": auth.outbox.code(ADA)}

    answers = at_once(lambda: auth.ask("POST", "/verify", proof), times=6)

    assert sorted(answer.status_code for answer in answers) == [200, *[403] * 5]


def test_a_code_holds_for_its_own_address_only(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.sign_up("ben@example.test")
    auth.ask("POST", "/otp", {"email": ADA})
    code = auth.outbox.code(ADA)

    proof = {"type": "email", "email": "ben@example.test", "token": code}

    assert refused(auth.ask("POST", "/verify", proof)) == BAD_CODE


def test_digits_do_not_move_between_address_and_code(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/otp", {"email": ADA})
    code = auth.outbox.code(ADA)

    proof = {"type": "email", "email": ADA + code[:3], "token": code[3:]}

    assert refused(auth.ask("POST", "/verify", proof)) == BAD_CODE


def test_an_old_letter_is_worth_nothing(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/otp", {"email": ADA})
    auth.database.run("update auth.users set recovery_sent_at = now() - interval '61 minutes'")

    assert auth.follow(auth.outbox.link(ADA)).fragment["error_code"] == "otp_expired"


def test_a_new_letter_replaces_the_last(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/recover", {"email": ADA})
    old = auth.outbox.link(ADA)
    auth.ask("POST", "/recover", {"email": ADA})

    assert auth.follow(old).fragment["error_code"] == "otp_expired"
    assert "access_token" in auth.follow(auth.outbox.link(ADA)).fragment


def test_a_banned_person_does_not_get_in_by_letter(auth: Running) -> None:
    user = auth.sign_up(ADA)["user"]
    auth.ask("POST", "/otp", {"email": ADA})
    auth.admin("PUT", f"/admin/users/{user['id']}", {"ban_duration": "1h"})

    assert auth.follow(auth.outbox.link(ADA)).fragment["error_code"] == "user_banned"


def test_somebody_who_guesses_codes_has_to_wait(serve: Serve) -> None:
    auth = serve(failures_per_five_minutes=2)
    auth.sign_up(ADA)
    auth.ask("POST", "/otp", {"email": ADA})
    code = auth.outbox.code(ADA)
    wrong = {"type": "email", "email": ADA, "token": "000000" if code != "000000" else "1" * 6}

    statuses = [auth.ask("POST", "/verify", wrong).status_code for _ in range(3)]

    assert statuses == [403, 403, 429]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("token=x", "Verify requires a verification type"),
        ("type=signup", "Verify requires a token or a token hash"),
    ],
)
def test_half_a_link_is_refused_where_it_stands(auth: Running, query: str, message: str) -> None:
    assert refused(auth.ask("GET", f"/verify?{query}")) == (400, "validation_failed", message)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"token": "1"}, (400, "validation_failed", "Verify requires a verification type")),
        (
            {"type": "email", "email": ADA},
            (400, "validation_failed", "Verify requires either a token or a token hash"),
        ),
        (
            {"type": "email", "token": "1"},
            (
                400,
                "validation_failed",
                "Only an email address or phone number should be provided on verify",
            ),
        ),
        (
            {"type": "email", "token_hash": "1", "email": ADA},
            (400, "validation_failed", "Only the token_hash and type should be provided"),
        ),
        (
            {"type": "horse", "token_hash": "1"},
            (400, "validation_failed", "Invalid email verification type"),
        ),
        ({"type": "email", "token_hash": "1"}, (403, "otp_expired", BAD_LINK)),
        ({"type": "horse", "token": "1", "email": ADA}, BAD_CODE),
        (
            {"type": "email", "token": "1", "email": "nowhere"},
            (422, "validation_failed", "Invalid email format"),
        ),
    ],
)
def test_a_proof_that_cannot_be_is_refused(
    auth: Running, body: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    assert refused(auth.ask("POST", "/verify", body)) == refusal


def test_an_unknown_address_gets_an_account_by_otp(auth: Running) -> None:
    assert succeeded(auth.ask("POST", "/otp", {"email": ADA, "data": {"a": 1}})) == {}

    proof = {"type": "email", "email": ADA, "token": auth.outbox.code(ADA)}

    assert succeeded(auth.ask("POST", "/verify", proof))["user"]["user_metadata"]["a"] == 1


def test_an_unknown_address_gets_one_letter_that_confirms_and_signs_in(
    confirming: Running,
) -> None:
    confirming.ask("POST", "/otp", {"email": ADA})

    assert len(confirming.outbox.letters) == 1
    assert confirming.follow(confirming.outbox.link(ADA)).fragment["type"] == "signup"


def test_an_unknown_address_is_refused_where_no_account_is_wanted(auth: Running) -> None:
    answer = auth.ask("POST", "/otp", {"email": ADA, "create_user": False})

    assert refused(answer) == (422, "otp_disabled", "Signups not allowed for otp")


def test_recovery_does_not_tell_who_has_an_account(auth: Running) -> None:
    assert succeeded(auth.ask("POST", "/recover", {"email": ADA})) == {}
    assert auth.outbox.letters == []


def test_resending_does_not_tell_who_has_an_account(auth: Running) -> None:
    assert succeeded(auth.ask("POST", "/resend", {"type": "signup", "email": ADA})) == {}
    auth.sign_up(ADA)
    assert succeeded(auth.ask("POST", "/resend", {"type": "signup", "email": ADA})) == {}
    assert auth.outbox.letters == []


def test_a_confirmation_can_be_sent_again(confirming: Running) -> None:
    confirming.sign_up(ADA)
    confirming.ask("POST", "/resend", {"type": "signup", "email": ADA})

    assert len(confirming.outbox.letters) == 2
    assert "access_token" in confirming.follow(confirming.outbox.link(ADA)).fragment


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("/otp", {}, (400, "validation_failed", "One of email or phone must be set")),
        (
            "/otp",
            {"email": ADA, "phone": "33612345678"},
            (
                400,
                "validation_failed",
                "Only an email address or phone number should be provided",
            ),
        ),
        (
            "/otp",
            {"email": ADA, "channel": "sms"},
            (400, "validation_failed", "Channel should only be specified with Phone OTP"),
        ),
        (
            "/otp",
            {"phone": "33612345678"},
            (400, "phone_provider_disabled", "Unsupported phone provider"),
        ),
        (
            "/magiclink",
            {},
            (422, "validation_failed", "Password recovery requires an email"),
        ),
        ("/recover", {}, (400, "validation_failed", "Password recovery requires an email")),
        (
            "/resend",
            {"type": "recovery", "email": ADA},
            (
                400,
                "validation_failed",
                "Missing one of these types: signup, email_change, sms, phone_change",
            ),
        ),
        (
            "/resend",
            {"type": "signup"},
            (400, "validation_failed", "Type provided requires an email address"),
        ),
        (
            "/resend",
            {"type": "sms"},
            (400, "validation_failed", "Type provided requires a phone number"),
        ),
        (
            "/resend",
            {"type": "email_change"},
            (400, "validation_failed", "Missing email address or phone number"),
        ),
        (
            "/resend",
            {"type": "sms", "phone": "33612345678"},
            (400, "phone_provider_disabled", "Phone logins are disabled"),
        ),
    ],
)
def test_a_letter_that_cannot_be_is_refused(
    auth: Running, path: str, body: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    assert refused(auth.ask("POST", path, body)) == refusal


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/otp", {"email": ADA}, 422),
        ("/magiclink", {"email": ADA}, 422),
        ("/token?grant_type=password", {"email": ADA, "password": PASSWORD}, 422),
        ("/recover", {"email": ADA}, 400),
        ("/resend", {"type": "signup", "email": ADA}, 400),
    ],
)
def test_no_letter_leaves_where_mail_is_switched_off(
    serve: Serve, path: str, body: dict[str, str], status: int
) -> None:
    answer = serve(allow_email=False).ask("POST", path, body)

    assert refused(answer) == (status, "email_provider_disabled", "Email logins are disabled")


@pytest.mark.parametrize("path", ["/otp", "/recover"])
def test_impatient_people_wait_between_letters(serve: Serve, path: str) -> None:
    auth = serve(mail_interval=60)
    auth.sign_up(ADA)
    auth.ask("POST", path, {"email": ADA})

    status, code, message = refused(auth.ask("POST", path, {"email": ADA}))

    assert (status, code) == (429, "over_email_send_rate_limit")
    assert message in {
        f"For security purposes, you can only request this after {seconds} seconds."
        for seconds in range(60)
    }
    assert len(auth.outbox.letters) == 1


def test_a_project_sends_so_many_letters_an_hour(serve: Serve) -> None:
    auth = serve(confirm_email=True, mails_per_hour=1)
    auth.sign_up(ADA)

    answer = auth.ask("POST", "/signup", {"email": "ben@example.test", "password": PASSWORD})

    message = "email rate limit exceeded"
    assert refused(answer) == (429, "over_email_send_rate_limit", message)
    assert auth.database.run("select email from auth.users") == [(ADA,)]


def test_a_letter_that_cannot_be_sent_undoes_what_asked_for_it(serve: Serve) -> None:
    auth = serve(confirm_email=True, smtp_port=1)

    answer = auth.ask("POST", "/signup", {"email": ADA, "password": PASSWORD})

    message = "Error sending confirmation email"
    assert refused(answer) == (500, "unexpected_failure", message)
    assert auth.database.run("select count(*) from auth.users") == [(0,)]


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("https://app.example.test/welcome", "https://app.example.test/welcome"),
        ("https://evil.test/", SITE),
    ],
)
def test_a_link_leads_back_only_where_the_project_allows(
    serve: Serve, asked: str, leads_to: str
) -> None:
    auth = serve(redirect_urls=("https://*.example.test/**",))
    auth.sign_up(ADA)

    auth.ask("POST", "/recover", {"email": ADA}, params={"redirect_to": asked})

    assert auth.follow(auth.outbox.link(ADA)).page == leads_to
