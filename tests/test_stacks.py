"""The tests of real clients run on any stack: this one by its addresses, or Supabase's images."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import checkouts, stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.databases import Database
    from tests.stacks import Stack

SMALL = "tests/local/storage/test_stack.py"
TESTS = Path(__file__).parent
FIXTURE = re.compile(r"^@pytest\.fixture.*\ndef (anon|client|staff|service)\(", re.MULTILINE)


def run_tests(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What pytest says of a few tests in a process of its own."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NLCTL_TEST_", "PYTEST_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", SMALL],
        cwd=checkouts.ROOT,
        env={**inherited, **environment},
        capture_output=True,
        encoding="utf-8",
    )


def test_real_clients_have_the_same_names_in_every_test() -> None:
    """Of a stack of the module's own, where it has one."""
    makers = defaultdict(set)
    for path in TESTS.rglob("*.py"):
        for name in FIXTURE.findall(path.read_text(encoding="utf-8")):
            makers[name].add(path.relative_to(TESTS).as_posix())

    names = ("anon", "client", "staff", "service")
    assert makers == {name: {"conftest.py"} for name in names}


def test_a_stack_known_by_its_addresses_passes_the_same_tests(stack: Stack) -> None:
    told = {
        "API_URL": stack.api_url,
        "DATABASE_URL": stack.database_url,
        "MAIL_URL": stack.mail_url,
        "PUBLISHABLE_KEY": stack.publishable_key,
        "SECRET_KEY": stack.secret_key,
    }
    assert set(told) == set(stacks.TOLD)
    addresses = {f"NLCTL_TEST_{name}": value for name, value in told.items()}

    done = run_tests({"NLCTL_TEST_STACK": "url", **addresses})

    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


def test_a_fresh_project_is_filled_as_an_operator_would(empty_database: Database) -> None:
    checkout = checkouts.copy()
    try:
        stacks.fill(checkout, empty_database.url)
    finally:
        checkout.remove()

    assert empty_database.run("select count(*) > 0 from public.role_permissions") == [(True,)]
    assert empty_database.run("select count(*) from public.themes where is_default") == [(1,)]
    assert ("avatars",) in empty_database.run("select id from storage.buckets")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("url", "NLCTL_TEST_STACK=url needs NLCTL_TEST_API_URL, NLCTL_TEST_DATABASE_URL, "),
        ("cloud", "NLCTL_TEST_STACK is embedded or docker or url, not 'cloud'."),
    ],
)
def test_a_stack_that_is_not_told_of_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, kind: str, reason: str
) -> None:
    for name in stacks.TOLD:
        monkeypatch.delenv(f"NLCTL_TEST_{name}", raising=False)
    monkeypatch.setenv("NLCTL_TEST_STACK", kind)

    with pytest.raises(pytest.fail.Exception) as failure, stacks.running():
        pass
    assert str(failure.value).startswith(reason)


def test_without_a_docker_engine_the_tests_are_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NLCTL_TEST_STACK", "docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    with pytest.raises(pytest.skip.Exception) as skipped, stacks.running():
        pass
    assert str(skipped.value).startswith("NLCTL_TEST_STACK=docker needs a Docker engine. ")
