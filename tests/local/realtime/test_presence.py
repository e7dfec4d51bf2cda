"""Presence: who is there, who came and who went, in both versions of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.realtime.serving import token

if TYPE_CHECKING:
    from tests.local.realtime.conftest import Serve
    from tests.local.realtime.serving import Push, Running, Wire

OK = {"status": "ok", "response": {}}


def enter(realtime: Running, name: str, key: str, **config: Any) -> Wire:
    """Somebody who wants to know who is there, and does not show himself yet."""
    return realtime.socket().joined(name, presence={"key": key, "enabled": True}, **config)


def metas(push: Push, side: str, key: str) -> list[dict[str, Any]]:
    """How somebody is described in a diff."""
    described: list[dict[str, Any]] = push.payload[side][key]["metas"]
    return described


def without_references(described: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What people said of themselves."""
    return [
        {name: value for name, value in each.items() if not name.startswith("phx_ref")}
        for each in described
    ]


# Trap 50: presence is opt-in.
def test_whoever_asks_for_presence_is_told_who_is_there(
    realtime: Running, topic: str, version: str
) -> None:
    enter(realtime, topic, "ada").track(topic, {"name": "Ada"})
    wire = realtime.socket(version=version)

    wire.joined(topic, presence={"enabled": True})

    state = wire.next("presence_state")
    assert without_references(state.payload["ada"]["metas"]) == [{"name": "Ada"}]


# Trap 50.
@pytest.mark.parametrize("config", [{}, {"presence": {"key": "ada"}}])
def test_whoever_does_not_ask_is_told_nothing(
    realtime: Running, topic: str, config: dict[str, Any]
) -> None:
    wire = realtime.socket().joined(topic, **config)

    assert wire.heard() == []


def test_an_empty_room_has_an_empty_state(realtime: Running, topic: str) -> None:
    wire = enter(realtime, topic, "ada")

    assert wire.next("presence_state").payload == {}


def test_all_are_told_who_came(realtime: Running, topic: str, version: str) -> None:
    witness = realtime.socket(version=version).joined(topic)
    ada = enter(realtime, topic, "ada")

    assert ada.track(topic, {"name": "Ada"}).payload == OK

    for told in (witness.next("presence_diff"), ada.next("presence_diff")):
        assert without_references(metas(told, "joins", "ada")) == [{"name": "Ada"}]
        assert told.payload["leaves"] == {}


def test_whoever_describes_himself_anew_leaves_and_joins(realtime: Running, topic: str) -> None:
    ada = enter(realtime, topic, "ada")
    ada.track(topic, {"mood": "calm"})
    [before] = metas(ada.next("presence_diff"), "joins", "ada")

    ada.track(topic, {"mood": "busy"})

    told = ada.next("presence_diff")
    [after] = metas(told, "joins", "ada")
    assert (after["mood"], after["phx_ref_prev"]) == ("busy", before["phx_ref"])
    assert after["phx_ref"] != before["phx_ref"]
    assert metas(told, "leaves", "ada") == [before]


def test_saying_the_same_again_changes_nothing(realtime: Running, topic: str) -> None:
    ada = enter(realtime, topic, "ada")
    ada.track(topic, {"mood": "calm"})
    ada.heard()

    assert ada.track(topic, {"mood": "calm"}).payload == OK
    assert ada.heard() == []


def test_two_screens_of_one_person_share_a_key(realtime: Running, topic: str) -> None:
    desk, telephone = enter(realtime, topic, "ada"), enter(realtime, topic, "ada")
    desk.track(topic, {"on": "desk"})
    telephone.track(topic, {"on": "telephone"})

    telephone.ask(f"realtime:{topic}", "phx_leave", {})

    told = desk.find(lambda push: push.event == "presence_diff" and push.payload["leaves"])
    assert without_references(metas(told, "leaves", "ada")) == [{"on": "telephone"}]
    state = enter(realtime, topic, "ben").next("presence_state").payload
    assert without_references(state["ada"]["metas"]) == [{"on": "desk"}]


def test_whoever_has_no_key_gets_one(realtime: Running, topic: str) -> None:
    wire = enter(realtime, topic, "")

    wire.track(topic, {"name": "Ada"})

    [key] = wire.next("presence_diff").payload["joins"]
    assert len(key) == 36


def test_untracking_is_told_and_answered(realtime: Running, topic: str) -> None:
    ada = enter(realtime, topic, "ada")
    ada.track(topic, {})
    ada.heard()

    reply = ada.ask(f"realtime:{topic}", "presence", {"type": "presence", "event": "untrack"})

    assert reply.payload == OK
    assert "ada" in ada.next("presence_diff").payload["leaves"]
    assert enter(realtime, topic, "ben").next("presence_state").payload == {}


def test_a_dropped_connection_leaves(realtime: Running, topic: str) -> None:
    witness, ada = realtime.socket().joined(topic), enter(realtime, topic, "ada")
    ada.track(topic, {})

    ada.connection.close()

    witness.find(lambda push: "ada" in push.payload.get("leaves", {}))


def test_whoever_returns_is_there_again(realtime: Running, topic: str) -> None:
    enter(realtime, topic, "ada").track(topic, {"mood": "calm"})
    first = realtime.socket().joined(topic)
    again = enter(realtime, topic, "ada")
    again.track(topic, {"mood": "back"})

    told = first.next("presence_diff")
    assert without_references(metas(told, "joins", "ada")) == [{"mood": "back"}]
    assert told.payload["leaves"] == {}


def test_showing_oneself_is_enough_to_have_presence(realtime: Running, topic: str) -> None:
    name = f"both:{topic}"
    wire = realtime.socket().joined(name, private=True, presence={"key": "ada"})

    assert wire.track(name, {}).payload == OK
    assert "ada" in wire.next("presence_diff").payload["joins"]


def test_a_private_channel_without_presence_tells_of_none(realtime: Running, topic: str) -> None:
    name = f"both:{topic}"
    quiet = realtime.socket().joined(name, private=True)

    enter(realtime, name, "ada", private=True).track(name, {})

    assert quiet.heard() == []


# Trap 52: presence has policies of its own.
def test_whoever_may_not_write_presence_is_refused(realtime: Running, topic: str) -> None:
    name = f"read:{topic}"
    reader = enter(realtime, name, "ada", private=True)
    server = realtime.socket(token("service_role"))
    server.joined(name, private=True, presence={"key": "server", "enabled": True})

    assert reader.track(name, {}).payload == {"status": "error", "response": {}}
    server.track(name, {})
    assert "server" in reader.next("presence_diff").payload["joins"]
    assert "ada" not in str(server.heard())


# Trap 52.
def test_whoever_may_not_read_presence_is_told_nothing_of_it(realtime: Running, topic: str) -> None:
    name = f"broadcast:{topic}"
    wire = enter(realtime, name, "ada", private=True)
    server = realtime.socket(token("service_role"))
    server.joined(name, private=True, presence={"key": "server", "enabled": True})

    server.track(name, {})

    assert wire.heard() == []


@pytest.mark.parametrize("described", [None, 7, "ada", [1]])
def test_a_description_must_be_an_object(realtime: Running, topic: str, described: Any) -> None:
    wire = enter(realtime, topic, "ada")

    reply = wire.track(topic, described)

    assert reply.reason == "Presence track payload must be a map"


def test_what_is_no_presence_event_is_answered_and_does_nothing(
    realtime: Running, topic: str
) -> None:
    wire = enter(realtime, topic, "ada")
    wire.heard()

    unknown = wire.ask(f"realtime:{topic}", "presence", {"event": "wave"})
    nothing = wire.ask(f"realtime:{topic}", "presence", None)

    assert unknown.payload == {"status": "error", "response": {}}
    assert nothing.payload == OK
    assert wire.heard() == []


def closing_words(wire: Wire, name: str) -> str:
    """What the server says before it closes the channel."""
    told = wire.next("system", name).payload
    assert (told["extension"], told["status"], told["channel"]) == ("system", "error", name)
    wire.next("phx_close", name)
    message: str = told["message"]
    return message


def test_a_client_that_cannot_sit_still_is_closed(serve: Serve, topic: str) -> None:
    wire = enter(serve(presence_calls=2), topic, "ada")
    wire.track(topic, {"mood": 1})
    wire.track(topic, {"mood": 2})

    wire.say(f"realtime:{topic}", "presence", {"event": "track", "payload": {"mood": 3}})

    assert closing_words(wire, topic) == "Client presence rate limit exceeded"


def test_too_much_presence_in_all_is_closed(serve: Serve, topic: str) -> None:
    wire = enter(serve(presence_messages_per_second=0.1), topic, "ada")

    wire.say(f"realtime:{topic}", "presence", {"event": "track", "payload": {}})

    assert closing_words(wire, topic) == "Too many presence messages per second"


def test_too_long_a_description_is_closed(serve: Serve, topic: str) -> None:
    wire = enter(serve(payload_bytes=100), topic, "ada")

    wire.say(f"realtime:{topic}", "presence", {"event": "track", "payload": {"a": "x" * 100}})

    assert closing_words(wire, topic) == "Track message size exceeded"
