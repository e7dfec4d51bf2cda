"""Passwords: how they are kept, compared and judged."""

from __future__ import annotations

import asyncio
import secrets
import string
from typing import TYPE_CHECKING

import bcrypt

from nlctl.local.auth.errors import Refusal, invalid

if TYPE_CHECKING:
    from nlctl.local.auth.config import AuthConfig

MAXIMUM_LENGTH = 72  # bytes; bcrypt reads no further
COST = 10
GENERATED_LENGTH = 40


async def digest(password: str) -> str:
    """The bcrypt hash, computed beside the event loop."""
    hashed = await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt(COST))
    return hashed.decode()


async def matches(password: str, digest: str) -> bool:
    """Whether `digest` was made from `password`; no digest matches nothing."""
    if not is_digest(digest):
        return False
    tried = password.encode()[:MAXIMUM_LENGTH]
    return await asyncio.to_thread(bcrypt.checkpw, tried, digest.encode())


def is_digest(text: str) -> bool:
    """Whether this is a bcrypt hash, the one form this service keeps."""
    return len(text) == 60 and text.startswith(("$2a$", "$2b$", "$2y$"))


def generate(config: AuthConfig) -> str:
    """A password nobody will ever type, strong enough for this project."""
    must_have = [secrets.choice(characters) for characters in config.required_characters]
    alphabet = string.ascii_letters + string.digits
    filler = [secrets.choice(alphabet) for _ in range(GENERATED_LENGTH - len(must_have))]
    return "".join(must_have + filler)


def check(config: AuthConfig, password: str) -> None:
    """Refuse a password that is too long or too weak."""
    if len(password.encode()) > MAXIMUM_LENGTH:
        raise invalid(f"Password cannot be longer than {MAXIMUM_LENGTH} characters")
    weakness = find_weakness(config, password)
    if weakness:
        raise weakness


def find_weakness(config: AuthConfig, password: str) -> Refusal | None:
    """What is weak about a password, as the refusal the clients know."""
    reasons, messages = [], []
    minimum = config.minimum_password_length
    if len(password.encode()) < minimum:
        reasons.append("length")
        messages.append(f"Password should be at least {minimum} characters.")
    required = config.required_characters
    if not all(set(characters) & set(password) for characters in required):
        reasons.append("characters")
        sets = ", ".join(required)
        messages.append(f"Password should contain at least one character of each: {sets}.")
    if not reasons:
        return None
    return Refusal(422, "weak_password", " ".join(messages), weak_password={"reasons": reasons})
