"""The mailer: letters in French, as HTML and as plain text, handed to the SMTP server.

A project's own words take the place of these, as HTML alone, which is what the real service sends.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from nlctl.errors import NlctlError
from nlctl.local.auth import go_templates
from nlctl.local.auth.config import LetterWords
from nlctl.local.auth.go_templates import TemplateRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.auth.go_templates import Template

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
PARTS = ("subject", "body", "action", "note")
TIMEOUT_SECONDS = 10


class MailFailed(Exception):
    """The SMTP server did not take a letter."""


@dataclass(frozen=True)
class Letter:
    """A letter to one address; `template` names its words."""

    template: str
    to: str
    otp: str
    link: str = ""
    new_email: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What a project's own template may name."""


class Mailer:
    """Writes letters and sends them."""

    def __init__(self, config: AuthConfig) -> None:
        self._config = config
        for words in config.letters.values():
            _own_subject(words)
            _own_body(words)

    async def send(self, letter: Letter) -> None:
        """Deliver one letter, beside the event loop."""
        try:
            message = self.compose(letter)
            await asyncio.to_thread(self._deliver, message)
        except (OSError, smtplib.SMTPException, NlctlError) as error:
            log.warning("A letter could not be sent: %s", error)
            raise MailFailed(str(error)) from error

    def compose(self, letter: Letter) -> EmailMessage:
        """The letter as it goes out."""
        words = self._words(letter)
        own = self._config.letters.get(letter.template, LetterWords())
        subject, body = _own_subject(own), _own_body(own)
        message = EmailMessage()
        message["From"] = self._config.mail_from
        message["To"] = letter.to
        message["Subject"] = (
            _one_line(subject.render(letter.fields, is_html=False)) if subject else words["subject"]
        )
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain="localhost")
        if body:
            message.set_content(body.render(letter.fields, is_html=True), subtype="html")
        else:
            message.set_content(_layout("letter.txt.j2", words))
            message.add_alternative(_layout("letter.html.j2", words), subtype="html")
        return message

    def _words(self, letter: Letter) -> dict[str, str]:
        given = {
            "email": letter.to,
            "new_email": letter.new_email,
            "otp": letter.otp,
            "validity": _validity(self._config.otp_expiry),
        }
        return {
            **_blocks(letter.template, given),
            "otp": letter.otp,
            "link": letter.link,
            "validity": given["validity"],
        }

    def _deliver(self, message: EmailMessage) -> None:
        host, port = self._config.smtp_host, self._config.smtp_port
        with smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS) as server:
            server.send_message(message)


def _own_subject(words: LetterWords) -> Template | None:
    return go_templates.parse(words.subject) if words.subject else None


def _own_body(words: LetterWords) -> Template | None:
    """Read anew for each letter: whoever writes a template wants to see it."""
    if words.file is None:
        return None
    try:
        return go_templates.parse(words.file.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        raise TemplateRefused(f"The letter {words.file.name} cannot be read: {error}.") from error
    except TemplateRefused as refused:
        raise TemplateRefused(
            f"{words.file.name}: {refused.message}", hint=refused.hint
        ) from refused


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=select_autoescape(("html.j2",), default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _blocks(template: str, given: dict[str, Any]) -> dict[str, str]:
    """The parts of a letter, each as plain text; layouts decide how they look."""
    loaded = _environment().get_template(f"{template}.j2")
    context = loaded.new_context(given)
    return {
        part: _one_line("".join(loaded.blocks[part](context))) if part in loaded.blocks else ""
        for part in PARTS
    }


def _layout(name: str, words: dict[str, str]) -> str:
    return _environment().get_template(name).render(words)


def _validity(seconds: int) -> str:
    for size, one, many in ((86400, "un jour", "jours"), (3600, "une heure", "heures")):
        if seconds >= size:
            count = seconds // size
            return one if count == 1 else f"{count} {many}"
    minutes = max(1, seconds // 60)
    return "une minute" if minutes == 1 else f"{minutes} minutes"
