"""Resumable uploads: TUS 1.0.0, with a token or with a signed URL."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.storage import services
from tests.local.storage.services import ADA, BEN, refused

if TYPE_CHECKING:
    import httpx

    from tests.local.storage.conftest import Serve
    from tests.local.storage.services import Running, Somebody

CONTENT = bytes(range(256)) * 1000
PIECE = {"content-type": "application/offset+octet-stream"}


def metadata(**said: str) -> str:
    pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    return ",".join(pairs)


def begin(somebody: Somebody, name: str, size: int | None = None, **more: Any) -> httpx.Response:
    """Announce an upload; `more` is further headers, content, said and route."""
    route = more.pop("route", "/upload/resumable")
    said = {"bucketName": "private", "objectName": name, **more.pop("said", {})}
    content = more.pop("content", b"")
    length = {"upload-defer-length": "1"} if size is None else {"upload-length": str(size)}
    headers = {"tus-resumable": "1.0.0", "upload-metadata": metadata(**said), **length, **more}
    return somebody.ask("POST", route, headers=headers, content=content)


def send(
    somebody: Somebody, place: str, offset: int, content: bytes, **more: str
) -> httpx.Response:
    headers = {"tus-resumable": "1.0.0", "upload-offset": str(offset), **PIECE, **more}
    return somebody.ask("PATCH", place, headers=headers, content=content)


def look(somebody: Somebody, place: str) -> httpx.Response:
    return somebody.ask("HEAD", place, headers={"tus-resumable": "1.0.0"})


def test_what_is_spoken_is_told_to_anybody(storage: Running) -> None:
    answer = storage.nobody.ask("OPTIONS", "/upload/resumable")

    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert "creation" in answer.headers["tus-extension"]
    assert answer.headers["tus-max-size"] == str(50 * 1024 * 1024)


def test_an_upload_arrives_in_pieces(storage: Running, ada: Somebody) -> None:
    said = {"contentType": "text/x-bytes", "cacheControl": "9", "metadata": '{"from": "Ada"}'}
    made = begin(ada, f"{ADA}/large", len(CONTENT), said=said)
    place = made.headers["location"]

    assert made.status_code == 201
    assert place.startswith(f"{storage.url}/upload/resumable/")
    half = len(CONTENT) // 2
    first = send(ada, place, 0, CONTENT[:half])
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(half))
    assert look(ada, place).headers["upload-offset"] == str(half)
    last = send(ada, place, half, CONTENT[half:])
    assert last.headers["tus-complete"] == "1"

    read = ada.read(f"private/{ADA}/large")
    assert read.content == CONTENT
    assert (read.headers["content-type"], read.headers["cache-control"]) == (
        "text/x-bytes", "max-age=9",
    )  # fmt: skip
    [row] = storage.database.run("select owner_id, user_metadata from storage.objects")
    assert row == (ADA, {"from": "Ada"})
    assert [path.name for path in storage.files()] == list(storage.versions())


def test_an_upload_may_be_whole_when_it_begins(ada: Somebody) -> None:
    made = begin(ada, f"{ADA}/small", 5, content=b"hello", **PIECE)

    assert (made.status_code, made.headers["upload-offset"]) == (201, "5")
    assert ada.read(f"private/{ADA}/small").text == "hello"


def test_an_upload_of_nothing_is_whole_at_once(ada: Somebody) -> None:
    begin(ada, f"{ADA}/empty", 0)

    assert ada.read(f"private/{ADA}/empty").content == b""


def test_a_size_may_be_told_later(ada: Somebody) -> None:
    place = begin(ada, f"{ADA}/later").headers["location"]

    assert look(ada, place).headers["upload-defer-length"] == "1"
    send(ada, place, 0, b"hel")
    send(ada, place, 3, b"lo", **{"upload-length": "5"})

    assert ada.read(f"private/{ADA}/later").text == "hello"


def test_an_upload_goes_on_after_a_restart(serve: Serve) -> None:
    first = serve()
    place = begin(first.ada, f"{ADA}/large", 10).headers["location"]
    send(first.ada, place, 0, b"01234")
    path = place.removeprefix(first.url)

    with services.serve(first.database, first.config.folder) as again:
        assert look(again.nobody, path).headers["upload-offset"] == "5"
        send(again.ada, path, 5, b"56789")
        assert again.ada.read(f"private/{ADA}/large").text == "0123456789"


def test_an_upload_is_not_called_whole_before_its_object_is_there(
    storage: Running, ada: Somebody
) -> None:
    """The service was killed between the last byte and the object."""
    place = begin(ada, f"{ADA}/large", 10).headers["location"]
    send(ada, place, 0, b"01234")
    [piece] = storage.config.folder.rglob("*.part")
    piece.write_bytes(b"0123456789")

    offset = int(look(ada, place).headers["upload-offset"])
    assert offset < 10
    assert send(ada, place, offset, b"0123456789"[offset:]).headers["tus-complete"] == "1"
    assert ada.read(f"private/{ADA}/large").text == "0123456789"


def test_an_upload_that_became_an_object_is_whole(ada: Somebody) -> None:
    """The answer to the last piece was lost."""
    place = begin(ada, f"{ADA}/large", 5).headers["location"]
    send(ada, place, 0, b"01234")

    told = look(ada, place)

    assert told.status_code == 200
    assert (told.headers["upload-offset"], told.headers["upload-length"]) == ("5", "5")
    ada.upload(f"private/{ADA}/large", x_upsert="true")
    assert look(ada, place).status_code == 404


def test_an_upload_whose_note_outlived_it_is_whole(storage: Running, ada: Somebody) -> None:
    """The service was killed between the object and the end of the upload."""
    place = begin(ada, f"{ADA}/large", 5).headers["location"]
    [note] = storage.config.folder.rglob("*.json")
    kept = note.read_text()
    send(ada, place, 0, b"01234")
    note.write_text(kept)

    assert look(ada, place).headers["upload-offset"] == "5"


def test_a_piece_at_the_wrong_place_is_refused(ada: Somebody) -> None:
    place = begin(ada, f"{ADA}/large", 10).headers["location"]
    send(ada, place, 0, b"01234")

    assert send(ada, place, 0, b"01234").status_code == 409
    assert look(ada, place).headers["upload-offset"] == "5"


def test_more_than_announced_is_refused(storage: Running, ada: Somebody) -> None:
    place = begin(ada, f"{ADA}/large", 3).headers["location"]

    answer = send(ada, place, 0, b"four")

    assert (answer.status_code, answer.text) == (413, "Maximum size exceeded\n")
    assert storage.versions() == set()


def test_more_than_the_bucket_takes_is_refused_beforehand(ada: Somebody, server: Somebody) -> None:
    server.storage.update_bucket("private", {"file_size_limit": 3})

    answer = begin(ada, f"{ADA}/large", 4)

    assert (answer.status_code, answer.text) == (413, "Maximum size exceeded\n")


def test_the_buckets_types_hold(ada: Somebody, server: Somebody) -> None:
    server.storage.update_bucket("private", {"allowed_mime_types": ["image/*"]})

    answer = begin(ada, f"{ADA}/large", 4, said={"contentType": "text/plain"})

    assert (answer.status_code, answer.text) == (415, "mime type text/plain is not supported")


def test_ben_uploads_nothing_into_adas_folder(ben: Somebody) -> None:
    answer = begin(ben, f"{ADA}/large", 4)

    assert (answer.status_code, answer.text) == (403, "new row violates row-level security policy")


def test_ben_adds_nothing_to_adas_upload(ada: Somebody, ben: Somebody) -> None:
    place = begin(ada, f"{ADA}/large", 5).headers["location"]

    assert send(ben, place, 0, b"hello").status_code == 403
    assert ben.ask("DELETE", place, headers={"tus-resumable": "1.0.0"}).status_code == 403
    assert look(ada, place).headers["upload-offset"] == "0"


def test_an_unknown_bucket_is_named(ada: Somebody) -> None:
    answer = begin(ada, "a", 4, said={"bucketName": "nowhere"})

    assert (answer.status_code, answer.text) == (404, "Bucket not found")


@pytest.mark.parametrize("name", ["../../escape", "a/../b", "..", "é"])
def test_no_name_leads_out_of_the_folder(storage: Running, server: Somebody, name: str) -> None:
    answer = begin(server, name, 4, content=b"evil", **PIECE)

    assert (answer.status_code, answer.text) == (400, f"Invalid key: {name}")
    assert storage.files() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"tus-resumable": "0.2.0"}, 412),
        ({"upload-length": "-4"}, 400),
        ({"upload-length": "4", "upload-defer-length": "1"}, 400),
        ({"upload-metadata": "bucketName !!!"}, 400),
    ],
)
def test_what_is_not_the_protocol_is_refused(
    ada: Somebody, headers: dict[str, str], status: int
) -> None:
    assert begin(ada, f"{ADA}/a", 4, **headers).status_code == status


def test_a_piece_says_that_it_is_one(ada: Somebody) -> None:
    place = begin(ada, f"{ADA}/large", 5).headers["location"]

    assert send(ada, place, 0, b"hello", **{"content-type": "text/plain"}).status_code == 415


def test_an_upload_can_be_given_up(storage: Running, ada: Somebody) -> None:
    place = begin(ada, f"{ADA}/large", 5).headers["location"]
    send(ada, place, 0, b"he")

    stopped = ada.ask("DELETE", place, headers={"tus-resumable": "1.0.0"})

    assert stopped.status_code == 204
    assert look(ada, place).status_code == 404
    assert storage.files() == []


def test_an_upload_is_not_found_by_a_made_up_address(ada: Somebody) -> None:
    assert look(ada, "/upload/resumable/bm90aGluZw").status_code == 404
    assert look(ada, "/upload/resumable/%21%21").status_code == 404


def test_an_expired_upload_is_gone(serve: Serve) -> None:
    storage = serve(resumable_seconds=-1)

    place = begin(storage.ada, f"{ADA}/large", 5).headers["location"]

    assert look(storage.ada, place).status_code == 404
    assert storage.files() == []


def test_an_upsert_replaces(storage: Running, ada: Somebody) -> None:
    ada.upload(f"private/{ADA}/a", "old")

    assert begin(ada, f"{ADA}/a", 3, content=b"new", **PIECE).status_code == 409
    upsert = {**PIECE, "x-upsert": "true"}
    assert begin(ada, f"{ADA}/a", 3, content=b"new", **upsert).status_code == 201
    assert ada.read(f"private/{ADA}/a").text == "new"
    assert len(storage.files()) == 1


def test_a_signed_url_uploads_without_a_token(storage: Running, ada: Somebody) -> None:
    token = ada.storage.from_("private").create_signed_upload_url(f"{ADA}/given")["token"]
    signed = {"x-signature": token}

    made = begin(storage.nobody, f"{ADA}/given", 5, route="/upload/resumable/sign", **signed)
    place = made.headers["location"]
    assert "/upload/resumable/sign/" in place
    send(storage.nobody, place, 0, b"hello", **signed)

    assert ada.read(f"private/{ADA}/given").text == "hello"
    assert storage.database.run("select owner_id from storage.objects") == [(ADA,)]


def test_a_signed_url_is_for_its_object_only(storage: Running, ada: Somebody) -> None:
    token = ada.storage.from_("private").create_signed_upload_url(f"{ADA}/given")["token"]

    for headers in ({"x-signature": token}, {}):
        answer = begin(storage.nobody, f"{BEN}/given", 5, route="/upload/resumable/sign", **headers)
        assert answer.status_code == 400


def test_without_a_token_there_is_no_upload(storage: Running) -> None:
    assert begin(storage.nobody, f"{ADA}/a", 4).status_code == 400
    assert refused(storage.nobody.ask("GET", "/upload/resumable"))[1] == "404"
