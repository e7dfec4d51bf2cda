"""The stack that tests call over HTTP: the embedded one, or any project by its addresses.

NLCTL_TEST_STACK says which: `embedded` (the default), `docker` (Supabase's own images, see
containers.py) or `url` (NLCTL_TEST_API_URL, _DATABASE_URL, _MAIL_URL, _PUBLISHABLE_KEY and
_SECRET_KEY; the database has the product in it already).
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from nlctl.local import assembly, settings, tokens
from nlctl.project import Project
from supabase import Client, ClientOptions, create_client
from tests import checkouts, containers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.local.tokens import SigningKey
    from tests.checkouts import Checkout

PASSWORD = "Correct-horse-9"
MAIL_SECONDS = 30
SIGNING_KEYS = Path(".nlctl", "signing_keys.json")
TOLD = ("API_URL", "DATABASE_URL", "MAIL_URL", "PUBLISHABLE_KEY", "SECRET_KEY")


@dataclass(frozen=True)
class Stack:
    """A running backend with the product in it, whoever serves it."""

    api_url: str
    database_url: str
    mail_url: str
    publishable_key: str
    secret_key: str
    root: Path | None = None
    open_clients: list[httpx.Client] = field(default_factory=list)

    def anon(self, **options: Any) -> Client:
        """A visitor, with a real client."""
        return self._client(self.publishable_key, options)

    def service(self, **options: Any) -> Client:
        """A server that holds the secret key, with a real client."""
        return self._client(self.secret_key, options)

    def person(self, kind: str = "client", *, name: str | None = None) -> Client:
        """Somebody new, signed in: a real client of theirs."""
        email = new_address(name or kind)
        made = self.service().auth.admin.create_user(
            {
                "email": email,
                "password": PASSWORD,
                "email_confirm": True,
                "user_metadata": {"first_name": name} if name else {},
            }
        )
        if kind != "client":
            self.set_type(made.user.id, kind)
        client = self.anon()
        client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        return client

    def set_type(self, user_id: str, kind: str) -> None:
        """Make somebody staff, as an owner would."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "update public.profiles set user_type_id = %s where id = %s", (kind, user_id)
            )

    def signing_key(self) -> SigningKey | None:
        """What sessions are signed with, where the project is on this machine."""
        if self.root is None:
            return None
        return tokens.read_signing_keys(self.root / SIGNING_KEYS)[0]

    def letter(self, address: str) -> dict[str, Any]:
        """The newest letter to `address`, once it is there."""
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            found = self._read(f"search?query=to:{address}")["messages"]
            if found:
                return self._read(f"message/{found[0]['ID']}")
        raise AssertionError(f"No letter to {address} came in {MAIL_SECONDS} s.")

    def close(self) -> None:
        """Close every client that was handed out."""
        for http in self.open_clients:
            http.close()

    def _read(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.mail_url}/api/v1/{path}", timeout=30).json()
        return answer

    def _client(self, key: str, options: dict[str, Any]) -> Client:
        http = httpx.Client(timeout=30)
        self.open_clients.append(http)
        chosen = ClientOptions(auto_refresh_token=False, httpx_client=http, **options)
        return create_client(self.api_url, key, chosen)


def new_address(name: str) -> str:
    """An e-mail address that nobody has yet."""
    return f"{name.lower()}-{uuid4().hex[:8]}@example.test"


@contextmanager
def running() -> Iterator[Stack]:
    """The stack that NLCTL_TEST_STACK names, until the end of the block."""
    kind = os.environ.get("NLCTL_TEST_STACK", "embedded")
    starts = {"embedded": _embedded, "docker": _docker, "url": _by_url}
    if kind not in starts:
        pytest.fail(f"NLCTL_TEST_STACK is {' or '.join(starts)}, not {kind!r}.", pytrace=False)
    with starts[kind]() as stack:
        try:
            yield stack
        finally:
            stack.close()


@contextmanager
def _embedded() -> Iterator[Stack]:
    checkout = checkouts.copy()
    try:
        told = checkout.answer("up")
        yield Stack(
            told["api_url"], told["database_url"], told["mail_url"], told["publishable_key"],
            told["secret_key"], checkout.root,
        )  # fmt: skip
    finally:
        checkout.remove()


@contextmanager
def _docker() -> Iterator[Stack]:
    containers.require_engine()
    checkout = checkouts.copy()
    project = Project(checkout.root)
    asked = settings.read(project)
    try:
        assembly.keyring(project, asked)  # makes the file of signing keys
        signing_keys = tokens.read_signing_keys(checkout.root / SIGNING_KEYS)
        with containers.running(asked, signing_keys) as told:
            _fill(checkout, told.database_url)
            yield Stack(
                told.api_url, told.database_url, told.mail_url, told.publishable_key,
                told.secret_key, checkout.root,
            )  # fmt: skip
    finally:
        checkout.remove()


def _fill(checkout: Checkout, database_url: str) -> None:
    """Put the product into a fresh project, as an operator would."""
    memory = checkout.root / ".nlctl" / "stack.json"
    memory.write_text(json.dumps({"database_url": database_url}))
    for command in ("migrate up", "seed apply", "theme push", "storage sync"):
        checkout.answer(*command.split())


@contextmanager
def _by_url() -> Iterator[Stack]:
    names = [f"NLCTL_TEST_{name}" for name in TOLD]
    missing = [name for name in names if name not in os.environ]
    if missing:
        pytest.fail(f"NLCTL_TEST_STACK=url needs {', '.join(missing)} too.", pytrace=False)
    api, database, mail, publishable, secret = (os.environ[name] for name in names)
    yield Stack(api, database, mail, publishable, secret)
