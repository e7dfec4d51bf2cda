"""What every page asks stays a look into an index, however much there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import plans

if TYPE_CHECKING:
    from tests.conftest import MakePerson

BIG = ("profiles", "audit_logs", "action_logs", "themes", "component_rules", "dashboard_layouts")


def test_the_active_tokens_are_one_look_into_an_index(someone: MakePerson) -> None:
    [plan] = plans.inside(someone(), "get_active_theme_tokens")
    assert plan.uses_index("themes_one_default"), plan.tree
    assert plan.rows_visited == 1, plan.tree


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("select * from public.profiles where id = '{id}'", "profiles_pkey"),
        ("select * from public.dashboard_layouts", "dashboard_layouts_pkey"),
    ],
)
def test_ones_own_row_is_found_by_its_index(someone: MakePerson, query: str, index: str) -> None:
    ada = someone()
    plan = plans.of(ada, query.format(id=ada.id))
    assert plan.uses_index(index), plan.tree
    assert plan.rows_visited <= 1, plan.tree


def test_a_policy_asks_who_calls_once(someone: MakePerson) -> None:
    plan = plans.of(someone(), "select * from public.profiles")
    assert plan.rows_visited > 20_000, plan.tree
    assert plan.times_called("app.current_user_id") == 1, plan.tree
    assert plan.times_called("public.is_admin_or_owner") == 1, plan.tree


@pytest.mark.parametrize(
    "query",
    [
        "select * from public.audit_logs",
        "select count(*) from public.audit_logs",
        "select * from public.audit_logs order by created_at desc limit 50",
        "select * from public.audit_logs order by id desc limit 50",
        "select * from public.audit_logs where action = 'DELETE'",
        "select * from public.audit_logs where table_name = 'themes' order by id desc",
        "select * from public.action_logs",
        "select * from public.action_logs where action = 'course.opened' order by id desc limit 50",
        "select * from public.action_logs order by created_at desc limit 50",
    ],
)
def test_a_log_costs_those_nothing_who_may_not_read_it(someone: MakePerson, query: str) -> None:
    plan = plans.of(someone("client"), query)
    assert plan.rows_visited == 0, plan.tree


@pytest.mark.parametrize(
    ("logs", "condition", "index"),
    [
        ("audit_logs", "user_id = '{id}'", "audit_logs_user_id_idx"),
        ("audit_logs", "table_name = 'themes' and record_id = '{id}'", "audit_logs_record_idx"),
        ("action_logs", "actor_id = '{id}'", "action_logs_actor_id_idx"),
        ("action_logs", "target_type = 'a' and target_id = '{id}'", "action_logs_target_idx"),
    ],
)
def test_what_an_owner_looks_for_in_a_log_is_found_by_its_index(
    someone: MakePerson, logs: str, condition: str, index: str
) -> None:
    grace = someone("owner")
    query = f"select * from public.{logs} where {condition} order by id desc limit 50"
    plan = plans.of(grace, query.format(id=grace.id))
    assert plan.uses_index(index), plan.tree
    assert plan.rows_visited <= 50, plan.tree


@pytest.mark.parametrize(
    ("table", "order", "index"),
    [
        ("audit_logs", "id desc", "audit_logs_pkey"),
        ("audit_logs", "created_at desc", "audit_logs_created_at_idx"),
        ("action_logs", "id desc", "action_logs_pkey"),
        ("profiles", "created_at desc, id desc", "profiles_newest_idx"),
    ],
)
def test_the_newest_come_from_an_index_without_a_sort(
    someone: MakePerson, table: str, order: str, index: str
) -> None:
    plan = plans.of(someone("owner"), f"select * from public.{table} order by {order} limit 50")
    assert plan.uses_index(index), plan.tree
    assert plan.rows_visited == 50, plan.tree
    assert not plan.sorts(), plan.tree


def test_a_page_of_people_stops_at_its_end(someone: MakePerson) -> None:
    asked = plans.inside(someone("admin"), "list_users", p_limit=20)
    assert any(plan.uses_index("profiles_newest_idx") for plan in asked)
    for plan in asked:
        assert plan.rows_visited <= 2 * 20, plan.tree  # each with his account
        assert not plan.sorts(), plan.tree


@pytest.mark.parametrize("function", ["get_session_context", "get_dashboard_layout"])
@pytest.mark.parametrize("kind", ["client", "admin"])
def test_a_screen_begins_without_a_look_through_what_is_big(
    someone: MakePerson, kind: str, function: str
) -> None:
    for plan in plans.inside(someone(kind), function):
        assert not any(plan.scans_whole(table) for table in BIG), plan.tree


def test_the_rules_about_a_person_are_found_by_their_indexes(someone: MakePerson) -> None:
    asked = plans.inside(someone(), "get_session_context")
    [plan] = [plan for plan in asked if plan.reads("component_rules")]
    assert plan.uses_index("component_rules_one_per_user"), plan.tree
    assert plan.uses_index("component_rules_one_per_type"), plan.tree
