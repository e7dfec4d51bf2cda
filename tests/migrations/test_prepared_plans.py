"""What pages ask with values apart, as the Data API does, is planned once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import plans

if TYPE_CHECKING:
    from tests.conftest import MakePerson

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
