"""What storage.operation() tells policies, for each way to come to an object."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.local.storage.services import Running, Somebody

    Act = Callable[[Somebody], httpx.Response]

ONE_OPERATION = """
create table if not exists public.operation (name text);
grant select on public.operation to authenticated;
truncate public.operation;
create policy one_operation on storage.objects for all to authenticated
  using (storage.operation() = (select name from public.operation));
insert into public.operation values ('none');
"""
PLACES = {"bucketId": "private", "sourceKey": "a", "destinationKey": "b"}


def post(path: str, body: object) -> Act:
    return lambda ben: ben.ask("POST", path, json=body)


def announce(ben: Somebody) -> httpx.Response:
    """Begin a resumable upload."""
    names = {"bucketName": "private", "objectName": "c"}
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in names.items()}
    said = ",".join(f"{name} {value}" for name, value in encoded.items())
    headers = {"tus-resumable": "1.0.0", "upload-length": "5", "upload-metadata": said}
    return ben.ask("POST", "/upload/resumable", headers=headers)


ACTS: dict[str, Act] = {
    "storage.object.upload": lambda ben: ben.upload("private/c"),
    "storage.object.upload_update": lambda ben: ben.ask("PUT", "/object/private/a", content="b"),
    "storage.object.get_authenticated": lambda ben: ben.read("private/a"),
    "object.get_authenticated_info": lambda ben: ben.read("info/private/a"),
    "object.head_authenticated_info": lambda ben: ben.ask("HEAD", "/object/private/a"),
    "storage.object.list": post("/object/list/private", {"prefix": ""}),
    "storage.object.list_v2": post("/object/list-v2/private", {"prefix": ""}),
    "storage.object.sign": post("/object/sign/private/a", {"expiresIn": 60}),
    "storage.object.sign_many": post("/object/sign/private", {"expiresIn": 60, "paths": ["a"]}),
    "storage.object.sign_upload_url": post("/object/upload/sign/private/c", {}),
    "storage.object.move": post("/object/move", PLACES),
    "storage.object.copy": post("/object/copy", PLACES),
    "storage.object.delete": lambda ben: ben.ask("DELETE", "/object/private/a"),
    "storage.object.delete_many": lambda ben: ben.ask(
        "DELETE", "/object/private", json={"prefixes": ["a"]}
    ),
    "storage.tus.upload.create": announce,
}


@pytest.mark.parametrize("operation", ACTS)
def test_a_policy_for_one_operation_opens_that_one(
    storage: Running, server: Somebody, ben: Somebody, operation: str
) -> None:
    server.upload("private/a")
    storage.database.run(ONE_OPERATION)
    before = ACTS[operation](ben)

    storage.database.run("update public.operation set name = %s", [operation])
    after = ACTS[operation](ben)

    assert after.is_success
    assert (after.status_code, after.text) != (before.status_code, before.text)
