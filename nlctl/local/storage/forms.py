"""Forms: an upload as multipart/form-data, whose file is passed on while it still arrives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from nlctl.local.storage import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_FIELDS = 10
LARGEST_FIELD = 1024 * 1024
BROKEN = "The form could not be read"


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    @property
    def name(self) -> str:
        return self._option(b"name") or ""

    @property
    def is_file(self) -> bool:
        """Parts with a file name are files, whatever their field is called."""
        has_name = self._option(b"filename") is not None
        return has_name or self.content_type == "application/octet-stream"

    @property
    def content_type(self) -> str:
        return self.headers.get(b"content-type", b"").decode("latin-1")

    def _option(self, name: bytes) -> str | None:
        options = parse_options_header(self.headers.get(b"content-disposition", b""))[1]
        return options[name].decode(errors="replace") if name in options else None


class Form:
    """Fields, then one file. What stands behind the file is read and not looked at."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise errors.no_content("Multipart: Boundary not found")
        self.fields: dict[str, str] = {}
        self._chunks = chunks
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._file: _Part | None = None
        self._has_begun = False
        self._is_whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_begin": self._begin_header,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    async def open(self) -> str:
        """Read up to the file; its type, as the form declares it."""
        while self._file is None:
            await self._feed()
        return self.fields.get("contentType") or self._file.content_type or "text/plain"

    async def file(self) -> AsyncIterator[bytes]:
        """The bytes of the file, as they arrive; ends when the whole form was well."""
        file = self._file
        if file is None:
            raise errors.no_content()
        while not self._is_whole:
            if file.content:
                yield bytes(file.content)
                file.content.clear()
            await self._feed()
        if file.content:
            yield bytes(file.content)

    async def _feed(self) -> None:
        try:
            self._parser.write(await anext(self._chunks))
        except StopAsyncIteration:
            raise errors.no_content(BROKEN if self._has_begun else "No content provided") from None
        except FormParserError as error:
            raise errors.no_content(BROKEN) from error
        if self._is_whole and self._file is None:
            raise errors.no_content()

    def _begin_part(self) -> None:
        self._has_begun = True
        self._part = _Part()
        if len(self.fields) > MOST_FIELDS:
            raise errors.no_content("Too many fields")

    def _begin_header(self) -> None:
        self._header = (bytearray(), bytearray())

    def _end_header(self) -> None:
        name, value = self._header
        self._part.headers[bytes(name).lower()] = bytes(value)

    def _end_headers(self) -> None:
        if self._file is None and self._part.is_file:
            self._file = self._part

    def _take(self, data: bytes, start: int, end: int) -> None:
        is_field = self._part is not self._file
        if self._file is not None and is_field:
            return
        if is_field and len(self._part.content) + end - start > LARGEST_FIELD:
            raise errors.metadata_too_large()
        self._part.content += data[start:end]

    def _end_part(self) -> None:
        if self._file is None:
            text = self._part.content.decode(errors="replace")
            self.fields[self._part.name] = text

    def _end(self) -> None:
        self._is_whole = True
