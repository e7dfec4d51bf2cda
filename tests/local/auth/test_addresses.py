"""Addresses that change, once whoever reads the letters agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.local.auth.services import (
    succeeded,
)

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
HALF = "Confirmation link accepted. Please proceed to confirm link sent to the other email"


def test_an_address_changes_when_both_have_agreed(confirming: Running) -> None:
    session = _confirmed(confirming)
    user = succeeded(
        confirming.ask("PUT", "/user", {"email": "new@x.test"}, token=session["access_token"])
    )
    assert user["new_email"] == "new@x.test"

    first = confirming.follow(confirming.outbox.link(ADA))
    assert first.fragment == {"message": HALF, "sb": ""}
    second = confirming.follow(confirming.outbox.link("new@x.test"))

    assert second.fragment["type"] == "email_change"
    (identity,) = confirming.sign_in("new@x.test")["user"]["identities"]
    assert identity["email"] == "new@x.test"


def test_one_address_cannot_agree_for_both(confirming: Running) -> None:
    session = _confirmed(confirming)
    confirming.ask("PUT", "/user", {"email": "new@x.test"}, token=session["access_token"])
    link = confirming.outbox.link("new@x.test")

    confirming.follow(link)

    assert confirming.follow(link).fragment["error_code"] == "otp_expired"
    assert confirming.sign_in(ADA)["user"]["new_email"] == "new@x.test"


def test_codes_change_an_address_as_links_do(confirming: Running) -> None:
    session = _confirmed(confirming)
    confirming.ask("PUT", "/user", {"email": "new@x.test"}, token=session["access_token"])

    def type_code(address: str) -> dict[str, Any]:
        code = confirming.outbox.code(address)
        proof = {"type": "email_change", "email": address, "token": code}
        return succeeded(confirming.ask("POST", "/verify", proof))

    assert type_code("new@x.test") == {"msg": HALF, "code": "200"}
    assert type_code(ADA)["user"]["email"] == "new@x.test"


def test_the_new_address_alone_decides_where_the_project_says_so(serve: Serve) -> None:
    auth = serve(confirm_email=True, double_confirm_changes=False)
    session = _confirmed(auth)
    auth.outbox.letters.clear()
    auth.ask("PUT", "/user", {"email": "new@x.test"}, token=session["access_token"])

    assert [letter["To"] for letter in auth.outbox.letters] == ["new@x.test"]
    auth.follow(auth.outbox.link("new@x.test"))
    auth.sign_in("new@x.test")


def test_a_change_of_address_can_be_asked_for_again(confirming: Running) -> None:
    session = _confirmed(confirming)
    confirming.ask("PUT", "/user", {"email": "new@x.test"}, token=session["access_token"])
    confirming.outbox.letters.clear()

    confirming.ask("POST", "/resend", {"type": "email_change", "email": ADA})

    assert {letter["To"] for letter in confirming.outbox.letters} == {ADA, "new@x.test"}


def test_an_address_taken_meanwhile_stays_with_who_has_it(confirming: Running) -> None:
    session = _confirmed(confirming)
    confirming.ask("PUT", "/user", {"email": "new@x.test"}, token=session["access_token"])
    confirming.admin("POST", "/admin/users", {"email": "new@x.test", "email_confirm": True})

    confirming.follow(confirming.outbox.link(ADA))
    landing = confirming.follow(confirming.outbox.link("new@x.test"))

    assert landing.fragment["error_code"] == "unexpected_failure"
    confirming.sign_in(ADA)


def _confirmed(auth: Running) -> dict[str, Any]:
    auth.sign_up(ADA)
    auth.follow(auth.outbox.link(ADA))
    return auth.sign_in(ADA)
