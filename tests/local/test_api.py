"""The API process as a person meets it: started, killed, moved, asked from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from nlctl.local import keys, ports
from tests import checkouts
from tests.local.asking import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checkouts import Checkout

KEY = {"apikey": keys.PUBLISHABLE_KEY}
PATIENCE_SECONDS = 60
FREE_PORT = 27321  # below those that systems give to outgoing connections


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A checkout of the product; the tests start and kill what runs in it."""
    made = checkouts.copy()
    yield made
    made.remove()


def up(checkout: Checkout) -> dict[str, Any]:
    told: dict[str, Any] = checkout.answer("up")
    return told


def process_of(checkout: Checkout) -> psutil.Process:
    told = json.loads((checkout.root / ".nlctl" / "api.json").read_text())
    return psutil.Process(told["pid"])


def kill(process: psutil.Process) -> None:
    process.kill()
    process.wait()


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def read_theme(api_url: str) -> httpx.Response:
    return httpx.get(f"{api_url}/rest/v1/rpc/get_active_theme_tokens", headers=KEY)


def test_up_serves_data_auth_and_inbox(checkout: Checkout) -> None:
    told = up(checkout)

    assert read_theme(told["api_url"]).status_code == 200
    assert httpx.get(f"{told['api_url']}/auth/v1/health", headers=KEY).status_code == 200
    assert httpx.get(f"{told['mail_url']}/api/v1/messages").json()["total"] >= 0


def test_an_api_that_runs_is_left_alone(checkout: Checkout) -> None:
    up(checkout)
    before = process_of(checkout)

    up(checkout)

    assert process_of(checkout) == before


def test_a_killed_api_is_noticed_and_started_again(checkout: Checkout) -> None:
    up(checkout)
    kill(process_of(checkout))

    done = checkout.nlctl("status", "--json")
    assert json.loads(done.stdout)["reason"] == "the API is not running; run: nlctl up"
    assert read_theme(up(checkout)["api_url"]).status_code == 200


def test_an_api_that_does_not_answer_is_replaced(checkout: Checkout) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no signal that stops a process for a while")
    up(checkout)
    frozen = process_of(checkout)
    frozen.suspend()

    told = up(checkout)

    assert process_of(checkout).pid != frozen.pid
    assert read_theme(told["api_url"]).status_code == 200


def test_a_changed_setting_restarts_the_api(checkout: Checkout) -> None:
    config = checkout.root / "supabase" / "config.toml"
    written = config.read_text()
    up(checkout)
    before = process_of(checkout).pid
    config.write_text(written.replace("max_rows = 1000", "max_rows = 2"))
    try:
        told = up(checkout)
        rows = httpx.get(
            f"{told['api_url']}/rest/v1/user_types?select=id",
            headers={"apikey": keys.SECRET_KEY},
        )
    finally:
        config.write_text(written)

    assert process_of(checkout).pid != before
    assert len(rows.json()) == 2


def test_the_signing_key_outlives_a_restart(checkout: Checkout) -> None:
    def published() -> object:
        return httpx.get(f"{up(checkout)['api_url']}/auth/v1/.well-known/jwks.json").json()

    before = published()
    checkout.answer("down")

    assert published() == before


def test_a_taken_port_gives_way_to_the_next_of_its_family(checkout: Checkout) -> None:
    checkout.answer("up", "--port", str(FREE_PORT))
    checkout.answer("down")
    with ports.listen(ports.LOOPBACK, FREE_PORT, exact=True):
        told = up(checkout)

    port = urlsplit(told["api_url"]).port or 0
    assert port > FREE_PORT
    assert port % 10 == FREE_PORT % 10
    assert read_theme(told["api_url"]).status_code == 200


def test_a_taken_port_that_was_asked_for_is_named(checkout: Checkout) -> None:
    with ports.listen(ports.LOOPBACK, FREE_PORT) as stranger:
        port = stranger.getsockname()[1]
        done = checkout.nlctl("up", "--port", str(port))

    assert done.returncode == 1
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("error:")]
    assert f"Port {port} is taken by another program" in line


def test_a_free_port_that_was_asked_for_is_used(checkout: Checkout) -> None:
    with ports.listen(ports.LOOPBACK, FREE_PORT) as probe:
        port = probe.getsockname()[1]

    told = checkout.answer("up", "--port", str(port))

    assert urlsplit(told["api_url"]).port == port


def test_a_process_whose_whereabouts_are_lost_is_replaced(checkout: Checkout) -> None:
    up(checkout)
    lost = process_of(checkout)
    (checkout.root / ".nlctl" / "api.json").write_text("{")

    told = up(checkout)

    assert has_ended(lost)
    assert read_theme(told["api_url"]).status_code == 200


def test_only_this_machine_can_connect(checkout: Checkout) -> None:
    up(checkout)

    listening = {
        connection.laddr.ip
        for connection in process_of(checkout).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening <= {ports.LOOPBACK, ports.LOOPBACK_6}


def test_the_network_is_let_in_only_when_asked_in_words(checkout: Checkout) -> None:
    done = checkout.nlctl("up", "--host", "0.0.0.0")

    assert done.returncode == 2
    assert "anyone on the network could read and change everything" in done.stderr
    assert "--let-anyone-in" in done.stderr


def test_down_ends_the_api(checkout: Checkout) -> None:
    told = up(checkout)
    process = process_of(checkout)

    checkout.answer("down")

    assert has_ended(process)
    with pytest.raises(httpx.ConnectError):
        read_theme(told["api_url"])


def test_down_ends_an_api_whose_database_was_killed(checkout: Checkout) -> None:
    up(checkout)
    process = process_of(checkout)
    database_of(checkout).kill()

    assert checkout.answer("down") == {"stopped": True}
    assert has_ended(process)


def database_of(checkout: Checkout) -> psutil.Process:
    pid_file = checkout.root / ".nlctl" / "database" / "data" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split()[0]))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that asks a process to end")
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_an_api_that_still_waits_for_its_database_ends_when_asked(
    checkout: Checkout, asked: signal.Signals
) -> None:
    up(checkout)
    kill(process_of(checkout))
    database = database_of(checkout)
    database.suspend()
    try:
        with starting_api(checkout) as starting:
            assert eventually(lambda: has_called_it(starting))
            starting.send_signal(asked)

            assert starting.wait(PATIENCE_SECONDS) == 0
    finally:
        database.resume()


@contextmanager
def starting_api(checkout: Checkout) -> Iterator[subprocess.Popen[bytes]]:
    """The API process as `nlctl up` starts it; it never outlives the block."""
    command = [sys.executable, "-m", "nlctl.local.server", str(checkout.root), "--port"]
    with subprocess.Popen(
        [*command, str(checkout.first_port + 1)],
        cwd=checkout.root,
        env=checkout.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as starting:
        try:
            yield starting
        finally:
            starting.kill()


def has_called_it(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has come so far that it waits for nothing but its database."""
    return any(each.raddr for each in psutil.Process(process.pid).net_connections("tcp"))


def test_logs_tell_who_was_asked(checkout: Checkout) -> None:
    told = up(checkout)
    read_theme(told["api_url"])
    httpx.get(f"{told['api_url']}/auth/v1/health", headers=KEY)

    rest = checkout.answer("logs", "rest")["log"]
    everything = checkout.answer("logs")["log"]

    assert " rest GET /rest/v1/rpc/get_active_theme_tokens 200 " in rest[-1]
    assert not any(" auth " in line for line in rest)
    assert {line.split(" | ")[0] for line in everything} >= {"api", "database"}


def test_up_in_the_foreground_stops_everything_in_the_end(checkout: Checkout) -> None:
    checkout.answer("down")
    running = subprocess.Popen(
        checkout.command("up", "--foreground", "--json"),
        cwd=checkout.root,
        env=checkout.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert running.stdout is not None
    patience = threading.Timer(PATIENCE_SECONDS, running.kill)
    patience.start()
    told = json.loads(first_document(running.stdout))
    patience.cancel()
    assert read_theme(told["api_url"]).status_code == 200

    running.send_signal(signal.SIGINT)
    running.communicate(timeout=PATIENCE_SECONDS)

    assert running.returncode == 0
    done = checkout.nlctl("status", "--json")
    assert json.loads(done.stdout)["reason"] == "the database is not running; run: nlctl up"


def first_document(stream: IO[str]) -> str:
    """What it says until its JSON document, or it, ends."""
    lines = []
    for line in stream:
        lines.append(line)
        if line == "}\n":
            break
    return "".join(lines)


def test_half_a_start_is_finished_by_the_next(checkout: Checkout) -> None:
    checkout.answer("down")
    for moment in (0.5, 0.8, 1.1, 1.4):
        starting = subprocess.Popen(
            checkout.command("up"),
            cwd=checkout.root,
            env=checkout.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            starting.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            os.killpg(starting.pid, signal.SIGKILL)
            starting.wait()

    assert read_theme(up(checkout)["api_url"]).status_code == 200
