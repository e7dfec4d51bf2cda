"""Sessions: opened, continued, and ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local.auth import grants
from tests.local.auth.services import PASSWORD, at_once, refused, succeeded

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
ALREADY_USED = (400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
WRONG = (400, "invalid_credentials", "Invalid login credentials")


def test_a_password_opens_a_session(auth: Running) -> None:
    auth.sign_up(ADA)

    answer = auth.ask(
        "POST", "/token?grant_type=password", {"email": "ADA@example.test", "password": PASSWORD}
    )

    session = succeeded(answer)
    assert session["expires_at"] == auth.claims(session)["exp"]
    assert session["user"]["last_sign_in_at"].endswith("Z")
    assert answer.headers["sb-auth-user-id"] == session["user"]["id"]
    assert answer.headers["sb-auth-session-id"] == auth.claims(session)["session_id"]


def test_a_session_says_who_and_how(auth: Running) -> None:
    user = auth.sign_up(ADA)["user"]

    claims = auth.claims(auth.sign_in(ADA))

    assert claims["iss"] == auth.url
    assert claims["sub"] == user["id"]
    assert claims["aud"] == claims["role"] == "authenticated"
    assert (claims["email"], claims["phone"], claims["aal"]) == (ADA, "", "aal1")
    assert claims["user_metadata"]["email"] == ADA
    assert claims["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert [proof["method"] for proof in claims["amr"]] == ["password"]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["iat"] <= time.time()


def test_wrong_passwords_and_unknown_people_are_refused_alike(auth: Running) -> None:
    auth.sign_up(ADA)

    assert refused(_try(auth, ADA, "wrong")) == WRONG
    assert refused(_try(auth, "eve@example.test", "wrong")) == WRONG
    assert refused(_try(auth, ADA, "é" * 100)) == WRONG


def test_a_password_hashed_by_sql_signs_in(auth: Running) -> None:
    _insert_by_sql(auth, confirmation_token="''")

    assert auth.sign_in(ADA)["user"]["email"] == ADA


def test_an_account_with_a_null_token_fails_as_in_production(auth: Running) -> None:
    _insert_by_sql(auth, confirmation_token="null")

    answer = _try(auth, ADA, PASSWORD)

    assert refused(answer) == (500, "unexpected_failure", "Database error querying schema")


def test_an_account_outside_the_instance_is_nobody(auth: Running) -> None:
    _insert_by_sql(auth, confirmation_token="''")
    auth.database.run("update auth.users set instance_id = null")

    assert refused(_try(auth, ADA, PASSWORD)) == WRONG


def test_a_banned_person_is_refused(auth: Running) -> None:
    user = auth.sign_up(ADA)["user"]
    auth.admin("PUT", f"/admin/users/{user['id']}", {"ban_duration": "24h"})

    assert refused(_try(auth, ADA, PASSWORD)) == (400, "user_banned", "User is banned")


@pytest.mark.parametrize(
    ("grant", "body", "refusal"),
    [
        ("password", {"password": "x"}, (400, "validation_failed", "missing email or phone")),
        (
            "password",
            {"email": ADA, "phone": "33612345678"},
            (
                400,
                "validation_failed",
                "Only an email address or phone number should be provided on login.",
            ),
        ),
        (
            "password",
            {"phone": "33612345678", "password": "x"},
            (422, "phone_provider_disabled", "Phone logins are disabled"),
        ),
        ("", {}, (400, "invalid_credentials", "unsupported_grant_type")),
        ("web3", {}, (422, "web3_provider_disabled", "Web3 provider is disabled")),
        (
            "id_token",
            {"provider": "google", "id_token": "x.y.z"},
            (400, "provider_disabled", 'Provider (issuer "google") is not enabled'),
        ),
        (
            "refresh_token",
            {"refresh_token": "short"},
            (400, "validation_failed", "Refresh token is not valid"),
        ),
        (
            "refresh_token",
            {"refresh_token": "abcdefghijkl"},
            (
                400,
                "refresh_token_not_found",
                "Invalid Refresh Token: Refresh Token Not Found",
            ),
        ),
        (
            "pkce",
            {"auth_code": "x"},
            (
                400,
                "validation_failed",
                "invalid request: both auth code and code verifier should be non-empty",
            ),
        ),
        (
            "pkce",
            {"auth_code": "x", "code_verifier": "y"},
            (404, "flow_state_not_found", "invalid flow state, no valid flow state found"),
        ),
    ],
)
def test_a_grant_that_cannot_be_is_refused(
    auth: Running, grant: str, body: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    assert refused(auth.ask("POST", f"/token?grant_type={grant}", body)) == refusal


def test_an_id_token_is_asked_for_in_the_words_of_oauth(auth: Running) -> None:
    answer = auth.ask("POST", "/token?grant_type=id_token", {"provider": "google"})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid request",
        "error_description": "id_token required",
    }


def test_somebody_who_guesses_passwords_has_to_wait(serve: Serve) -> None:
    auth = serve(failures_per_five_minutes=2)
    auth.sign_up(ADA)
    auth.sign_up("ben@example.test")
    for _ in range(3):  # a right password costs nothing
        auth.sign_in(ADA)

    assert [refused(_try(auth, ADA, "wrong"))[0] for _ in range(3)] == [400, 400, 429]

    limit = (429, "over_request_rate_limit", "Request rate limit reached")
    assert refused(_try(auth, ADA, PASSWORD)) == limit
    auth.sign_in("ben@example.test")


def test_a_weak_password_is_pointed_out_at_sign_in(serve: Serve) -> None:
    serve().sign_up(ADA)
    stricter = serve(minimum_password_length=30)

    session = stricter.sign_in(ADA)

    assert session["weak_password"]["reasons"] == ["length"]


def test_a_refresh_continues_the_same_session(auth: Running) -> None:
    first = auth.sign_up(ADA)

    second = succeeded(auth.refresh(first["refresh_token"]))

    assert second["refresh_token"] != first["refresh_token"]
    assert auth.claims(second)["session_id"] == auth.claims(first)["session_id"]
    assert [proof["method"] for proof in auth.claims(second)["amr"]] == ["password"]


def test_a_refresh_brings_new_metadata(auth: Running) -> None:
    session = auth.sign_up(ADA)
    auth.admin("PUT", f"/admin/users/{session['user']['id']}", {"app_metadata": {"team": "red"}})

    refreshed = succeeded(auth.refresh(session["refresh_token"]))

    assert auth.claims(refreshed)["app_metadata"]["team"] == "red"


def test_a_client_that_missed_the_answer_gets_the_active_token(auth: Running) -> None:
    first = auth.sign_up(ADA)["refresh_token"]
    second = succeeded(auth.refresh(first))["refresh_token"]
    _let_pass(auth, minutes=60)

    again = succeeded(auth.refresh(first))["refresh_token"]

    assert again == second


def test_a_token_may_be_used_again_for_a_moment(serve: Serve) -> None:
    auth = serve(refresh_token_reuse_interval=3600)
    first = auth.sign_up(ADA)["refresh_token"]
    second = succeeded(auth.refresh(first))["refresh_token"]
    third = succeeded(auth.refresh(second))["refresh_token"]

    assert succeeded(auth.refresh(first))["refresh_token"] == third


def test_a_stolen_token_ends_the_family(auth: Running) -> None:
    first = auth.sign_up(ADA)["refresh_token"]
    second = succeeded(auth.refresh(first))["refresh_token"]
    third = succeeded(auth.refresh(second))["refresh_token"]
    _let_pass(auth, minutes=1)

    assert refused(auth.refresh(first)) == ALREADY_USED

    # Not even in the moment in which a token may otherwise be used again.
    assert refused(auth.refresh(third)) == ALREADY_USED


def test_a_stolen_token_ends_nothing_where_tokens_do_not_rotate(serve: Serve) -> None:
    auth = serve(rotate_refresh_tokens=False)
    first = auth.sign_up(ADA)["refresh_token"]
    second = succeeded(auth.refresh(first))["refresh_token"]
    third = succeeded(auth.refresh(second))["refresh_token"]
    _let_pass(auth, minutes=1)

    assert refused(auth.refresh(first)) == ALREADY_USED
    succeeded(auth.refresh(third))


def test_refreshes_at_the_same_time_agree_on_one_token(auth: Running) -> None:
    token = auth.sign_up(ADA)["refresh_token"]

    answers = at_once(lambda: succeeded(auth.refresh(token)), times=6)

    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert auth.database.run(
        "select count(*) filter (where not revoked), count(*) from auth.refresh_tokens"
    ) == [(1, 2)]


def test_a_refresh_gives_up_when_somebody_holds_the_session(
    auth: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "PATIENCE_SECONDS", 0.1)
    token = auth.sign_up(ADA)["refresh_token"]

    with auth.database.connect("supabase_auth_admin", autocommit=False) as holder:
        holder.execute("select from auth.sessions for update")
        answer = auth.refresh(token)

    assert refused(answer)[:2] == (409, "conflict")
    succeeded(auth.refresh(token))


def test_a_session_ends_when_its_time_is_up(serve: Serve) -> None:
    auth = serve(session_timebox=3600)
    token = auth.sign_up(ADA)["refresh_token"]
    auth.database.run("update auth.sessions set created_at = now() - interval '61 minutes'")

    answer = auth.refresh(token)

    message = "Invalid Refresh Token: Session Expired"
    assert refused(answer) == (400, "session_expired", message)


def test_a_session_ends_when_it_was_left(serve: Serve) -> None:
    auth = serve(session_inactivity=60)
    token = auth.sign_up(ADA)["refresh_token"]
    _let_pass(auth, minutes=2)
    auth.database.run("update auth.sessions set created_at = now() - interval '2 minutes'")

    answer = auth.refresh(token)

    message = "Invalid Refresh Token: Session Expired (Inactivity)"
    assert refused(answer) == (400, "session_expired", message)


def test_signing_out_everywhere_ends_every_session(auth: Running) -> None:
    here, there = auth.sign_up(ADA), auth.sign_in(ADA)

    answer = auth.ask("POST", "/logout", token=here["access_token"])

    assert (answer.status_code, answer.content) == (204, b"")
    assert _ended(auth, here)
    assert _ended(auth, there)


def test_signing_out_here_leaves_the_others(auth: Running) -> None:
    here, there = auth.sign_up(ADA), auth.sign_in(ADA)

    auth.ask("POST", "/logout?scope=local", token=here["access_token"])

    assert _ended(auth, here)
    assert not _ended(auth, there)


def test_signing_out_the_others_leaves_this_one(auth: Running) -> None:
    here, there = auth.sign_up(ADA), auth.sign_in(ADA)

    auth.ask("POST", "/logout?scope=others", token=here["access_token"])

    assert not _ended(auth, here)
    assert _ended(auth, there)


def test_an_unknown_scope_is_refused(auth: Running) -> None:
    session = auth.sign_up(ADA)

    answer = auth.ask("POST", "/logout?scope=galaxy", token=session["access_token"])

    message = 'Unsupported logout scope "galaxy"'
    assert refused(answer) == (400, "validation_failed", message)


def test_a_refresh_token_of_an_ended_session_is_unknown(auth: Running) -> None:
    session = auth.sign_up(ADA)
    auth.ask("POST", "/logout", token=session["access_token"])

    assert refused(auth.refresh(session["refresh_token"]))[1] == "refresh_token_not_found"


def test_a_hook_rewrites_the_claims(serve: Serve) -> None:
    auth = serve(hooks={"custom_access_token": "pg-functions://postgres/public/claims_hook"})
    auth.database.run(
        """
        create function public.claims_hook(event jsonb) returns jsonb language sql as $$
          select jsonb_build_object('claims', (event->'claims') || jsonb_build_object(
            'team', 'red', 'how', event->>'authentication_method'))
        $$
        """
    )

    session = auth.sign_up(ADA)

    assert auth.claims(session)["team"] == "red"
    assert auth.claims(session)["how"] == "password"
    refreshed = succeeded(auth.refresh(session["refresh_token"]))
    assert auth.claims(refreshed)["how"] == "token_refresh"


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ("select '{\"error\": {\"http_code\": 403, \"message\": \"Not today\"}}'::jsonb",
         403, "unknown", "Not today"),
        ("select '{\"error\": {\"message\": \"Broken\"}}'::jsonb",
         500, "unexpected_failure", "Broken"),
        ("select '{}'::jsonb", 500, "unexpected_failure", "output claims field is missing"),
        ("select '{\"claims\": {}}'::jsonb", 500, "unexpected_failure",
         "output claims do not conform to the expected schema"),
        ("select to_jsonb(1/0)", 500, "unexpected_failure", "Error running hook URI"),
        ("select to_jsonb(pg_sleep(3)::text)", 500, "unexpected_failure",
         "Error running hook URI"),
        ("select to_jsonb(count(*)) from public.secrets", 500, "unexpected_failure",
         "Error running hook URI"),
    ],
)  # fmt: skip
def test_a_hook_that_fails_lets_nobody_in(
    serve: Serve, body: str, status: int, code: str, message: str
) -> None:
    auth = serve(hooks={"custom_access_token": "pg-functions://postgres/public/hook"})
    auth.database.run("create table public.secrets ()")
    auth.database.run(
        f"create function public.hook(event jsonb) returns jsonb language sql as $${body}$$"
    )

    answer = auth.ask("POST", "/signup", {"email": ADA, "password": PASSWORD})

    assert refused(answer)[:2] == (status, code)
    assert answer.json()["message"].startswith(message)
    assert auth.database.run("select count(*) from auth.sessions") == [(0,)]


def test_a_hook_hears_of_every_password_that_is_tried(serve: Serve) -> None:
    auth = serve(hooks={"password_verification_attempt": "pg-functions://postgres/public/judge"})
    auth.database.run(
        """
        create function public.judge(event jsonb) returns jsonb language sql as $$
          select case when (event->'valid')::boolean then '{"decision": "continue"}'::jsonb
            else '{"decision": "reject", "message": "Go away"}' end
        $$
        """
    )
    auth.sign_up(ADA)

    assert refused(_try(auth, ADA, "wrong")) == (400, "invalid_credentials", "Go away")
    auth.sign_in(ADA)


def _try(auth: Running, address: str, password: str) -> Any:
    body = {"email": address, "password": password}
    return auth.ask("POST", "/token?grant_type=password", body)


def _ended(auth: Running, session: dict[str, Any]) -> bool:
    answer = auth.ask("GET", "/user", token=session["access_token"])
    if answer.status_code == 200:
        return False
    message = "Session from session_id claim in JWT does not exist"
    assert refused(answer) == (403, "session_not_found", message)
    return True


def _let_pass(auth: Running, *, minutes: int) -> None:
    auth.database.run(
        "update auth.refresh_tokens set updated_at = updated_at - make_interval(mins => %s)",
        (minutes,),
    )


def _insert_by_sql(auth: Running, *, confirmation_token: str) -> None:
    auth.database.run(
        f"""
        insert into auth.users (
          instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
          confirmation_token, recovery_token, email_change_token_new, email_change,
          raw_app_meta_data, raw_user_meta_data)
        values (
          '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated',
          'authenticated', '{ADA}', extensions.crypt('{PASSWORD}', extensions.gen_salt('bf', 4)),
          now(), {confirmation_token}, '', '', '', '{{}}', '{{}}')
        """
    )
