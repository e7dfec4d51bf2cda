"""Buckets over HTTP, under row level security on storage.buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from storage3.exceptions import StorageApiError

from tests.local.storage.services import ADA, refused

if TYPE_CHECKING:
    from storage3.types import CreateOrUpdateBucketOptions

    from tests.local.storage.services import Running, Somebody

NOT_FOUND = (400, "404", "Bucket not found", "Bucket not found")
POLICY = "new row violates row-level security policy"


def test_a_server_makes_a_bucket_and_reads_it_back(server: Somebody) -> None:
    limits: CreateOrUpdateBucketOptions = {
        "public": True,
        "file_size_limit": 1000,
        "allowed_mime_types": ["image/*"],
    }

    made = server.storage.create_bucket("pictures", options=limits)

    assert made == {"name": "pictures"}
    bucket = server.storage.get_bucket("pictures")
    assert (bucket.id, bucket.name, bucket.public) == ("pictures", "pictures", True)
    assert (bucket.file_size_limit, bucket.allowed_mime_types) == (1000, ["image/*"])


def test_a_bucket_may_have_an_id_of_its_own(server: Somebody) -> None:
    made = server.ask("POST", "/bucket", json={"id": "pics", "name": "Pictures of us"})

    assert made.json() == {"name": "Pictures of us"}
    assert server.ask("GET", "/bucket/pics").json()["name"] == "Pictures of us"


def test_a_bucket_without_owner_shows_an_empty_text(server: Somebody) -> None:
    assert server.ask("GET", "/bucket/private").json()["owner"] == ""


def test_a_bucket_belongs_to_whoever_made_it(storage: Running, ada: Somebody) -> None:
    storage.database.run(
        "create policy own on storage.buckets for insert to authenticated with check (true)"
    )

    ada.storage.create_bucket("adas")

    owners = storage.database.run(
        "select owner::text, owner_id from storage.buckets where id = 'adas'"
    )
    assert owners == [(ADA, ADA)]


@pytest.mark.parametrize(
    ("size", "bytes_"), [("20MB", 20_000_000), ("1.5kb", 1500), ("3B", 3), ("700", 700), (0, 0)]
)
def test_a_size_limit_may_be_written_with_its_unit(
    server: Somebody, size: str | int, bytes_: int
) -> None:
    body = {"name": "sized", "file_size_limit": size}

    assert server.ask("POST", "/bucket", json=body).status_code == 200

    assert server.ask("GET", "/bucket/sized").json()["file_size_limit"] == bytes_


@pytest.mark.parametrize("size", ["20 potatoes", "MB", "-1MB"])
def test_a_size_that_is_none_is_refused(server: Somebody, size: str) -> None:
    answer = server.ask("POST", "/bucket", json={"name": "sized", "file_size_limit": size})

    assert refused(answer)[:2] == (400, "400")
    assert "hint: use 20GB / 20MB / 30KB / 3B" in answer.json()["message"]


def test_a_bucket_cannot_take_more_than_the_project(server: Somebody) -> None:
    answer = server.ask("POST", "/bucket", json={"name": "huge", "file_size_limit": "100GB"})

    assert refused(answer) == (
        400, "413", "Payload too large", "The object exceeded the maximum allowed size",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a/b", " lead", "trail ", "é", "x" * 101, "a#b"])
def test_some_names_are_none_for_a_bucket(server: Somebody, name: str) -> None:
    answer = server.ask("POST", "/bucket", json={"name": name})

    assert refused(answer) == (400, "400", "Invalid Input", "Bucket name invalid")


def test_a_bucket_needs_a_name(server: Somebody) -> None:
    answer = server.ask("POST", "/bucket", json={"public": True})

    assert answer.status_code == 400
    assert answer.json()["message"] == "body must have required property 'name'"


def test_a_type_that_is_none_is_not_taken_for_allowed(server: Somebody) -> None:
    answer = server.ask("POST", "/bucket", json={"name": "b", "allowed_mime_types": ["thisisn't"]})

    assert refused(answer)[1:3] == ("415", "invalid_mime_type")


def test_two_buckets_of_one_name_are_refused(server: Somebody) -> None:
    answer = server.ask("POST", "/bucket", json={"name": "private"})

    assert refused(answer) == (400, "409", "Duplicate", "The resource already exists")
    assert answer.json()["code"] == "BucketAlreadyExists"


def test_an_analytics_bucket_is_refused_in_words(server: Somebody) -> None:
    answer = server.ask("POST", "/bucket", json={"name": "lake", "type": "ANALYTICS"})

    assert answer.json()["message"] == "An analytics bucket is not available on the local stack"


def test_without_policies_people_see_and_make_no_bucket(ada: Somebody, visitor: Somebody) -> None:
    assert ada.storage.list_buckets() == []
    assert refused(ada.ask("GET", "/bucket/private")) == NOT_FOUND
    answer = visitor.ask("POST", "/bucket", json={"name": "mine"})
    assert refused(answer) == (400, "403", "Unauthorized", POLICY)


def test_people_see_the_buckets_that_policies_show_them(storage: Running, ada: Somebody) -> None:
    storage.database.run(
        "create policy seen on storage.buckets for select to authenticated using (id = 'public')"
    )

    assert [bucket.id for bucket in ada.storage.list_buckets()] == ["public"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sortColumn=name&sortOrder=desc", ["public", "private", "archive"]),
        ("sortColumn=id&sortOrder=asc&limit=1&offset=1", ["private"]),
        ("sortColumn=created_at&sortOrder=desc&limit=1", ["archive"]),
        ("search=RIV", ["private"]),
        ("search=%25", []),
    ],
)
def test_buckets_are_sorted_searched_and_paged(
    server: Somebody, query: str, expected: list[str]
) -> None:
    server.storage.create_bucket("archive")

    assert [each["id"] for each in server.ask("GET", f"/bucket?{query}").json()] == expected


@pytest.mark.parametrize("query", ["limit=0", "offset=-1", "sortColumn=owner", "limit=many"])
def test_a_listing_that_cannot_be_is_refused(server: Somebody, query: str) -> None:
    assert server.ask("GET", f"/bucket?{query}").status_code == 400


def test_a_change_leaves_the_rest_as_it_was(server: Somebody) -> None:
    limits: CreateOrUpdateBucketOptions = {
        "file_size_limit": 1000,
        "allowed_mime_types": ["text/plain"],
    }
    server.storage.create_bucket("notes", options=limits)

    assert server.storage.update_bucket("notes", {"public": True}) == {
        "message": "Successfully updated"
    }

    bucket = server.storage.get_bucket("notes")
    assert (bucket.public, bucket.file_size_limit) == (True, 1000)
    assert bucket.allowed_mime_types == ["text/plain"]


def test_a_limit_is_lifted_with_null(server: Somebody) -> None:
    limits: CreateOrUpdateBucketOptions = {
        "file_size_limit": 1000,
        "allowed_mime_types": ["text/plain"],
    }
    server.storage.create_bucket("notes", options=limits)
    lifted = {"file_size_limit": None, "allowed_mime_types": None}

    assert server.ask("PUT", "/bucket/notes", json=lifted).status_code == 200

    bucket = server.storage.get_bucket("notes")
    assert (bucket.file_size_limit, bucket.allowed_mime_types) == (None, None)


def test_a_change_of_nothing_is_refused(server: Somebody) -> None:
    assert server.ask("PUT", "/bucket/private", json={}).status_code == 400


def test_what_is_not_there_cannot_be_changed_or_deleted(server: Somebody) -> None:
    assert refused(server.ask("PUT", "/bucket/nowhere", json={"public": True})) == NOT_FOUND
    assert refused(server.ask("DELETE", "/bucket/nowhere", json={})) == NOT_FOUND


def test_people_cannot_delete_what_policies_keep_from_them(ada: Somebody, server: Somebody) -> None:
    assert refused(ada.ask("DELETE", "/bucket/public")) == NOT_FOUND
    assert server.storage.get_bucket("public").id == "public"


def test_a_bucket_with_objects_is_not_deleted(server: Somebody) -> None:
    server.upload("private/a.txt")

    answer = server.ask("DELETE", "/bucket/private", json={})

    assert refused(answer) == (
        400, "409", "ResourceNotEmpty", "The bucket you tried to delete is not empty",
    )  # fmt: skip


def test_a_bucket_is_emptied_and_then_deleted(storage: Running, server: Somebody) -> None:
    server.upload("private/a.txt")
    server.upload("private/deep/b.txt")

    server.storage.empty_bucket("private")

    assert server.storage.delete_bucket("private") == {"message": "Successfully deleted"}
    assert storage.files() == []


def test_only_servers_empty_buckets(ada: Somebody) -> None:
    answer = ada.ask("POST", "/bucket/private/empty", json={})

    assert refused(answer) == (403, "403", "Unauthorized", "Access denied: Invalid role")


def test_supabase_py_reads_refusals(server: Somebody) -> None:
    with pytest.raises(StorageApiError) as refusal:
        server.storage.get_bucket("nowhere")

    assert (refusal.value.message, refusal.value.code, refusal.value.status) == (
        "Bucket not found", "Bucket not found", "404",
    )  # fmt: skip
