"""Buckets declared in supabase/config.toml come into the database as they are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl import buckets
from nlctl.buckets import Bucket, Outcome
from nlctl.errors import BucketsRefused, InvalidInput
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Database

AVATARS = Bucket("avatars", False, 5_000_000, ("image/png", "image/jpeg"))
PAPERS = Bucket("papers", True, None, ())


def stored(database: Database) -> list[tuple[object, ...]]:
    return database.run(
        "select id, name, public, file_size_limit, allowed_mime_types from storage.buckets "
        "order by id"
    )


def test_missing_buckets_are_made(empty_database: Database) -> None:
    outcomes = buckets.sync(empty_database.url, [AVATARS, PAPERS])

    assert outcomes == {"avatars": Outcome.CREATED, "papers": Outcome.CREATED}
    assert stored(empty_database) == [
        ("avatars", "avatars", False, 5_000_000, ["image/png", "image/jpeg"]),
        ("papers", "papers", True, None, None),
    ]


def test_a_second_run_changes_nothing(empty_database: Database) -> None:
    buckets.sync(empty_database.url, [AVATARS, PAPERS])

    outcomes = buckets.sync(empty_database.url, [AVATARS, PAPERS])

    assert set(outcomes.values()) == {Outcome.UNCHANGED}


def test_what_differs_is_changed_and_the_rest_is_left_alone(empty_database: Database) -> None:
    buckets.sync(empty_database.url, [AVATARS, PAPERS])

    outcomes = buckets.sync(empty_database.url, [Bucket("avatars", True, 5_000_000, ())])

    assert outcomes == {"avatars": Outcome.UPDATED}
    assert stored(empty_database) == [
        ("avatars", "avatars", True, 5_000_000, None),
        ("papers", "papers", True, None, None),
    ]


def test_a_dry_run_tells_and_changes_nothing(empty_database: Database) -> None:
    outcomes = buckets.sync(empty_database.url, [AVATARS], dry_run=True)

    assert outcomes == {"avatars": Outcome.CREATED}
    assert stored(empty_database) == []


@pytest.mark.parametrize("name", ["a/b", "", "é", "x" * 101])
def test_a_name_that_no_bucket_can_have_is_refused(empty_database: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be called"):
        buckets.sync(empty_database.url, [AVATARS, Bucket(name, False, None, ())])
    assert stored(empty_database) == []


def test_a_database_without_storage_says_so(empty_database: Database) -> None:
    empty_database.run("drop schema storage cascade", user="supabase_admin")

    with pytest.raises(BucketsRefused, match="No bucket was changed"):
        buckets.sync(empty_database.url, [AVATARS])


def test_a_shared_project_gets_what_config_toml_declares(
    empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "supabase").mkdir()
    declared = '[storage.buckets.papers]\npublic = true\nfile_size_limit = "2MiB"\n'
    (tmp_path / "supabase" / "config.toml").write_text(declared)
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", empty_database.url)

    answer = terminals.open_in(tmp_path).type("storage", "sync", "--target", "staging", "--json")

    assert answer.document["buckets"] == {"papers": "created"}
    assert stored(empty_database) == [("papers", "papers", True, 2 * 1024 * 1024, None)]
