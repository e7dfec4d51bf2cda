"""Uploads: raw and as a form, new, upserted and updated, within what the bucket takes."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.local.storage.services import ADA, BEN, refused

if TYPE_CHECKING:
    from storage3.types import FileOptions

    from tests.local.storage.conftest import Serve
    from tests.local.storage.services import Running, Somebody

MINE = f"private/{ADA}"
POLICY = (400, "403", "Unauthorized", "new row violates row-level security policy")
DUPLICATE = (400, "409", "Duplicate", "The resource already exists")
TOO_LARGE = (400, "413", "Payload too large", "The object exceeded the maximum allowed size")


def row(storage: Running, name: str, column: str) -> object:
    [(value,)] = storage.database.run(
        f"select {column} from storage.objects where name = %s", [name]
    )
    return value


def test_ada_uploads_into_her_folder_and_reads_it_back(ada: Somebody) -> None:
    made = ada.upload(f"{MINE}/a.txt", "hello", content_type="text/plain")

    assert made.status_code == 200
    assert made.json()["Key"] == f"{MINE}/a.txt"
    read = ada.read(f"{MINE}/a.txt")
    assert (read.text, read.headers["content-type"]) == ("hello", "text/plain")


def test_supabase_py_uploads_a_form(storage: Running, ada: Somebody) -> None:
    options: FileOptions = {
        "content-type": "text/css", "cache-control": "60", "metadata": {"from": "Ada"},
    }  # fmt: skip

    made = ada.storage.from_("private").upload(f"{ADA}/a.css", b"a {}", options)

    assert made.full_path == f"{MINE}/a.css"
    metadata = row(storage, f"{ADA}/a.css", "metadata")
    assert isinstance(metadata, dict)
    assert (metadata["mimetype"], metadata["cacheControl"]) == ("text/css", "max-age=60")
    assert row(storage, f"{ADA}/a.css", "user_metadata") == {"from": "Ada"}


def test_the_row_tells_of_its_file(storage: Running, ada: Somebody) -> None:
    ada.upload(f"{MINE}/a.txt", "hello", content_type="text/plain", cache_control="max-age=5")

    metadata = row(storage, f"{ADA}/a.txt", "metadata")
    assert isinstance(metadata, dict)
    assert metadata.pop("lastModified").endswith("Z")
    assert metadata == {
        "eTag": f'"{hashlib.md5(b"hello").hexdigest()}"',
        "size": 5,
        "mimetype": "text/plain",
        "cacheControl": "max-age=5",
        "contentLength": 5,
        "httpStatusCode": 200,
    }


def test_the_uploader_is_the_owner(storage: Running, ada: Somebody, server: Somebody) -> None:
    ada.upload(f"{MINE}/a.txt")
    server.upload("private/b.txt")

    assert row(storage, f"{ADA}/a.txt", "owner_id") == ADA
    assert row(storage, f"{ADA}/a.txt", "owner::text") == ADA
    assert row(storage, "b.txt", "owner_id") is None


def test_a_subject_that_is_no_uuid_owns_too(storage: Running, server: Somebody) -> None:
    storage.person("service_role", "auth0|ada").upload("private/a.txt")

    assert row(storage, "a.txt", "owner_id") == "auth0|ada"
    assert row(storage, "a.txt", "owner") is None


def test_metadata_comes_in_a_header_with_a_raw_body(storage: Running, ada: Somebody) -> None:
    said = base64.b64encode(json.dumps({"title": "Été"}).encode()).decode()

    ada.upload(f"{MINE}/a.txt", x_metadata=said)

    assert row(storage, f"{ADA}/a.txt", "user_metadata") == {"title": "Été"}


def test_metadata_that_is_no_json_is_left_out(storage: Running, ada: Somebody) -> None:
    ada.upload(f"{MINE}/a.txt", x_metadata="not base64 at all")

    assert row(storage, f"{ADA}/a.txt", "user_metadata") == {}


def test_ben_cannot_write_into_adas_folder(storage: Running, ben: Somebody) -> None:
    assert refused(ben.upload(f"{MINE}/a.txt")) == POLICY
    assert storage.files() == []


def test_a_public_bucket_is_not_open_to_uploads(ada: Somebody, visitor: Somebody) -> None:
    """Trap 37: public means readable by link, and nothing more."""
    assert refused(ada.upload("public/a.txt")) == POLICY
    assert refused(visitor.upload("public/a.txt")) == POLICY


def test_an_upload_without_a_token_is_refused(storage: Running) -> None:
    answer = storage.nobody.upload(f"{MINE}/a.txt")

    assert answer.status_code == 400
    assert answer.json()["message"] == "headers must have required property 'authorization'"


def test_what_stands_there_is_not_replaced_unasked(ada: Somebody) -> None:
    ada.upload(f"{MINE}/a.txt", "first")

    assert refused(ada.upload(f"{MINE}/a.txt", "second")) == DUPLICATE
    assert ada.read(f"{MINE}/a.txt").text == "first"


def test_an_upsert_replaces_and_leaves_no_file_behind(storage: Running, ada: Somebody) -> None:
    first = ada.upload(f"{MINE}/a.txt", "first").json()["Id"]

    second = ada.upload(f"{MINE}/a.txt", "second", x_upsert="true").json()["Id"]

    assert first == second
    assert ada.read(f"{MINE}/a.txt").text == "second"
    assert len(storage.files()) == 1


@pytest.mark.parametrize("policy", ["own_insert", "own_select", "own_update"])
def test_an_upsert_needs_three_policies(storage: Running, ada: Somebody, policy: str) -> None:
    """Trap 35: INSERT, SELECT and UPDATE, also where nothing stands there yet."""
    ada.upload(f"{MINE}/a.txt", "first")
    storage.database.run(f"drop policy {policy} on storage.objects")

    assert refused(ada.upload(f"{MINE}/a.txt", "second", x_upsert="true")) == POLICY


def test_an_upload_needs_no_right_to_read(storage: Running, ada: Somebody) -> None:
    storage.database.run("drop policy own_select on storage.objects")

    assert ada.upload(f"{MINE}/a.txt").status_code == 200


def test_an_update_makes_what_is_missing(ada: Somebody) -> None:
    files = ada.storage.from_("private")

    files.update(f"{ADA}/a.txt", b"made")
    files.update(f"{ADA}/a.txt", b"changed")

    assert files.download(f"{ADA}/a.txt") == b"changed"


def test_policies_hear_the_operation_and_what_is_declared(storage: Running, ben: Somebody) -> None:
    storage.database.run("""
        create policy declared on storage.objects for insert to authenticated with check (
          storage.operation() = 'storage.object.upload'
          and metadata ->> 'mimetype' = 'text/plain'
          and (metadata ->> 'contentLength')::int = 5
          and owner_id = (select auth.uid())::text
          and current_setting('request.method') = 'POST'
          and current_setting('request.path') = '/object/public/b.txt'
          and (current_setting('request.headers')::json ->> 'x-note') = 'yes'
          and current_setting('request.jwt.claim.role') = 'authenticated'
        )""")

    sent = {"content_type": "text/plain", "x_note": "yes"}

    assert ben.upload("public/b.txt", "hello", **sent).status_code == 200
    assert refused(ben.upload("public/c.txt", "hello", **sent)) == POLICY
    assert row(storage, "b.txt", "owner_id") == BEN


def test_policies_are_asked_as_the_caller_and_triggers_run_as_the_service(serve: Serve) -> None:
    """Trap 39: the login only connects; it judges nothing and writes nothing itself."""
    storage = serve()
    storage.database.run("""
        create table public.seen (who text, uid uuid);
        grant insert, select on public.seen to service_role;
        create function public.see() returns trigger language plpgsql as $$
        begin
          insert into public.seen values (current_user, auth.uid());
          return null;
        end $$;
        create trigger see after insert on storage.objects
          for each row when (new.version <> '1') execute function public.see();
    """)

    assert storage.ada.upload(f"{MINE}/a.txt").status_code == 200

    assert storage.database.run("select * from public.seen") == [("service_role", None)]


def test_an_unknown_bucket_is_named_before_any_policy(ada: Somebody) -> None:
    answer = ada.upload("nowhere/a.txt")

    assert refused(answer) == (400, "404", "Bucket not found", "Bucket not found")


@pytest.mark.parametrize("name", ["%C3%A9.txt", "a%23b", "a%5Cb", "a%00b", "", "a%7Cb", "a%25b"])
def test_some_names_are_none_for_an_object(server: Somebody, name: str) -> None:
    assert refused(server.upload(f"private/{name}"))[1:3] == ("400", "InvalidKey")


def test_every_other_letter_makes_a_name(server: Somebody) -> None:
    name = "A-z_0!.*'() &$=@;:+,?.txt"
    quoted = "A-z_0!.*'()%20&$=@;:+,%3F.txt"

    assert server.upload(f"private/{quoted}").json()["Key"] == f"private/{name}"
    assert server.read(f"private/{quoted}").text == "hello"


@pytest.mark.parametrize("path", ["../../escape", "a/../b", "..", "./a", "%2e%2e/%2e%2e/escape"])
def test_no_name_leads_out_of_the_folder(storage: Running, server: Somebody, path: str) -> None:
    host = urlsplit(storage.url)
    token = server.http.headers["authorization"]
    with socket.create_connection((host.hostname or "", host.port or 0)) as raw:
        # Clients tidy such addresses up before they send them; this one does not.
        raw.sendall(
            f"POST /object/private/{path} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n"
            f"content-length: 4\r\nconnection: close\r\n\r\nevil".encode()
        )
        answer = b"".join(iter(lambda: raw.recv(65536), b"")).decode()

    assert "InvalidKey" in answer
    assert storage.files() == []


def test_an_object_larger_than_its_bucket_takes_is_refused(
    storage: Running, server: Somebody
) -> None:
    server.storage.update_bucket("private", {"file_size_limit": 10})

    assert server.upload("private/ten", "x" * 10).status_code == 200
    assert refused(server.upload("private/eleven", "x" * 11)) == TOO_LARGE
    assert len(storage.files()) == 1


def test_the_projects_limit_holds_for_every_bucket(serve: Serve) -> None:
    server = serve(file_size_limit=10).server

    assert refused(server.upload("private/a", "x" * 11)) == TOO_LARGE


@pytest.mark.parametrize("size", [11, 3_000_000])
def test_a_form_that_turns_out_too_large_leaves_nothing(
    storage: Running, server: Somebody, size: int
) -> None:
    server.storage.update_bucket("private", {"file_size_limit": 10})

    answer = server.ask("POST", "/object/private/a", files={"file": ("a", b"x" * size)})

    assert refused(answer) == TOO_LARGE
    assert storage.files() == []


def test_a_body_without_a_length_is_measured_too(storage: Running, server: Somebody) -> None:
    server.storage.update_bucket("private", {"file_size_limit": 10})

    answer = server.ask("POST", "/object/private/a", content=iter([b"x" * 8, b"x" * 8]))

    assert refused(answer) == TOO_LARGE
    assert storage.files() == []


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ("image/png", True),
        ("text/plain", True),
        ("text/html", False),
        ("image", False),
        ("imagery/png", False),
    ],
)
def test_a_bucket_takes_the_types_it_allows(server: Somebody, sent: str, is_taken: bool) -> None:
    server.storage.update_bucket("private", {"allowed_mime_types": ["image/*", "text/plain"]})

    answer = server.upload("private/a", content_type=sent)

    if is_taken:
        assert answer.status_code == 200
    else:
        message = f"mime type {sent} is not supported"
        assert refused(answer) == (400, "415", "invalid_mime_type", message)


def test_a_placeholder_of_any_type_is_taken_and_must_be_empty(server: Somebody) -> None:
    """Trap 41: Studio makes empty folders with it."""
    server.storage.update_bucket("private", {"allowed_mime_types": ["image/*"]})

    assert server.upload("private/a/.emptyFolderPlaceholder", b"").status_code == 200
    assert refused(server.upload("private/b/.emptyFolderPlaceholder", b"x")) == TOO_LARGE


def test_an_empty_object_is_an_object(ada: Somebody) -> None:
    ada.upload(f"{MINE}/empty", b"")

    assert ada.read(f"{MINE}/empty").content == b""


def test_a_form_names_its_file_as_it_likes(ada: Somebody) -> None:
    fields = {"cacheControl": "60", "contentType": "text/x-special"}

    answer = ada.ask("POST", f"/object/{MINE}/a", data=fields, files={"": ("blob", b"content")})

    assert answer.status_code == 200
    read = ada.read(f"{MINE}/a")
    assert (read.content, read.headers["content-type"]) == (b"content", "text/x-special")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'--XX\r\nContent-Disposition: form-data; name="cacheControl"\r\n\r\n60\r\n--XX--\r\n',
        b'--XX\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhalf of it',
        b'--XX\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n--X',
        b"nothing like a form",
    ],
)
def test_a_broken_form_leaves_nothing(storage: Running, server: Somebody, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=XX"}

    answer = server.ask("POST", "/object/private/a", content=body, headers=headers)

    assert refused(answer)[:3] == (400, "400", "InvalidRequest")
    assert storage.files() == []
    assert storage.versions() == set()


def test_a_form_without_a_boundary_is_refused(server: Somebody) -> None:
    headers = {"content-type": "multipart/form-data"}

    assert refused(
        server.upload("private/a", **{k.replace("-", "_"): v for k, v in headers.items()})
    )[:2] == (400, "400")


def test_a_file_that_looks_like_its_boundary_arrives_whole(ada: Somebody) -> None:
    content = b"\r\n--X\r\n--\r\n--boundar\r\n" * 5000

    ada.ask(
        "POST", f"/object/{MINE}/a", files={"file": ("a", content)},
        headers={"content-type": "multipart/form-data; boundary=boundary"},
    )  # fmt: skip

    assert ada.read(f"{MINE}/a").content == content


def test_several_megabytes_arrive_whole(ada: Somebody) -> None:
    content = bytes(range(256)) * 20_000

    assert ada.upload(f"{MINE}/raw", content).status_code == 200
    ada.storage.from_("private").upload(f"{ADA}/form", content)

    assert ada.read(f"{MINE}/raw").content == content
    assert ada.read(f"{MINE}/form").content == content
