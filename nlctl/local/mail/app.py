"""The inbox for people (a page) and for tests (JSON in the form Mailpit gives it)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jinja2
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from nlctl.local.mail import inbox as letters

if TYPE_CHECKING:
    from starlette.requests import Request

    from nlctl.local.mail.inbox import Address, Inbox, Letter

PAGE = 50
# A letter's own markup may look as it likes, and do nothing.
LETTER_POLICY = "default-src 'none'; img-src data: http: https:; style-src 'unsafe-inline'"
OUTSIDE = '<base target="_blank">'  # links leave the frame, which runs nothing

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("nlctl.local.mail"), autoescape=True, trim_blocks=True
)


def create(inbox: Inbox) -> Starlette:
    """The page and the JSON over one inbox."""
    pages = _Pages(inbox)
    return Starlette(
        routes=[
            Route("/", pages.inbox),
            Route("/view/{identifier}", pages.letter),
            Route("/view/{identifier}/body", pages.body),
            Route("/api/v1/messages", pages.messages, methods=["GET"]),
            Route("/api/v1/messages", pages.delete, methods=["DELETE"]),
            Route("/api/v1/search", pages.messages),
            Route("/api/v1/message/{identifier}", pages.message),
            Route("/api/v1/message/{identifier}/raw", pages.raw),
        ]
    )


class _Pages:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def inbox(self, _request: Request) -> Response:
        shown = [(letter, letters.read(letter)) for letter in self._inbox.letters()]
        return HTMLResponse(_TEMPLATES.get_template("inbox.html").render(letters=shown))

    def letter(self, request: Request) -> Response:
        if not (letter := self._find(request)):
            return _missing()
        page = _TEMPLATES.get_template("letter.html")
        return HTMLResponse(page.render(letter=letter, contents=letters.read(letter)))

    def body(self, request: Request) -> Response:
        if not (letter := self._find(request)):
            return _missing()
        html = OUTSIDE + letters.read(letter).html
        return HTMLResponse(html, headers={"Content-Security-Policy": LETTER_POLICY})

    def messages(self, request: Request) -> Response:
        """Newest first; `query` looks for words, with Mailpit's to:, from: and subject:."""
        start, limit = _number(request, "start", 0), _number(request, "limit", PAGE)
        words = request.query_params.get("query", "").split()
        every = [(letter, letters.read(letter)) for letter in self._inbox.letters()]
        found = [pair for pair in every if pair[1].speaks_of(words)]
        page = [_summary(*pair) for pair in found[start : start + limit]]
        counts = {"total": len(every), "messages_count": len(found), "count": len(page)}
        return JSONResponse({**counts, "start": start, "messages": page})

    def message(self, request: Request) -> Response:
        if not (letter := self._find(request)):
            return _missing()
        contents = letters.read(letter)
        return JSONResponse(
            {
                **_summary(letter, contents),
                "Date": letter.arrived_at.isoformat(),
                "Text": contents.text,
                "HTML": contents.html,
                "Attachments": contents.attachments,
            }
        )

    def raw(self, request: Request) -> Response:
        if not (letter := self._find(request)):
            return _missing()
        return PlainTextResponse(letter.raw)

    async def delete(self, request: Request) -> Response:
        """The letters named in IDs, or all."""
        body = await request.body()
        try:
            named = json.loads(body).get("IDs") if body else None
        except (ValueError, AttributeError):
            return PlainTextResponse('The body must be JSON: {"IDs": […]}', 400)
        self._inbox.remove([str(each) for each in named] if named else None)
        return PlainTextResponse("ok")

    def _find(self, request: Request) -> Letter | None:
        return self._inbox.find(request.path_params["identifier"])


def _summary(letter: Letter, contents: letters.Contents) -> dict[str, Any]:
    return {
        "ID": letter.identifier,
        "MessageID": contents.message_id,
        "From": _person(contents.sender),
        "To": [_person(each) for each in contents.to],
        "Cc": [_person(each) for each in contents.cc],
        "Bcc": [],
        "ReplyTo": [_person(each) for each in contents.reply_to],
        "Subject": contents.subject,
        "Created": letter.arrived_at.isoformat(),
        "Size": len(letter.raw),
        "Attachments": len(contents.attachments),
        "Snippet": contents.snippet,
    }


def _person(address: Address) -> dict[str, str]:
    return {"Name": address.name, "Address": address.address}


def _number(request: Request, name: str, default: int) -> int:
    written = request.query_params.get(name, "")
    return int(written) if written.isdecimal() else default


def _missing() -> Response:
    return PlainTextResponse("Message not found", 404)
