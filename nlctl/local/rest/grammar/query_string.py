"""The query string as pairs of names and values, and in the one right way to write it."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from urllib.parse import quote_from_bytes, unquote_to_bytes

from nlctl.local.rest import errors

Pairs = list[tuple[str, str]]

_PLAIN = re.compile(rb"[a-zA-Z0-9_.~-]*")
"""What is the same in a query string, encoded or not."""


def read_pairs(query_string: bytes) -> Pairs:
    """Names and values as text. A name without `=` says nothing and is left out."""
    decode = bytes.decode if _is_plain(query_string) else _decoded
    pairs = []
    for part in _parts(query_string):
        name, equals, value = part.partition(b"=")
        if equals:
            pairs.append((decode(name), decode(value)))
    return pairs


def _is_plain(query_string: bytes) -> bool:
    """Whether all of it means what it looks like, as in most requests."""
    is_encoded = b"%" in query_string or b"+" in query_string or b"\0" in query_string
    return query_string.isascii() and not is_encoded


def _parts(query_string: bytes) -> list[bytes]:
    return query_string.replace(b";", b"&").split(b"&")


def canonical(query_string: bytes) -> str:
    """The query string in the order of its names, for Content-Location."""
    pairs = []
    for part in _parts(query_string):
        if part:
            text, _, value = part.partition(b"=")
            name, written = _parameter(text)
            pairs.append((name, f"{written}={_quoted_again(value)}"))
    pairs.sort(key=itemgetter(0))
    return "&".join([written for _, written in pairs])


@lru_cache(maxsize=512)
def _parameter(text: bytes) -> tuple[bytes, str]:
    """What a name means, and how it is written."""
    name = _unquoted(text)
    return name, quote_from_bytes(name, safe="")


def _decoded(text: bytes) -> str:
    try:
        decoded = _unquoted(text).decode()
    except UnicodeDecodeError as error:
        raise errors.text_not_unicode() from error
    if "\0" in decoded:
        raise errors.text_with_null_byte()
    return decoded


def _unquoted(text: bytes) -> bytes:
    is_quoted = b"%" in text or b"+" in text
    return unquote_to_bytes(text.replace(b"+", b" ")) if is_quoted else text


def _quoted_again(text: bytes) -> str:
    """Quoted in the one right way, in whatever way it was before."""
    return text.decode() if _PLAIN.fullmatch(text) else _requoted(text)


@lru_cache(maxsize=512)
def _requoted(text: bytes) -> str:
    return quote_from_bytes(_unquoted(text), safe="")
