"""Moves, copies and removals, each with the policies it needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.storage.services import ADA, BEN, refused

if TYPE_CHECKING:
    import httpx

    from tests.local.storage.services import Running, Somebody

NO_OBJECT = (400, "404", "not_found", "Object not found")
DUPLICATE = (400, "409", "Duplicate", "The resource already exists")
POLICY = (400, "403", "Unauthorized", "new row violates row-level security policy")


def change(somebody: Somebody, act: str, source: str, target: str, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    body = {"bucketId": "private", "sourceKey": source, "destinationKey": target, **more}
    return somebody.ask("POST", f"/object/{act}", json=body, headers=headers)


@pytest.fixture
def note(ada: Somebody) -> str:
    """The name of Ada's note."""
    ada.upload(f"private/{ADA}/note", "hello", content_type="text/plain")
    return f"{ADA}/note"


def test_a_moved_object_is_where_it_was_moved(storage: Running, ada: Somebody, note: str) -> None:
    answer = change(ada, "move", note, f"{ADA}/deep/note")

    assert answer.json()["message"] == "Successfully moved"
    assert ada.read(f"private/{ADA}/deep/note").text == "hello"
    assert refused(ada.read(f"private/{note}")) == NO_OBJECT
    assert len(storage.files()) == 1


def test_supabase_py_moves_and_copies(ada: Somebody, note: str) -> None:
    files = ada.storage.from_("private")

    files.move(note, f"{ADA}/b")
    assert files.copy(f"{ADA}/b", f"{ADA}/c")["Key"] == f"private/{ADA}/c"

    assert (files.download(f"{ADA}/b"), files.download(f"{ADA}/c")) == (b"hello", b"hello")


def test_an_object_moves_to_another_bucket(server: Somebody, note: str) -> None:
    answer = change(server, "move", note, "poster", destinationBucket="public")

    assert answer.status_code == 200
    assert server.read("public/public/poster").text == "hello"


def test_a_move_onto_another_object_is_refused(ada: Somebody, note: str) -> None:
    ada.upload(f"private/{ADA}/other", "other")

    assert refused(change(ada, "move", note, f"{ADA}/other")) == DUPLICATE
    assert ada.read(f"private/{ADA}/other").text == "other"


def test_a_move_into_a_bucket_that_is_not_there_is_refused(server: Somebody, note: str) -> None:
    answer = change(server, "move", note, "a", destinationBucket="nowhere")

    assert refused(answer)[1] == "404"


def test_ben_moves_and_copies_nothing_of_adas(ben: Somebody, note: str) -> None:
    assert refused(change(ben, "move", note, f"{BEN}/note")) == NO_OBJECT
    assert refused(change(ben, "copy", note, f"{BEN}/note")) == NO_OBJECT


def test_ada_moves_nothing_to_where_she_may_not_write(
    storage: Running, ada: Somebody, note: str
) -> None:
    # The policy of UPDATE has no check of its own, so its condition holds for the new row too.
    assert refused(change(ada, "move", note, f"{BEN}/note")) == POLICY
    assert refused(change(ada, "copy", note, f"{BEN}/note")) == POLICY
    assert ada.read(f"private/{note}").text == "hello"
    assert len(storage.files()) == 1


@pytest.mark.parametrize(
    ("act", "policy"),
    [("move", "own_select"), ("move", "own_update"), ("copy", "own_select"),
     ("copy", "own_insert")],
)  # fmt: skip
def test_each_change_needs_its_policies(
    storage: Running, ada: Somebody, note: str, act: str, policy: str
) -> None:
    storage.database.run(f"drop policy {policy} on storage.objects")

    assert refused(change(ada, act, note, f"{ADA}/b"))[1] in {"403", "404"}


def test_a_copy_is_an_object_of_its_own(storage: Running, ada: Somebody, note: str) -> None:
    change(ada, "copy", note, f"{ADA}/copy")
    ada.upload(f"private/{note}", "changed", x_upsert="true")

    assert ada.read(f"private/{ADA}/copy").text == "hello"
    assert len(storage.files()) == len(storage.versions()) == 2


def test_a_copy_replaces_only_when_asked_to(ada: Somebody, note: str) -> None:
    ada.upload(f"private/{ADA}/copy", "other")

    assert refused(change(ada, "copy", note, f"{ADA}/copy")) == DUPLICATE
    upsert = {"x-upsert": "true"}
    assert change(ada, "copy", note, f"{ADA}/copy", headers=upsert).status_code == 200
    assert ada.read(f"private/{ADA}/copy").text == "hello"


def test_a_copy_may_be_described_anew(ada: Somebody, note: str) -> None:
    said = {"cacheControl": "max-age=1"}

    change(ada, "copy", note, f"{ADA}/copy", copyMetadata=False, metadata=said)

    told = ada.read(f"info/private/{ADA}/copy").json()
    assert (told["cache_control"], told["content_type"]) == ("max-age=1", "text/plain")


def test_the_one_who_copies_owns_the_copy(storage: Running, ada: Somebody) -> None:
    storage.server.upload(f"private/{ADA}/given", "hello")

    copied = change(ada, "copy", f"{ADA}/given", f"{ADA}/mine").json()

    assert copied["owner_id"] == ADA


@pytest.mark.parametrize("missing", ["bucketId", "sourceKey", "destinationKey"])
def test_a_change_says_from_where_to_where(ada: Somebody, missing: str) -> None:
    body = {"bucketId": "private", "sourceKey": "a", "destinationKey": "b"}
    del body[missing]

    answer = ada.ask("POST", "/object/move", json=body)

    assert answer.json()["message"] == f"body must have required property '{missing}'"


def test_a_removed_object_takes_its_file_along(storage: Running, ada: Somebody, note: str) -> None:
    answer = ada.ask("DELETE", f"/object/private/{note}")

    assert answer.json() == {"message": "Successfully deleted"}
    assert storage.files() == []


def test_ben_removes_nothing_of_adas(storage: Running, ben: Somebody, note: str) -> None:
    answer = ben.ask("DELETE", f"/object/private/{note}")

    assert refused(answer) == (400, "403", "Unauthorized", "Access denied")
    assert refused(ben.ask("DELETE", "/object/private/nothing")) == NO_OBJECT
    assert len(storage.files()) == 1


def test_what_may_not_be_seen_is_not_removed_and_nobody_says_so(
    storage: Running, ben: Somebody, note: str
) -> None:
    """Trap 36: an empty list, and HTTP 200."""
    assert ben.storage.from_("private").remove([note, "nothing"]) == []
    assert len(storage.files()) == 1


def test_a_removal_needs_the_right_to_read(storage: Running, ada: Somebody, note: str) -> None:
    storage.database.run("drop policy own_select on storage.objects")

    assert ada.storage.from_("private").remove([note]) == []


def test_many_are_removed_at_once(storage: Running, ada: Somebody) -> None:
    for number in range(5):
        ada.upload(f"private/{ADA}/{number}")

    removed = ada.storage.from_("private").remove([f"{ADA}/{n}" for n in range(4)] + ["nothing"])

    assert {row["name"] for row in removed} == {f"{ADA}/{number}" for number in range(4)}
    assert removed[0]["bucket_id"] == "private"
    assert len(storage.files()) == 1


@pytest.mark.parametrize("count", [0, 1001])
def test_a_removal_of_none_or_too_many_is_refused(ada: Somebody, count: int) -> None:
    answer = ada.ask("DELETE", "/object/private", json={"prefixes": ["a"] * count})

    assert answer.status_code == 400


def test_rows_are_not_deleted_by_sql(storage: Running, note: str) -> None:
    """Trap 40: only the service deletes, or files would stay behind."""
    with pytest.raises(Exception, match="Direct deletion from storage tables is not allowed"):
        storage.database.run("delete from storage.objects")


def test_policies_are_made_by_anybody_and_the_tables_changed_by_nobody(storage: Running) -> None:
    """Trap 42: postgres makes policies on storage.objects, and does not own it."""
    storage.database.run("create policy mine on storage.objects for select using (false)")

    with pytest.raises(Exception, match="must be owner of table objects"):
        storage.database.run("alter table storage.objects add column mine int")


def test_upserts_at_once_leave_one_object_with_its_file(storage: Running, ada: Somebody) -> None:
    def upload(number: int) -> int:
        path = f"private/{ADA}/contested"
        return ada.upload(path, str(number) * 1000, x_upsert="true").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(upload, range(24))) == {200}

    content = ada.read(f"private/{ADA}/contested").text
    assert len(set(content[:1000])) <= 2
    assert [path.name for path in storage.files()] == list(storage.versions())


def test_of_uploads_at_once_one_wins(storage: Running, ada: Somebody) -> None:
    def upload(number: int) -> int:
        return ada.upload(f"private/{ADA}/contested", f"{number}").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(upload, range(16)))

    assert sorted(answers) == [200] + [400] * 15
    assert [path.name for path in storage.files()] == list(storage.versions())


def test_two_objects_that_change_places_both_stay(storage: Running, ada: Somebody) -> None:
    ada.upload(f"private/{ADA}/a", "a")
    ada.upload(f"private/{ADA}/b", "b")

    def move(pair: tuple[str, str]) -> int:
        return change(ada, "move", f"{ADA}/{pair[0]}", f"{ADA}/{pair[1]}").status_code

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(move, [("a", "b"), ("b", "a"), ("a", "c"), ("b", "d")] * 4))

    assert {path.name for path in storage.files()} == storage.versions()
    assert len(storage.versions()) == 2
