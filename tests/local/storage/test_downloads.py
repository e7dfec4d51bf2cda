"""Downloads: who may read, what is sent, in parts and only when it has changed."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from tests.local.storage.services import ADA, refused

if TYPE_CHECKING:
    from tests.local.storage.services import Running, Somebody

MINE = f"private/{ADA}"
NO_OBJECT = (400, "404", "not_found", "Object not found")
NO_BUCKET = (400, "404", "Bucket not found", "Bucket not found")
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def letter(ada: Somebody) -> str:
    """Where Ada's letter is."""
    ada.upload(f"{MINE}/letter.txt", ALPHABET, content_type="text/plain")
    return f"{MINE}/letter.txt"


@pytest.fixture
def poster(server: Somebody) -> str:
    """Where a public object is."""
    server.upload("public/poster.txt", ALPHABET, content_type="text/plain")
    return "public/poster.txt"


@pytest.mark.parametrize("route", ["", "authenticated/"])
def test_ada_reads_her_own(ada: Somebody, letter: str, route: str) -> None:
    assert ada.read(f"{route}{letter}").text == ALPHABET


@pytest.mark.parametrize("route", ["", "authenticated/"])
def test_ben_sees_nothing_of_it(ben: Somebody, letter: str, route: str) -> None:
    assert refused(ben.read(f"{route}{letter}")) == NO_OBJECT
    assert refused(ben.read(f"info/{route}{letter}")) == NO_OBJECT
    assert ben.ask("HEAD", f"/object/{route}{letter}").status_code == 400


def test_a_visitor_sees_nothing_of_it(visitor: Somebody, letter: str) -> None:
    assert refused(visitor.read(letter)) == NO_OBJECT


def test_what_is_not_there_reads_like_what_may_not_be_seen(ada: Somebody, letter: str) -> None:
    assert refused(ada.read(f"{MINE}/other.txt")) == NO_OBJECT
    assert refused(ada.read("nowhere/other.txt")) == NO_BUCKET


@pytest.mark.parametrize("route", ["", "public/", "authenticated/"])
def test_a_public_object_needs_no_policy(
    ada: Somebody, visitor: Somebody, poster: str, route: str
) -> None:
    """Trap 37: reading is what public means, on every route to the bytes."""
    assert ada.read(f"{route}{poster}").text == ALPHABET
    assert visitor.read(f"{route}{poster}").text == ALPHABET


@pytest.mark.parametrize("route", ["", "public/", "info/", "info/public/"])
def test_a_public_object_needs_no_token_either(storage: Running, poster: str, route: str) -> None:
    assert storage.nobody.read(f"{route}{poster}").status_code == 200
    stranger = storage.somebody("stranger", lambda: {"Authorization": "Bearer nonsense"})
    assert stranger.read(f"{route}{poster}").status_code == 200


def test_the_authenticated_route_asks_for_a_token(storage: Running, poster: str) -> None:
    answer = storage.nobody.read(f"authenticated/{poster}")

    assert answer.json()["message"] == "headers must have required property 'authorization'"


@pytest.mark.parametrize("route", ["public/", "info/public/"])
def test_a_private_bucket_has_no_public_address(server: Somebody, letter: str, route: str) -> None:
    assert refused(server.read(f"{route}{letter}")) == NO_BUCKET


def test_without_a_token_a_private_bucket_is_not_there(storage: Running, letter: str) -> None:
    assert refused(storage.nobody.read(letter)) == NO_BUCKET


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 1}, '"exp" claim timestamp check failed'),
        ({"nbf": 2**33}, '"nbf" claim timestamp check failed'),
    ],
)
def test_a_token_that_does_not_hold_is_explained(
    storage: Running, letter: str, claims: dict[str, int], message: str
) -> None:
    answer = storage.person("authenticated", ADA, **claims).ask("GET", "/bucket")

    assert refused(answer) == (400, "403", "Unauthorized", message)


@pytest.mark.parametrize(
    ("token", "message"),
    [("nonsense", "Invalid Compact JWS"), ("a.b.c", "Invalid Compact JWS")],
)
def test_what_is_no_token_is_explained(storage: Running, token: str, message: str) -> None:
    """Trap 34: the status stands in the body; HTTP says 400."""
    stranger = storage.somebody(token, lambda: {"Authorization": f"Bearer {token}"})

    assert refused(stranger.ask("GET", "/bucket")) == (400, "403", "Unauthorized", message)


def test_an_object_says_what_it_is(ada: Somebody, server: Somebody) -> None:
    ada.upload(f"{MINE}/a.txt", "hello", content_type="text/plain", cache_control="max-age=7")

    headers = ada.read(f"{MINE}/a.txt").headers

    assert headers["content-length"] == "5"
    assert headers["accept-ranges"] == "bytes"
    assert headers["cache-control"] == "max-age=7"
    assert headers["x-robots-tag"] == "none"
    assert headers["last-modified"].endswith("GMT")
    assert headers["etag"].startswith('"')
    assert "content-disposition" not in headers


@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8", "TEXT/HTML"])
def test_pages_are_sent_as_plain_text(ada: Somebody, content_type: str) -> None:
    ada.upload(f"{MINE}/page", "<script>", content_type=content_type)

    assert ada.read(f"{MINE}/page").headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("query", "disposition"),
    [
        ("download", "attachment;"),
        ("download=", "attachment;"),
        ("download=my%20file.txt",
         "attachment; filename=my%20file.txt; filename*=UTF-8''my%20file.txt"),
        ("download=%C3%A9t%C3%A9.txt",
         "attachment; filename=%C3%A9t%C3%A9.txt; filename*=UTF-8''%C3%A9t%C3%A9.txt"),
    ],
)  # fmt: skip
def test_a_download_may_be_given_a_name(
    ada: Somebody, letter: str, query: str, disposition: str
) -> None:
    assert ada.read(f"{letter}?{query}").headers["content-disposition"] == disposition


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-3", 0, 3), ("bytes=20-", 20, 25), ("bytes=-4", 22, 25), ("bytes=24-99", 24, 25),
     ("bytes=-99", 0, 25)],
)  # fmt: skip
def test_a_part_is_sent(ada: Somebody, letter: str, asked: str, first: int, last: int) -> None:
    answer = ada.read(letter, headers={"Range": asked})

    assert (answer.status_code, answer.text) == (206, ALPHABET[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/26"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=26-", "bytes=5-3", "bytes=-", "bytes=a-b", "lines=1-2",
                                   "bytes=0-1,3-4", "bytes=-0"])  # fmt: skip
def test_a_part_that_is_not_there_is_refused(ada: Somebody, letter: str, asked: str) -> None:
    answer = ada.read(letter, headers={"Range": asked})

    assert refused(answer) == (416, "416", "invalid_range", "invalid range provided")


def test_a_part_of_another_version_is_not_sent(ada: Somebody, letter: str) -> None:
    asked = {"Range": "bytes=0-3", "If-Range": '"another"'}

    assert ada.read(letter, headers=asked).status_code == 200


def test_what_has_not_changed_is_not_sent_again(ada: Somebody, letter: str) -> None:
    etag = ada.read(letter).headers["etag"]

    for tags in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        answer = ada.read(letter, headers={"If-None-Match": tags})
        assert (answer.status_code, answer.content) == (304, b"")
    assert ada.read(letter, headers={"If-None-Match": '"another"'}).status_code == 200


def test_what_has_not_changed_since_is_not_sent_again(ada: Somebody, letter: str) -> None:
    at = ada.read(letter).headers["last-modified"]

    assert ada.read(letter, headers={"If-Modified-Since": at}).status_code == 304
    long_ago = formatdate(0, usegmt=True)
    assert ada.read(letter, headers={"If-Modified-Since": long_ago}).status_code == 200
    assert ada.read(letter, headers={"If-Modified-Since": "once"}).status_code == 200


def test_a_changed_object_has_another_tag(ada: Somebody, letter: str) -> None:
    before = ada.read(letter).headers["etag"]
    ada.upload(letter, "changed", x_upsert="true")

    answer = ada.read(letter, headers={"If-None-Match": before})

    assert (answer.status_code, answer.text) == (200, "changed")


@pytest.mark.parametrize("route", ["", "authenticated/", "public/"])
def test_a_look_tells_the_size_without_the_bytes(
    visitor: Somebody, poster: str, route: str
) -> None:
    answer = visitor.ask("HEAD", f"/object/{route}{poster}")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "26"


@pytest.mark.parametrize("route", ["", "authenticated/"])
def test_ada_is_told_about_her_object(ada: Somebody, letter: str, route: str) -> None:
    told = ada.read(f"info/{route}{letter}").json()

    assert told.keys() == {
        "id", "name", "version", "bucket_id", "size", "content_type", "cache_control", "etag",
        "metadata", "last_modified", "created_at",
    }  # fmt: skip
    assert (told["name"], told["size"], told["content_type"]) == (
        f"{ADA}/letter.txt", 26, "text/plain",
    )  # fmt: skip


def test_supabase_py_asks_whether_it_exists(ada: Somebody, letter: str) -> None:
    files = ada.storage.from_("private")

    assert files.exists(f"{ADA}/letter.txt")
    assert not files.exists(f"{ADA}/other.txt")


def test_supabase_py_builds_public_links(storage: Running, visitor: Somebody, poster: str) -> None:
    link = visitor.storage.from_("public").get_public_url("poster.txt", {"download": "p.txt"})

    answer = storage.nobody.ask("GET", link)
    assert answer.text == ALPHABET
    assert "filename=p.txt" in answer.headers["content-disposition"]


@pytest.mark.parametrize("route", ["authenticated", "public", "sign"])
def test_images_are_not_transformed_and_it_says_so(server: Somebody, route: str) -> None:
    answer = server.ask("GET", f"/render/image/{route}/public/poster.png?width=100")

    assert refused(answer) == (
        400, "409", "FeatureNotEnabled",
        "Image transformation is not available on the local stack",
    )  # fmt: skip


def test_a_row_without_its_file_is_told_from_no_row(storage: Running, server: Somebody) -> None:
    storage.database.run("insert into storage.objects (bucket_id, name) values ('private', 'a')")

    answer = server.read("private/a")

    assert refused(answer) == (400, "404", "Not found", "The resource was not found")


def test_a_version_that_is_a_path_leads_nowhere(storage: Running, server: Somebody) -> None:
    (storage.config.folder.parent / "secret").write_text("secret")
    storage.database.run(
        "insert into storage.objects (bucket_id, name, version) values ('private', 'a', %s)",
        ["../../../secret"],
    )

    assert refused(server.read("private/a"))[1] == "404"
    assert server.ask("DELETE", "/object/private/a").status_code == 200
    assert (storage.config.folder.parent / "secret").exists()


def test_an_unknown_route_is_not_found(server: Somebody) -> None:
    answer = server.ask("PATCH", "/object/private/a")

    assert refused(answer) == (
        404, "404", "Not Found", "Route PATCH:/object/private/a not found",
    )  # fmt: skip


def test_policies_hear_which_way_an_object_is_read(
    storage: Running, ben: Somebody, letter: str
) -> None:
    storage.database.run("""
        create policy info_only on storage.objects for select to authenticated
          using (storage.allow_only_operation('object.get_authenticated_info'))""")

    assert ben.read(f"info/{letter}").status_code == 200
    assert refused(ben.read(letter)) == NO_OBJECT
