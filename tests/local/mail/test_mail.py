"""The inbox keeps every letter that comes to its SMTP door, and shows it to people and tests."""

from __future__ import annotations

import asyncio
import smtplib
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from nlctl.local import mail, ports
from nlctl.local.mail import Inbox, inbox
from tests.local import asking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


def write(
    to: str = "ada@example.test", subject: str = "Confirme ton adresse", text: str = "Bonjour Ada"
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "NotionLab <noreply@example.test>"
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    message.add_alternative(f"<p>{text} <a href='http://x.test/'>déjà</a></p>", subtype="html")
    return message


@pytest.fixture
def box(tmp_path: Path) -> Inbox:
    """An empty inbox."""
    return Inbox(tmp_path / "mail")


@dataclass(frozen=True)
class Reader:
    """Somebody who looks at an inbox."""

    box: Inbox

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asking.ask(mail.create(self.box), method, path, **options)


@pytest.fixture
def reader(box: Inbox) -> Reader:
    """Somebody who looks at the inbox."""
    return Reader(box)


@contextmanager
def door(box: Inbox) -> Iterator[int]:
    """The SMTP door of `box`, open at the port it yields."""
    loop = asyncio.new_event_loop()
    listening = ports.listen(ports.LOOPBACK, 0, exact=True)
    server = loop.run_until_complete(mail.serve(box, listening))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def subjects(reader: Reader, query: str | None = None) -> list[str]:
    path = "/api/v1/search" if query else "/api/v1/messages"
    found: dict[str, Any] = reader.get(path, params={"query": query} if query else {}).json()
    return [each["Subject"] for each in found["messages"]]


def test_a_letter_sent_by_smtp_arrives(box: Inbox, reader: Reader) -> None:
    with door(box) as port, smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(write())

    (listed,) = reader.get("/api/v1/messages").json()["messages"]
    assert listed["Subject"] == "Confirme ton adresse"
    assert listed["From"] == {"Name": "NotionLab", "Address": "noreply@example.test"}
    assert listed["To"] == [{"Name": "", "Address": "ada@example.test"}]
    letter = reader.get(f"/api/v1/message/{listed['ID']}").json()
    assert letter["Text"] == "Bonjour Ada\n"
    assert "<a href='http://x.test/'>déjà</a>" in letter["HTML"]


def test_accents_in_an_address_pass(box: Inbox, reader: Reader) -> None:
    with door(box) as port, smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(write(to="zoé@example.test"))

    (listed,) = reader.get("/api/v1/messages").json()["messages"]
    assert listed["To"][0]["Address"] == "zoé@example.test"


def test_a_letter_too_large_is_refused(box: Inbox) -> None:
    with (
        door(box) as port,
        smtplib.SMTP("127.0.0.1", port) as server,
        pytest.raises(smtplib.SMTPException, match="size exceeds"),
    ):
        server.sendmail("a@example.test", ["b@example.test"], b"x" * 76 + b"\r\n" * 6_000_000)

    assert box.letters() == []


def test_a_full_disk_is_said_to_the_sender(
    box: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_box: Inbox, _raw: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Inbox, "add", fail)
    with (
        door(box) as port,
        smtplib.SMTP("127.0.0.1", port) as server,
        pytest.raises(smtplib.SMTPDataError, match="452"),
    ):
        server.send_message(write())
    assert "No space left" in caplog.text


def test_the_newest_letter_comes_first(box: Inbox, reader: Reader) -> None:
    for number in range(3):
        box.add(write(subject=f"Lettre {number}").as_bytes())

    assert subjects(reader) == ["Lettre 2", "Lettre 1", "Lettre 0"]
    assert reader.get("/api/v1/message/latest").json()["Subject"] == "Lettre 2"


def test_pages_of_letters(box: Inbox, reader: Reader) -> None:
    for number in range(5):
        box.add(write(subject=f"Lettre {number}").as_bytes())

    page = reader.get("/api/v1/messages", params={"start": 1, "limit": 2}).json()

    assert [each["Subject"] for each in page["messages"]] == ["Lettre 3", "Lettre 2"]
    assert (page["total"], page["count"], page["start"]) == (5, 2, 1)


def test_a_letter_is_found_by_its_reader(box: Inbox, reader: Reader) -> None:
    box.add(write(to="ada@example.test", subject="Pour Ada").as_bytes())
    box.add(write(to="ben@example.test", subject="Pour Ben").as_bytes())

    assert subjects(reader, 'to:"ada@example.test"') == ["Pour Ada"]
    assert subjects(reader, "from:noreply@example.test subject:ben") == ["Pour Ben"]
    assert subjects(reader, "bonjour") == ["Pour Ben", "Pour Ada"]
    assert subjects(reader, "to:nobody@example.test") == []


def test_the_oldest_letters_make_room(tmp_path: Path) -> None:
    small = Inbox(tmp_path, kept=3)
    for number in range(5):
        small.add(write(subject=str(number)).as_bytes())

    kept = [inbox.read(letter).subject for letter in small.letters()]
    assert kept == ["4", "3", "2"]


def test_letters_survive_a_restart(box: Inbox, tmp_path: Path) -> None:
    letter = box.add(write().as_bytes())

    assert Inbox(tmp_path / "mail").letters() == [letter]


def test_named_letters_are_deleted(box: Inbox, reader: Reader) -> None:
    gone, kept = box.add(b"Subject: a\n\n"), box.add(b"Subject: b\n\n")

    reader.ask("DELETE", "/api/v1/messages", json={"IDs": [gone.identifier]})

    assert box.letters() == [kept]


def test_all_letters_are_deleted(box: Inbox, reader: Reader) -> None:
    box.add(b"Subject: a\n\n")

    assert reader.ask("DELETE", "/api/v1/messages").text == "ok"

    assert box.letters() == []


@pytest.mark.parametrize("body", ["[]", "{", "1"])
def test_a_broken_deletion_deletes_nothing(box: Inbox, reader: Reader, body: str) -> None:
    box.add(b"Subject: a\n\n")

    assert reader.ask("DELETE", "/api/v1/messages", content=body).status_code == 400

    assert len(box.letters()) == 1


@pytest.mark.parametrize("name", ["nothing", "0" * 22, "..%2F..%2Fsecret", "../secret"])
@pytest.mark.parametrize(
    "path", ["/api/v1/message/{}", "/api/v1/message/{}/raw", "/view/{}", "/view/{}/body"]
)
def test_a_letter_that_is_not_there(
    box: Inbox, reader: Reader, tmp_path: Path, path: str, name: str
) -> None:
    (tmp_path / "secret.eml").write_text("Subject: secret\n\n")

    assert reader.get(path.format(name)).status_code == 404


def test_an_attachment_is_listed(box: Inbox, reader: Reader) -> None:
    message = write()
    message.add_attachment(b"12345", "application", "pdf", filename="bulletin.pdf")
    box.add(message.as_bytes())

    (attachment,) = reader.get("/api/v1/message/latest").json()["Attachments"]
    assert attachment == {"FileName": "bulletin.pdf", "ContentType": "application/pdf", "Size": 5}


def test_people_read_letters_on_a_page(box: Inbox, reader: Reader) -> None:
    letter = box.add(write(subject="<script>alert(1)</script>").as_bytes())

    listing = reader.get("/").text
    page = reader.get(f"/view/{letter.identifier}").text

    assert f'href="view/{letter.identifier}"' in listing
    assert "<script>" not in listing + page
    assert "Bonjour Ada" in page


def test_a_letter_runs_nothing_in_the_page(box: Inbox, reader: Reader) -> None:
    letter = box.add(write().as_bytes())

    body = reader.get(f"/view/{letter.identifier}/body")

    assert body.headers["content-security-policy"].startswith("default-src 'none'")
    assert "allow-scripts" not in reader.get(f"/view/{letter.identifier}").text


def test_pages_of_others_may_not_read_letters(box: Inbox, reader: Reader) -> None:
    answer = reader.get("/api/v1/messages", headers={"origin": "https://elsewhere.test"})

    assert "access-control-allow-origin" not in answer.headers


@given(some.binary(max_size=300))
def test_any_bytes_can_be_read(raw: bytes) -> None:
    inbox.read(inbox.Letter("0" * 22, raw))


HEADERS = ("From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version")
VALUES = ("text/html; charset=nobody", "multipart/mixed", "multipart/mixed; boundary=x", "base64",
          "=?utf-8?q?=E9?=", "<>", "a@b, <c", "\"", "message/rfc822", "text/plain")  # fmt: skip


@given(
    some.lists(some.tuples(some.sampled_from(HEADERS), some.sampled_from(VALUES)), max_size=6),
    some.sampled_from(["", "é", "--x\n\nhello\n--x--", "--x\nContent-Type: text/html\n\n\xe9"]),
)
def test_any_letter_can_be_read(headers: list[tuple[str, str]], body: str) -> None:
    head = "\n".join(f"{name}: {value}" for name, value in headers)

    inbox.read(inbox.Letter("0" * 22, f"{head}\n\n{body}".encode("latin-1")))
