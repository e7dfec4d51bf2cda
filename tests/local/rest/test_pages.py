"""Pages: what the planner knows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.local.rest import serving
from tests.local.rest.conftest import config_for

if TYPE_CHECKING:
    from tests.databases import Database

PLANS = """
create view public.kept_plans as
  select statement, generic_plans, custom_plans from pg_catalog.pg_prepared_statements;
grant select on public.kept_plans to anon;
"""
PATIENCE = 5
"""How often PostgreSQL plans for the values before it tries a plan for any."""


def test_a_page_turned_again_and_again_is_planned_for_its_length(own_library: Database) -> None:
    own_library.run(PLANS)
    with serving.embed(config_for(own_library)) as api, api.client() as anybody:
        for page in range(1, PATIENCE + 3):
            anybody.get(f"/books?select=title&order=id&limit=2&offset={2 * page}")

        kept = "/kept_plans?statement=like.*select*title*limit 2 offset*"
        assert serving.rows(anybody, f"{kept}&select=generic_plans,custom_plans") == [
            {"generic_plans": 2, "custom_plans": PATIENCE}
        ]
