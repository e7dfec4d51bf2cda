"""seed.sql: run once, wholly or not at all, with the history that the Supabase CLI keeps."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from nlctl.errors import DamagedText, SeedRefused
from nlctl.local import seed_files
from nlctl.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.local.seed_files import SeedFile
    from tests.databases import Database

TABLE = "create table if not exists public.notes (id int primary key);"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two seed files in a folder, and one beside."""
    seeds = tmp_path / "supabase" / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "b.sql").write_text("insert into public.notes values (2);")
    (seeds / "a.sql").write_text(TABLE + "insert into public.notes values (1);")
    (tmp_path / "supabase" / "seed.sql").write_text(TABLE)
    return Project(tmp_path)


def names(found: list[SeedFile]) -> list[str]:
    return [each.name for each in found]


def count_of_notes(database: Database) -> int:
    ((count,),) = database.run("select count(*) from public.notes")
    return int(count)


def test_patterns_are_read_in_order_and_files_by_name(project: Project) -> None:
    found = seed_files.find(project, ["./seed.sql", "./seeds/*.sql", "seeds/a.sql"])

    assert names(found) == ["supabase/seed.sql", "supabase/seeds/a.sql", "supabase/seeds/b.sql"]


def test_files_beside_the_folder_are_found(project: Project) -> None:
    (project.root / "more.sql").write_text("select 1")

    assert names(seed_files.find(project, ["../more.sql"])) == ["more.sql"]


def test_a_pattern_of_nothing_is_nothing(project: Project) -> None:
    assert seed_files.find(project, ["./none.sql", "./seeds"]) == []


def test_a_file_that_is_not_utf_8_is_named(project: Project) -> None:
    (project.root / "supabase" / "seed.sql").write_bytes("select 'é'".encode("latin-1"))

    with pytest.raises(DamagedText, match=r"supabase/seed\.sql: not UTF-8"):
        seed_files.find(project, ["./seed.sql"])


def test_files_run_once(project: Project, empty_database: Database) -> None:
    found = seed_files.find(project, ["./seeds/*.sql"])

    first = seed_files.apply(empty_database.url, found)
    second = seed_files.apply(empty_database.url, found)

    assert (first, second) == (["supabase/seeds/a.sql", "supabase/seeds/b.sql"], [])
    assert count_of_notes(empty_database) == 2


def test_the_history_is_the_clis(project: Project, empty_database: Database) -> None:
    found = seed_files.find(project, ["./seed.sql"])
    seed_files.apply(empty_database.url, found)

    rows = empty_database.run("select path, hash from supabase_migrations.seed_files")
    assert rows == [("supabase/seed.sql", hashlib.sha256(TABLE.encode()).hexdigest())]


def test_a_changed_file_is_noted_and_not_run_again(
    project: Project, empty_database: Database
) -> None:
    seed_files.apply(empty_database.url, seed_files.find(project, ["./seeds/a.sql"]))
    (project.root / "supabase/seeds/a.sql").write_text("insert into public.notes values (9);")

    (changed,) = seed_files.find(project, ["./seeds/a.sql"])
    assert seed_files.apply(empty_database.url, [changed]) == []

    assert count_of_notes(empty_database) == 1
    rows = empty_database.run("select hash from supabase_migrations.seed_files")
    assert rows == [(changed.digest,)]


def test_a_fault_is_told_with_its_line(project: Project, empty_database: Database) -> None:
    (project.root / "supabase" / "seed.sql").write_text("select 1;\n\nselect nothing_like_it;")
    found = seed_files.find(project, ["./seed.sql"])

    with pytest.raises(SeedRefused, match=r"supabase/seed\.sql:3 was refused") as refusal:
        seed_files.apply(empty_database.url, found)
    assert refusal.value.hint == "Correct the file, then run nlctl up again."


def test_a_file_that_fails_leaves_nothing(project: Project, empty_database: Database) -> None:
    (project.root / "supabase/seeds/b.sql").write_text(
        "insert into public.notes values (5); insert into public.notes values (5);"
    )
    found = seed_files.find(project, ["./seeds/*.sql"])

    with pytest.raises(SeedRefused, match=r"seeds/b\.sql was refused and rolled back: duplicate"):
        seed_files.apply(empty_database.url, found)

    assert count_of_notes(empty_database) == 1
    assert names(found)[0] in str(
        empty_database.run("select path from supabase_migrations.seed_files")
    )
