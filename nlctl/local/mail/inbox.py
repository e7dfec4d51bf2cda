"""Letters on disk, newest first, never more than a folder's worth."""

from __future__ import annotations

import email
import email.policy
import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import Message
    from pathlib import Path

KEPT = 500
SNIPPET = 250
LATEST = "latest"

_IDENTIFIER = re.compile(r"[0-9a-f]{8,40}")


class Address(NamedTuple):
    """Somebody in a letter's head."""

    name: str
    address: str


@dataclass(frozen=True)
class Letter:
    """One letter as it arrived, with what people look for in it."""

    identifier: str
    raw: bytes

    @property
    def arrived_at(self) -> datetime:
        """The identifier begins with the moment, in nanoseconds."""
        return datetime.fromtimestamp(int(self.identifier[:16], 16) / 1e9, UTC)


@dataclass(frozen=True)
class Contents:
    """What a letter says."""

    sender: Address
    to: list[Address]
    cc: list[Address]
    reply_to: list[Address]
    subject: str
    message_id: str
    text: str
    html: str
    attachments: list[dict[str, Any]]

    @property
    def snippet(self) -> str:
        """Its first words."""
        return " ".join(self.text.split())[:SNIPPET]

    def speaks_of(self, words: Iterable[str]) -> bool:
        """Whether each word is in it; `to:`, `from:` and `subject:` say where."""
        places = {
            "to": " ".join(each.address for each in self.to),
            "from": self.sender.address,
            "subject": self.subject,
        }
        everywhere = " ".join((*places.values(), self.text)).lower()
        for word in words:
            place, colon, sought = word.lower().partition(":")
            inside = places[place].lower() if colon and place in places else everywhere
            if (sought if colon and place in places else word.lower()).strip('"') not in inside:
                return False
        return True


def read(letter: Letter) -> Contents:
    """What a letter says, whatever is wrong with it."""
    # The newer policies of the standard library fail on some malformed headers.
    message = email.message_from_bytes(letter.raw, policy=email.policy.compat32)
    senders = _addresses(message, "from")
    parts = [part for part in message.walk() if not part.is_multipart()]
    bodies = [part for part in parts if not _is_attached(part)]
    return Contents(
        sender=senders[0] if senders else Address("", ""),
        to=_addresses(message, "to"),
        cc=_addresses(message, "cc"),
        reply_to=_addresses(message, "reply-to"),
        subject=" ".join(_header(message, "subject")),
        message_id=" ".join(_header(message, "message-id")).strip("<>"),
        text=_text(bodies, "text/plain"),
        html=_text(bodies, "text/html"),
        attachments=[_describe(part) for part in parts if _is_attached(part)],
    )


class Inbox:
    """The letters in `folder`; safe to open again after a kill."""

    def __init__(self, folder: Path, *, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, raw: bytes) -> Letter:
        """Keep a letter; the oldest make room for it."""
        letter = Letter(f"{time.time_ns():016x}{secrets.token_hex(3)}", raw)
        partial = self._folder / f"{letter.identifier}.{os.getpid()}"
        partial.write_bytes(raw)
        partial.replace(self._path(letter.identifier))
        for old in self._identifiers()[self._kept :]:
            self._path(old).unlink(missing_ok=True)
        return letter

    def letters(self) -> list[Letter]:
        """All of them, newest first."""
        found = (self.find(identifier) for identifier in self._identifiers())
        return [letter for letter in found if letter]

    def find(self, identifier: str) -> Letter | None:
        """One letter by its identifier, or the `latest`."""
        if identifier == LATEST:
            identifier = next(iter(self._identifiers()), "")
        if not _IDENTIFIER.fullmatch(identifier):
            return None
        try:
            return Letter(identifier, self._path(identifier).read_bytes())
        except FileNotFoundError:
            return None

    def remove(self, identifiers: Iterable[str] | None = None) -> None:
        """Throw these letters away, or all of them."""
        for identifier in self._identifiers() if identifiers is None else identifiers:
            if _IDENTIFIER.fullmatch(identifier):
                self._path(identifier).unlink(missing_ok=True)

    def _path(self, identifier: str) -> Path:
        return self._folder / f"{identifier}.eml"

    def _identifiers(self) -> list[str]:
        return sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)


def _header(message: Message, name: str) -> list[str]:
    return [_decode(value) for key, value in message.raw_items() if key.lower() == name]


def _decode(value: str) -> str:
    written = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    line = " ".join(written.split())
    try:
        return str(make_header(decode_header(line)))
    except (LookupError, ValueError, HeaderParseError):  # an encoding that nobody knows
        return line


def _addresses(message: Message, name: str) -> list[Address]:
    return [Address(*each) for each in getaddresses(_header(message, name)) if each[1]]


def _is_attached(part: Message) -> bool:
    return part.get_filename() is not None or not part.get_content_type().startswith("text/")


def _text(bodies: Iterable[Message], kind: str) -> str:
    for part in bodies:
        if part.get_content_type() == kind:
            charset = part.get_content_charset("utf-8")
            try:
                text = _payload(part).decode(charset, "replace")
            except LookupError:  # a charset that nobody knows
                text = _payload(part).decode("utf-8", "replace")
            return text.replace("\r\n", "\n")
    return ""


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _describe(part: Message) -> dict[str, Any]:
    return {
        "FileName": part.get_filename() or "",
        "ContentType": part.get_content_type(),
        "Size": len(_payload(part)),
    }
