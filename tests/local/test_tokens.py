"""Tokens: ours are believed until they expire, and nobody else's ever are."""

from __future__ import annotations

import json
import stat
import sys
import time
from typing import TYPE_CHECKING

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from nlctl.errors import InvalidInput
from nlctl.local import keys, tokens
from nlctl.local.tokens import Flaw, Keyring, SigningKey, TokenRejected
from tests.local import forgery
from tests.local.forgery import CLAIMS, HS_HEADER, RSA_KEY, SECRET

if TYPE_CHECKING:
    from pathlib import Path

NOW = int(time.time())
OURS = tokens.make_signing_key()
STRANGER = tokens.make_signing_key()
RING = Keyring(SECRET, [OURS])
KID = OURS.identifier
GENUINE = forgery.genuine(OURS, NOW)
HEAD, BODY, _ = GENUINE.split(".")
FORGED = forgery.forge(OURS)


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_not_believed(token: str) -> None:
    with pytest.raises(TokenRejected):
        RING.verify(token)


def test_a_token_of_ours_is_believed() -> None:
    assert RING.verify(GENUINE) == {**CLAIMS, "exp": NOW + 3600}


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_the_keys_of_older_clients_are_believed_beside_a_signing_key(role: str) -> None:
    assert RING.verify(keys.legacy_key(role))["role"] == role


def test_without_a_signing_key_the_secret_signs() -> None:
    token = Keyring(SECRET).sign(CLAIMS)

    assert jwt.decode(token, SECRET, ["HS256"]) == CLAIMS


def test_sessions_name_the_key_that_signed_them() -> None:
    assert jwt.get_unverified_header(GENUINE) == {"alg": "ES256", "kid": KID, "typ": "JWT"}


def test_an_rsa_key_signs_too() -> None:
    key = SigningKey({**RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True), "kid": "rsa"})
    ring = Keyring(SECRET, [key])

    assert ring.verify(ring.sign(CLAIMS)) == CLAIMS
    assert jwt.get_unverified_header(ring.sign(CLAIMS))["alg"] == "RS256"


def test_a_token_of_an_older_key_is_believed_until_the_key_is_taken_away() -> None:
    old = Keyring(SECRET, [STRANGER]).sign(CLAIMS)

    assert Keyring(SECRET, [OURS, STRANGER]).verify(old) == CLAIMS


def test_a_remembered_token_still_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Keyring(SECRET)
    expiry = int(time.time()) + 60
    token = ring.sign({**CLAIMS, "exp": expiry})
    ring.verify(token)
    monkeypatch.setattr(time, "time", lambda: expiry + 1.0)

    with pytest.raises(TokenRejected) as refusal:
        ring.verify(token)
    assert (refusal.value.flaw, refusal.value.message) == (Flaw.expired, "JWT expired")


def test_leeway_forgives_a_clock_that_is_a_little_off() -> None:
    ring = Keyring(SECRET)
    token = ring.sign({**CLAIMS, "exp": int(time.time()) - 20})

    assert ring.verify(token, leeway=30)["role"] == "service_role"


def test_what_is_remembered_stays_bounded() -> None:
    ring = Keyring(SECRET)
    for number in range(tokens.REMEMBERED + 10):
        ring.verify(forgery.hs(HS_HEADER, {"n": number}))

    assert len(ring._believed) == tokens.REMEMBERED


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (f"{HEAD}.{BODY}", (Flaw.shape, "Expected 3 parts in JWT; got 2", None)),
        ("", (Flaw.shape, "Empty JWT is sent in Authorization header", None)),
        (FORGED["random letters"], (Flaw.shape, "JWT cryptographic operation failed", None)),
        (
            FORGED["none"],
            (
                Flaw.algorithm,
                "Wrong or unsupported encoding algorithm",
                "JWT is unsecured but expected 'alg' was not 'none'",
            ),
        ),
        (
            FORGED["another secret"],
            (
                Flaw.key,
                "No suitable key or wrong key type",
                "None of the keys was able to decode the JWT",
            ),
        ),
        (FORGED["valid later"], (Flaw.not_yet, "JWT not yet valid", None)),
        (FORGED["issued later"], (Flaw.issued_in_future, "JWT issued at future", None)),
        (
            FORGED["expiry a text"],
            (Flaw.claims, "The JWT 'exp' claim must be a number", None),
        ),
        (FORGED["claims a list"], (Flaw.claims, "Parsing claims failed", None)),
    ],
)
def test_a_refusal_speaks_like_the_data_api(token: str, said: tuple[object, ...]) -> None:
    with pytest.raises(TokenRejected) as refusal:
        RING.verify(token)
    assert (refusal.value.flaw, refusal.value.message, refusal.value.details) == said


def test_published_keys_tell_nothing_private() -> None:
    (published,) = RING.jwks()["keys"]

    assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg", "key_ops", "ext"}
    assert published["key_ops"] == ["verify"]
    assert jwt.decode(GENUINE, jwt.PyJWK(published).key, ["ES256"])["role"] == "service_role"


def test_the_secret_is_never_published() -> None:
    assert Keyring(SECRET).jwks() == {"keys": []}


def test_signing_keys_are_kept_for_their_owner(tmp_path: Path) -> None:
    path = tmp_path / "state" / "signing_keys.json"

    tokens.write_signing_keys(path, [OURS])

    assert tokens.read_signing_keys(path) == [OURS]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_key_that_may_sign_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "signing_keys.json"
    retired = SigningKey({**STRANGER.document, "key_ops": ["verify"]})
    tokens.write_signing_keys(path, [retired, OURS])

    assert tokens.read_signing_keys(path) == [OURS, retired]


@pytest.mark.parametrize(
    "written",
    ["", "{}", "[]", "[1]", "[{}]", '[{"kty": "EC", "d": "x"}]', '[{"kty": "oct", "d": "x"}]',
     json.dumps([OURS.public()])],
)  # fmt: skip
def test_a_file_without_private_keys_is_named(tmp_path: Path, written: str) -> None:
    path = tmp_path / "signing_keys.json"
    path.write_text(written)

    with pytest.raises(InvalidInput, match=r"signing_keys\.json"):
        tokens.read_signing_keys(path)


def test_a_file_of_keys_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.json cannot be read"):
        tokens.read_signing_keys(tmp_path / "none.json")
