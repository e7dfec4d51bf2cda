"""A course from its first module to its board, and the form, as pages of supabase-py live them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from postgrest import APIError
from realtime import RealtimeSubscribeStates
from supabase.lib.client_options import AsyncClientOptions

from supabase import AsyncClient, acreate_client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 30
PRIVATE: Any = {"config": {"private": True}}


@dataclass(frozen=True)
class Given:
    """What a frontend is told: where the stack is, who is signed in, what the palette holds."""

    url: str
    publishable_key: str
    tokens: dict[str, str]
    modules: list[str]
    answers: dict[str, Any]


@dataclass
class Screen:
    """A page that stays open on a topic, and what came to it."""

    client: AsyncClient
    heard: list[Any] = field(default_factory=list)


class Pages:
    """The pages of one client and one admin."""

    def __init__(self, given: Given, http: httpx.AsyncClient) -> None:
        self.given = given
        self.http = http
        self.opened: list[AsyncClient] = []
        self.diary: dict[str, Any] = {}

    async def live(self) -> dict[str, Any]:
        """All of it, in order; what was noted."""
        self.ada, self.admin = await self.open("ada"), await self.open("admin")
        course_id = await self.build()
        submission_id = await self.submit(course_id)
        await self.approve(course_id, submission_id)
        await self.follow(submission_id)
        await self.answer()
        await self.read()
        return self.diary

    async def close(self) -> None:
        """Leave every topic."""
        for client in self.opened:
            await client.realtime.remove_all_channels()

    async def build(self) -> str:
        """Ada composes a course, by drag and drop."""
        course = await rpc(self.ada, "create_course", p_title="Mon atelier en ordre")
        for module in self.given.modules:
            await rpc(
                self.ada, "add_course_module",
                p_course_id=course["id"], p_builder_module_id=module,
            )  # fmt: skip
        *_, last = await self.modules(course["id"])
        await rpc(self.ada, "move_course_module", p_course_module_id=last["module_uuid"],
                  p_position=0)  # fmt: skip
        modules = await self.modules(course["id"])
        self.diary["dragged to the top"] = [module["title"] for module in modules]
        order = [module["module_uuid"] for module in (*modules[1:], modules[0])]
        await rpc(self.ada, "reorder_course_modules", p_course_id=course["id"],
                  p_module_ids=order)  # fmt: skip
        modules = await self.modules(course["id"])
        self.diary["dropped in order"] = [module["title"] for module in modules]
        return str(course["id"])

    async def submit(self, course_id: str) -> str:
        """Ada submits it; the admin sees it come."""
        self.diary["a client at the door of staff"] = await refused(
            await self.open("ada"), "submissions-admin"
        )
        screen = await self.watch("admin", "submissions-admin", "submission")
        call = {"p_course_id": course_id}
        submission = await rpc(self.ada, "submit_user_parcours_for_validation", **call)
        await until(lambda: bool(screen.heard))
        self.diary["staff see it come"] = [
            [told["status"], told["submission_id"] == submission["id"]] for told in screen.heard
        ]
        [listed] = await rpc(self.admin, "get_admin_formations_and_submissions",
                             p_kind="submission", p_user_id=submission["user_id"])  # fmt: skip
        self.diary["staff find it"] = [
            listed["displayId"] == f"submission:{submission['id']}",
            listed["title"],
            listed["status"],
        ]
        return str(submission["id"])

    async def approve(self, course_id: str, submission_id: str) -> None:
        """Ada changes her course meanwhile, so the admin has to look again."""
        [first, *_] = await self.modules(course_id)
        await rpc(self.ada, "update_course_module", p_course_module_id=first["module_uuid"],
                  p_title="Premiers pas")  # fmt: skip
        function, call = "approve_user_parcours_submission", {"p_submission_id": submission_id}
        error = await refusal(rpc(self.admin, function, **call))
        versions = json.loads(error.details or "")
        self.diary["a stale snapshot"] = [
            error.code,
            error.message,
            versions["course_version"] - versions["snapshot_version"],
        ]
        frozen = await rpc(self.admin, "refresh_submission_snapshot", **call)
        self.diary["refreshed"] = frozen["course_version"] == versions["course_version"]
        formations = await asyncio.gather(*[rpc(self.admin, function, **call) for _ in range(2)])
        self.diary["a double click"] = formations[0] == formations[1]

    async def follow(self, submission_id: str) -> None:
        """Both watch the board while both move its cards."""
        topic = f"kanban:{submission_id}"
        stranger = await self.open("stranger")
        reason = await refused(stranger, topic)
        self.diary["a stranger at the door"] = reason.replace(submission_id, "…")
        screens = [await self.watch(name, topic, "module_moved") for name in ("ada", "admin")]
        shown = await self.board(submission_id)
        self.diary["the board at first"] = [
            [card["status"], card["title"], card["duration"]] for card in shown
        ]
        cards = [card["status_id"] for card in shown]
        await asyncio.gather(move(self.ada, cards[:3]), move(self.admin, cards[3:]))
        await until(lambda: all(len(screen.heard) == 2 * len(cards) for screen in screens))

        board = await self.board(submission_id)
        self.diary["the board at last"] = [[card["status"], card["position"]] for card in board]
        ids = [card["status_id"] for card in board]
        self.diary["each screen shows it"] = [
            replay(cards, screen.heard)["done"] == ids for screen in screens
        ]
        told = [[said["id"] for said in screen.heard] for screen in screens]
        self.diary["both heard the same"] = told[0] == told[1]

    async def answer(self) -> None:
        """Ada fills the form in two tabs."""
        tabs = [self.ada, await self.open("ada")]
        forms = [await rpc(tab, "get_training_onboarding_form") for tab in tabs]
        self.diary["the form"] = [len(forms[0]["sections"]), forms[0]["status"]]
        save = "save_training_onboarding_draft"
        first = await rpc(tabs[0], save, p_answers={"metier_activite": "Potière"},
                          p_base_saved_at=forms[0]["base_saved_at"])  # fmt: skip
        late = {"p_answers": {"metier_activite": "Céramiste", "inconnu": 1}}
        error = await refusal(rpc(tabs[1], save, **late, p_base_saved_at=forms[1]["base_saved_at"]))
        again = await rpc(tabs[1], "get_training_onboarding_form")
        kept = await rpc(tabs[1], save, **late, p_base_saved_at=again["base_saved_at"])
        self.diary["two tabs"] = [
            first["dropped"],
            error.code,
            error.message,
            again["draft_answers"],
            kept["dropped"],
        ]

        submit = "submit_training_onboarding"
        error = await refusal(rpc(tabs[1], submit, p_answers={"motivation": 11}))
        problems = json.loads(error.details or "")["problems"]
        self.diary["an unfinished form"] = [
            error.code,
            error.message,
            len(problems),
            problems[-1],
        ]
        done = await rpc(tabs[1], submit, p_answers=self.given.answers, p_nps={"answer": True})
        self.diary["a finished form"] = done["status"]

    async def read(self) -> None:
        """The admin reads what Ada wants; a stranger does not."""
        user = await self.admin.auth.get_user(self.given.tokens["ada"])
        assert user is not None
        call = {"p_user_id": user.user.id}
        brief = await rpc(self.admin, "get_training_onboarding_summary", **call)
        mine = await rpc(self.ada, "get_training_onboarding_summary")
        self.diary["the brief"] = [
            brief["title"],
            mine["title"],
            brief["sections"] == mine["sections"],
            brief["sections"][0],
        ]
        stranger = await self.open("stranger")
        error = await refusal(rpc(stranger, "get_training_onboarding_summary", **call))
        self.diary["a stranger's look"] = [error.code, error.message]

    async def open(self, name: str) -> AsyncClient:
        """A page of somebody who is signed in."""
        options = AsyncClientOptions(httpx_client=self.http, auto_refresh_token=False)
        client = await acreate_client(self.given.url, self.given.publishable_key, options)
        token = self.given.tokens[name]
        client.postgrest.auth(token)
        await client.realtime.set_auth(token)
        self.opened.append(client)
        return client

    async def watch(self, name: str, topic: str, event: str) -> Screen:
        """A page that is joined to a private topic."""
        screen = Screen(await self.open(name))
        joined = asyncio.Event()

        def note(state: RealtimeSubscribeStates, _error: Exception | None) -> None:
            if state is RealtimeSubscribeStates.SUBSCRIBED:
                joined.set()

        channel = screen.client.channel(topic, PRIVATE)
        channel.on_broadcast(event, lambda said: screen.heard.append(said["payload"]))
        await channel.subscribe(note)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await joined.wait()
        return screen

    async def modules(self, course_id: str) -> list[Any]:
        """The modules of a course, in order."""
        course = await rpc(self.ada, "get_course", p_course_id=course_id)
        return list(course["modules"])

    async def board(self, submission_id: str) -> list[Any]:
        """The cards as Ada's page reads them."""
        query = self.ada.table("kanban_user_modules_v1").select("*")
        answer = await query.eq("submission_id", submission_id).order("position").execute()
        return list(answer.data)


async def rpc(client: AsyncClient, function: str, **arguments: Any) -> Any:
    """Call a function."""
    return (await client.rpc(function, arguments).execute()).data


async def refusal(call: Awaitable[Any]) -> APIError:
    """What the page is told of a call that must be refused."""
    try:
        answer = await call
    except APIError as error:
        return error
    raise AssertionError(f"Not refused: {answer}")


async def refused(client: AsyncClient, topic: str) -> str:
    """What a page is told at the door of a topic that is not for it."""
    reasons: list[str] = []

    def note(state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is RealtimeSubscribeStates.CHANNEL_ERROR:
            reasons.append(json.loads(str(error))["reason"])

    await client.channel(topic, PRIVATE).subscribe(note)
    await until(lambda: bool(reasons))
    await client.realtime.remove_all_channels()
    return reasons[0]


async def move(client: AsyncClient, cards: list[str]) -> None:
    """Work on each card, then finish it."""
    for status in ("in_progress", "done"):
        for card in cards:
            await rpc(client, "move_kanban_module", p_status_id=card, p_status=status,
                      p_position=0)  # fmt: skip


def replay(cards: list[str], heard: list[Any]) -> dict[str, list[str]]:
    """What a screen shows that began with these cards to do and follows what it hears."""
    columns: dict[str, list[str]] = {"todo": [*cards], "in_progress": [], "done": []}
    for said in heard:
        columns[said["from_status"]].remove(said["status_id"])
        columns[said["status"]].insert(said["position"], said["status_id"])
    return columns


async def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so; the pages go on meanwhile."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)


async def live(given: Given) -> dict[str, Any]:
    """The whole story; what each page noted."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        pages = Pages(given, http)
        try:
            return await pages.live()
        finally:
            await pages.close()
