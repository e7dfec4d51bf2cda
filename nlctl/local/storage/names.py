"""Names of buckets and objects, and what an object may be: its size and its type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlctl import buckets
from nlctl.local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_TYPE = 1000
PLACEHOLDER = ".emptyFolderPlaceholder"

_OBJECT = re.compile(f"[/{buckets.LETTERS}]+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(gb|mb|kb|b)", re.IGNORECASE)
_UNITS = {"gb": 10**9, "mb": 10**6, "kb": 10**3, "b": 1}
_TYPE = re.compile(r"[a-zA-Z0-9\-+.]+/(?:[a-zA-Z0-9\-+.]+(?:;\s*charset=[a-zA-Z0-9\-]+)?|\*)|\*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def check_bucket(name: str) -> str:
    """`name`, if a bucket may be called so."""
    if not buckets.is_name(name):
        raise errors.invalid_bucket_name()
    return name


def check_object(name: str) -> str:
    """`name`, if an object may be called so.

    The bytes are never kept under this name. Dot segments are refused all the same: on its way
    here such an address means another object to every proxy and browser.
    """
    if not _OBJECT.fullmatch(name) or not {".", ".."}.isdisjoint(name.split("/")):
        raise errors.invalid_key(name)
    return name


def is_placeholder(name: str) -> bool:
    """Whether it stands for an empty folder, as Studio makes them."""
    return name.endswith(PLACEHOLDER)


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def parse_size(text: str) -> int:
    """Bytes of a size such as 20MB."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise errors.invalid_size()
    return int(float(found[1]) * _UNITS[found[2].lower()])


def check_types(types: Iterable[str]) -> None:
    """Refuse what a bucket cannot have as an allowed type."""
    for each in types:
        if len(each) > LONGEST_TYPE or not _TYPE.fullmatch(each):
            raise errors.invalid_type(each)


def check_type(wanted: str, allowed: Iterable[str]) -> None:
    """Refuse a type that is none of those allowed: image/png, or image/* for all of a kind."""
    kind, slash, form = wanted.partition("/")
    for each in allowed:
        allowed_kind, _, allowed_form = each.partition("/")
        if slash and kind == allowed_kind and allowed_form in ("*", form):
            return
    raise errors.invalid_type(wanted)
