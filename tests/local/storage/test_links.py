"""Links that carry their right with them: to read one object, or to write it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from storage3.types import CreateSignedUploadUrlOptions

from tests.local.storage.services import ADA, BEN, refused

if TYPE_CHECKING:
    from storage3.types import URLOptions

    from tests.local.storage.services import Running, Somebody

NO_OBJECT = (400, "404", "not_found", "Object not found")
POLICY = (400, "403", "Unauthorized", "new row violates row-level security policy")
UNREADABLE = "Either the object does not exist or you do not have access to it"


@pytest.fixture
def note(ada: Somebody) -> str:
    """The name of Ada's note."""
    ada.upload(f"private/{ADA}/my note.txt", "hello", content_type="text/plain")
    return f"{ADA}/my note.txt"


def sign(somebody: Somebody, name: str, **body: Any) -> Any:
    return somebody.ask("POST", f"/object/sign/private/{name}", json={"expiresIn": 60, **body})


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def claims_of(link: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token_of(link), options={"verify_signature": False})
    return claims


def test_whoever_has_the_link_reads_the_object(storage: Running, ada: Somebody, note: str) -> None:
    link = ada.storage.from_("private").create_signed_url(note, 60)["signedURL"]

    assert link
    answer = storage.nobody.ask("GET", link)
    assert answer.text == "hello"
    assert answer.headers["expires"].endswith("GMT")
    assert "cache-control" not in answer.headers


def test_a_link_is_relative_and_names_its_object(ada: Somebody, note: str) -> None:
    link = sign(ada, note).json()["signedURL"]

    assert link.startswith(f"/object/sign/private/{note}?token=")
    claims = claims_of(link)
    assert (claims["url"], claims["scope"]) == (f"private/{note}", "download")
    assert claims["exp"] - claims["iat"] == 60
    assert not {"role", "upsert", "owner"} & claims.keys()


def test_seconds_may_come_as_text(ada: Somebody, note: str) -> None:
    claims = claims_of(sign(ada, note, expiresIn="90").json()["signedURL"])

    assert claims["exp"] - claims["iat"] == 90


@pytest.mark.parametrize("seconds", [0, -1, "soon", 1.5, 1e21, 2**53, None])
def test_a_time_that_cannot_be_is_refused(ada: Somebody, note: str, seconds: object) -> None:
    answer = sign(ada, note, expiresIn=seconds)

    assert answer.status_code == 400
    assert "expiresIn" in answer.json()["message"]


def test_an_unreadable_object_is_signed_for_nobody(
    ben: Somebody, visitor: Somebody, note: str
) -> None:
    """Trap 38: 404, never 403."""
    assert refused(sign(ben, note)) == NO_OBJECT
    assert refused(sign(visitor, note)) == NO_OBJECT
    assert refused(sign(ben, "nothing")) == NO_OBJECT


def test_a_public_bucket_signs_only_for_those_who_may_read(server: Somebody, ada: Somebody) -> None:
    """Trap 37."""
    server.upload("public/a")

    answer = ada.ask("POST", "/object/sign/public/a", json={"expiresIn": 60})

    assert refused(answer) == NO_OBJECT


def test_links_to_many_say_which_could_not_be_made(ada: Somebody, note: str) -> None:
    made, other = ada.storage.from_("private").create_signed_urls([note, "nothing"], 60)

    assert (made["path"], made["error"]) == (note, None)
    assert made["signedURL"]
    assert (other["error"], other["signedURL"]) == (UNREADABLE, None)


@pytest.mark.parametrize("count", [0, 1001])
def test_links_to_none_or_too_many_are_refused(ada: Somebody, count: int) -> None:
    body = {"expiresIn": 60, "paths": ["a"] * count}

    assert ada.ask("POST", "/object/sign/private", json=body).status_code == 400


def test_a_link_downloads_under_a_name(storage: Running, ada: Somebody, note: str) -> None:
    options: URLOptions = {"download": "other.txt"}
    link = ada.storage.from_("private").create_signed_url(note, 60, options)["signedURL"]

    assert link
    answer = storage.nobody.ask("GET", link, headers={"Range": "bytes=1-2"})
    assert (answer.status_code, answer.text) == (206, "el")
    assert "filename=other.txt" in answer.headers["content-disposition"]


def test_a_link_to_a_transformed_image_leads_to_the_image_as_it_is(
    storage: Running, ada: Somebody, note: str
) -> None:
    link = sign(ada, note, transform={"width": 100}).json()["signedURL"]

    assert link.startswith("/object/sign/")
    assert storage.nobody.ask("GET", link).text == "hello"


def test_a_link_leads_to_its_own_object_only(storage: Running, ada: Somebody, note: str) -> None:
    ada.upload(f"private/{ADA}/other")
    token = token_of(sign(ada, note).json()["signedURL"])

    answer = storage.nobody.ask("GET", f"/object/sign/private/{ADA}/other?token={token}")

    assert refused(answer) == (400, "400", "InvalidSignature", "Invalid signature")


@pytest.mark.parametrize(
    ("token", "error", "message"),
    [
        ("nonsense", "InvalidJWT", "Invalid Compact JWS"),
        (None, "Error", "querystring must have required property 'token'"),
    ],
)
def test_a_link_needs_a_token_of_ours(
    storage: Running, note: str, token: str | None, error: str, message: str
) -> None:
    query = {"token": token} if token else {}

    answer = storage.nobody.ask("GET", f"/object/sign/private/{note}", params=query)

    assert refused(answer) == (400, "400", error, message)


def test_a_changed_token_is_not_believed(storage: Running, ada: Somebody, note: str) -> None:
    head, body, signature = token_of(sign(ada, note).json()["signedURL"]).split(".")
    changed = ("a" if signature[0] != "a" else "b") + signature[1:]

    answer = storage.nobody.ask(
        "GET", f"/object/sign/private/{note}", params={"token": f"{head}.{body}.{changed}"}
    )

    assert refused(answer)[2:] == ("InvalidJWT", "signature verification failed")


def test_a_link_ends(storage: Running, note: str) -> None:
    past = int(time.time()) - 1
    token = storage.keyring.sign({"url": f"private/{note}", "scope": "download", "exp": past})

    answer = storage.nobody.ask("GET", f"/object/sign/private/{note}", params={"token": token})

    assert refused(answer)[2:] == ("InvalidJWT", '"exp" claim timestamp check failed')


def test_a_session_is_no_link(storage: Running, note: str) -> None:
    later = int(time.time()) + 60
    token = storage.keyring.sign({"role": "authenticated", "sub": ADA, "exp": later})

    answer = storage.nobody.ask("GET", f"/object/sign/private/{note}", params={"token": token})

    assert refused(answer)[2] == "InvalidSignature"


@pytest.mark.parametrize(
    ("claims", "may_read", "may_write"),
    [
        ({"scope": "download"}, True, False),
        ({"scope": "upload", "upsert": True}, False, True),
        ({}, True, False),
        ({"upsert": True}, False, True),
        ({"scope": "other"}, False, False),
    ],
)
def test_a_token_is_for_reading_or_for_writing(
    storage: Running, note: str, claims: dict[str, Any], may_read: bool, may_write: bool
) -> None:
    later = int(time.time()) + 60
    token = storage.keyring.sign({"url": f"private/{note}", "exp": later, **claims})
    nobody, query = storage.nobody, {"token": token}

    read = nobody.ask("GET", f"/object/sign/private/{note}", params=query)
    written = nobody.ask("PUT", f"/object/upload/sign/private/{note}", params=query, content=b"x")

    assert (read.status_code == 200, written.status_code == 200) == (may_read, may_write)


def test_whoever_has_the_link_writes_for_the_one_who_signed(
    storage: Running, ada: Somebody, visitor: Somebody
) -> None:
    made = ada.storage.from_("private").create_signed_upload_url(f"{ADA}/given")

    visitor.storage.from_("private").upload_to_signed_url(f"{ADA}/given", made["token"], b"given")

    assert ada.read(f"private/{ADA}/given").text == "given"
    assert storage.database.run("select owner_id from storage.objects") == [(ADA,)]


def test_a_link_to_write_lives_two_hours(ada: Somebody) -> None:
    made = ada.storage.from_("private").create_signed_upload_url(f"{ADA}/given")

    claims = claims_of(made["signed_url"])
    assert claims["exp"] - claims["iat"] == 2 * 60 * 60
    assert (claims["owner"], claims["upsert"], claims["scope"]) == (ADA, False, "upload")


def test_nobody_signs_what_he_may_not_write(ben: Somebody) -> None:
    answer = ben.ask("POST", f"/object/upload/sign/private/{ADA}/given")

    assert refused(answer) == POLICY


def test_a_link_to_write_replaces_only_when_signed_so(ada: Somebody, note: str) -> None:
    files = ada.storage.from_("private")
    plain = ada.ask("POST", f"/object/upload/sign/private/{ADA}/new").json()["url"]
    upsert = files.create_signed_upload_url(note, CreateSignedUploadUrlOptions(upsert="true"))

    assert ada.ask("PUT", plain, content=b"1").status_code == 200
    assert refused(ada.ask("PUT", plain, content=b"2"))[2] == "Duplicate"
    files.upload_to_signed_url(note, upsert["token"], b"changed")
    assert files.download(note) == b"changed"


def test_a_link_cannot_be_signed_over_what_stands_there(ada: Somebody, note: str) -> None:
    assert refused(ada.ask("POST", f"/object/upload/sign/private/{note}"))[2] == "Duplicate"


def test_limits_hold_for_signed_uploads_too(
    storage: Running, ada: Somebody, server: Somebody
) -> None:
    server.storage.update_bucket("private", {"file_size_limit": 3})
    link = ada.ask("POST", f"/object/upload/sign/private/{ADA}/new").json()["url"]

    answer = storage.nobody.ask("PUT", link, content=b"four")

    assert refused(answer)[1] == "413"


def test_bens_name_in_the_token_does_not_let_him_write_elsewhere(
    storage: Running, ben: Somebody
) -> None:
    link = ben.ask("POST", f"/object/upload/sign/private/{BEN}/mine").json()["url"]

    answer = storage.nobody.ask("PUT", link.replace(BEN, ADA), content=b"x")

    assert refused(answer)[2] == "InvalidSignature"
