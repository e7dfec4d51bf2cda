"""nlctl migrate check: the database is what its files say, or each difference has its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl import buckets
from nlctl.local import scratch
from nlctl.migrations import drift

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.databases import Database
    from tests.workshops import Workshop

pytestmark = pytest.mark.usefixtures("scratch_room")

TABLE_A = "create table public.a (id int primary key);"


def test_a_database_made_of_its_files_is_clean(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()

    answer = workshop.type("check", "--no-lint")

    assert (answer.exit_code, answer.out) == (0, "The database is what its files say.\n")


def test_the_product_is_what_its_files_say(database: Database, project: Project) -> None:
    name = project.default_name
    product = drift.Database(database.url, project.migrations(name), name)

    with scratch.server(project) as room:
        buckets.sync(database.url, room.declared_buckets(name))
        report = drift.check(product, room)

    assert [*map(str, report.differences)] == []


def test_a_table_dropped_by_hand_is_missed(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    workshop.ask("drop table public.a")

    answer = workshop.type("check", "--no-lint")

    assert (answer.exit_code, answer.out) == (1, "table public.a: expected, not found\n")


def test_the_sql_it_offers_brings_the_table_back(workshop: Workshop) -> None:
    workshop.write(1, f"{TABLE_A} grant select on public.a to anon;")
    workshop.up()
    workshop.ask("drop table public.a")

    with workshop.database.connect() as connection:
        connection.execute(workshop.type("check", "--sql").out.encode())

    assert workshop.type("check", "--no-lint").exit_code == 0


def test_machines_hear_what_was_expected_and_what_was_found(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    workshop.ask("grant select on public.a to anon")

    [difference] = workshop.type("check", "--no-lint", "--json").document["drift"]

    assert difference == {
        "kind": "table",
        "name": "public.a",
        "fact": "grants to anon",
        "expected": None,
        "found": "select",
        "line": "table public.a: grants to anon: expected nothing, found select",
    }


def test_files_to_come_are_no_fault_of_the_database(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    workshop.write(2, "create table public.b (id int);")

    answer = workshop.type("check", "--no-lint")

    assert (answer.exit_code, "2_a.sql" in answer.err) == (0, True)


def test_a_file_to_come_that_fails_is_told_after_what_is_wrong_already(
    workshop: Workshop,
) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    workshop.ask("drop table public.a")
    workshop.write(2, "create tabel public.b ();")

    answer = workshop.type("check")

    assert (answer.exit_code, answer.out) == (5, "table public.a: expected, not found\n")
    assert "It was tried in a scratch database. Correct the file." in answer.err


def test_an_edited_file_is_told_with_what_it_would_change(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.up()
    path.write_text("create table public.a (id bigint primary key);")

    assert workshop.type("check", "--no-lint").out.splitlines() == [
        "migration 1_a.sql: changed",
        "column public.a.id: type: expected bigint, found integer",
    ]


def test_a_declared_bucket_is_missed(workshop: Workshop) -> None:
    (workshop.root / "supabase").mkdir()
    (workshop.root / "supabase" / "config.toml").write_text("[storage.buckets.letters]\n")

    assert workshop.type("check", "--no-lint").out == "bucket letters: expected, not found\n"
