"""Who asks: what the app believes of a token, and as whom it asks the database."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from nlctl.local import keys
from nlctl.local.rest import errors
from nlctl.local.rest.app import DataApi
from nlctl.local.tokens import Keyring
from tests.local import test_tokens
from tests.local.rest.asking import CONFIG, RING, Stub, ask, asked


def test_nobody_in_particular_is_anon() -> None:
    stub = Stub()
    ask(stub)

    assert asked(stub).identity.role == "anon"
    assert json.loads(asked(stub).identity.claims) == {"role": "anon"}


def test_a_token_tells_the_role_and_its_claims() -> None:
    stub = Stub()
    claims = {"role": "authenticated", "sub": "é\0", "nested": {"a": [1]}}
    ask(stub, authorization=f"Bearer {RING.sign(claims)}")

    assert asked(stub).identity.role == "authenticated"
    assert json.loads(asked(stub).identity.claims) == claims


def test_a_token_without_a_role_keeps_its_other_claims_as_anon() -> None:
    stub = Stub()
    ask(stub, authorization=f"bearer {RING.sign({'sub': 'x'})}")

    assert json.loads(asked(stub).identity.claims) == {"sub": "x", "role": "anon"}


def test_another_scheme_is_no_token() -> None:
    stub = Stub()
    ask(stub, authorization="Basic abc")

    assert asked(stub).identity.role == "anon"


def test_a_clock_that_is_half_a_minute_off_is_forgiven() -> None:
    token = RING.sign({"role": "authenticated", "exp": int(time.time()) - 5})

    assert ask(Stub(), authorization=f"Bearer {token}").status == 200


# A blank before a token is none of its letters, and a second is forgiven.
FORGED = {
    name: token
    for name, token in test_tokens.FORGED.items()
    if name not in {"space before", "expired"}
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_opens_nothing(token: str) -> None:
    stub = Stub()
    answer = ask(stub, authorization=b"Bearer " + token.encode("utf-8", "surrogatepass"))

    assert answer.status == 401
    assert answer.error.keys() == {"code", "message", "details", "hint"}
    assert answer.error["code"] in {"PGRST301", "PGRST303"}
    challenge = answer.header("www-authenticate")
    assert challenge is not None
    assert challenge.startswith('Bearer error="invalid_token", error_description="')
    assert not stub.asked


def test_more_than_fifty_forgeries_were_tried() -> None:
    assert len(FORGED) >= 50


@pytest.mark.parametrize("role", ["", None, 1, True, ["service_role"], {"a": 1}, "a\0b"])
def test_a_role_that_is_no_name_is_no_role(role: object) -> None:
    stub = Stub()
    answer = ask(stub, authorization=f"Bearer {RING.sign({'role': role})}")

    roles = {one.identity.role for one in stub.asked}
    assert answer.status == 401 or roles == {json.dumps(role)}


def test_a_token_for_somebody_else_is_refused() -> None:
    stub = Stub(replace(CONFIG, audience="us"))
    theirs = ask(stub, authorization=f"Bearer {RING.sign({'aud': ['them', 'others']})}")
    ours = ask(stub, authorization=f"Bearer {RING.sign({'aud': ['them', 'us']})}")
    nobodys = ask(stub, authorization=f"Bearer {RING.sign({'role': 'anon'})}")

    assert theirs.code == (401, "PGRST303")
    assert (ours.status, nobodys.status) == (200, 200)


def test_where_nobody_may_be_anonymous_a_token_is_asked_for() -> None:
    answer = ask(Stub(replace(CONFIG, anon_role=None)))

    assert answer.code == (401, "PGRST302")
    assert answer.header("www-authenticate") == "Bearer"


def test_a_token_that_was_believed_is_not_believed_after_it_expired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub, ring, now = Stub(), Keyring(keys.JWT_SECRET), time.time()
    token = ring.sign({"role": "authenticated", "exp": int(now) + 600})
    api = DataApi(stub, ring)
    api._identify(f"Bearer {token}")
    monkeypatch.setattr("time.time", lambda: now + 1000)

    with pytest.raises(errors.ApiError) as refused:
        api._identify(f"Bearer {token}")
    assert refused.value.message == "JWT expired"
