"""Broadcasts over HTTP, many at once and one by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.realtime.serving import ARRAYS, token

if TYPE_CHECKING:
    import httpx

    from tests.local.realtime.conftest import Serve
    from tests.local.realtime.serving import Running


def post(realtime: Running, path: str, bearer: str | None = None, **request: Any) -> httpx.Response:
    """Ask as somebody; without a token, as anybody."""
    headers = {"Authorization": f"Bearer {bearer or token('anon')}", **request.pop("headers", {})}
    return realtime.http.post(path, headers=headers, **request)


def post_all(
    realtime: Running, *messages: dict[str, Any], bearer: str | None = None
) -> httpx.Response:
    """A batch."""
    return post(realtime, "/api/broadcast", bearer, json={"messages": messages})


def said(topic: str, **more: Any) -> dict[str, Any]:
    """One message of a batch."""
    return {"topic": topic, "event": "said", "payload": {"a": "é"}, **more}


HEARD = {"type": "broadcast", "event": "said", "payload": {"a": "é"}}


def test_a_batch_is_heard_on_its_topics(realtime: Running, topic: str, version: str) -> None:
    wire = realtime.socket(version=version).joined(topic).joined(f"{topic} 2")

    answer = post_all(realtime, said(topic), said(f"{topic} 2"), said("nobody there"))

    assert (answer.status_code, answer.content) == (202, b"")
    assert wire.next("broadcast", topic).payload == HEARD
    assert wire.next("broadcast", f"{topic} 2").payload == HEARD


def test_a_message_that_has_an_id_keeps_it(realtime: Running, topic: str) -> None:
    wire = realtime.socket().joined(topic)

    post_all(realtime, said(topic, id="7"))

    assert wire.next("broadcast").payload == {**HEARD, "meta": {"id": "7"}}


def test_what_may_not_be_said_in_private_is_passed_over(realtime: Running, topic: str) -> None:
    wire = realtime.socket().joined(f"both:{topic}", private=True)
    private = said(f"both:{topic}", private=True)

    refused = post_all(realtime, private)
    allowed = post_all(realtime, {**private, "event": "allowed"}, bearer=token())

    assert (refused.status_code, allowed.status_code) == (202, 202)
    assert [push.payload["event"] for push in wire.heard()] == ["allowed"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"messages": ["can't be blank"]}),
        ({"messages": []}, {"messages": ["can't be blank"]}),
        ({"messages": 7}, {"messages": ["is invalid"]}),
        ({"messages": [7]}, {"messages": ["is invalid"]}),
        (7, {"messages": ["can't be blank"]}),
        (
            {"messages": [{"topic": "a"}, {"payload": {}}, said("a")]},
            {
                "messages": [
                    {"event": ["can't be blank"], "payload": ["can't be blank"]},
                    {"topic": ["can't be blank"], "event": ["can't be blank"]},
                    {},
                ]
            },
        ),
        (
            {"messages": [said("a", payload="text", private="perhaps")]},
            {"messages": [{"payload": ["is invalid"], "private": ["is invalid"]}]},
        ),
    ],
)
def test_a_batch_that_is_not_well_formed_is_explained(
    realtime: Running, body: Any, errors: Any
) -> None:
    answer = post(realtime, "/api/broadcast", json=body)

    assert answer.status_code == 422
    assert answer.json() == {"errors": errors}


@pytest.mark.parametrize("body", [b"nonsense", b"", b"\xff", b'{"messages": [NaN]}'])
def test_a_body_that_is_not_json_is_refused(realtime: Running, body: bytes) -> None:
    assert post(realtime, "/api/broadcast", content=body).status_code == 400


@pytest.mark.parametrize("written", ['"\\ud800"', "1e400"])
def test_what_cannot_be_written_is_not_taken(realtime: Running, written: str) -> None:
    body = f'{{"messages": [{{"topic": "a", "event": {written}, "payload": {{}}}}]}}'

    assert post(realtime, "/api/broadcast", content=body.encode()).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {token()}"}],
)
@pytest.mark.parametrize("path", ["/api/broadcast", "/api/broadcast/a/events/b"])
def test_nobody_speaks_without_a_token(
    realtime: Running, path: str, headers: dict[str, str]
) -> None:
    answer = realtime.http.post(path, json={"messages": [said("a")]}, headers=headers)

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_the_key_is_enough_where_there_is_no_token(realtime: Running) -> None:
    answer = realtime.http.post(
        "/api/broadcast", json={"messages": [said("a")]}, headers={"apikey": token("anon")}
    )

    assert answer.status_code == 202


def test_too_large_a_payload_is_explained(serve: Serve) -> None:
    running = serve(payload_bytes=100)
    large = {"a": "x" * 100}

    many = post_all(running, said("a", payload=large))
    one = post(running, "/api/broadcast/a/events/b", json=large)

    too_large = ["Payload size exceeds tenant limit"]
    assert (many.status_code, one.status_code) == (422, 422)
    assert many.json() == {"errors": {"messages": [{"payload": too_large}]}}
    assert one.json() == {"errors": {"payload": too_large}}


def test_too_many_messages_are_refused(serve: Serve) -> None:
    running = serve(messages_per_second=0.2)

    many = post_all(running, *[said("a")] * 3)
    answers = [post(running, "/api/broadcast/a/events/b", json={}) for _ in range(3)]

    words = "Too many messages to broadcast, please reduce the batch size"
    assert (many.status_code, many.json()) == (429, {"message": words})
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[-1].json() == {"message": "You have exceeded your rate limit"}


def test_one_message_by_its_path_is_heard(realtime: Running, topic: str, version: str) -> None:
    wire = realtime.socket(version=version).joined(f"room:{topic}")

    answer = post(realtime, f"/api/broadcast/room:{topic}/events/said", json={"a": "é"})

    assert (answer.status_code, answer.content) == (202, b"")
    heard = wire.next("broadcast")
    assert (heard.payload, heard.is_binary) == (HEARD, version == ARRAYS)


def test_bytes_by_their_path_are_heard(realtime: Running, topic: str) -> None:
    wire = realtime.socket(version=ARRAYS).joined(topic)

    answer = post(
        realtime,
        f"/api/broadcast/{topic}/events/said",
        content=b"\x00\xff",
        headers={"Content-Type": "application/octet-stream"},
    )

    assert answer.status_code == 202
    assert wire.next("broadcast").payload["payload"] == b"\x00\xff"


@pytest.mark.parametrize(
    ("bearer", "status"), [(token("anon"), 403), (token(), 202), (token("service_role"), 202)]
)
def test_one_private_message_is_heard_or_refused(
    realtime: Running, topic: str, bearer: str, status: int
) -> None:
    wire = realtime.socket().joined(f"both:{topic}", private=True)

    path = f"/api/broadcast/both:{topic}/events/said?private=true"
    answer = post(realtime, path, bearer, json={})

    assert answer.status_code == status
    assert len(wire.heard()) == (status == 202)


def test_one_private_message_on_a_broken_policy_is_refused(realtime: Running) -> None:
    path = "/api/broadcast/broken:a/events/said?private=true"

    answer = post(realtime, path, token(), json={})

    assert (answer.status_code, answer.json()) == (422, {"message": "RLS policy error"})


def test_other_types_are_not_taken(realtime: Running) -> None:
    answer = post(
        realtime, "/api/broadcast/a/events/b", content=b"a", headers={"Content-Type": "text/plain"}
    )

    assert answer.status_code == 415
    assert answer.json() == {
        "error": "Unsupported Media Type. Use application/json or application/octet-stream"
    }


def test_json_that_is_no_object_gets_a_name(realtime: Running, topic: str) -> None:
    wire = realtime.socket().joined(topic)

    post(realtime, f"/api/broadcast/{topic}/events/said", json=[1])

    assert wire.next("broadcast").payload["payload"] == {"_json": [1]}


@pytest.mark.parametrize("path", ["/api/tenants", "/api/tenants/a", "/api/openapi"])
def test_what_belongs_to_the_platform_is_forbidden(realtime: Running, path: str) -> None:
    assert realtime.http.get(path).status_code == 403
