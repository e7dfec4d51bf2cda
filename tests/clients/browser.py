"""A page that a browser without a window opens, and what the page has to tell."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PATIENCE_SECONDS = 90
END_SECONDS = 10
# Nothing but the page: no window, no sandbox (CI runs as root), no errands of the browser's own.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Site(ThreadingHTTPServer):
    """A few files on the loopback; whatever a page posts back is kept in `posted`."""

    def __init__(self, files: Mapping[str, tuple[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.files = files
        self.posted: Queue[Any] = Queue()

    @property
    def url(self) -> str:
        """Where its first page is."""
        return f"http://127.0.0.1:{self.server_port}/"


class Visit(BaseHTTPRequestHandler):
    """One request of a page."""

    server: Site

    def do_GET(self) -> None:
        """Give the file of this path."""
        if self.path not in self.server.files:
            self.send_error(404)
            return
        kind, content = self.server.files[self.path]
        self._answer(200, content, kind)

    def do_POST(self) -> None:
        """Keep what the page tells."""
        length = int(self.headers["content-length"])
        told = json.loads(self.rfile.read(length))
        self._answer(204)
        self.server.posted.put(told)

    def log_message(self, *said: Any) -> None:
        """Say nothing: the test says what went wrong."""

    def _answer(self, status: int, content: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def open_page(program: str, files: Mapping[str, tuple[str, bytes]], folder: Path) -> Any:
    """What the page at `/` posts back, opened by this browser with its profile in `folder`."""
    notes = folder / "browser.log"
    with _serving(files) as site, notes.open("w") as log:
        command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", site.url]
        browser = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            return site.posted.get(timeout=PATIENCE_SECONDS)
        except Empty:
            raise AssertionError(f"The page told nothing. {notes.read_text()}") from None
        finally:
            _end(browser)


def _end(browser: subprocess.Popen[bytes]) -> None:
    browser.terminate()
    try:
        browser.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        browser.kill()
        browser.wait()


@contextmanager
def _serving(files: Mapping[str, tuple[str, bytes]]) -> Iterator[Site]:
    with Site(files) as site:
        thread = Thread(target=site.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()
