"""Forgery: tokens that look like a project's and must open nothing."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from nlctl.local import keys, tokens
from nlctl.local.tokens import Keyring, SigningKey

SECRET = keys.JWT_SECRET
CLAIMS = {"role": "service_role", "sub": "11111111-1111-4111-8111-111111111111"}
HS_HEADER = {"alg": "HS256", "typ": "JWT"}
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P384 = ec.generate_private_key(ec.SECP384R1())


def genuine(key: SigningKey, now: int) -> str:
    """A token of the project that signs with `key`, good for an hour."""
    return Keyring(SECRET, [key]).sign({**CLAIMS, "exp": now + 3600})


def forge(ours: SigningKey) -> dict[str, str]:
    """Tokens for a project that signs with `ours` and has the usual secret, by what is wrong."""
    now = int(time.time())
    stranger = tokens.make_signing_key()
    token = genuine(ours, now)
    head, body, seal = token.split(".")
    hs_head, hs_body, hs_seal = hs(HS_HEADER, CLAIMS).split(".")
    raw_signature = base64.urlsafe_b64decode(seal + "==")
    kid = ours.identifier
    return {
        "empty": "",
        "blank": " ",
        "dots": "..",
        "one part": head,
        "two parts": f"{head}.{body}",
        "four parts": f"{token}.{seal}",
        "five parts, encrypted form": f"{head}.{body}.{seal}.{body}.{seal}",
        "opaque key": keys.SECRET_KEY,
        "random letters": "quifquirndsjagnrgniur.fonvoienqhhdj.iuqvnvhojah",
        "no signature": f"{head}.{body}.",
        "no signature, HS256": f"{hs_head}.{hs_body}.",
        "no header": f".{body}.{seal}",
        "no payload": f"{head}..{seal}",
        "signature cut": f"{head}.{body}.{seal[:-4]}",
        "signature grown": f"{head}.{body}.{seal}AAAA",
        "signature of zeros": f"{head}.{body}.{base64url(bytes(64))}",
        "signature of r and s swapped": (
            f"{head}.{body}.{base64url(raw_signature[32:] + raw_signature[:32])}"
        ),
        "signature in DER": f"{head}.{body}.{base64url(b'0' + raw_signature)}",
        "signature with one letter changed": (
            f"{hs_head}.{hs_body}.{('A' if hs_seal[0] != 'A' else 'B') + hs_seal[1:]}"
        ),
        "signature of another token": f"{head}.{hs_body}.{seal}",
        "payload exchanged": f"{head}.{part({'role': 'supabase_admin'})}.{seal}",
        "payload exchanged, HS256": f"{hs_head}.{part({'role': 'supabase_admin'})}.{hs_seal}",
        "header exchanged": f"{part({'alg': 'ES256', 'kid': kid, 'x': 1})}.{body}.{seal}",
        "padding where there is none": f"{head}.{body}.{seal}==",
        "newline inside": f"{head}.{body}\n.{seal}",
        "space before": f" {token}",
        "standard base64": f"{head}.{body}+/.{seal}",
        "not ASCII": f"{head}.{body}é.{seal}",
        "lone surrogate": f"{head}.{body}\ud800.{seal}",
        "null byte": f"{token}\0",
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
        "public key as secret, PEM": hs(HS_HEADER, CLAIMS, public_pem(ours)),
        "public key as secret, JWK": hs(HS_HEADER, CLAIMS, json.dumps(ours.public())),
        "public key as secret, with kid": hs({**HS_HEADER, "kid": kid}, CLAIMS, public_pem(ours)),
        "our secret under the private key's name": hs({**HS_HEADER, "kid": kid}, CLAIMS),
        "our secret under an unknown name": hs({**HS_HEADER, "kid": "../../dev/null"}, CLAIMS),
        "ES256 said, HMAC made": hs({"alg": "ES256", "kid": kid}, CLAIMS),
        "RS256 said, HMAC made": hs({"alg": "RS256"}, CLAIMS),
        "stranger's key": Keyring(SECRET, [stranger]).sign(CLAIMS),
        "stranger's key under our name": jwt.encode(
            CLAIMS, private_key_of(stranger), "ES256", {"kid": kid}
        ),
        "stranger's key without a name": jwt.encode(CLAIMS, private_key_of(stranger), "ES256"),
        "stranger's key inside the token": jwt.encode(
            CLAIMS, private_key_of(stranger), "ES256", {"jwk": stranger.public()}
        ),
        "stranger's key at an address": jwt.encode(
            CLAIMS,
            private_key_of(stranger),
            "ES256",
            {"kid": kid, "jku": "http://127.0.0.1:1/jwks.json", "x5u": "http://127.0.0.1:1/x"},
        ),
        "RS256 by a stranger": jwt.encode(CLAIMS, RSA_KEY, "RS256", {"kid": kid}),
        "PS256": jwt.encode(CLAIMS, RSA_KEY, "PS256"),
        "ES384": jwt.encode(CLAIMS, P384, "ES384", {"kid": kid}),
        "kid a number": hs({**HS_HEADER, "kid": 1}, CLAIMS),
        "kid a table": hs({**HS_HEADER, "kid": {"$ne": None}}, CLAIMS),
        "unknown critical header": hs({**HS_HEADER, "crit": ["x"], "x": 1}, CLAIMS),
        "payload not encoded": hs({**HS_HEADER, "b64": False, "crit": ["b64"]}, CLAIMS),
        "header a list": hs(["HS256"], CLAIMS),
        "header a text": hs("HS256", CLAIMS),
        "header nested without end": f"{base64url(b'[' * 100_000)}.{body}.{seal}",
        "claims a list": hs(HS_HEADER, [CLAIMS]),
        "claims a text": hs(HS_HEADER, "service_role"),
        "claims null": hs(HS_HEADER, None),
        "claims a number": hs(HS_HEADER, 1),
        "expired": hs(HS_HEADER, {**CLAIMS, "exp": now - 1}),
        "expired long ago": hs(HS_HEADER, {**CLAIMS, "exp": -(10**30)}),
        "expiry a text": hs(HS_HEADER, {**CLAIMS, "exp": "2099"}),
        "expiry true": hs(HS_HEADER, {**CLAIMS, "exp": True}),
        "expiry a list": hs(HS_HEADER, {**CLAIMS, "exp": [now + 10]}),
        "expiry not a number": hs(HS_HEADER, {**CLAIMS, "exp": float("nan")}),
        "expiry infinite": hs(HS_HEADER, {**CLAIMS, "exp": float("inf")}),
        "valid later": hs(HS_HEADER, {**CLAIMS, "nbf": now + 3600}),
        "start a text": hs(HS_HEADER, {**CLAIMS, "nbf": "now"}),
        "issued later": hs(HS_HEADER, {**CLAIMS, "iat": now + 3600}),
        "issue a text": hs(HS_HEADER, {**CLAIMS, "iat": "now"}),
        "audience a number": hs(HS_HEADER, {**CLAIMS, "aud": 1}),
        "audience a list of numbers": hs(HS_HEADER, {**CLAIMS, "aud": [1]}),
    }


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
