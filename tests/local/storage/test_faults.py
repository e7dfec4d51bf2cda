"""Faults: a killed service, a full disk, callers who hang up, and objects larger than memory."""

from __future__ import annotations

import asyncio
import base64
import errno
import itertools
import os
import socket
import stat
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
import uvloop

from nlctl.local import ports, storage
from nlctl.local.cluster import SUPERUSER
from nlctl.local.storage import StorageConfig, folder
from nlctl.local.tokens import Keyring
from tests import killing
from tests.local.storage import services
from tests.local.storage.services import ADA, OWN_FOLDER, refused
from tests.local.storage.test_resumable import PIECE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from nlctl.local.cluster import Cluster
    from tests.databases import Database
    from tests.local.storage.conftest import Serve
    from tests.local.storage.services import Running, Somebody

MEBIBYTE = 1024 * 1024
LARGE = 256 * MEBIBYTE
ALLOWED_GROWTH = 64 * MEBIBYTE
MINE = f"private/{ADA}"
RESUMABLE = {"tus-resumable": "1.0.0"}

KEEP = """
create function public.keep() returns trigger language plpgsql as 'begin return null; end';
create trigger keep before {act} on storage.objects
  for each row execute function public.keep();
"""
REFUSE_AT_THE_END = """
create function public.refuse() returns trigger language plpgsql as $$
begin
  raise unique_violation;
end $$;
create constraint trigger refuse after insert on storage.objects
  deferrable initially deferred for each row execute function public.refuse();
"""


def answer_until_killed(database_url: str, kept: str, told: Connection) -> None:
    """What the process of a service does; it tells its port and is never asked to stop."""
    with ports.listen(ports.LOOPBACK, 0) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = StorageConfig(database_url, Path(kept), url, 2**40)
        app = storage.create(config, Keyring(services.SECRET))
        server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="on", log_config=None))
        told.send(url)
        uvloop.run(server.serve([listening]))


@contextmanager
def process(database: Database, kept: Path) -> Iterator[tuple[BaseProcess, httpx.Client]]:
    """A service in a process of its own, and Ada before it; killed at the end of the block."""
    token = Keyring(services.SECRET).sign({"role": "authenticated", "sub": ADA})
    headers = {"Authorization": f"Bearer {token}"}
    service = (answer_until_killed, services.storage_url(database), str(kept))
    with (
        killing.process(*service) as (child, url),
        httpx.Client(base_url=url, headers=headers, timeout=30) as ada,
    ):
        yield child, ada


def test_a_resumable_upload_goes_on_after_kills(empty_database: Database, tmp_path: Path) -> None:
    empty_database.run(OWN_FOLDER)
    kept, whole, offset = tmp_path / "storage", bytes(range(256)) * 75_000, 0
    place = f"objectName {encoded(f'{ADA}/large')},bucketName {encoded('private')}"
    with process(empty_database, kept) as (_, ada):
        size = {"upload-length": str(len(whole)), "upload-metadata": place}
        announced = ada.post("/upload/resumable", headers={**RESUMABLE, **size})
    path = urlsplit(announced.headers["location"]).path

    for fifth in (1, 2, 3, 4):
        with process(empty_database, kept) as (child, ada):
            offset = resume(ada, path, whole, offset, child.kill, len(whole) * fifth // 5)
    with process(empty_database, kept) as (_, ada):
        resume(ada, path, whole, offset)
        assert ada.get(f"/object/{MINE}/large").content == whole


def resume(
    ada: httpx.Client,
    path: str,
    whole: bytes,
    least: int,
    kill: Callable[[], None] | None = None,
    fatal: int = 0,
) -> int:
    """Send what is missing; the service is killed before it has more than `fatal` bytes."""
    offset = int(ada.head(path, headers=RESUMABLE).headers["upload-offset"])
    assert offset >= least

    def rest() -> Iterator[bytes]:
        for start in range(offset, len(whole), MEBIBYTE):
            if kill and start >= fatal:
                kill()
            yield whole[start : start + MEBIBYTE]

    headers = {**RESUMABLE, **PIECE, "upload-offset": str(offset)}
    if kill is None:
        assert ada.patch(path, headers=headers, content=rest()).status_code == 204
    else:
        with pytest.raises(httpx.TransportError):
            ada.patch(path, headers=headers, content=rest())
    return offset


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("size", [10, 3 * MEBIBYTE])
def test_a_full_disk_refuses_and_keeps_what_was_there(
    storage: Running, ada: Somebody, monkeypatch: pytest.MonkeyPatch, size: int, code: int
) -> None:
    ada.upload(f"{MINE}/a", "before")

    def fail(*_: Any) -> None:
        raise OSError(code, "no room")

    with monkeypatch.context() as full:
        full.setattr(folder, "_write_all", fail)
        answer = ada.upload(f"{MINE}/a", b"x" * size, x_upsert="true")

    assert refused(answer) == (
        500, "500", "InternalError", "The disk is full; the object was not stored",
    )  # fmt: skip
    assert ada.read(f"{MINE}/a").text == "before"
    assert len(storage.files()) == 1


def test_a_disk_that_fails_at_the_last_moment_keeps_what_was_there(
    storage: Running, ada: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.upload(f"{MINE}/a", "before")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", fail)
        assert ada.upload(f"{MINE}/a", "after", x_upsert="true").status_code == 500
        assert ada.upload(f"{MINE}/b").status_code == 500

    assert ada.read(f"{MINE}/a").text == "before"
    assert storage.versions() == {path.name for path in storage.files()}
    assert len(storage.files()) == 1


@pytest.mark.parametrize(
    ("size", "moves_open_files", "moves_first"),
    [
        (folder.SMALL, folder.MOVES_OPEN_FILES, folder.MOVES_OPEN_FILES),
        (folder.SMALL, False, False),
        (folder.SMALL + 1, folder.MOVES_OPEN_FILES, False),
    ],
)
def test_no_row_is_there_before_its_file_and_its_name_are_on_the_disk(
    storage: Running,
    ada: Somebody,
    monkeypatch: pytest.MonkeyPatch,
    *,
    size: int,
    moves_open_files: bool,
    moves_first: bool,
) -> None:
    seen: list[tuple[str, bool, set[str]]] = []
    bring_to_disk = os.fsync

    def look_and_bring(handle: int) -> None:
        what = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        [path] = storage.files()
        seen.append((what, folder.OBJECTS in path.parts, storage.versions()))
        bring_to_disk(handle)

    with monkeypatch.context() as watched:
        watched.setattr(folder, "MOVES_OPEN_FILES", moves_open_files)
        watched.setattr("os.fsync", look_and_bring)
        ada.upload(f"{MINE}/a", bytes(size))

    brought: list[tuple[str, bool, set[str]]] = [("file", moves_first, set())]
    if os.name != "nt":  # which brings no folder to the disk
        brought.append(("folder", True, set()))
    assert seen == brought
    assert ada.read(f"{MINE}/a").content == bytes(size)


@pytest.mark.parametrize("size", [folder.SMALL, folder.SMALL + 1])
def test_an_upload_cancelled_as_its_thread_is_done_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    async def cancel_when_done() -> None:
        async def body() -> AsyncIterator[bytes]:
            yield bytes(size)

        kept = folder.Folder(tmp_path)
        kept.open()
        begin, loop = kept.begin, asyncio.get_running_loop()

        def begin_and_cancel(*act: Any) -> asyncio.Future[Any]:
            begun = begin(*act)
            begun.add_done_callback(lambda _: loop.call_soon(upload.cancel))
            return begun

        monkeypatch.setattr(kept, "begin", begin_and_cancel)
        upload = asyncio.create_task(kept.keep(body()))
        with pytest.raises(asyncio.CancelledError):
            await upload
        kept.close()

    asyncio.run(cancel_when_done())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_upload_cancelled_at_its_end_leaves_the_file_to_its_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number would be somebody else's file, or connection, by the time the thread uses it."""
    bring_to_disk, begun, go_on = os.fsync, threading.Event(), threading.Event()

    def wait_and_bring(handle: int) -> None:
        begun.set()
        assert go_on.wait(30)
        bring_to_disk(handle)

    async def cancel_at_the_end() -> None:
        async def hello() -> AsyncIterator[bytes]:
            yield b"hello"

        kept = folder.Folder(tmp_path)
        kept.open()
        upload = asyncio.create_task(kept.keep(hello()))
        await asyncio.to_thread(begun.wait)
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        [whole] = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert whole.read_bytes() == b"hello"
        go_on.set()
        await asyncio.to_thread(kept.close)

    monkeypatch.setattr("os.fsync", wait_and_bring)
    asyncio.run(cancel_at_the_end())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("size", [0, folder.SMALL, folder.SMALL + 1, 3 * MEBIBYTE])
def test_a_folder_that_was_closed_holds_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    opened: dict[int, str] = {}
    really_open, really_close = os.open, os.close

    def remember(path: Any, *how: Any, **more: Any) -> int:
        handle = really_open(path, *how, **more)
        if str(path).startswith(str(tmp_path)):
            opened[handle] = str(path)
        return handle

    def forget(handle: int) -> None:
        opened.pop(handle, None)
        really_close(handle)

    async def keep_many() -> None:
        async def body() -> AsyncIterator[bytes]:
            yield bytes(size)

        kept = folder.Folder(tmp_path)
        kept.open()
        made = [await kept.keep(body()) for _ in range(10)]
        assert opened or os.name == "nt", "nothing was seen"
        kept.close()
        assert [kept.path(each.version).stat().st_size for each in made] == [size] * 10

    with monkeypatch.context() as watched:
        watched.setattr("os.open", remember)
        watched.setattr("os.close", forget)
        asyncio.run(keep_many())
    assert not opened


@pytest.mark.parametrize("act", ["insert", "update"])
def test_an_object_that_a_trigger_keeps_is_kept_whole(serve: Serve, act: str) -> None:
    storage = serve()
    storage.ada.upload(f"{MINE}/a", "before")
    storage.database.run(KEEP.format(act=act))

    answer = storage.ada.upload(f"{MINE}/a", "after", x_upsert="true")

    assert refused(answer)[1:3] == ("500", "DatabaseError")
    assert storage.ada.read(f"{MINE}/a").text == "before"
    assert {path.name for path in storage.files()} == storage.versions()


def test_an_object_that_a_trigger_lets_go_leaves_no_file(serve: Serve) -> None:
    storage = serve()
    storage.database.run(KEEP.format(act="insert"))

    assert refused(storage.ada.upload(f"{MINE}/a"))[1:3] == ("500", "DatabaseError")
    assert storage.files() == []


def test_what_is_refused_when_it_is_committed_leaves_no_file(serve: Serve) -> None:
    storage = serve()
    storage.database.run(REFUSE_AT_THE_END, user=SUPERUSER)

    for _ in ("prepared", "as prepared"):
        assert refused(storage.ada.upload(f"{MINE}/a"))[1:3] == ("409", "Duplicate")
    assert (storage.versions(), storage.files()) == (set(), [])


@pytest.mark.parametrize("head", ["", "content-type: multipart/form-data; boundary=XX\r\n"])
def test_a_caller_who_hangs_up_leaves_nothing(storage: Running, ada: Somebody, head: str) -> None:
    token = ada.http.headers["authorization"]
    place = urlsplit(storage.url)
    with socket.create_connection((place.hostname or "", place.port or 0)) as raw:
        raw.sendall(
            f"POST /object/{MINE}/a HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n{head}"
            f"content-length: {4 * MEBIBYTE}\r\n\r\n".encode()
        )
        raw.sendall(
            b'--XX\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n'
            + b"x" * 2 * MEBIBYTE
        )
        wait_until(storage.files)  # it has begun

    assert ada.upload(f"{MINE}/b").status_code == 200
    wait_until(lambda: [path.name for path in storage.files()] == list(storage.versions()))


def wait_until(holds: Any) -> None:
    """Wait for what another thread does; half a minute is a failure."""
    for _ in range(3000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("It never came to hold.")


def test_a_caller_who_stops_reading_is_let_go(storage: Running, ada: Somebody) -> None:
    ada.upload(f"{MINE}/large", bytes(16 * MEBIBYTE))

    with ada.http.stream("GET", f"/object/{MINE}/large") as answer:
        next(answer.iter_bytes(1000))

    assert ada.read(f"{MINE}/large").headers["content-length"] == str(16 * MEBIBYTE)


def test_a_database_that_is_gone_is_said_to_be(serve: Serve, cluster: Cluster) -> None:
    gone = cluster.url("nothing", "supabase_storage_admin")
    storage = serve(database_url=gone)

    assert refused(storage.ada.upload(f"{MINE}/a"))[1:3] == ("503", "DatabaseError")
    assert storage.files() == []


def test_a_lost_connection_is_replaced(storage: Running, ada: Somebody) -> None:
    ada.upload(f"{MINE}/a")
    storage.database.run(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename = 'supabase_storage_admin' and datname = current_database()",
        user="supabase_admin",
    )

    wait_until(lambda: ada.read(f"{MINE}/a").status_code == 200)


def test_what_never_became_complete_is_gone_after_a_restart(serve: Serve, tmp_path: Path) -> None:
    left = tmp_path / "storage" / "incoming" / "left.new"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")

    assert serve().files() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the most that was in memory")
@pytest.mark.parametrize("form", [False, True])
def test_a_large_object_passes_through_without_being_held(
    empty_database: Database, tmp_path: Path, form: bool
) -> None:
    empty_database.run(OWN_FOLDER)
    piece = bytes(MEBIBYTE)
    headers = {"content-length": str(LARGE)}
    before_file = b""
    if form:
        before_file = b'--XX\r\ncontent-disposition: form-data; name=""; filename="f"\r\n\r\n'
        after_file = b"\r\n--XX--\r\n"
        length = len(before_file) + LARGE + len(after_file)
        headers = {
            "content-type": "multipart/form-data; boundary=XX", "content-length": str(length),
        }  # fmt: skip

    def body() -> Iterator[bytes]:
        yield before_file
        yield from itertools.repeat(piece, LARGE // MEBIBYTE)
        if form:
            yield after_file

    with process(empty_database, tmp_path / "storage") as (child, ada):
        ada.post(f"/object/{MINE}/warm", content=piece)
        before = most_memory(child.pid)
        made = ada.post(f"/object/{MINE}/large", content=body(), headers=headers)
        assert made.status_code == 200
        with ada.stream("GET", f"/object/{MINE}/large") as answer:
            assert sum(len(chunk) for chunk in answer.iter_raw()) == LARGE
        growth = most_memory(child.pid) - before

    assert growth < ALLOWED_GROWTH


def most_memory(process_id: int | None) -> int:
    """The most that a process has had in memory, in bytes."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
