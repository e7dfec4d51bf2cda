"""Signing up: who gets an account, and what the others learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.auth.services import PASSWORD, at_once, refused, succeeded

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"


def test_a_newcomer_is_signed_in_where_nothing_needs_confirmation(auth: Running) -> None:
    session = auth.sign_up("Ada@Example.test", data={"first_name": "Ada"})

    assert session["token_type"] == "bearer"
    assert 0 < session["expires_in"] <= 3600
    user = session["user"]
    assert (user["email"], user["phone"], user["role"]) == (ADA, "", "authenticated")
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert user["user_metadata"]["first_name"] == "Ada"
    assert user["user_metadata"]["email_verified"] is True
    assert user["is_anonymous"] is False
    assert "email_confirmed_at" in user


def test_a_newcomers_identity_says_what_they_said(auth: Running) -> None:
    user = auth.sign_up(ADA, data={"first_name": "Ada"})["user"]

    (identity,) = user["identities"]
    assert identity["id"] == user["id"] == identity["user_id"]
    assert (identity["provider"], identity["email"]) == ("email", ADA)
    assert identity["identity_data"] == {
        "sub": user["id"],
        "email": ADA,
        "email_verified": False,
        "phone_verified": False,
        "first_name": "Ada",
    }


def test_a_stored_account_reads_as_sql_written_for_supabase_expects(auth: Running) -> None:
    auth.sign_up(ADA)

    assert auth.database.run(
        "select instance_id::text, aud, role, encrypted_password like '$2b$10$%', phone, "
        "confirmation_token, is_super_admin from auth.users"
    ) == [("00000000-0000-0000-0000-000000000000", *("authenticated",) * 2, True, None, "", None)]


def test_a_trigger_sees_the_account_before_it_is_confirmed(auth: Running) -> None:
    auth.database.run(
        """
        create table public.seen (email text, confirmed boolean, identities bigint);
        create function public.note() returns trigger language plpgsql security definer
        set search_path = '' as $$
        begin
          insert into public.seen values (new.email, new.email_confirmed_at is not null,
            (select count(*) from auth.identities where user_id = new.id));
          return new;
        end $$;
        create trigger note after insert on auth.users for each row execute function public.note();
        """
    )

    auth.sign_up(ADA)

    assert auth.database.run("select * from public.seen") == [(ADA, False, 0)]


def test_a_trigger_without_rights_is_told_as_the_real_service_does(auth: Running) -> None:
    auth.database.run(
        """
        create table public.profiles (id uuid);
        create function public.make_profile() returns trigger language plpgsql as $$
        begin
          insert into public.profiles values (new.id);
          return new;
        end $$;
        create trigger make_profile after insert on auth.users
          for each row execute function public.make_profile();
        """
    )

    answer = auth.ask("POST", "/signup", {"email": ADA, "password": PASSWORD})

    assert refused(answer) == (500, "unexpected_failure", "Database error saving new user")
    assert auth.database.run("select count(*) from auth.users") == [(0,)]


def test_a_newcomer_who_must_confirm_gets_no_session(confirming: Running) -> None:
    user = confirming.sign_up(ADA)

    assert "access_token" not in user
    assert "confirmation_sent_at" in user
    assert "email_confirmed_at" not in user
    assert refused(_sign_in(confirming)) == (400, "email_not_confirmed", "Email not confirmed")


def test_a_newcomer_signs_in_after_following_the_link(confirming: Running) -> None:
    confirming.sign_up(ADA)

    landing = confirming.follow(confirming.outbox.link(ADA))

    assert landing.page == "http://127.0.0.1:3000"
    assert landing.fragment["type"] == "signup"
    assert confirming.sign_in(ADA)["user"]["identities"][0]["identity_data"]["email_verified"]


def test_somebody_known_is_told_so_where_nothing_needs_confirmation(auth: Running) -> None:
    auth.sign_up(ADA)

    answer = auth.ask("POST", "/signup", {"email": ADA, "password": "another one"})

    assert refused(answer) == (422, "user_already_exists", "User already registered")


def test_somebody_known_cannot_be_told_from_a_newcomer(confirming: Running) -> None:
    confirming.admin("POST", "/admin/users", {"email": ADA, "email_confirm": True})
    confirming.outbox.letters.clear()

    stranger = confirming.sign_up(ADA, data={"a": 1})

    assert stranger["identities"] == []
    assert stranger["user_metadata"] == {"a": 1}
    assert stranger["id"] != confirming.database.run("select id::text from auth.users")[0][0]
    assert confirming.outbox.letters == []


def test_somebody_unconfirmed_gets_the_letter_again(confirming: Running) -> None:
    first = confirming.sign_up(ADA)
    second = confirming.sign_up(ADA, password="another password")

    assert first["id"] == second["id"]
    assert len(confirming.outbox.letters) == 2
    # The second claim to the address changes nothing about the first.
    confirming.follow(confirming.outbox.link(ADA))
    assert confirming.sign_in(ADA, PASSWORD)["user"]["id"] == first["id"]


def test_an_invited_person_is_not_described_to_whoever_signs_up(confirming: Running) -> None:
    confirming.admin("POST", "/invite", {"email": ADA, "data": {"secret": "plan"}})

    user = confirming.sign_up(ADA)

    assert (user["user_metadata"], user["identities"]) == ({}, [])


def test_two_newcomers_with_one_address_make_one_account(auth: Running) -> None:
    answers = at_once(
        lambda: auth.ask("POST", "/signup", {"email": ADA, "password": PASSWORD}), times=4
    )

    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    assert auth.database.run("select count(*) from auth.users") == [(1,)]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"email": ADA}, "validation_failed", "Signup requires a valid password"),
        (
            {"email": "nowhere", "password": PASSWORD},
            "validation_failed",
            "Unable to validate email address: invalid format",
        ),
        (
            {"email": f"{'a' * 250}@b.test", "password": PASSWORD},
            "validation_failed",
            "An email address is too long",
        ),
        (
            {"email": ADA, "phone": "+33612345678", "password": PASSWORD},
            "validation_failed",
            "Only an email address or phone number should be provided on signup.",
        ),
        (
            {"email": ADA, "password": "é" * 37},
            "validation_failed",
            "Password cannot be longer than 72 characters",
        ),
        ({"phone": "+33612345678", "password": PASSWORD}, "phone_provider_disabled", None),
        (
            {"email": ADA, "password": PASSWORD, "code_challenge": "x" * 43},
            "validation_failed",
            "PKCE flow requires code_challenge_method and code_challenge",
        ),
        (
            {
                "email": ADA,
                "password": PASSWORD,
                "code_challenge": "x" * 42,
                "code_challenge_method": "s256",
            },
            "validation_failed",
            "code challenge has to be between 43 and 128 characters",
        ),
        ({"email": 1, "password": PASSWORD}, "bad_json", None),
        ({"email": ADA, "password": PASSWORD, "data": []}, "bad_json", None),
        ({"email": ADA, "password": PASSWORD, "data": {"a": "\0"}}, "bad_json", None),
    ],
)
def test_a_sign_up_that_cannot_be_is_refused(
    auth: Running, body: dict[str, Any], code: str, message: str | None
) -> None:
    status, said_code, said = refused(auth.ask("POST", "/signup", body))

    assert (status, said_code) == (400, code)
    assert message in {None, said}


def test_a_short_password_is_refused_with_its_reason(auth: Running) -> None:
    answer = auth.ask("POST", "/signup", {"email": ADA, "password": "abc"})

    assert refused(answer)[:2] == (422, "weak_password")
    assert answer.json()["message"] == "Password should be at least 6 characters."
    assert answer.json()["weak_password"] == {"reasons": ["length"]}


def test_a_password_without_digits_is_refused_where_they_are_required(serve: Serve) -> None:
    auth = serve(password_requirements="letters_digits", minimum_password_length=8)

    answer = auth.ask("POST", "/signup", {"email": ADA, "password": "letters"})

    assert refused(answer)[:2] == (422, "weak_password")
    assert answer.json()["weak_password"] == {"reasons": ["length", "characters"]}
    auth.sign_up(ADA, password="letters and 1 digit")


def test_nobody_signs_up_where_the_project_says_so(serve: Serve) -> None:
    auth = serve(allow_sign_up=False)

    answer = auth.ask("POST", "/signup", {"email": ADA, "password": PASSWORD})

    message = "Signups not allowed for this instance"
    assert refused(answer) == (422, "signup_disabled", message)


def test_nobody_signs_up_by_mail_where_it_is_switched_off(serve: Serve) -> None:
    auth = serve(allow_email=False)

    answer = auth.ask("POST", "/signup", {"email": ADA, "password": PASSWORD})

    assert refused(answer) == (400, "email_provider_disabled", "Email signups are disabled")


def test_a_visitor_without_a_name_signs_in_where_that_is_allowed(serve: Serve) -> None:
    auth = serve(allow_anonymous=True)

    session = succeeded(auth.ask("POST", "/signup", {"data": {"colour": "blue"}}))

    user = session["user"]
    assert (user["is_anonymous"], user["email"], user["identities"]) == (True, "", [])
    assert (user["app_metadata"], user["user_metadata"]) == ({}, {"colour": "blue"})
    claims = auth.claims(session)
    assert claims["is_anonymous"] is True
    assert [proof["method"] for proof in claims["amr"]] == ["anonymous"]


def test_a_visitor_without_a_name_is_refused_otherwise(auth: Running) -> None:
    answer = auth.ask("POST", "/signup", {})

    message = "Anonymous sign-ins are disabled"
    assert refused(answer) == (422, "anonymous_provider_disabled", message)


def test_a_hook_refuses_newcomers_in_its_own_words(serve: Serve) -> None:
    auth = serve(hooks={"before_user_created": "pg-functions://postgres/public/gatekeeper"})
    auth.database.run(
        """
        create function public.gatekeeper(event jsonb) returns jsonb language sql as $$
          select case when event->'user'->>'email' like '%@example.test' then '{}'::jsonb
            else '{"error": {"http_code": 403, "message": "Only colleagues"}}' end
        $$;
        grant usage on schema public to supabase_auth_admin;
        """
    )

    stranger = auth.ask("POST", "/signup", {"email": "eve@evil.test", "password": PASSWORD})

    assert refused(stranger) == (403, "unknown", "Only colleagues")
    auth.sign_up(ADA)


def _sign_in(auth: Running) -> Any:
    body = {"email": ADA, "password": PASSWORD}
    return auth.ask("POST", "/token?grant_type=password", body)
