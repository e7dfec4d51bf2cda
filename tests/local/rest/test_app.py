"""The app: the order in which it refuses, what is at its root, and its life."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from nlctl.local.rest.app import DataApi
from nlctl.local.rest.request import Action
from tests.local.rest.asking import CONFIG, RING, Stub, ask, asked


def test_a_token_is_looked_at_first_then_the_path_then_the_profile_then_the_query() -> None:
    everything: dict[str, Any] = {
        "authorization": "Bearer x",
        "content_profile": "nope",
        "prefer": "handling=strict, foo",
    }
    path, query, body = "/a/b", "?order=!", b"{"

    assert ask(Stub(schema=None), "POST", path + query, body=body, **everything).status == 401
    del everything["authorization"]
    assert ask(Stub(schema=None), "POST", path + query, body=body, **everything).status == 503
    assert ask(Stub(), "POST", path + query, body=body, **everything).code[1] == "PGRST125"
    assert ask(Stub(), "POST", "/a" + query, body=body, **everything).code[1] == "PGRST106"
    del everything["content_profile"]
    assert ask(Stub(), "POST", "/a" + query, body=body, **everything).code[1] == "PGRST100"
    assert ask(Stub(), "POST", "/a", body=body, **everything).code[1] == "PGRST102"
    assert ask(Stub(), "POST", "/a", body=b"{}", **everything).code[1] == "PGRST122"


def test_without_a_schema_cache_clients_are_asked_to_come_back() -> None:
    answer = ask(Stub(schema=None))

    assert answer.code == (503, "PGRST002")
    assert answer.header("retry-after") == "1"


def test_the_root_describes_the_api() -> None:
    answer = ask(Stub(), path="/")

    assert answer.header("content-type") == "application/openapi+json; charset=utf-8"
    assert json.loads(answer.body)["swagger"] == "2.0"
    assert ask(Stub(), "HEAD", "/").body == b""
    assert ask(Stub(), path="/", accept="text/csv").code == (406, "PGRST107")


def test_a_root_that_is_disabled_is_not_there() -> None:
    stub = Stub(replace(CONFIG, openapi_mode="disabled"))

    assert ask(stub, path="/").code == (404, "PGRST126")


def test_a_function_can_answer_at_the_root() -> None:
    stub = Stub(replace(CONFIG, root_function="welcome"))
    ask(stub, path="/")

    assert (asked(stub).action, asked(stub).name) == (Action.CALL_READ_ONLY, "welcome")


def test_the_methods_of_a_path_are_told() -> None:
    answer = ask(Stub(), "OPTIONS")

    assert (answer.status, answer.header("allow")) == (200, "OPTIONS,GET,HEAD")


def test_the_app_lives_and_dies_with_its_server() -> None:
    stub = Stub()
    told: list[str] = []

    async def live() -> None:
        events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict[str, Any]:
            return next(events)

        async def send(message: Any) -> None:
            told.append(f"{message['type']} {stub.is_running}")

        await DataApi(stub, RING)({"type": "lifespan"}, receive, send)

    asyncio.run(live())
    assert told == ["lifespan.startup.complete True", "lifespan.shutdown.complete False"]
