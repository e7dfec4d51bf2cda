"""One's own account: who is heard, and what they change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.local.auth.services import PASSWORD, refused, succeeded

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
NEW_PASSWORD = "battery staple 2"


def test_a_person_sees_their_account(auth: Running) -> None:
    session = auth.sign_up(ADA)

    user = succeeded(auth.ask("GET", "/user", token=session["access_token"]))

    assert user["id"] == session["user"]["id"]
    assert user["confirmed_at"].endswith("Z")


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer a b"])
def test_nobody_is_heard_without_a_token(auth: Running, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    answer = auth.ask("GET", "/user", headers=headers)

    message = "This endpoint requires a valid Bearer token"
    assert refused(answer) == (401, "no_authorization", message)


def test_a_forged_token_is_not_believed(auth: Running) -> None:
    token = auth.sign_up(ADA)["access_token"]

    for forged in ("x", "a.b.c", f"{token[:-4]}AAAA", f"{token.rpartition('.')[0]}."):
        status, code, message = refused(auth.ask("GET", "/user", token=forged))
        assert (status, code) == (403, "bad_jwt")
        assert message.startswith("invalid JWT: unable to parse or verify signature, ")


def test_an_expired_token_is_told_so(auth: Running) -> None:
    claims = auth.claims(auth.sign_up(ADA))
    token = auth.keyring.sign({**claims, "exp": int(time.time()) - 1})

    answer = auth.ask("GET", "/user", token=token)

    message = (
        "invalid JWT: unable to parse or verify signature, "
        "token has invalid claims: token is expired"
    )
    assert refused(answer) == (403, "bad_jwt", message)


def test_a_key_of_the_project_is_nobodys_account(auth: Running) -> None:
    token = auth.keyring.sign({"role": "anon"})

    answer = auth.ask("GET", "/user", token=token)

    assert refused(answer) == (403, "bad_jwt", "invalid claim: missing sub claim")


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"sub": "ada"}, (400, "bad_jwt", "invalid claim: sub claim must be a UUID")),
        (
            {"sub": str(uuid4())},
            (403, "user_not_found", "User from sub claim in JWT does not exist"),
        ),
        (
            {"session_id": "here"},
            (403, "bad_jwt", "invalid claim: session_id claim must be a UUID"),
        ),
        (
            {"session_id": str(uuid4())},
            (
                403,
                "session_not_found",
                "Session from session_id claim in JWT does not exist",
            ),
        ),
    ],
)
def test_a_token_about_somebody_who_is_not_there_is_refused(
    auth: Running, changed: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    token = auth.keyring.sign({**auth.claims(auth.sign_up(ADA)), **changed})

    assert refused(auth.ask("GET", "/user", token=token)) == refusal


def test_a_person_banned_meanwhile_is_not_heard(auth: Running) -> None:
    session = auth.sign_up(ADA)
    auth.admin("PUT", f"/admin/users/{session['user']['id']}", {"ban_duration": "1h"})

    answer = auth.ask("GET", "/user", token=session["access_token"])

    assert refused(answer) == (403, "user_banned", "User is banned")


def test_metadata_is_merged_and_null_removes(auth: Running) -> None:
    session = auth.sign_up(ADA, data={"a": 1, "b": {"c": 1}})

    user = _change(auth, session, {"data": {"a": None, "b": {"d": 2}, "e": [3]}})

    stated = {k: v for k, v in user["user_metadata"].items() if k in "abcde"}
    assert stated == {"b": {"d": 2}, "e": [3]}


def test_a_person_cannot_change_what_the_app_says_of_them(auth: Running) -> None:
    session = auth.sign_up(ADA)

    answer = _put(auth, session, {"app_metadata": {"role": "owner"}})

    assert refused(answer)[:2] == (403, "not_admin")


def test_a_new_password_ends_the_other_sessions(auth: Running) -> None:
    here, there = auth.sign_up(ADA), auth.sign_in(ADA)

    _change(auth, here, {"password": NEW_PASSWORD})

    auth.sign_in(ADA, NEW_PASSWORD)
    succeeded(auth.refresh(here["refresh_token"]))
    assert auth.refresh(there["refresh_token"]).status_code == 400


def test_the_same_password_again_is_refused(auth: Running) -> None:
    answer = _put(auth, auth.sign_up(ADA), {"password": PASSWORD})

    message = "New password should be different from the old password."
    assert refused(answer) == (422, "same_password", message)


def test_a_weak_new_password_is_refused(auth: Running) -> None:
    answer = _put(auth, auth.sign_up(ADA), {"password": "abc"})

    assert refused(answer)[:2] == (422, "weak_password")


def test_a_new_password_makes_letters_sent_before_worthless(auth: Running) -> None:
    session = auth.sign_up(ADA)
    auth.ask("POST", "/recover", {"email": ADA})

    _change(auth, session, {"password": NEW_PASSWORD})

    assert auth.follow(auth.outbox.link(ADA)).fragment["error_code"] == "otp_expired"


def test_an_old_session_proves_itself_before_it_changes_the_password(serve: Serve) -> None:
    auth = serve(secure_password_change=True)
    session = auth.sign_up(ADA)
    _grow_old(auth)

    answer = _put(auth, session, {"password": NEW_PASSWORD})
    message = "Password update requires reauthentication"
    assert refused(answer) == (400, "reauthentication_needed", message)

    assert succeeded(auth.ask("GET", "/reauthenticate", token=session["access_token"])) == {}
    assert auth.outbox.to(ADA)["Subject"].endswith("est ton code de vérification")
    wrong = _put(auth, session, {"password": NEW_PASSWORD, "nonce": "nothing"})
    message = "Nonce has expired or is invalid"
    assert refused(wrong) == (422, "reauthentication_not_valid", message)
    nonce = auth.outbox.code(ADA)
    _change(auth, session, {"password": NEW_PASSWORD, "nonce": nonce})
    again = _put(auth, session, {"password": "yet another 3", "nonce": nonce})
    assert refused(again)[1] == "reauthentication_not_valid"


def test_a_young_session_changes_the_password_at_once(serve: Serve) -> None:
    auth = serve(secure_password_change=True)

    _change(auth, auth.sign_up(ADA), {"password": NEW_PASSWORD})


def test_an_address_of_somebody_else_is_refused(auth: Running) -> None:
    auth.sign_up("ben@example.test")

    answer = _put(auth, auth.sign_up(ADA), {"email": "Ben@example.test"})

    message = "A user with this email address has already been registered"
    assert refused(answer) == (422, "email_exists", message)


def test_ones_own_address_again_changes_nothing(auth: Running) -> None:
    user = _change(auth, auth.sign_up(ADA), {"email": "ADA@example.test"})

    assert "new_email" not in user
    assert auth.outbox.letters == []


def test_a_visitor_becomes_somebody_by_adding_an_address(serve: Serve) -> None:
    auth = serve(allow_anonymous=True)
    session = succeeded(auth.ask("POST", "/signup", {}))

    user = _change(auth, session, {"email": ADA, "password": PASSWORD})

    assert user["is_anonymous"] is False
    assert user["email"] == ADA
    assert auth.sign_in(ADA)["user"]["id"] == user["id"]


def test_a_visitor_becomes_somebody_once_the_address_is_confirmed(serve: Serve) -> None:
    auth = serve(allow_anonymous=True, confirm_email=True)
    session = succeeded(auth.ask("POST", "/signup", {}))
    assert _change(auth, session, {"email": ADA})["is_anonymous"] is True

    landing = auth.follow(auth.outbox.link(ADA))

    token = landing.fragment["access_token"]
    user = succeeded(auth.ask("GET", "/user", token=token))
    assert (user["is_anonymous"], user["email"]) == (False, ADA)
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}


def test_a_visitor_needs_an_address_before_a_password(serve: Serve) -> None:
    auth = serve(allow_anonymous=True)
    session = succeeded(auth.ask("POST", "/signup", {}))

    answer = _put(auth, session, {"password": PASSWORD})

    message = "Updating password of an anonymous user without an email or phone is not allowed"
    assert refused(answer) == (422, "validation_failed", message)


def test_a_visitor_has_no_address_to_prove_themselves_by(serve: Serve) -> None:
    auth = serve(allow_anonymous=True)
    session = succeeded(auth.ask("POST", "/signup", {}))

    answer = auth.ask("GET", "/reauthenticate", token=session["access_token"])

    message = "Reauthentication requires the user to have an email or a phone number"
    assert refused(answer) == (400, "validation_failed", message)


def test_identities_stay_where_linking_is_off(auth: Running) -> None:
    session = auth.sign_up(ADA)
    refusal = (404, "manual_linking_disabled", "Manual linking is disabled")

    for method, path in (("DELETE", f"{uuid4()}"), ("GET", "authorize?provider=google")):
        answer = auth.ask(method, f"/user/identities/{path}", token=session["access_token"])
        assert refused(answer) == refusal


def test_the_last_identity_stays(serve: Serve) -> None:
    auth = serve(allow_manual_linking=True)
    session = auth.sign_up(ADA)

    answer = _unlink(auth, session, session["user"]["identities"][0]["identity_id"])

    message = "User must have at least 1 identity after unlinking"
    assert refused(answer) == (422, "single_identity_not_deletable", message)


def test_one_identity_of_two_can_go(serve: Serve) -> None:
    auth = serve(allow_manual_linking=True, confirm_email=True)
    session = _with_two_identities(auth)
    by_provider = {each["provider"]: each for each in session["user"]["identities"]}

    assert succeeded(_unlink(auth, session, by_provider["email"]["identity_id"])) == {}

    user = succeeded(auth.ask("GET", "/user", token=session["access_token"]))
    assert [each["provider"] for each in user["identities"]] == ["google"]
    assert user["app_metadata"] == {"provider": "google", "providers": ["google"]}
    assert user["email"] == "ada@google.test"


def test_an_identity_of_somebody_else_cannot_go(serve: Serve) -> None:
    auth = serve(allow_manual_linking=True, confirm_email=True)
    session = _with_two_identities(auth)

    assert refused(_unlink(auth, session, str(uuid4()))) == (
        422,
        "identity_not_found",
        "Identity doesn't exist",
    )
    assert refused(_unlink(auth, session, "first")) == (
        404,
        "validation_failed",
        "identity_id must be an UUID",
    )


def test_there_is_no_provider_to_link_with(serve: Serve) -> None:
    auth = serve(allow_manual_linking=True)
    session = auth.sign_up(ADA)

    answer = auth.ask(
        "GET", "/user/identities/authorize?provider=google", token=session["access_token"]
    )

    message = "Unsupported provider: provider is not enabled"
    assert refused(answer) == (400, "validation_failed", message)


def _put(auth: Running, session: dict[str, Any], body: dict[str, Any]) -> Any:
    return auth.ask("PUT", "/user", body, token=session["access_token"])


def _change(auth: Running, session: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    return succeeded(_put(auth, session, body))


def _unlink(auth: Running, session: dict[str, Any], identity_id: str) -> Any:
    path = f"/user/identities/{identity_id}"
    return auth.ask("DELETE", path, token=session["access_token"])


def _grow_old(auth: Running) -> None:
    auth.database.run("update auth.sessions set created_at = now() - interval '25 hours'")


def _with_two_identities(auth: Running) -> dict[str, Any]:
    """As if Google had signed Ada in once, in production."""
    auth.sign_up(ADA)
    auth.follow(auth.outbox.link(ADA))
    auth.database.run(
        """
        insert into auth.identities (provider_id, user_id, identity_data, provider, created_at)
        select '1234', id, '{"sub": "1234", "email": "ada@google.test", "email_verified": true}',
          'google', now() from auth.users
        """
    )
    return auth.sign_in(ADA)
