"""Redirects: where a link in a letter may lead back to."""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request

    from nlctl.local.auth.config import AuthConfig

LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}

_TOKENS = re.compile(r"\\.|\*\*|[*?{},]|\[!?[^\]]*\]|.", re.DOTALL)
_HOST = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?")


def choose(config: AuthConfig, request: Request, asked: str = "") -> str:
    """The first allowed of what was asked for and the page one comes from, else the site."""
    candidates = (
        asked or request.headers.get("redirect_to") or request.query_params.get("redirect_to", ""),
        request.headers.get("referer", ""),
    )
    allowed = (address for address in candidates if is_allowed(config, address))
    return next(allowed, config.site_url)


def is_allowed(config: AuthConfig, address: str) -> bool:
    """Whether `address` is the site itself, this machine, or on the list."""
    wanted, site = _split(address), _split(config.site_url)
    if wanted is None or site is None or not address:
        return False
    if _is_same_place(wanted, site):
        return True
    host = wanted.hostname or ""
    if host.isdecimal():
        return False
    if _is_ip(host):
        return ipaddress.ip_address(host).is_loopback
    if wanted.scheme in {"http", "https"} and not _HOST.fullmatch(host):
        return False
    bare = address.partition("#")[0]
    return any(_pattern(glob).fullmatch(bare) for glob in config.redirect_urls)


def _is_same_place(wanted: SplitResult, site: SplitResult) -> bool:
    if (wanted.scheme, wanted.hostname) != (site.scheme, site.hostname):
        return False
    return wanted.port == site.port or wanted.hostname in LOCAL_NAMES


def _split(address: str) -> SplitResult | None:
    if re.search(r"[\x00-\x20\x7f]", address):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port  # a bad port shows only when asked for
    except ValueError:
        return None
    return parts


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """`*` and `?` stop at dots and slashes, `**` does not; [sets] and {alternatives} too."""
    depth = 0
    parts = []
    for piece in _TOKENS.findall(glob):
        depth += (piece == "{") - (piece == "}")
        parts.append(_translate(piece, is_alternative=depth > 0))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:  # braces that never close
        return re.compile(re.escape(glob))


def _translate(piece: str, *, is_alternative: bool) -> str:
    wildcards = {"**": ".*", "*": r"[^./]*", "?": r"[^./]", "{": "(?:", "}": ")"}
    if piece in wildcards:
        return wildcards[piece]
    if piece == "," and is_alternative:
        return "|"
    if piece.startswith("[") and len(piece) > 2:
        inner = _characters(piece[1:-1].removeprefix("!"))
        return f"[^{inner}]" if piece.startswith("[!") else f"[{inner}]"
    return re.escape(piece.removeprefix("\\") if len(piece) == 2 else piece)


def _characters(inner: str) -> str:
    """What a set holds: from one letter to another, or each letter as it is, "-" too."""
    if len(inner) == 3 and inner[1] == "-":
        return f"{re.escape(inner[0])}-{re.escape(inner[2])}"
    return re.escape(inner)
