"""Resumable uploads: TUS 1.0.0, for large objects over connections that break.

What has arrived of an upload is a pair of files in incoming/: the bytes, and what was said of them.
The size of the first is the offset, so nothing is promised that is not there. The last byte counts
only once there is an object: whoever was cut off before sends it again. The object's version is the
upload's identifier, so that a finished upload is still recognised.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import asdict, dataclass, replace
from email.utils import formatdate
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from nlctl.local.storage import errors, links, names, objects
from nlctl.local.storage.bodies import DEFAULT_CACHE_CONTROL, DEFAULT_TYPE, Body, Rules
from nlctl.local.storage.call import Answer
from nlctl.local.storage.callers import SERVICE
from nlctl.local.storage.fields import read_object
from nlctl.local.storage.folder import WRITE_SIZE
from nlctl.local.storage.objects import Draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nlctl.local.storage.call import Call
    from nlctl.local.storage.folder import Folder

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,termination,expiration"
PIECE_TYPE = "application/offset+octet-stream"
SIGNED = "/upload/resumable/sign"


class Misuse(Exception):
    """A refusal as the protocol has it: the status itself, and a sentence in plain text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that goes on: where its object will be, and what was said of it."""

    identifier: str
    bucket: str
    name: str
    owner: str | None
    content_type: str | None
    cache_control: str
    user_metadata: str | None
    declared: str
    size: int | None
    is_upsert: bool
    expires_at: float

    @property
    def address(self) -> str:
        """What its URL ends with."""
        place = f"{self.bucket}/{self.name}/{self.identifier}"
        return base64.urlsafe_b64encode(place.encode()).rstrip(b"=").decode()

    def draft(self, owner: str | None) -> Draft:
        """Its object, as far as it is known before it has arrived."""
        metadata = objects.declare(self.content_type, self.size)
        return Draft(self.bucket, self.name, owner, metadata, self.user_metadata, self.is_upsert)


class Uploads:
    """The uploads of one service that go on, and which of them is being written."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._busy: set[str] = set()

    def piece(self, identifier: str) -> Path:
        """The bytes that have arrived."""
        return self._folder.incoming / f"{identifier}.part"

    def note(self, identifier: str) -> Path:
        """What was said of them."""
        return self._folder.incoming / f"{identifier}.json"

    def write(self, upload: Upload) -> None:
        """Keep what is known: beside, then moved, so that a crash leaves all or nothing."""
        note = self.note(upload.identifier)
        beside = note.with_suffix(".new")
        beside.write_text(json.dumps(asdict(upload)), encoding="utf-8")
        beside.replace(note)

    def read(self, identifier: str) -> Upload:
        """An upload that goes on, or NoSuchUpload."""
        try:
            told = self.note(identifier).read_text(encoding="utf-8")
            upload = Upload(**json.loads(told))
        except (OSError, ValueError, TypeError) as error:
            raise errors.no_upload() from error
        if upload.expires_at < time.time():
            self.forget(identifier)
            raise errors.no_upload()
        return upload

    def offset(self, upload: Upload) -> int:
        """How much has arrived of an unfinished upload; its last byte is always still to come."""
        try:
            arrived = self.piece(upload.identifier).stat().st_size
        except FileNotFoundError:
            return 0
        return arrived if upload.size is None else min(arrived, max(0, upload.size - 1))

    def forget(self, identifier: str) -> None:
        """Throw away what has arrived."""
        self.note(identifier).unlink(missing_ok=True)
        self.piece(identifier).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Throw away what expired, and bytes that nobody said anything of."""
        for note in self._folder.incoming.glob("*.json"):
            try:
                self.read(note.stem)
            except errors.Refusal:
                self.forget(note.stem)
        for piece in self._folder.incoming.glob("*.part"):
            if not self.note(piece.stem).exists():
                piece.unlink(missing_ok=True)

    def hold(self, identifier: str) -> _Hold:
        """Keep others from writing the same upload until the end of the block."""
        return _Hold(self._busy, identifier)


class _Hold:
    def __init__(self, busy: set[str], identifier: str) -> None:
        self._busy = busy
        self._identifier = identifier

    def __enter__(self) -> None:
        if self._identifier in self._busy:
            raise errors.locked()
        self._busy.add(self._identifier)

    def __exit__(self, *_: object) -> None:
        self._busy.discard(self._identifier)


async def describe(call: Call) -> Answer:
    """OPTIONS: what is spoken here."""
    limit = call.service.config.file_size_limit
    return _answer(
        204,
        ("tus-version", VERSION),
        ("tus-extension", EXTENSIONS),
        ("tus-max-size", str(limit)),
    )


async def create(call: Call) -> Answer:
    """POST: an upload begins, its first bytes possibly with it."""
    _check_version(call)
    upload = _announced(call)
    upload, rules = await _admit(call, upload)
    limit = rules.limit_of(upload.name)
    if upload.size is not None and upload.size > limit:
        raise Misuse(413, "Maximum size exceeded\n")
    uploads = call.service.uploads
    await call.service.folder.do(uploads.write, upload)
    headers = [("location", _location(call, upload)), ("upload-expires", _expiry(upload))]
    if call.headers.get("content-type") == PIECE_TYPE:
        with uploads.hold(upload.identifier):
            headers += await _receive(call, upload, 0, limit)
    elif upload.size == 0:
        headers += await _finish(call, upload)
    return _answer(201, *headers)


async def resume(call: Call) -> Answer:
    """PATCH: the next bytes."""
    _check_version(call)
    if call.headers.get("content-type") != PIECE_TYPE:
        raise Misuse(415, "Content-Type must be application/offset+octet-stream\n")
    upload = _find(call)
    with call.service.uploads.hold(upload.identifier):
        upload, rules = await _admit(call, upload)
        said = call.headers.get("upload-offset", "")
        if not said.isdecimal():
            raise Misuse(403, "Upload-Offset header required\n")
        if int(said) != call.service.uploads.offset(upload):
            raise Misuse(409, "Upload-Offset conflict\n")
        upload = await _learn_size(call, upload)
        headers = await _receive(call, upload, int(said), rules.limit_of(upload.name))
    return _answer(204, ("upload-expires", _expiry(upload)), *headers)


async def look(call: Call) -> Answer:
    """HEAD: how far it came."""
    if whole := await objects.find_size(call, *_place(call)):
        return _answer(
            200, ("cache-control", "no-store"), ("upload-offset", whole), ("upload-length", whole)
        )
    upload = _find(call)
    offset = call.service.uploads.offset(upload)
    length = (
        ("upload-defer-length", "1") if upload.size is None else ("upload-length", str(upload.size))
    )
    return _answer(
        200,
        ("cache-control", "no-store"),
        ("upload-offset", str(offset)),
        length,
        ("upload-metadata", upload.declared),
        ("upload-expires", _expiry(upload)),
    )


async def stop(call: Call) -> Answer:
    """DELETE: it will not go on."""
    _check_version(call)
    upload = _find(call)
    with call.service.uploads.hold(upload.identifier):
        await _admit(call, upload)
        await call.service.folder.do(call.service.uploads.forget, upload.identifier)
    return _answer(204)


def refuse(refusal: errors.Refusal | Misuse) -> Answer:
    """A refusal in the protocol's form."""
    return Answer(
        refusal.status,
        refusal.message.encode(),
        [("tus-resumable", VERSION), ("content-type", "text/plain; charset=utf-8")],
    )


def _answer(status: int, *headers: tuple[str, str]) -> Answer:
    return Answer(status, headers=[("tus-resumable", VERSION), *headers, ("content-length", "0")])


def _check_version(call: Call) -> None:
    if call.headers.get("tus-resumable") != VERSION:
        raise Misuse(412, "Tus-Resumable Required\n")


def _announced(call: Call) -> Upload:
    """The upload that a POST announces."""
    length, deferred = call.headers.get("upload-length"), call.headers.get("upload-defer-length")
    if (length is None) == (deferred is None) or (length and not length.isdecimal()):
        raise Misuse(400, "Upload-Length or Upload-Defer-Length header required\n")
    declared = call.headers.get("upload-metadata")
    if declared is None:
        raise errors.no_content("Metadata header is required")
    said = _read_metadata(declared)
    seconds = said.get("cacheControl", "")
    return Upload(
        identifier=str(uuid4()),
        bucket=names.check_bucket(said.get("bucketName", "")),
        name=names.check_object(said.get("objectName", "")),
        owner=call.caller.owner,
        content_type=said.get("contentType") or None,
        cache_control=f"max-age={seconds}" if seconds.isdecimal() else DEFAULT_CACHE_CONTROL,
        user_metadata=read_object(said.get("metadata", "")),
        declared=declared,
        size=int(length) if length else None,
        is_upsert=call.is_upsert,
        expires_at=time.time() + call.service.config.resumable_seconds,
    )


def _read_metadata(header: str) -> dict[str, str]:
    """The pairs of Upload-Metadata: a name, a space, and its value in base64."""
    said = {}
    for pair in filter(None, (each.strip() for each in header.split(","))):
        name, _, encoded = pair.partition(" ")
        try:
            said[name] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise errors.invalid_parameter("Invalid Upload-Metadata header") from error
    return said


def _place(call: Call) -> tuple[str, str, str]:
    """What the path names: bucket, name, and the upload's identifier."""
    encoded = call.place[-1]
    try:
        place = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        path, _, identifier = place.rpartition("/")
        bucket, _, name = path.partition("/")
        return bucket, name, str(UUID(identifier))
    except (binascii.Error, ValueError) as error:
        raise errors.no_upload() from error


def _find(call: Call) -> Upload:
    """The upload in the path; one that has become an object is none any more."""
    bucket, name, identifier = _place(call)
    upload = call.service.uploads.read(identifier)
    if (upload.bucket, upload.name) != (bucket, name):
        raise errors.no_upload()
    return upload


async def _admit(call: Call, upload: Upload) -> tuple[Upload, Rules]:
    """Let those go on who may write the object: by their token, or by that of a signed URL."""
    if _is_signed(call):
        token = call.headers.get("x-signature")
        if not token:
            raise errors.invalid_signature("Missing x-signature header")
        claims = links.verify(call, token, links.UPLOAD, f"{upload.bucket}/{upload.name}")
        upload = replace(
            upload, owner=claims.get("owner") or None, is_upsert=bool(claims.get("upsert"))
        )
        call.caller = SERVICE
    else:
        upload = replace(upload, owner=call.caller.owner, is_upsert=call.is_upsert)
    body = Body(upload.content_type or DEFAULT_TYPE, upload.cache_control, _nothing())
    return upload, await objects.admit(call, upload.draft(upload.owner), body)


async def _learn_size(call: Call, upload: Upload) -> Upload:
    """The size of an upload that was announced without one, once it is told."""
    length = call.headers.get("upload-length")
    if upload.size is not None or length is None:
        return upload
    if not length.isdecimal():
        raise Misuse(400, "Invalid upload-length\n")
    upload = replace(upload, size=int(length))
    await call.service.folder.do(call.service.uploads.write, upload)
    return upload


async def _receive(call: Call, upload: Upload, offset: int, limit: int) -> list[tuple[str, str]]:
    """Take in what the body carries; what arrived before it broke off is kept."""
    folder = call.service.folder
    most = limit if upload.size is None else min(limit, upload.size)
    piece = call.service.uploads.piece(upload.identifier)
    buffer = bytearray()
    try:
        async for chunk in call.chunks():
            if offset + len(buffer) + len(chunk) > most:
                raise Misuse(413, "Maximum size exceeded\n")
            buffer += chunk
            if len(buffer) >= WRITE_SIZE:
                await folder.do(_write, piece, offset, buffer)
                offset += len(buffer)
                buffer = bytearray()
    finally:
        await folder.do(_write, piece, offset, buffer)
    offset += len(buffer)
    headers = [("upload-offset", str(offset))]
    if offset == upload.size:
        headers += await _finish(call, upload)
    return headers


async def _finish(call: Call, upload: Upload) -> list[tuple[str, str]]:
    """Everything is there: it becomes an object."""
    uploads, folder = call.service.uploads, call.service.folder
    piece = uploads.piece(upload.identifier)
    await folder.do(_write, piece, upload.size, b"")
    kept = await folder.adopt(piece, upload.identifier)
    metadata = objects.describe(kept, upload.content_type or DEFAULT_TYPE, upload.cache_control)
    final = replace(
        upload.draft(upload.owner), metadata=metadata, user_metadata=upload.user_metadata or "{}"
    )
    await objects.write(call, final, kept)
    await folder.do(uploads.forget, upload.identifier)
    return [("tus-complete", "1")]


def _write(piece: Path, offset: int, content: bytes | bytearray) -> None:
    with piece.open("ab") as file:
        file.truncate(offset)  # the last byte may be there already, and comes again
        file.write(content)


def _location(call: Call, upload: Upload) -> str:
    route = SIGNED if _is_signed(call) else SIGNED.removesuffix("/sign")
    return f"{call.service.config.public_url}{route}/{upload.address}"


def _is_signed(call: Call) -> bool:
    return call.path == SIGNED or call.path.startswith(f"{SIGNED}/")


def _expiry(upload: Upload) -> str:
    return formatdate(upload.expires_at, usegmt=True)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
