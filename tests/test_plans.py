"""The plans that tests look at are those of the person's query, each fault visible in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests import plans

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

GARDEN = """
create table public.plants (id bigint generated always as identity primary key,
  owner_id uuid, height int);
insert into public.plants (owner_id, height)
  select gen_random_uuid(), n % 100 from generate_series(1, 5000) as n;
create index plants_owner_id_idx on public.plants (owner_id);
analyze public.plants;
alter table public.plants enable row level security;
grant select, delete on public.plants to authenticated;
create function public.tallest() returns setof public.plants language plpgsql
  set search_path = '' as $$ begin
    perform app.require_user();
    return query select * from public.plants order by height desc, id limit 3;
  end; $$;
grant execute on function public.tallest to authenticated;
"""


@pytest.fixture
def ada(database: Database, person: MakePerson) -> Person:
    """Somebody in a database with a garden."""
    with database.connect() as connection:
        connection.execute(GARDEN)
    return person()


def allow(database: Database, condition: str) -> None:
    database.run(f"create policy plants_all on public.plants to authenticated using ({condition})")


def test_a_good_policy_is_one_look_into_the_index(database: Database, ada: Person) -> None:
    allow(database, "owner_id = (select app.current_user_id())")
    plan = plans.of(ada, "select * from public.plants where height > %s", [10])
    assert plan.query == "select * from public.plants where height > 10"
    assert plan.reads("plants")
    assert plan.uses_index("plants_owner_id_idx")
    assert not plan.scans_whole("plants")
    assert not plan.sorts()
    assert plan.rows_visited == 0
    assert plan.times_called("app.current_user_id") == 1


def test_a_policy_that_asks_for_each_row_is_seen_asking(database: Database, ada: Person) -> None:
    allow(database, "owner_id is not distinct from app.current_user_id()")
    plan = plans.of(ada, "select * from public.plants order by height")
    assert plan.times_called("app.current_user_id") >= 5000
    assert plan.scans_whole("plants")
    assert plan.rows_visited == 5000
    assert plan.sorts()
    assert not plan.uses_index("plants_owner_id_idx")


def test_what_a_function_asks_is_seen_under_the_policies(database: Database, ada: Person) -> None:
    allow(database, "height < 50")
    seen = plans.inside(ada, "tallest")
    [plan] = [plan for plan in seen if plan.reads("plants")]
    assert plan.scans_whole("plants")
    assert "plants.height < 50" in plan.tree
    assert any(plan.uses_index("profiles_pkey") for plan in seen)


def test_a_plan_is_shown_as_a_tree(database: Database, ada: Person) -> None:
    allow(database, "owner_id = (select app.current_user_id())")
    shown = plans.of(ada, "select count(*) from public.plants").tree.splitlines()
    assert shown[0] == "select count(*) from public.plants"
    assert shown[1] == "Aggregate (rows 1, loops 1)"
    assert any("using plants_owner_id_idx on plants (rows 0, loops 1)" in line for line in shown)
    assert "Output: app.current_user_id()" in "\n".join(shown)
    assert shown[-1] == "Calls: app.current_user_id 1"


def test_looking_at_a_plan_changes_nothing(database: Database, ada: Person) -> None:
    allow(database, "true")
    assert plans.of(ada, "delete from public.plants where true").rows_visited == 5000
    assert database.run("select count(*) from public.plants") == [(5000,)]


def test_who_may_not_ask_hears_why(database: Database, visitor: Person, ada: Person) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        plans.of(visitor, "select * from public.plants")
