"""JSON as it goes over the wire: compact, and never anything that is not JSON."""

from __future__ import annotations

import json
from typing import Any


class NotJson(ValueError):
    """A text that is not JSON."""


def read(text: str | bytes) -> Any:
    """The value of a JSON text; bytes must be UTF-8, of which `json` alone is not so sure."""
    try:
        whole = text if isinstance(text, str) else text.decode()
        return json.loads(whole, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def write(value: Any) -> bytes:
    """The JSON text of a value that `read` gave, or that is made of the same kinds."""
    try:
        try:
            return _plain.encode(value).encode()
        except UnicodeEncodeError:  # half a surrogate pair, which only an escape can carry
            return _escaping.encode(value).encode()
    except (ValueError, RecursionError) as error:  # 1e400 is read as infinity
        raise NotJson(str(error)) from error


def _refuse(constant: str) -> None:
    raise NotJson(f"{constant} is not JSON")


_plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_escaping = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
