"""Tokens of joined channels: renewed, withdrawn and expired."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.realtime.serving import token

if TYPE_CHECKING:
    from tests.local.realtime.serving import Running, Wire


def show(wire: Wire, name: str, access_token: Any) -> None:
    """Show another token on a channel."""
    wire.say(f"realtime:{name}", "access_token", {"access_token": access_token})


def closing_words(wire: Wire, name: str) -> str:
    """What the server says before it closes the channel."""
    told = wire.next("system", name).payload
    assert (told["extension"], told["status"], told["channel"]) == ("system", "error", name)
    wire.next("phx_close", name)
    message: str = told["message"]
    return message


def test_a_token_that_lets_as_much_be_heard_is_taken_in_silence(
    realtime: Running, topic: str, version: str
) -> None:
    name = f"both:{topic}"
    wire = realtime.socket(version=version).joined(name, private=True)

    show(wire, name, token(sub="ada", session=2))

    assert wire.heard() == []


def test_a_person_who_may_no_longer_read_is_shown_out(
    realtime: Running, topic: str, version: str
) -> None:
    wire = realtime.socket(version=version).joined(f"both:{topic}", private=True)

    show(wire, f"both:{topic}", token("anon"))

    words = f"You do not have permissions to read from this Channel topic: both:{topic}"
    assert closing_words(wire, f"both:{topic}") == words


def test_a_person_who_may_read_less_than_before_is_shown_out(
    realtime: Running, rooms: Any, topic: str
) -> None:
    name = f"less:{topic}"
    rooms.run(
        "create policy messages_select_less on realtime.messages for select to authenticated"
        " using (realtime.topic() like 'less:%'"
        " and (extension = 'broadcast' or auth.jwt() ->> 'sub' = 'ada'))"
    )
    wire = realtime.socket(token(sub="ada"))
    wire.joined(name, private=True, presence={"enabled": True})

    show(wire, name, token(sub="ben"))

    words = f"You no longer have permission to read from this Channel topic: {name}"
    assert closing_words(wire, name) == words


def test_a_new_token_asks_the_policies_for_writing_again(realtime: Running, topic: str) -> None:
    name = f"mind:{topic}"
    witness = realtime.socket().joined(name, private=True)
    wire = realtime.socket(token(sub="ada"))
    wire.joined(name, private=True, broadcast={"ack": True})
    wire.ask(f"realtime:{name}", "broadcast", {"event": "allowed"})

    show(wire, name, token(sub="ben"))
    wire.broadcast(name, "refused", {})

    assert wire.heard() == []
    assert [push.payload["event"] for push in witness.heard()] == ["allowed"]


def test_listeners_of_changes_are_renewed_with_the_new_claims(
    realtime: Running, topic: str
) -> None:
    wire = realtime.socket(token(sub="ada")).joined(topic, postgres_changes=[{"event": "*"}])
    wire.heard()

    show(wire, topic, token(sub="ben"))
    wire.heard()

    [renewed] = [each for each in realtime.source.renewed if each.topic == topic]
    assert renewed.claims["sub"] == "ben"


@pytest.mark.parametrize("shown", ["sb_publishable_key", None, 7, {}])
def test_what_is_no_token_is_passed_over(realtime: Running, topic: str, shown: Any) -> None:
    wire = realtime.socket().joined(topic)

    show(wire, topic, shown)

    assert wire.heard() == []


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("", "The token provided is not a valid JWT"),
        ("nonsense", "The token provided is not a valid JWT"),
        (token(exp=1_000_000_000), "Token has expired "),
        (token(exp=None), "Fields `role` and `exp` are required in JWT"),
    ],
)
def test_a_token_that_is_not_believed_ends_the_channel(
    realtime: Running, topic: str, shown: str, words: str
) -> None:
    wire = realtime.socket().joined(topic)

    show(wire, topic, shown)

    assert closing_words(wire, topic).startswith(words)


def join_for_a_while(wire: Wire, name: str) -> int:
    """Join with a token that ends soon, and say when; a busy machine gets a longer one."""
    for seconds in (2, 4, 8, 16):
        soon = int(time.time()) + seconds
        if wire.join(name, access_token=token(exp=soon)).payload["status"] == "ok":
            return soon
    raise AssertionError("No join was answered before its token ended.")


def test_a_channel_ends_when_its_token_does(realtime: Running, topic: str, version: str) -> None:
    wire = realtime.socket(version=version)
    soon = join_for_a_while(wire, topic)
    wire.joined("another")

    assert re.fullmatch(r"Token has expired \d+ seconds ago", closing_words(wire, topic))
    assert time.time() >= soon
    assert wire.heard() == []


def test_a_renewed_token_outlives_the_first(realtime: Running, topic: str) -> None:
    wire, witness = realtime.socket(), realtime.socket()
    join_for_a_while(wire, topic)
    show(wire, topic, token(sub="ada"))
    join_for_a_while(witness, "witness")

    assert closing_words(witness, "witness").startswith("Token has expired")
    assert wire.heard() == []
