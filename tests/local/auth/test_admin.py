"""Servers with the secret key: accounts made, found, changed, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import bcrypt
import pytest

from tests.local.auth.services import PASSWORD, SITE, refused, succeeded

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
TAKEN = "A user with this email address has already been registered"
NOBODY = "5a88e88c-ab10-44d7-8c73-49bc6301d9dd"
ENDPOINTS = [
    ("GET", "/admin/users"),
    ("POST", "/admin/users"),
    ("GET", f"/admin/users/{NOBODY}"),
    ("PUT", f"/admin/users/{NOBODY}"),
    ("DELETE", f"/admin/users/{NOBODY}"),
    ("GET", f"/admin/users/{NOBODY}/factors"),
    ("PUT", f"/admin/users/{NOBODY}/factors/{NOBODY}"),
    ("DELETE", f"/admin/users/{NOBODY}/factors/{NOBODY}"),
    ("POST", "/admin/generate_link"),
    ("GET", "/admin/audit"),
    ("POST", "/invite"),
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_people_are_not_servers(auth: Running, method: str, path: str) -> None:
    person = auth.sign_up(ADA)["access_token"]
    visitor = auth.keyring.sign({"role": "anon"})

    for token in (person, visitor):
        answer = auth.ask(method, path, {}, token=token)
        assert refused(answer) == (403, "not_admin", "User not allowed")
    message = "This endpoint requires a valid Bearer token"
    assert refused(auth.ask(method, path, {})) == (401, "no_authorization", message)


def test_a_server_makes_an_account_that_can_sign_in(auth: Running) -> None:
    user = _create(
        auth,
        email="Ada@Example.test",
        password=PASSWORD,
        email_confirm=True,
        user_metadata={"first_name": "Ada"},
        app_metadata={"team": "red"},
    )

    assert (user["email"], user["role"]) == (ADA, "authenticated")
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"], "team": "red"}
    assert user["user_metadata"] == {"first_name": "Ada", "email_verified": True}
    assert [each["provider"] for each in user["identities"]] == ["email"]
    auth.sign_in(ADA)


def test_an_account_is_unconfirmed_unless_said_otherwise(auth: Running) -> None:
    _create(auth, email=ADA, password=PASSWORD)

    body = {"email": ADA, "password": PASSWORD}
    assert refused(auth.ask("POST", "/token?grant_type=password", body))[1] == (
        "email_not_confirmed"
    )


def test_an_account_can_be_made_from_a_hash(auth: Running) -> None:
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()

    _create(auth, email=ADA, password_hash=hashed, email_confirm=True)

    auth.sign_in(ADA)


def test_an_account_can_bring_its_id_role_and_number(auth: Running) -> None:
    user_id = str(uuid4())

    user = _create(auth, id=user_id, phone="+33 6 12 34 56 78", role="editor", phone_confirm=True)

    assert (user["id"], user["phone"], user["role"]) == (user_id, "33612345678", "editor")
    assert user["email"] == ""
    assert user["app_metadata"] == {"provider": "phone", "providers": ["phone"]}
    assert "phone_confirmed_at" in user


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            {},
            (
                400,
                "validation_failed",
                "Cannot create a user without either an email or phone",
            ),
        ),
        ({"email": ADA}, (422, "email_exists", TAKEN)),
        (
            {"phone": "33612345678"},
            (422, "phone_exists", "Phone number already registered by another user"),
        ),
        (
            {"email": "new@x.test", "password": "a", "password_hash": "b"},
            (
                400,
                "validation_failed",
                "Only a password or a password hash should be provided",
            ),
        ),
        (
            {"email": "new@x.test", "password_hash": "b"},
            (500, "unexpected_failure", "Error creating user"),
        ),
        (
            {"email": "new@x.test", "id": "first"},
            (400, "validation_failed", "ID must conform to the uuid v4 format"),
        ),
        (
            {"email": "new@x.test", "id": "00000000-0000-0000-0000-000000000000"},
            (400, "validation_failed", "ID cannot be a nil uuid"),
        ),
        (
            {"email": "new@x.test", "ban_duration": "a while"},
            (
                400,
                "validation_failed",
                'invalid format for ban duration: time: invalid duration "a while"',
            ),
        ),
        (
            {"phone": "0612"},
            (400, "validation_failed", "Invalid phone number format (E.164 required)"),
        ),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    auth: Running, body: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    _create(auth, email=ADA, phone="33612345678")

    assert refused(auth.admin("POST", "/admin/users", body)) == refusal


def test_a_server_lists_accounts_a_page_at_a_time(auth: Running) -> None:
    for number in range(5):
        _create(auth, email=f"p{number}@example.test")

    answer = auth.admin("GET", "/admin/users?page=2&per_page=2")

    body = succeeded(answer)
    assert [user["email"] for user in body["users"]] == ["p2@example.test", "p1@example.test"]
    assert body["aud"] == "authenticated"
    assert answer.headers["x-total-count"] == "5"
    assert answer.headers["link"] == (
        '</admin/users?page=3&per_page=2>; rel="next", </admin/users?page=3&per_page=2>; rel="last"'
    )
    assert 'rel="next"' not in auth.admin("GET", "/admin/users?page=3&per_page=2").headers["link"]


def test_a_server_finds_accounts_by_address_or_name(auth: Running) -> None:
    _create(auth, email=ADA, user_metadata={"full_name": "Ada Lovelace"})
    _create(auth, email="ben@example.test")

    def found(text: str) -> list[str]:
        body = succeeded(auth.admin("GET", "/admin/users", params={"filter": text}))
        return [user["email"] for user in body["users"]]

    assert found("lovelace") == [ADA]
    assert found("ben@") == ["ben@example.test"]
    assert found("nobody") == []


def test_a_list_counts_people_without_an_address(serve: Serve) -> None:
    auth = serve(allow_anonymous=True)
    auth.ask("POST", "/signup", {})

    assert auth.admin("GET", "/admin/users").headers["x-total-count"] == "1"


def test_a_list_begins_with_the_oldest_where_that_is_asked(auth: Running) -> None:
    for number in range(2):
        _create(auth, email=f"p{number}@example.test")

    body = succeeded(auth.admin("GET", "/admin/users", params={"sort": "created_at asc"}))

    assert [user["email"] for user in body["users"]] == ["p0@example.test", "p1@example.test"]


@pytest.mark.parametrize("sort", ["email", "created_at sideways"])
def test_a_list_is_sorted_by_age_alone(auth: Running, sort: str) -> None:
    answer = auth.admin("GET", "/admin/users", params={"sort": sort})

    status, code, message = refused(answer)
    assert (status, code) == (400, "validation_failed")
    assert message.startswith("Bad Sort Parameters: bad ")


@pytest.mark.parametrize("query", ["page=-1", "page=x", "per_page=1e3"])
def test_a_page_is_a_number(auth: Running, query: str) -> None:
    status, code, message = refused(auth.admin("GET", f"/admin/users?{query}"))

    assert (status, code) == (400, "validation_failed")
    assert message.startswith("Bad Pagination Parameters: ")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_account_that_is_not_there_is_not_found(auth: Running, method: str) -> None:
    unknown = auth.admin(method, f"/admin/users/{uuid4()}", {})
    nonsense = auth.admin(method, "/admin/users/first", {})

    assert refused(unknown) == (404, "user_not_found", "User not found")
    assert refused(nonsense) == (404, "validation_failed", "user_id must be an UUID")


def test_a_server_changes_what_it_names_and_nothing_else(auth: Running) -> None:
    user = _create(auth, email=ADA, user_metadata={"a": 1, "b": 2}, app_metadata={"c": 3})

    changed = _change(
        auth, user, user_metadata={"a": None, "d": 4}, app_metadata={"e": 5}, role="editor"
    )

    assert changed["user_metadata"] == {"b": 2, "d": 4}
    assert changed["app_metadata"] == {
        "provider": "email", "providers": ["email"], "c": 3, "e": 5,
    }  # fmt: skip
    assert (changed["role"], changed["email"]) == ("editor", ADA)


def test_a_server_changes_an_address_at_once(auth: Running) -> None:
    user = _create(auth, email=ADA, password=PASSWORD)

    changed = _change(auth, user, email="new@x.test", email_confirm=True)

    assert changed["email"] == changed["identities"][0]["email"] == "new@x.test"
    assert changed["identities"][0]["identity_data"]["email_verified"] is True
    auth.sign_in("new@x.test")


def test_a_server_cannot_give_an_address_twice(auth: Running) -> None:
    _create(auth, email="ben@example.test")
    user = _create(auth, email=ADA)

    answer = auth.admin("PUT", f"/admin/users/{user['id']}", {"email": "ben@example.test"})

    assert refused(answer) == (422, "email_exists", TAKEN)


def test_a_password_set_by_a_server_ends_every_session(auth: Running) -> None:
    session = auth.sign_up(ADA)

    _change(auth, session["user"], password="another password 2")

    assert auth.ask("GET", "/user", token=session["access_token"]).status_code == 403
    auth.sign_in(ADA, "another password 2")


@pytest.mark.parametrize("duration", ["24h", "1h30m", "100ms1h"])
def test_a_ban_ends_when_it_is_lifted(auth: Running, duration: str) -> None:
    user = _create(auth, email=ADA, password=PASSWORD, email_confirm=True)

    assert "banned_until" in _change(auth, user, ban_duration=duration)
    assert "banned_until" not in _change(auth, user, ban_duration="none")
    auth.sign_in(ADA)


def test_a_deleted_account_leaves_nothing(auth: Running) -> None:
    session = auth.sign_up(ADA)

    assert succeeded(auth.admin("DELETE", f"/admin/users/{session['user']['id']}")) == {}

    for table in ("users", "identities", "sessions", "refresh_tokens"):
        assert auth.database.run(f"select count(*) from auth.{table}") == [(0,)]
    message = "User from sub claim in JWT does not exist"
    answer = auth.ask("GET", "/user", token=session["access_token"])
    assert refused(answer) == (403, "user_not_found", message)
    auth.sign_up(ADA)


def test_a_softly_deleted_account_keeps_its_id_and_nothing_more(auth: Running) -> None:
    session = auth.sign_up(ADA, data={"secret": "plan"})
    user_id = session["user"]["id"]

    auth.admin("DELETE", f"/admin/users/{user_id}", {"should_soft_delete": True})

    left = succeeded(auth.admin("GET", f"/admin/users/{user_id}"))
    assert "deleted_at" in left
    assert (left["user_metadata"], left["app_metadata"]) == ({}, {})
    assert left["identities"][0]["identity_data"] == {}
    assert ADA not in str(left)
    assert auth.ask("GET", "/user", token=session["access_token"]).status_code == 403
    assert auth.sign_up(ADA)["user"]["id"] != user_id


def test_an_account_that_others_need_is_not_deleted(auth: Running) -> None:
    user = auth.sign_up(ADA)["user"]
    auth.database.run("create table public.notes (author uuid references auth.users (id))")
    auth.database.run("insert into public.notes values (%s)", (user["id"],))

    answer = auth.admin("DELETE", f"/admin/users/{user['id']}")

    assert refused(answer) == (500, "unexpected_failure", "Database error deleting user")


def test_a_server_sees_renames_and_removes_factors(auth: Running) -> None:
    session = auth.sign_up(ADA)
    body = {"factor_type": "totp", "friendly_name": "phone"}
    factor = succeeded(auth.ask("POST", "/factors", body, token=session["access_token"]))
    path = f"/admin/users/{session['user']['id']}/factors"

    (listed,) = auth.admin("GET", path).json()
    renamed = succeeded(auth.admin("PUT", f"{path}/{factor['id']}", {"friendly_name": "key"}))
    removed = succeeded(auth.admin("DELETE", f"{path}/{factor['id']}"))

    assert (listed["id"], listed["status"]) == (factor["id"], "unverified")
    assert renamed["friendly_name"] == "key"
    assert removed["id"] == factor["id"]
    assert auth.admin("GET", path).json() == []
    answer = auth.admin("DELETE", f"{path}/{factor['id']}")
    assert refused(answer) == (404, "mfa_factor_not_found", "Factor not found")


def test_an_invited_person_follows_the_link_and_chooses_a_password(confirming: Running) -> None:
    user = succeeded(confirming.admin("POST", "/invite", {"email": ADA, "data": {"a": 1}}))
    assert {"invited_at", "confirmation_sent_at"} <= set(user)

    landing = confirming.follow(confirming.outbox.link(ADA))

    assert landing.fragment["type"] == "invite"
    token = landing.fragment["access_token"]
    succeeded(confirming.ask("PUT", "/user", {"password": PASSWORD}, token=token))
    assert confirming.sign_in(ADA)["user"]["user_metadata"]["a"] == 1


def test_an_invitation_can_be_repeated_until_it_is_accepted(confirming: Running) -> None:
    first = succeeded(confirming.admin("POST", "/invite", {"email": ADA}))
    second = succeeded(confirming.admin("POST", "/invite", {"email": ADA}))
    confirming.follow(confirming.outbox.link(ADA))

    answer = confirming.admin("POST", "/invite", {"email": ADA})

    assert first["id"] == second["id"]
    assert refused(answer) == (422, "email_exists", TAKEN)


@pytest.mark.parametrize(
    ("kind", "verification_type"),
    [
        ("signup", "signup"),
        ("invite", "invite"),
        ("magiclink", "signup"),  # an unknown address has to be confirmed first
    ],
)
def test_a_link_for_a_newcomer_makes_the_account(
    confirming: Running, kind: str, verification_type: str
) -> None:
    link = _generate(confirming, type=kind, email=ADA, password=PASSWORD, data={"a": 1})

    assert link["verification_type"] == verification_type
    assert (link["email"], link["redirect_to"], len(link["email_otp"])) == (ADA, SITE, 6)
    assert confirming.outbox.letters == []
    landing = confirming.follow(link["action_link"])
    assert landing.fragment["type"] == verification_type


@pytest.mark.parametrize("kind", ["magiclink", "recovery"])
def test_a_link_for_somebody_known_signs_in(auth: Running, kind: str) -> None:
    auth.sign_up(ADA)
    link = _generate(auth, type=kind, email=ADA)

    body = {"type": kind, "token_hash": link["hashed_token"]}

    assert succeeded(auth.ask("POST", "/verify", body))["user"]["email"] == ADA


def test_the_code_of_a_link_works_too(auth: Running) -> None:
    auth.sign_up(ADA)
    link = _generate(auth, type="magiclink", email=ADA)

    proof = {"type": "email", "email": ADA, "token": link["email_otp"]}

    succeeded(auth.ask("POST", "/verify", proof))


def test_two_links_change_an_address(confirming: Running) -> None:
    _create(confirming, email=ADA, email_confirm=True)
    asked = {"email": ADA, "new_email": "new@x.test"}
    current = _generate(confirming, type="email_change_current", **asked)
    new = _generate(confirming, type="email_change_new", **asked)

    confirming.follow(current["action_link"])
    landing = confirming.follow(new["action_link"])

    token = landing.fragment["access_token"]
    user = succeeded(confirming.ask("GET", "/user", token=token))
    assert user["email"] == "new@x.test"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            {"type": "recovery", "email": "eve@x.test"},
            (404, "user_not_found", "User with this email not found"),
        ),
        ({"type": "signup", "email": ADA}, (422, "email_exists", TAKEN)),
        ({"type": "invite", "email": ADA}, (422, "email_exists", TAKEN)),
        (
            {"type": "signup", "email": "eve@x.test"},
            (400, "validation_failed", "Signup requires a valid password"),
        ),
        (
            {"type": "horse", "email": ADA},
            (
                400,
                "validation_failed",
                "Invalid email action link type requested: horse",
            ),
        ),
        (
            {"type": "email_change_new", "email": ADA, "new_email": ADA.replace("a", "b")},
            (422, "email_exists", TAKEN),
        ),
    ],
)
def test_a_link_that_cannot_be_is_refused(
    auth: Running, body: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    auth.sign_up(ADA)
    auth.sign_up(ADA.replace("a", "b"))

    assert refused(auth.admin("POST", "/admin/generate_link", body)) == refusal


def test_a_link_leads_back_to_where_the_server_asked(serve: Serve) -> None:
    auth = serve(redirect_urls=("https://app.example.test/**",))
    auth.sign_up(ADA)
    target = "https://app.example.test/welcome"

    link = _generate(auth, type="magiclink", email=ADA, redirect_to=target)

    assert link["redirect_to"] == target
    assert auth.follow(link["action_link"]).page == target


def test_the_audit_tells_who_did_what(auth: Running) -> None:
    user = auth.sign_up(ADA, data={"full_name": "Ada Lovelace"})["user"]
    _change(auth, user, role="editor")

    entries = auth.admin("GET", "/admin/audit").json()

    assert [entry["payload"]["action"] for entry in entries] == [
        "user_modified", "login", "user_signedup",
    ]  # fmt: skip
    assert entries[0]["payload"]["actor_username"] == "service_role"
    assert entries[1]["payload"]["actor_id"] == user["id"]
    assert entries[1]["payload"]["actor_name"] == "Ada Lovelace"
    assert entries[1]["created_at"].endswith("Z")


def test_the_audit_can_be_searched(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.sign_up("ben@example.test")

    def found(query: str) -> int:
        return len(auth.admin("GET", "/admin/audit", params={"query": query}).json())

    assert (found("author:ada"), found("action:login"), found("type:team")) == (2, 2, 2)
    answer = auth.admin("GET", "/admin/audit", params={"query": "shoe:42"})
    assert refused(answer) == (400, "validation_failed", "Invalid query scope: shoe:42")


def _create(auth: Running, **body: Any) -> dict[str, Any]:
    return succeeded(auth.admin("POST", "/admin/users", body))


def _change(auth: Running, user: dict[str, Any], **body: Any) -> dict[str, Any]:
    return succeeded(auth.admin("PUT", f"/admin/users/{user['id']}", body))


def _generate(auth: Running, **body: Any) -> dict[str, Any]:
    return succeeded(auth.admin("POST", "/admin/generate_link", body))
