"""Tokens: ours are believed until they expire, and nobody else's ever are."""

from __future__ import annotations

import base64
import hmac
import json
import stat
import sys
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from nlctl.errors import InvalidInput
from nlctl.local import keys, tokens
from nlctl.local.tokens import Flaw, Keyring, SigningKey, TokenRejected

if TYPE_CHECKING:
    from pathlib import Path

SECRET = keys.JWT_SECRET
NOW = int(time.time())
CLAIMS = {"role": "service_role", "sub": "11111111-1111-4111-8111-111111111111"}
OURS = tokens.make_signing_key()
STRANGER = tokens.make_signing_key()
RING = Keyring(SECRET, [OURS])


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(document: object) -> str:
    return base64url(json.dumps(document).encode())


def hs(header: object, claims: object, secret: str | bytes = SECRET, digest: str = "sha256") -> str:
    """A token whose signature is made with `secret`, whatever its header says."""
    signing = f"{part(header)}.{part(claims)}"
    key = secret.encode() if isinstance(secret, str) else secret
    return f"{signing}.{base64url(hmac.digest(key, signing.encode(), digest))}"


def private_key_of(key: SigningKey) -> Any:
    return jwt.PyJWK(key.document).key


def public_pem(key: SigningKey) -> bytes:
    public = private_key_of(key).public_key()
    return bytes(
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


GENUINE = RING.sign({**CLAIMS, "exp": NOW + 3600})
HEAD, BODY, SEAL = GENUINE.split(".")
HS_HEADER = {"alg": "HS256", "typ": "JWT"}
HS_GENUINE = hs(HS_HEADER, CLAIMS)
HS_HEAD, HS_BODY, HS_SEAL = HS_GENUINE.split(".")
KID = OURS.identifier
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P384 = ec.generate_private_key(ec.SECP384R1())
RAW_SIGNATURE = base64.urlsafe_b64decode(SEAL + "==")

FORGED = {
    "empty": "",
    "blank": " ",
    "dots": "..",
    "one part": HEAD,
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GENUINE}.{SEAL}",
    "five parts, encrypted form": f"{HEAD}.{BODY}.{SEAL}.{BODY}.{SEAL}",
    "opaque key": keys.SECRET_KEY,
    "random letters": "quifquirndsjagnrgniur.fonvoienqhhdj.iuqvnvhojah",
    "no signature": f"{HEAD}.{BODY}.",
    "no signature, HS256": f"{HS_HEAD}.{HS_BODY}.",
    "no header": f".{BODY}.{SEAL}",
    "no payload": f"{HEAD}..{SEAL}",
    "signature cut": f"{HEAD}.{BODY}.{SEAL[:-4]}",
    "signature grown": f"{HEAD}.{BODY}.{SEAL}AAAA",
    "signature of zeros": f"{HEAD}.{BODY}.{base64url(bytes(64))}",
    "signature of r and s swapped": (
        f"{HEAD}.{BODY}.{base64url(RAW_SIGNATURE[32:] + RAW_SIGNATURE[:32])}"
    ),
    "signature in DER": f"{HEAD}.{BODY}.{base64url(b'0' + RAW_SIGNATURE)}",
    "signature with one letter changed": (
        f"{HS_HEAD}.{HS_BODY}.{('A' if HS_SEAL[0] != 'A' else 'B') + HS_SEAL[1:]}"
    ),
    "signature of another token": f"{HEAD}.{HS_BODY}.{SEAL}",
    "payload exchanged": f"{HEAD}.{part({'role': 'supabase_admin'})}.{SEAL}",
    "payload exchanged, HS256": f"{HS_HEAD}.{part({'role': 'supabase_admin'})}.{HS_SEAL}",
    "header exchanged": f"{part({'alg': 'ES256', 'kid': KID, 'x': 1})}.{BODY}.{SEAL}",
    "padding where there is none": f"{HEAD}.{BODY}.{SEAL}==",
    "newline inside": f"{HEAD}.{BODY}\n.{SEAL}",
    "space before": f" {GENUINE}",
    "standard base64": f"{HEAD}.{BODY}+/.{SEAL}",
    "not ASCII": f"{HEAD}.{BODY}é.{SEAL}",
    "lone surrogate": f"{HEAD}.{BODY}\ud800.{SEAL}",
    "null byte": f"{GENUINE}\0",
    "none": f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
    "none with a signature": hs({"alg": "none"}, CLAIMS),
    "None": f"{part({'alg': 'None'})}.{part(CLAIMS)}.",
    "NONE": f"{part({'alg': 'NONE'})}.{part(CLAIMS)}.",
    "nOnE": f"{part({'alg': 'nOnE'})}.{part(CLAIMS)}.",
    "no algorithm": hs({"typ": "JWT"}, CLAIMS),
    "empty algorithm": hs({"alg": ""}, CLAIMS),
    "algorithm null": hs({"alg": None}, CLAIMS),
    "algorithm a list": hs({"alg": ["HS256"]}, CLAIMS),
    "algorithm a number": hs({"alg": 256}, CLAIMS),
    "algorithm in small letters": hs({"alg": "hs256"}, CLAIMS),
    "HS384 with our secret": hs({"alg": "HS384"}, CLAIMS, digest="sha384"),
    "HS512 with our secret": hs({"alg": "HS512"}, CLAIMS, digest="sha512"),
    "HS1": hs({"alg": "HS1"}, CLAIMS, digest="sha1"),
    "another secret": hs(HS_HEADER, CLAIMS, "another-secret-of-more-than-32-characters"),
    "empty secret": hs(HS_HEADER, CLAIMS, ""),
    "secret cut": hs(HS_HEADER, CLAIMS, SECRET[:-1]),
    "public key as secret, PEM": hs(HS_HEADER, CLAIMS, public_pem(OURS)),
    "public key as secret, JWK": hs(HS_HEADER, CLAIMS, json.dumps(OURS.public())),
    "public key as secret, with kid": hs({**HS_HEADER, "kid": KID}, CLAIMS, public_pem(OURS)),
    "our secret under the private key's name": hs({**HS_HEADER, "kid": KID}, CLAIMS),
    "our secret under an unknown name": hs({**HS_HEADER, "kid": "../../dev/null"}, CLAIMS),
    "ES256 said, HMAC made": hs({"alg": "ES256", "kid": KID}, CLAIMS),
    "RS256 said, HMAC made": hs({"alg": "RS256"}, CLAIMS),
    "stranger's key": Keyring(SECRET, [STRANGER]).sign(CLAIMS),
    "stranger's key under our name": jwt.encode(
        CLAIMS, private_key_of(STRANGER), "ES256", {"kid": KID}
    ),
    "stranger's key without a name": jwt.encode(CLAIMS, private_key_of(STRANGER), "ES256"),
    "stranger's key inside the token": jwt.encode(
        CLAIMS, private_key_of(STRANGER), "ES256", {"jwk": STRANGER.public()}
    ),
    "stranger's key at an address": jwt.encode(
        CLAIMS,
        private_key_of(STRANGER),
        "ES256",
        {"kid": KID, "jku": "http://127.0.0.1:1/jwks.json", "x5u": "http://127.0.0.1:1/x"},
    ),
    "RS256 by a stranger": jwt.encode(CLAIMS, RSA_KEY, "RS256", {"kid": KID}),
    "PS256": jwt.encode(CLAIMS, RSA_KEY, "PS256"),
    "ES384": jwt.encode(CLAIMS, P384, "ES384", {"kid": KID}),
    "kid a number": hs({**HS_HEADER, "kid": 1}, CLAIMS),
    "kid a table": hs({**HS_HEADER, "kid": {"$ne": None}}, CLAIMS),
    "unknown critical header": hs({**HS_HEADER, "crit": ["x"], "x": 1}, CLAIMS),
    "payload not encoded": hs({**HS_HEADER, "b64": False, "crit": ["b64"]}, CLAIMS),
    "header a list": hs(["HS256"], CLAIMS),
    "header a text": hs("HS256", CLAIMS),
    "header nested without end": f"{base64url(b'[' * 100_000)}.{BODY}.{SEAL}",
    "claims a list": hs(HS_HEADER, [CLAIMS]),
    "claims a text": hs(HS_HEADER, "service_role"),
    "claims null": hs(HS_HEADER, None),
    "claims a number": hs(HS_HEADER, 1),
    "expired": hs(HS_HEADER, {**CLAIMS, "exp": NOW - 1}),
    "expired long ago": hs(HS_HEADER, {**CLAIMS, "exp": -(10**30)}),
    "expiry a text": hs(HS_HEADER, {**CLAIMS, "exp": "2099"}),
    "expiry true": hs(HS_HEADER, {**CLAIMS, "exp": True}),
    "expiry a list": hs(HS_HEADER, {**CLAIMS, "exp": [NOW + 10]}),
    "expiry not a number": hs(HS_HEADER, {**CLAIMS, "exp": float("nan")}),
    "expiry infinite": hs(HS_HEADER, {**CLAIMS, "exp": float("inf")}),
    "valid later": hs(HS_HEADER, {**CLAIMS, "nbf": NOW + 3600}),
    "start a text": hs(HS_HEADER, {**CLAIMS, "nbf": "now"}),
    "issued later": hs(HS_HEADER, {**CLAIMS, "iat": NOW + 3600}),
    "issue a text": hs(HS_HEADER, {**CLAIMS, "iat": "now"}),
    "audience a number": hs(HS_HEADER, {**CLAIMS, "aud": 1}),
    "audience a list of numbers": hs(HS_HEADER, {**CLAIMS, "aud": [1]}),
}


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
        ring.verify(hs(HS_HEADER, {"n": number}))

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
