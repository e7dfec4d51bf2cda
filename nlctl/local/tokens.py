"""Tokens: what sessions are signed with, and which tokens are believed."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SYMMETRIC = "HS256"
ASYMMETRIC = ("ES256", "RS256")
REMEMBERED = 1024
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "key_ops"})


class Flaw(StrEnum):
    """Why a token is not believed, by what a caller could do about it."""

    shape = "shape"  # not three parts of base64 and JSON
    algorithm = "algorithm"
    key = "key"  # no key of ours made this signature
    claims = "claims"  # a claim is of the wrong kind
    expired = "expired"
    not_yet = "not_yet"
    issued_in_future = "issued_in_future"


class TokenRejected(Exception):
    """A token that is not believed; message and details are the Data API's own words."""

    def __init__(self, flaw: Flaw, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.flaw = flaw
        self.message = message
        self.details = details


@dataclass(frozen=True)
class SigningKey:
    """A private key as config.toml's signing keys file holds it: a JWK."""

    document: dict[str, Any] = field(repr=False)

    @property
    def identifier(self) -> str | None:
        """What tokens name it by, in their header's kid."""
        return self.document.get("kid")

    @property
    def algorithm(self) -> str:
        """ES256 or RS256."""
        return str(self.document.get("alg") or _ALGORITHMS.get(self.document["kty"]))

    def public(self) -> dict[str, Any]:
        """The half that everybody may have."""
        shared = {k: v for k, v in self.document.items() if k not in PRIVATE_MEMBERS}
        return {**shared, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}


_ALGORITHMS = {"EC": "ES256", "RSA": "RS256"}
_LETTERS = re.compile(r"[A-Za-z0-9_.-]+")  # base64url without padding


class Keyring:
    """The keys of one project: `secret` for HS256, and the private keys it may have.

    The first private key signs; where there is none, the secret does. All of them are believed,
    each for its own algorithm only.
    """

    def __init__(self, secret: str, signing_keys: Iterable[SigningKey] = ()) -> None:
        self._secret = secret.encode()
        self._keys = tuple(signing_keys)
        self._private = [_load(key.document, key.algorithm) for key in self._keys]
        public = [_load(key.public(), key.algorithm) for key in self._keys]
        self._public = list(zip(self._keys, public, strict=True))
        self._believed: dict[str, dict[str, Any]] = {}

    def sign(self, claims: dict[str, Any]) -> str:
        """A token that says `claims`."""
        if not self._keys:
            return jwt.encode(claims, self._secret, SYMMETRIC)
        key, private = self._keys[0], self._private[0]
        headers = {"kid": key.identifier} if key.identifier else None
        return jwt.encode(claims, private, key.algorithm, headers)

    def verify(self, token: str, *, leeway: int = 0) -> dict[str, Any]:
        """The claims of a token of ours that holds now, give or take `leeway` seconds.

        A token's signature is checked once and its moments each time. The claims are shared
        between callers: read them, never change them.
        """
        claims = self._believed.get(token)
        if claims is None:
            claims = self._open(token)
            self._remember(token, claims)
        _check_moments(claims, time.time(), leeway)
        return claims

    def jwks(self) -> dict[str, Any]:
        """The public keys, as /.well-known/jwks.json shows them; never the secret."""
        return {"keys": [key.public() for key in self._keys]}

    def _open(self, token: str) -> dict[str, Any]:
        header = _header(token)
        algorithm = header.get("alg")
        if algorithm not in (SYMMETRIC, *ASYMMETRIC):
            raise _unsupported(algorithm)
        candidates = self._candidates(algorithm, header.get("kid"))
        if not candidates:
            raise _no_key("No suitable key was found to decode the JWT")
        for key in candidates:
            payload = _payload(token, key, algorithm)
            if payload is not None:
                return _claims(payload)
        raise _no_key("None of the keys was able to decode the JWT")

    def _candidates(self, algorithm: str, identifier: object) -> list[Any]:
        if algorithm == SYMMETRIC:
            return [] if identifier else [self._secret]
        return [
            public
            for key, public in self._public
            if key.algorithm == algorithm and identifier in (None, key.identifier)
        ]

    def _remember(self, token: str, claims: dict[str, Any]) -> None:
        if len(self._believed) >= REMEMBERED:
            del self._believed[next(iter(self._believed))]
        self._believed[token] = claims


def make_signing_key() -> SigningKey:
    """A new ES256 key, in the form `supabase gen signing-key` gives it."""
    made = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    described = {"kid": str(uuid4()), "use": "sig", "alg": "ES256", "key_ops": ["sign", "verify"]}
    return SigningKey({**made, **described, "ext": True})


def read_signing_keys(path: Path) -> list[SigningKey]:
    """The private keys in `path`, the one that signs first."""
    try:
        found = [SigningKey(each) for each in _list(json.loads(path.read_text(encoding="utf-8")))]
        Keyring("", found)
    except OSError as error:
        raise InvalidInput(
            f"The signing keys {path.name} cannot be read: {error.strerror}.",
            hint="Mend auth.signing_keys_path in supabase/config.toml.",
        ) from error
    except (ValueError, TypeError, LookupError, AttributeError, jwt.PyJWTError) as error:
        raise InvalidInput(
            f"{path.name} is not a list of private ES256 or RS256 keys (JWK)."
        ) from error
    return sorted(found, key=lambda each: "sign" not in each.document.get("key_ops", ["sign"]))


def write_signing_keys(path: Path, signing_keys: Iterable[SigningKey]) -> None:
    """Keep private keys in `path`, for its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    documents = [key.document for key in signing_keys]
    path.write_text(json.dumps(documents, indent=2), encoding="utf-8")


def _list(documents: Any) -> list[dict[str, Any]]:
    if not isinstance(documents, list) or not documents or not all("d" in d for d in documents):
        raise ValueError("not a list of private keys")
    return documents


def _load(document: dict[str, Any], algorithm: str) -> Any:
    if algorithm not in ASYMMETRIC:
        raise jwt.InvalidKeyError(f"{algorithm} is not one of {', '.join(ASYMMETRIC)}")
    return jwt.PyJWK(document, algorithm).key


def _header(token: str) -> dict[str, Any]:
    if not token:
        raise TokenRejected(Flaw.shape, "Empty JWT is sent in Authorization header")
    parts = token.count(".") + 1
    if parts != 3:
        raise TokenRejected(Flaw.shape, f"Expected 3 parts in JWT; got {parts}")
    if not _LETTERS.fullmatch(token):
        raise _undecodable()
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise _undecodable() from error


def _payload(token: str, key: Any, algorithm: str) -> bytes | None:
    """What the token carries, or None where `key` did not sign it."""
    try:
        return bytes(jwt.api_jws.decode(token, key, algorithms=[algorithm]))
    except jwt.InvalidSignatureError:
        return None
    except (jwt.PyJWTError, ValueError) as error:
        raise _undecodable() from error


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise TokenRejected(Flaw.claims, "Parsing claims failed") from error
    if not isinstance(claims, dict):
        raise TokenRejected(Flaw.claims, "Parsing claims failed")
    _check_kinds(claims)
    return claims


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_kinds(claims: dict[str, Any]) -> None:
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise TokenRejected(Flaw.claims, f"The JWT '{name}' claim must be a number")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience or ""]
    if not all(isinstance(each, str) for each in audiences):
        raise TokenRejected(
            Flaw.claims, "The JWT 'aud' claim must be a string or an array of strings"
        )


def _check_moments(claims: dict[str, Any], now: float, leeway: int) -> None:
    if (expiry := claims.get("exp")) is not None and now - leeway >= expiry:
        raise TokenRejected(Flaw.expired, "JWT expired")
    if (start := claims.get("nbf")) is not None and now + leeway < start:
        raise TokenRejected(Flaw.not_yet, "JWT not yet valid")
    if (issued := claims.get("iat")) is not None and now + leeway < issued:
        raise TokenRejected(Flaw.issued_in_future, "JWT issued at future")


def _undecodable() -> TokenRejected:
    return TokenRejected(Flaw.shape, "JWT cryptographic operation failed")


def _no_key(details: str) -> TokenRejected:
    return TokenRejected(Flaw.key, "No suitable key or wrong key type", details)


def _unsupported(algorithm: object) -> TokenRejected:
    details = (
        "JWT is unsecured but expected 'alg' was not 'none'"
        if algorithm == "none"
        else f"Algorithm {algorithm} is not one of {', '.join((SYMMETRIC, *ASYMMETRIC))}"
    )
    return TokenRejected(Flaw.algorithm, "Wrong or unsupported encoding algorithm", details)
