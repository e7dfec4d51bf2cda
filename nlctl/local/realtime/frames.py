"""Frames from server to client, as bytes: made once, written to every socket that wants them."""

from __future__ import annotations

import struct

TEXT = 0x81
BINARY = 0x82

_SHORT = 126  # lengths below it stand in the second byte; it and the next say where they stand
_MEDIUM = 1 << 16


def text(payload: bytes) -> bytes:
    """A whole text message."""
    return _frame(TEXT, payload)


def binary(payload: bytes) -> bytes:
    """A whole binary message."""
    return _frame(BINARY, payload)


def _frame(kind: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < _SHORT:
        return bytes((kind, size)) + payload
    if size < _MEDIUM:
        return struct.pack("!BBH", kind, _SHORT, size) + payload
    return struct.pack("!BBQ", kind, _SHORT + 1, size) + payload
