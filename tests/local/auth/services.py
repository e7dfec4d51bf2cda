"""A running Auth service, the letters it sends, and people who ask it things."""

from __future__ import annotations

import email
import email.policy
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from aiosmtpd.controller import Controller

from nlctl.local import auth
from nlctl.local.tokens import Keyring, make_signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from tests.databases import Database

SITE = "http://127.0.0.1:3000"
SECRET = "a-secret-that-only-these-tests-know-of"
PASSWORD = "correct horse 1"
PATIENCE_SECONDS = 60

T = TypeVar("T")


@dataclass
class Outbox:
    """Where letters end up."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)

    def to(self, address: str) -> EmailMessage:
        """The latest letter to this address."""
        found = [letter for letter in self.letters if letter["To"] == address]
        assert found, f"no letter to {address}, only to {[letter['To'] for letter in self.letters]}"
        return found[-1]

    def code(self, address: str) -> str:
        """The code in the latest letter."""
        found = re.search(r"\b\d{6}\b", text_of(self.to(address)))
        assert found
        return found[0]

    def link(self, address: str) -> str:
        """The link in the latest letter."""
        found = re.search(r"http\S+/verify\S+", text_of(self.to(address)))
        assert found
        return found[0]

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a letter in."""
        content = envelope.content
        assert isinstance(content, bytes)
        self.letters.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 OK"


@dataclass(frozen=True)
class Running:
    """An Auth service that answers at `url`."""

    config: auth.AuthConfig
    keyring: Keyring
    database: Database
    outbox: Outbox
    http: httpx.Client

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.config.external_url

    @property
    def service_key(self) -> str:
        """What a server shows."""
        return self.keyring.sign({"role": "service_role", "iss": "supabase-demo"})

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", **options: Any
    ) -> httpx.Response:
        """One request, with a token where there is one."""
        headers = dict(options.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.http.request(method, path, json=body, headers=headers, **options)

    def admin(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """The same as a server."""
        return self.ask(method, path, body, token=self.service_key, **options)

    def sign_up(self, address: str, **more: Any) -> dict[str, Any]:
        """What a successful sign-up answers."""
        body = {"email": address, "password": PASSWORD, **more}
        return succeeded(self.ask("POST", "/signup", body))

    def sign_in(self, address: str, password: str = PASSWORD) -> dict[str, Any]:
        """A session by password."""
        body = {"email": address, "password": password}
        return succeeded(self.ask("POST", "/token?grant_type=password", body))

    def refresh(self, token: str) -> httpx.Response:
        """What a refresh answers."""
        body = {"refresh_token": token}
        return self.ask("POST", "/token?grant_type=refresh_token", body)

    def follow(self, link: str) -> Landing:
        """Follow a link as a browser does, and say where it leads."""
        answer = self.http.get(link.removeprefix(self.url))
        assert answer.status_code == 303, answer.text
        return Landing(answer.headers["location"])

    def claims(self, session: dict[str, Any]) -> dict[str, Any]:
        """What the session's token says."""
        return self.keyring.verify(session["access_token"])


@dataclass(frozen=True)
class Landing:
    """Where a browser ended up."""

    address: str

    @property
    def page(self) -> str:
        """The address alone."""
        return urlsplit(self.address)._replace(query="", fragment="").geturl()

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark."""
        return _flat(urlsplit(self.address).query)

    @property
    def fragment(self) -> dict[str, str]:
        """What stands behind the hash."""
        return _flat(urlsplit(self.address).fragment)


def at_once(act: Callable[[], T], times: int = 2) -> list[T]:
    """What `act` returns to several callers who do it together."""
    ready = threading.Barrier(times)

    def run() -> T:
        ready.wait(PATIENCE_SECONDS)
        return act()

    with ThreadPoolExecutor(times) as pool:
        return [done.result() for done in [pool.submit(run) for _ in range(times)]]


def succeeded(answer: httpx.Response) -> dict[str, Any]:
    """The body of a 200."""
    assert answer.status_code == 200, (answer.status_code, answer.text)
    body = answer.json()
    assert isinstance(body, dict)
    return body


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which name themselves the same everywhere."""
    body = answer.json()
    assert answer.headers["x-sb-error-code"] == body["code"]
    return answer.status_code, body["code"], body["message"]


def text_of(letter: EmailMessage) -> str:
    """The plain text of a letter."""
    part = letter.get_body(("plain",))
    assert part
    return str(part.get_content())


@contextmanager
def catch_letters() -> Iterator[Outbox]:
    """An SMTP server for as long as the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outbox = Outbox(port)
    controller = Controller(outbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield outbox
    finally:
        controller.stop()


@contextmanager
def serve(database: Database, outbox: Outbox, **settings: Any) -> Iterator[Running]:
    """An Auth service for as long as the block."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = auth.AuthConfig(
            **{
                "database_url": database.auth_admin_url,
                "external_url": url,
                "site_url": SITE,
                "smtp_port": outbox.port,
                "mail_interval": 0,
                **settings,
            }
        )
        keyring = Keyring(SECRET, [make_signing_key()])
        with _run(auth.create(config, keyring), listening), _client(url) as http:
            yield Running(config, keyring, database, outbox, http)


def _client(url: str) -> httpx.Client:
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    return httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS)


@contextmanager
def _run(app: Any, listening: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(app, loop="asyncio", ws="none", lifespan="on", log_config=None)
    )
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            assert time.monotonic() < deadline, "the service takes too long to start"
            time.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
