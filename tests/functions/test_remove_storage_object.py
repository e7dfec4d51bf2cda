"""remove-storage-object: an object goes once its row is gone, by the worker of the real stack."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from functions.remove_storage_object import StorageObject, handle
from nlctl import project as projects
from nlctl.queue import functions, world
from nlctl.queue.worker import Worker
from nlctl.targets import Access
from tests import formations
from tests.local.asking import eventually

if TYPE_CHECKING:
    from supabase import Client
    from tests.stacks import Stack

BUCKET = "resources"
LETTER = b"Dear Ben"


@dataclass(frozen=True)
class Resource:
    """A row, its module, and the name of its object."""

    id: str
    module: str
    name: str


def remove(stack: Stack, name: str, bucket: str = BUCKET) -> None:
    """Run the function as a worker would."""

    async def run() -> None:
        async with world.connect(Access(stack.api_url, stack.secret_key)) as db:
            await handle(StorageObject(bucket=bucket, name=name), db)

    asyncio.run(run())


def work(stack: Stack) -> None:
    """Do what waits; the stack's own worker, where it has one, may be quicker."""
    folder = projects.find().functions

    async def run() -> None:
        async with world.connect(Access(stack.api_url, stack.secret_key)) as db:
            makers = {"db": lambda: asyncio.sleep(0, db)}
            await Worker(stack.database_url, functions.find(folder), folder, makers).run_once()

    asyncio.run(run())


def upload(stack: Stack) -> str:
    name = f"{uuid4()}/letter.txt"
    stack.service().storage.from_(BUCKET).upload(name, LETTER, {"content-type": "text/plain"})
    return name


def is_there(stack: Stack, name: str) -> bool:
    return bool(stack.service().storage.from_(BUCKET).exists(name))


def test_an_object_is_removed_and_a_second_run_changes_nothing(stack: Stack) -> None:
    name = upload(stack)

    remove(stack, name)
    remove(stack, name)

    assert not is_there(stack, name)


def test_what_never_was_is_gone_already(stack: Stack) -> None:
    remove(stack, "nowhere/letter.txt")
    remove(stack, "letter.txt", bucket="no-such-bucket")


@pytest.fixture
def admin(stack: Stack) -> Client:
    """An administrator, with a client of theirs."""
    return stack.person("admin")


@pytest.fixture
def resource(stack: Stack, admin: Client) -> Resource:
    """A file of a module, attached by staff."""
    with psycopg.connect(stack.database_url) as connection:
        made = connection.execute(
            formations.PALETTE.encode(), {"name": f"Famille {uuid4()}", "modules": 1}
        )
        [(module,)] = made.fetchall()
    name = f"{module}/letter.txt"
    admin.storage.from_(BUCKET).upload(name, LETTER, {"content-type": "text/plain"})
    arguments = {"p_builder_module_id": module, "p_title": "Letter", "p_storage_path": name}
    row: Any = admin.rpc("add_module_resource", arguments).execute().data
    return Resource(row["id"], module, name)


def test_the_object_of_a_deleted_resource_goes(
    stack: Stack, admin: Client, resource: Resource
) -> None:
    admin.table("resources").delete().eq("id", resource.id).execute()
    work(stack)

    assert eventually(lambda: not is_there(stack, resource.name))


def test_the_resource_of_a_deleted_object_goes(admin: Client, resource: Resource) -> None:
    admin.storage.from_(BUCKET).remove([resource.name])

    assert admin.table("resources").select("id").eq("id", resource.id).execute().data == []


def test_an_upload_that_nobody_attached_in_time_goes(stack: Stack, resource: Resource) -> None:
    name = upload(stack)
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "update procrastinate.procrastinate_jobs set scheduled_at = now() "
            "where args ->> 'name' = any (%s)",
            [[name, resource.name]],
        )
    work(stack)

    assert eventually(lambda: not is_there(stack, name))
    assert is_there(stack, resource.name)
