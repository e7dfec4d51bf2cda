"""`migrate check` says what the files do badly: those that are applied, and those to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workshops import Workshop

pytestmark = pytest.mark.usefixtures("scratch_room")

KEPT = """
create table public.t (id int primary key);
comment on table public.t is 'Things. No policy: only servers read them.';
alter table public.t enable row level security;
"""


def test_files_that_keep_every_promise_pass(workshop: Workshop) -> None:
    workshop.write(1, KEPT)
    workshop.up()
    answer = workshop.type("check")
    assert answer.out.splitlines()[-1] == "Every promise is kept."
    assert answer.exit_code == 0


def test_a_file_to_come_is_told_what_it_would_break(workshop: Workshop) -> None:
    workshop.write(1, KEPT)
    workshop.up()
    workshop.write(2, "\ngrant select on public.t to anon;\ncreate index on public.t (id);")
    answer = workshop.type("check", "--json")
    assert answer.exit_code == 1
    found = {(each["lint"], each["file"]) for each in answer.document["lint"]["findings"]}
    assert ("require-concurrent-index-creation", "migrations/2_a.sql") in found
    assert ("visitors_get_what_is_listed", "migrations/1_a.sql") in found


def test_applied_files_are_not_held_to_squawk_any_more(workshop: Workshop) -> None:
    workshop.write(1, KEPT + "create table public.u (); drop table public.u;")
    workshop.up()
    assert workshop.type("check").exit_code == 0
