"""Ports: the one that was asked for, or the next of its family; and nobody from outside."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

import pytest

from nlctl.errors import InvalidInput
from nlctl.local import ports
from nlctl.local.cluster import PORT_STEP, PortTaken

PORT = 26321  # below those that systems give to outgoing connections


def test_a_free_port_is_taken_as_it_is() -> None:
    with ports.listen(ports.LOOPBACK, PORT) as mine:
        assert mine.getsockname() == (ports.LOOPBACK, PORT)


def test_a_taken_port_gives_way_to_the_next_of_its_family() -> None:
    with ports.listen(ports.LOOPBACK, PORT), ports.listen(ports.LOOPBACK, PORT) as mine:
        assert mine.getsockname()[1] == PORT + PORT_STEP


def test_a_taken_port_that_was_asked_for_is_named() -> None:
    with (
        ports.listen(ports.LOOPBACK, PORT),
        pytest.raises(PortTaken, match=f"Port {PORT} is taken"),
    ):
        ports.listen(ports.LOOPBACK, PORT, exact=True)


def test_programs_that_read_localhost_otherwise_are_heard_too() -> None:
    with ExitStack() as sockets:
        mine = sockets.enter_context(ports.listen(ports.LOOPBACK, PORT))
        others = [sockets.enter_context(each) for each in ports.listen_beside(mine)]

        for address, port in {each.getsockname()[:2] for each in [mine, *others]}:
            with socket.create_connection((address, port)):
                assert port == PORT


def test_an_answer_is_not_kept_back_for_a_fuller_packet() -> None:
    async def sends_at_once(listening: socket.socket) -> bool:
        answered: asyncio.Queue[bool] = asyncio.Queue()

        def hear(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard = writer.get_extra_info("socket")
            answered.put_nowait(bool(heard.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            writer.close()

        async with await asyncio.start_server(hear, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            writer.close()
            return await answered.get()

    with ports.listen(ports.LOOPBACK, PORT) as mine, asyncio.Runner() as plain_asyncio:
        assert plain_asyncio.run(sends_at_once(mine))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_loopback_needs_no_words(host: str) -> None:
    ports.check_host(host, anyone_may_enter=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "2001:db8::1"])
def test_an_address_of_the_network_needs_words(host: str) -> None:
    with pytest.raises(InvalidInput, match="anyone on the network could read and change") as said:
        ports.check_host(host, anyone_may_enter=False)

    assert said.value.hint == "Add --let-anyone-in if that is what you want."
    ports.check_host(host, anyone_may_enter=True)


@pytest.mark.parametrize("host", ["", "example.test", "127.0.0.1:80", "0"])
def test_a_name_is_no_address(host: str) -> None:
    with pytest.raises(InvalidInput, match="not an IP address"):
        ports.check_host(host, anyone_may_enter=True)
