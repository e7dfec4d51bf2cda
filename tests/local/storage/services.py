"""A running Storage service, and people who ask it things."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
import uvloop
from storage3 import SyncStorageClient

from nlctl.local import ports, storage
from nlctl.local.cluster import SUPERUSER
from nlctl.local.storage import StorageConfig
from nlctl.local.tokens import Keyring, make_signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from tests.databases import Database

SECRET = "a-secret-that-only-these-tests-know-of"
ADA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
PATIENCE_SECONDS = 30
Refused = tuple[int, str, str, str]

# What most projects have: everybody's own folder in one bucket, by the subject of their token.
OWN_FOLDER = """
create policy own_select on storage.objects for select to authenticated
  using (bucket_id = 'private' and (storage.foldername(name))[1] = (select auth.jwt()) ->> 'sub');
create policy own_insert on storage.objects for insert to authenticated
  with check (
    bucket_id = 'private' and (storage.foldername(name))[1] = (select auth.jwt()) ->> 'sub');
create policy own_update on storage.objects for update to authenticated
  using (bucket_id = 'private' and (storage.foldername(name))[1] = (select auth.jwt()) ->> 'sub');
create policy own_delete on storage.objects for delete to authenticated
  using (bucket_id = 'private' and (storage.foldername(name))[1] = (select auth.jwt()) ->> 'sub');
insert into storage.buckets (id, name, public)
values ('private', 'private', false), ('public', 'public', true);
"""

LIKE_NEW = """
select set_config('storage.allow_delete_query', 'true', true);
delete from storage.objects;
delete from storage.buckets;
do $$
declare
  found record;
begin
  for found in select policyname, tablename from pg_policies where schemaname = 'storage' loop
    execute format('drop policy %I on storage.%I', found.policyname, found.tablename);
  end loop;
end $$;
"""


@dataclass(frozen=True)
class Somebody:
    """A caller with a token, by plain HTTP and with supabase-py's part for storage."""

    http: httpx.Client
    storage: SyncStorageClient

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request."""
        return self.http.request(method, path, **options)

    def upload(self, path: str, content: bytes | str = b"hello", **headers: str) -> httpx.Response:
        """POST /object/<path>; `x_upsert="true"` is the header x-upsert."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", f"/object/{path}", content=content, headers=sent)

    def read(self, path: str, **options: Any) -> httpx.Response:
        """GET /object/<path>"""
        return self.ask("GET", f"/object/{path}", **options)


@dataclass(frozen=True)
class Running:
    """A Storage service that answers at `url`, and what it stands on."""

    url: str
    config: StorageConfig
    keyring: Keyring
    database: Database
    people: dict[str, Somebody] = field(default_factory=dict)

    @property
    def ada(self) -> Somebody:
        """Somebody with an account, whose folder is ada_folder."""
        return self.person("authenticated", ADA)

    @property
    def ben(self) -> Somebody:
        """Somebody else with an account."""
        return self.person("authenticated", BEN)

    @property
    def anon(self) -> Somebody:
        """A visitor with the publishable key."""
        return self.person("anon")

    @property
    def server(self) -> Somebody:
        """A server with the secret key."""
        return self.person("service_role")

    @property
    def nobody(self) -> Somebody:
        """A caller without any token."""
        return self.somebody(None, dict)

    def person(self, role: str, subject: str | None = None, **claims: Any) -> Somebody:
        """Whoever has this token."""
        said = {"role": role, **({"sub": subject} if subject else {}), **claims}
        return self.somebody(said, lambda: {"Authorization": f"Bearer {self.keyring.sign(said)}"})

    def somebody(self, who: object, headers: Callable[[], dict[str, str]]) -> Somebody:
        """Whoever sends these headers; the same for as long as the service runs."""
        known = self.people.get(repr(who))
        if known is None:
            sent = headers()
            http = httpx.Client(base_url=self.url, headers=sent, timeout=PATIENCE_SECONDS)
            known = Somebody(http, SyncStorageClient(f"{self.url}/", sent, http_client=http))
            self.people[repr(who)] = known
        return known

    def files(self) -> list[Path]:
        """Every file of the folder, complete or not."""
        return sorted(path for path in self.config.folder.rglob("*") if path.is_file())

    def versions(self) -> set[str]:
        """The versions that the rows name."""
        return {row[0] for row in self.database.run("select version from storage.objects")}

    def make_like_new(self) -> None:
        """Forget every object, bucket and policy but those that tests begin with."""
        self.database.run(LIKE_NEW, user=SUPERUSER)
        self.database.run(OWN_FOLDER)
        for path in self.files():
            path.unlink()

    def close(self) -> None:
        """Hang up for everybody."""
        for known in self.people.values():
            known.http.close()


def refused(answer: httpx.Response) -> Refused:
    """HTTP status, and what the body says: statusCode, error and message."""
    body = answer.json()
    return answer.status_code, body["statusCode"], body["error"], body["message"]


@contextmanager
def serve(database: Database, folder: Path, **settings: Any) -> Iterator[Running]:
    """A service for as long as the block."""
    keyring = Keyring(SECRET, [make_signing_key()])
    with ports.listen(ports.LOOPBACK, 0) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        database_url = settings.pop("database_url", storage_url(database))
        config = StorageConfig(database_url, folder, url, **settings)
        with run(storage.create(config, keyring), listening):
            running = Running(url, config, keyring, database)
            try:
                yield running
            finally:
                running.close()


def storage_url(database: Database) -> str:
    """As the service logs in."""
    return database.cluster.url(database.name, "supabase_storage_admin")


@contextmanager
def run(app: ASGIApp, listening: Any) -> Iterator[None]:
    """Answer on a socket for as long as the block."""
    config = uvicorn.Config(app, ws="none", lifespan="on", log_config=None, http="httptools")
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def startup_and_tell(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = startup_and_tell  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: uvloop.run(server.serve([listening])))
    thread.start()
    try:
        assert started.wait(PATIENCE_SECONDS)
        yield
    finally:
        server.should_exit = True
        thread.join()
