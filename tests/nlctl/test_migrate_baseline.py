"""nlctl migrate baseline: adopts a database that is what the files make, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workshops import Workshop

pytestmark = pytest.mark.usefixtures("scratch_room")

TABLE_A = "create table public.a (id int primary key);"
TABLE_B = "create table public.b (id int primary key);"


def test_a_database_like_its_files_is_adopted(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.write(2, TABLE_B)
    workshop.ask(TABLE_A)
    workshop.ask(TABLE_B)

    answer = workshop.type("baseline", "--yes")

    assert answer.out == "Recorded 1_a.sql\nRecorded 2_a.sql\n"
    assert workshop.states() == {"1": "applied", "2": "applied"}


def test_a_database_that_differs_is_refused_with_the_differences(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.ask("create table public.a (id bigint primary key)")

    answer = workshop.type("baseline", "--yes")

    assert answer.exit_code == 1
    assert "column public.a.id: type: expected integer, found bigint" in answer.err
    assert workshop.states() == {"1": "pending"}


def test_only_what_is_there_yet_is_adopted(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.write(2, TABLE_B)
    workshop.ask(TABLE_A)

    workshop.type("baseline", "--to", "1", "--yes")

    assert [applied.version for applied in workshop.up().applied] == ["2"]


def test_without_proof_it_is_believed(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)

    document = workshop.type("baseline", "--without-proof", "--yes", "--json").document

    assert document == {"recorded": ["1"], "proved": False}


def test_a_shared_target_is_asked_about_first(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    assert workshop.type("baseline", "--without-proof").exit_code == 2
    assert workshop.states() == {"1": "pending"}


def test_an_adopted_database_has_nothing_more_to_record(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    assert workshop.type("baseline", "--yes").out == "Nothing to record.\n"


def test_a_history_that_contradicts_the_files_is_refused(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.up()
    path.write_text(TABLE_B)

    answer = workshop.type("baseline", "--yes")

    assert (answer.exit_code, "1_a.sql (changed)" in answer.err) == (4, True)
