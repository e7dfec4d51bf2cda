"""Joining and leaving, in both versions of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.realtime.serving import token

if TYPE_CHECKING:
    from tests.local.realtime.conftest import Serve
    from tests.local.realtime.serving import Running

NOT_HERE = "Unauthorized: You do not have permissions to read from this Channel topic: "


def test_a_public_channel_lets_anybody_in(realtime: Running, topic: str, version: str) -> None:
    reply = realtime.socket(token("anon"), version=version).join(topic)

    assert reply.payload == {"status": "ok", "response": {"postgres_changes": []}}


def test_a_private_channel_lets_in_whom_its_policies_let_read(
    realtime: Running, topic: str, version: str
) -> None:
    reply = realtime.socket(version=version).join(f"both:{topic}", private=True)

    assert reply.payload["status"] == "ok"


# Without policies nobody joins, and the reply says why.
def test_a_private_channel_without_policies_is_refused_with_its_reason(
    realtime: Running, topic: str, version: str
) -> None:
    reply = realtime.socket(version=version).join(f"none:{topic}", private=True)

    assert reply.reason == f"{NOT_HERE}none:{topic}"


# Trap 52: each extension has policies of its own, and one of them is enough to join.
@pytest.mark.parametrize("extension", ["broadcast", "presence"])
def test_one_extension_is_enough_to_join(realtime: Running, topic: str, extension: str) -> None:
    wire = realtime.socket()

    reply = wire.join(f"{extension}:{topic}", private=True, presence={"enabled": True})

    assert reply.payload["status"] == "ok"


def test_presence_alone_lets_nobody_in_who_does_not_ask_for_it(
    realtime: Running, topic: str
) -> None:
    reply = realtime.socket().join(f"presence:{topic}", private=True)

    assert reply.reason == f"{NOT_HERE}presence:{topic}"


def test_a_person_joins_only_the_topic_of_his_own(realtime: Running) -> None:
    wire = realtime.socket(token(sub="ada"))

    assert wire.join("own:ada", private=True).payload["status"] == "ok"
    assert wire.join("own:ben", private=True).reason == f"{NOT_HERE}own:ben"


# Trap 48: the socket's key is anybody's; who somebody is, the join's token says.
def test_the_token_of_the_join_counts_and_not_the_key_of_the_socket(realtime: Running) -> None:
    wire = realtime.socket(token("anon"))

    assert wire.join("own:ada", private=True).reason.startswith("Unauthorized")
    reply = wire.join("own:ada", private=True, access_token=token(sub="ada"))
    assert reply.payload["status"] == "ok"


def test_an_opaque_token_stands_for_the_key_of_the_socket(realtime: Running) -> None:
    wire = realtime.socket(token(sub="ada"))

    reply = wire.join("own:ada", private=True, access_token="sb_publishable_key")

    assert reply.payload["status"] == "ok"


def test_policies_read_the_headers_of_the_handshake(realtime: Running, topic: str) -> None:
    knocking = realtime.socket(**{"x-knock": "twice"})

    assert knocking.join(f"knock:{topic}", private=True).payload["status"] == "ok"
    assert realtime.socket().join(f"knock:{topic}", private=True).reason.startswith("Unauth")


def test_a_policy_that_fails_lets_nobody_in_and_harms_nobody(realtime: Running, topic: str) -> None:
    wire = realtime.socket()

    assert wire.join(f"broken:{topic}", private=True).reason == f"{NOT_HERE}broken:{topic}"
    assert wire.join(f"both:{topic}", private=True).payload["status"] == "ok"


def test_a_role_that_the_database_does_not_know_is_refused(realtime: Running, topic: str) -> None:
    reply = realtime.socket(token("nobody")).join(f"both:{topic}", private=True)

    assert reply.reason.startswith("Unauthorized")


def test_joining_leaves_no_message_behind(realtime: Running, rooms: Any, topic: str) -> None:
    wire = realtime.socket().joined(f"both:{topic}", private=True, broadcast={"ack": True})
    wire.ask(f"realtime:both:{topic}", "broadcast", {"type": "broadcast", "event": "said"})

    assert rooms.run("select count(*) from realtime.messages") == [(0,)]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("nonsense", "MalformedJWT: The token provided is not a valid JWT"),
        ("", "MalformedJWT: The token provided is not a valid JWT"),
        (token("anon", exp=1_000_000_000), "InvalidJWTToken: Token has expired "),
        (token("anon", exp=None), "InvalidJWTToken: Fields `role` and `exp` are required in JWT"),
        (token("anon")[:-8] + "AAAAAAAA", "JwtSignatureError: Failed to validate JWT signature"),
    ],
)
def test_a_join_with_a_token_that_is_not_believed_says_why(
    realtime: Running, topic: str, given: str, reason: str
) -> None:
    assert realtime.socket().join(topic, access_token=given).reason.startswith(reason)


# Trap 43: clients compare the entries one by one. Trap 44: each has an `event` and a whole `id`.
def test_changes_are_answered_in_their_order_and_with_their_fields(
    realtime: Running, topic: str, version: str
) -> None:
    asked = [
        {"event": "*", "schema": "public", "table": "todos"},
        {"event": "INSERT", "schema": "public"},
        {"event": "UPDATE", "schema": "public", "table": "todos", "filter": "id=eq.1"},
        {"event": "INSERT", "schema": "public"},
    ]

    reply = realtime.socket(version=version).join(topic, postgres_changes=asked)

    answered = reply.payload["response"]["postgres_changes"]
    identities = [entry.pop("id") for entry in answered]
    assert answered == asked
    assert all(type(identity) is int for identity in identities)
    assert identities[1] == identities[3]
    assert len(set(identities)) == 3


def test_each_different_change_is_subscribed_to_once_and_left(
    realtime: Running, topic: str
) -> None:
    asked = {"event": "*", "schema": "public"}
    wire = realtime.socket(token(sub="ada"))
    wire.joined(topic, postgres_changes=[asked, asked, None])
    [listener] = [each for each in realtime.source.listeners if each.topic == topic]

    assert [binding.asked for binding in listener.bindings] == [asked]
    assert listener.claims["sub"] == "ada"
    assert wire.next("system", topic).payload == {
        "extension": "postgres_changes",
        "status": "ok",
        "message": "Subscribed to PostgreSQL",
        "channel": topic,
    }
    wire.ask(f"realtime:{topic}", "phx_leave", {})
    assert listener not in realtime.source.listeners


@pytest.mark.parametrize("asked", [7, "all", [7], {"event": "*"}])
def test_what_is_no_list_of_changes_harms_nobody(realtime: Running, topic: str, asked: Any) -> None:
    wire = realtime.socket()

    wire.join(topic, postgres_changes=asked)

    assert wire.join(topic).payload["status"] == "ok"


@pytest.mark.parametrize("payload", [None, 7, "all", [], {}, {"config": None}, {"config": [1]}])
def test_a_join_may_say_nothing_at_all(realtime: Running, topic: str, payload: Any) -> None:
    reply = realtime.socket().ask(f"realtime:{topic}", "phx_join", payload)

    assert reply.payload["status"] == "ok"


def test_true_may_be_written_as_a_word(realtime: Running, topic: str) -> None:
    reply = realtime.socket().join(f"none:{topic}", private="True")

    assert reply.reason.startswith("Unauthorized")


def test_leaving_is_answered_and_closes(realtime: Running, topic: str, version: str) -> None:
    wire = realtime.socket(version=version).joined(topic)

    reply = wire.ask(f"realtime:{topic}", "phx_leave", {})

    assert reply.payload == {"status": "ok", "response": {}}
    assert wire.next("phx_close", topic).ref == "1"
    said = wire.ask(f"realtime:{topic}", "broadcast", {"event": "said"})
    assert said.reason == "unmatched topic"


def test_leaving_what_was_never_joined_is_fine(realtime: Running, topic: str) -> None:
    reply = realtime.socket().ask(f"realtime:{topic}", "phx_leave", {})

    assert reply.payload["status"] == "ok"


def test_a_second_join_closes_the_first(realtime: Running, topic: str, version: str) -> None:
    wire = realtime.socket(version=version).joined(topic)

    wire.joined(topic)

    assert wire.next("phx_close", topic).ref == "1"
    realtime.socket().joined(topic).broadcast(topic, "said", {})
    wire.next("broadcast", topic)
    assert wire.heard() == []


def test_a_channel_has_a_name(realtime: Running) -> None:
    wire = realtime.socket()

    assert wire.join("").reason == "TopicNameRequired: You must provide a topic name"
    assert wire.ask("rooms:1", "phx_join", {}).reason == "unmatched topic"


def test_a_name_may_be_anything_that_can_be_written(realtime: Running, version: str) -> None:
    wire = realtime.socket(version=version)

    for name in ("é 🙂", "a" * 1000, "'; drop table x; --", "%s", "own:\x00"):
        assert wire.join(name, private=True).reason == NOT_HERE + name


def test_too_many_channels_are_refused(serve: Serve, topic: str) -> None:
    wire = serve(channels_per_connection=2).socket()
    wire.joined("1").joined("2")

    assert wire.join("3").reason == "ChannelRateLimitReached: Too many channels"
    wire.joined("2")


def test_too_many_joins_end_the_connection(serve: Serve) -> None:
    wire = serve(joins_per_second=0.1).socket()
    wire.joined("1")

    reason = "ClientJoinRateLimitReached: Too many joins per second"
    assert wire.join("2").reason == reason
    assert wire.wait_until_closed() == 1000


def test_whoever_asks_for_it_is_told_that_the_database_is_heard(
    realtime: Running, topic: str
) -> None:
    wire = realtime.socket().joined(topic, broadcast={"replication_ready": True})

    assert wire.next("system", topic).payload == {
        "extension": "system",
        "status": "ok",
        "message": "Replication connection established",
        "channel": topic,
    }


def test_a_join_without_a_database_is_refused_and_the_next_one_is_not(
    serve: Serve, rooms: Any, topic: str
) -> None:
    wire = serve().socket()
    wire.joined(f"both:{topic}", private=True)
    rooms.run(f'alter database "{rooms.name}" connection limit 0', user="supabase_admin")
    rooms.run(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'nlctl realtime'",
        user="supabase_admin",
    )

    try:
        reply = wire.join(f"both:{topic} 2", private=True)
    finally:
        rooms.run(f'alter database "{rooms.name}" connection limit -1', user="supabase_admin")

    gone = "UnableToConnectToProject: Realtime was unable to connect to the project database"
    assert reply.reason == gone
    assert wire.join(f"both:{topic} 3", private=True).payload["status"] == "ok"
