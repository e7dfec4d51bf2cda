"""What pages ask with values apart, as the Data API does, is planned once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.database import act_as
from nlctl.local.cluster import SUPERUSER
from tests import plans
from tests.formations import make_palette

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

CATALOGUE = """
set plan_cache_mode = force_generic_plan;
prepare catalogue(text, text) as
  select * from public.courses where course_type = $1 and status = $2
  order by title, id limit 20;
execute catalogue('standard', 'published');
"""


def test_a_page_of_the_catalogue_is_planned_for_any_kind(someone: MakePerson) -> None:
    plan = plans.of(someone("client"), CATALOGUE)

    assert plan.uses_index("courses_catalogue_idx"), plan.tree
    assert plan.rows_visited <= 40, plan.tree


TIMES = 12  # twice as often as PostgreSQL plans what it keeps
PUT_IN_ORDER = "select public.reorder_palette('module', %s::uuid[])"
COUNT_PLANS = "set pg_stat_statements.track = 'all'; set pg_stat_statements.track_planning = on"
PLANS_INSIDE = """
select query, plans from extensions.pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
  and not toplevel and calls = %s
"""


def test_the_palette_is_put_in_order_by_statements_whose_plans_are_kept(
    school: Database, admin: Person
) -> None:
    modules = make_palette(school, 4)
    with school.connect(SUPERUSER) as watched:
        watched.execute(COUNT_PLANS)
        for _ in range(TIMES):
            modules.reverse()
            with watched.transaction():
                act_as(watched, admin.caller)
                watched.execute(PUT_IN_ORDER, [modules])
        found: dict[str, int] = dict(watched.execute(PLANS_INSIDE, [TIMES]).fetchall())
    assert any("update public.builder_modules" in query for query in found)
    assert [query for query, plans in found.items() if plans == TIMES] == []
