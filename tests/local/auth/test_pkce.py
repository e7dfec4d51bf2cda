"""PKCE: letters that end in a code, which only the one who began can use."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.auth.services import (
    at_once,
    refused,
    succeeded,
)

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ADA = "ada@example.test"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
PKCE = {"code_challenge": CHALLENGE.decode(), "code_challenge_method": "s256"}


def test_pkce_ends_in_a_code_that_only_its_beginner_can_use(confirming: Running) -> None:
    confirming.sign_up(ADA, **PKCE)
    landing = confirming.follow(confirming.outbox.link(ADA))
    assert set(landing.query) == {"code"}
    assert landing.fragment == {}

    wrong = _exchange(confirming, landing.query["code"], "w" * 64)
    session = succeeded(_exchange(confirming, landing.query["code"], VERIFIER))
    again = _exchange(confirming, landing.query["code"], VERIFIER)

    message = "code challenge does not match previously saved code verifier"
    assert refused(wrong) == (400, "bad_code_verifier", message)
    assert [each["method"] for each in confirming.claims(session)["amr"]] == ["email/signup"]
    assert refused(again)[:2] == (404, "flow_state_not_found")


@pytest.mark.parametrize(("path", "method"), [("/otp", "magiclink"), ("/recover", "recovery")])
def test_pkce_works_for_letters_people_ask_for(auth: Running, path: str, method: str) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", path, {"email": ADA, **PKCE})
    landing = auth.follow(auth.outbox.link(ADA))

    session = succeeded(_exchange(auth, landing.query["code"], VERIFIER))

    assert [each["method"] for each in auth.claims(session)["amr"]] == [method]


def test_a_code_of_pkce_is_used_once_however_many_ask(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/recover", {"email": ADA, **PKCE})
    code = auth.follow(auth.outbox.link(ADA)).query["code"]

    answers = at_once(lambda: _exchange(auth, code, VERIFIER), times=4)

    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]


def test_pkce_ends_after_five_minutes(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/recover", {"email": ADA, **PKCE})
    code = auth.follow(auth.outbox.link(ADA)).query["code"]
    auth.database.run("update auth.flow_state set created_at = now() - interval '6 minutes'")

    answer = _exchange(auth, code, VERIFIER)

    message = "invalid flow state, flow state has expired"
    assert refused(answer) == (422, "flow_state_expired", message)


def test_a_failed_link_of_pkce_says_so_in_query_and_fragment(auth: Running) -> None:
    landing = auth.follow(f"{auth.url}/verify?type=magiclink&token=pkce_nothing")

    assert landing.query["error_code"] == landing.fragment["error_code"] == "otp_expired"


def test_a_plain_challenge_is_enough(auth: Running) -> None:
    auth.sign_up(ADA)
    plain = {"code_challenge": VERIFIER, "code_challenge_method": "plain"}
    auth.ask("POST", "/recover", {"email": ADA, **plain})
    code = auth.follow(auth.outbox.link(ADA)).query["code"]

    succeeded(_exchange(auth, code, VERIFIER))


def test_a_code_by_mail_also_works_when_pkce_began_it(auth: Running) -> None:
    auth.sign_up(ADA)
    auth.ask("POST", "/otp", {"email": ADA, **PKCE})
    proof = {"type": "email", "email": ADA, "token": auth.outbox.code(ADA)}

    succeeded(auth.ask("POST", "/verify", proof))


def test_a_target_with_a_query_keeps_it(serve: Serve) -> None:
    auth = serve(redirect_urls=("https://app.example.test/**",))
    auth.sign_up(ADA)
    target = "https://app.example.test/in?next=/a&b=c"
    auth.ask("POST", "/recover", {"email": ADA, **PKCE}, params={"redirect_to": target})

    landing = auth.follow(auth.outbox.link(ADA))

    assert {k: v for k, v in landing.query.items() if k != "code"} == {"next": "/a", "b": "c"}


def _exchange(auth: Running, code: str, verifier: str) -> Any:
    body = {"auth_code": code, "code_verifier": verifier}
    return auth.ask("POST", "/token?grant_type=pkce", body)
