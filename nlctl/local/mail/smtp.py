"""The SMTP door: takes every letter, whoever it is for, and sends none of them on."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP, Envelope, Session

if TYPE_CHECKING:
    import socket

    from nlctl.local.mail.inbox import Inbox

LARGEST = 10 * 1024 * 1024

log = logging.getLogger("nlctl.mail")


class _Handler:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        content = envelope.original_content or b""
        try:
            letter = self._inbox.add(content)
        except OSError as error:
            log.error("a letter could not be kept: %s", error.strerror)
            return "452 Insufficient system storage"
        log.info("kept letter %s of %d bytes", letter.identifier, len(content))
        return "250 OK"


async def serve(inbox: Inbox, listening: socket.socket) -> asyncio.Server:
    """Take letters at the socket until the returned server is closed."""
    loop = asyncio.get_running_loop()

    def make() -> SMTP:
        return SMTP(
            _Handler(inbox),
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",  # else aiosmtpd asks the network for our name
            ident="nlctl",
            loop=loop,
        )

    return await loop.create_server(make, sock=listening)
