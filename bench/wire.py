"""HTTP over a bare socket, which costs next to nothing: so that it is the server that is timed."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_PIECE = 1 << 20


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took from the first byte sent to the last one heard."""

    status: int
    body: bytes
    seconds: float


class Wire:
    """One connection to a server, kept open."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._host = place.hostname or ""
        self._socket = socket.create_connection((self._host, place.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request in one piece and hear the whole answer."""
        sized = {"Host": self._host, "Content-Length": str(len(body)), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {sized[name]}" for name in sized), "", ""]
        request = "\r\n".join(lines).encode() + body
        begin = perf_counter()
        self._socket.sendall(request)
        head, said = self._hear()
        taken = perf_counter() - begin
        return Answer(int(head.split(maxsplit=2)[1]), said, taken)

    def _hear(self) -> tuple[bytes, bytes]:
        heard = b""
        while True:
            piece = self._socket.recv(LARGEST_PIECE)
            if not piece:
                raise RuntimeError(f"The server hung up after {heard!r}")
            heard += piece
            head, end, body = heard.partition(b"\r\n\r\n")
            if end and len(body) >= _length(head):
                return head, body


def _length(head: bytes) -> int:
    """Of the body, where the head tells of one."""
    return int(head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0] or 0)
