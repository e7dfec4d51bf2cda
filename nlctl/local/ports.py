"""Ports to listen on: the one that was asked for, or one of the same family that is free."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import TYPE_CHECKING

from nlctl.errors import InvalidInput
from nlctl.local.cluster import PORT_STEP, PORTS_TRIED, PortTaken

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"
WAITING = 2048


def listen(host: str, port: int, *, exact: bool = False) -> socket.socket:
    """A socket that listens on `port`, or unless `exact` on the next with the same last digit."""
    end = min(port + PORT_STEP * PORTS_TRIED, 65536)
    for candidate in [port] if exact else range(port, end, PORT_STEP):
        try:
            return _listen(host, candidate)
        except PermissionError as error:
            raise InvalidInput(f"Port {candidate} may not be used: {error.strerror}.") from error
        except OSError:
            continue
    raise PortTaken(
        f"Port {port} is taken by another program.",
        hint="Stop it, or let nlctl choose: leave out --port.",
    )


def listen_beside(listening: socket.socket) -> Iterable[socket.socket]:
    """The same port of the other loopback, for programs that read localhost as ::1."""
    host, port = listening.getsockname()[:2]
    if host != LOOPBACK or not socket.has_ipv6:
        return []
    try:
        return [_listen(LOOPBACK_6, port)]
    except OSError:
        return []


def check_host(host: str, *, anyone_may_enter: bool) -> None:
    """Refuse addresses that others can reach, unless that is what was asked for in words."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise InvalidInput(f"{host!r} is not an IP address.") from error
    if not is_loopback and not anyone_may_enter:
        raise InvalidInput(
            f"On {host}, anyone on the network could read and change everything: "
            "the keys of a local stack are public.",
            hint="Add --let-anyone-in if that is what you want.",
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named in full, or asyncio would let Nagle keep small answers back.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(WAITING)
    except OSError:
        made.close()
        raise
    return made
