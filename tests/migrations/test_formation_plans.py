"""What pages ask of formations stays a look into an index, however much there is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.database import Caller
from tests import plans
from tests.callers import Person

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database

# The palette and the form are as big as they are, whoever comes.
BIG = (
    "profiles",
    "courses",
    "course_modules",
    "course_versions",
    "user_courses",
    "formation_submissions",
    "user_formation_snapshots",
    "user_formations",
    "formation_module_statuses",
    "training_onboarding_responses",
    "training_onboarding_nps",
    "audit_logs",
)
PALETTE = 400
OVERVIEW = "get_admin_formations_and_submissions"
FOUND = """
select
  s.user_id::text as client, f.prof_id::text as prof, f.id::text as formation,
  s.id::text as submission, s.course_id::text as course, card.id::text as card,
  module.id::text as module, module.builder_module_id::text as palette,
  (select id::text from public.courses where title = 'Formation 7') as standard,
  (
    select course_id::text from public.user_courses where user_id = s.user_id limit 1
  ) as followed,
  (select id::text from public.formation_submissions where status = 'pending' limit 1) as pending
from public.user_formations as f
join public.formation_submissions as s on s.id = f.submission_id
join public.formation_module_statuses as card on card.submission_id = s.id
join public.course_modules as module on module.course_id = s.course_id
where f.ended_at is null and f.prof_id is not null
order by s.id limit 1
"""


@dataclass(frozen=True)
class Crowd:
    """Somebody in the crowd who follows a formation, his prof, an admin, and what is theirs."""

    client: Person
    prof: Person
    admin: Person
    named: dict[str, str]

    def fill(self, text: Any) -> Any:
        """`{course}` and the like, as they are here."""
        return text.format(**self.named) if isinstance(text, str) else text


@pytest.fixture
def crowd(crowded: Database, someone: MakePerson) -> Crowd:
    """Found among them."""
    with crowded.connect() as looking:
        cursor = looking.execute(FOUND)
        row = dict(zip([each.name for each in cursor.description or ()], *cursor, strict=True))
    client, prof = (
        Person(crowded, Caller("authenticated", {"sub": row[who]})) for who in ("client", "prof")
    )
    return Crowd(client, prof, someone("admin"), row)


# Policies.


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("courses where author_id = '{client}'", "courses_author_id_idx"),
        ("courses where id = '{course}'", "courses_pkey"),
        ("course_modules where course_id = '{course}'", "course_modules_one_per_position"),
        ("user_courses where user_id = '{client}'", "user_courses_one_per_course"),
        ("course_versions where course_id = '{followed}'", "course_versions_pkey"),
        ("formation_submissions where user_id = '{client}'", "formation_submissions_user_id_idx"),
        (
            "formation_submissions where course_id = '{course}'",
            "formation_submissions_course_id_idx",
        ),
        (
            "user_formation_snapshots where submission_id = '{submission}'",
            "user_formation_snapshots_one_per_submission",
        ),
        (
            "user_formation_snapshots where user_id = '{client}'",
            "user_formation_snapshots_user_id_idx",
        ),
        ("user_formations where user_id = '{client}'", "user_formations_user_id_idx"),
        (
            "formation_module_statuses where submission_id = '{submission}'",
            "formation_module_statuses_one_per_module",
        ),
        (
            "kanban_user_modules_v1 where submission_id = '{submission}'",
            "formation_module_statuses_one_per_module",
        ),
        (
            "kanban_user_modules_v1 where submission_id = '{submission}'",
            "user_formation_snapshots_one_per_submission",
        ),
        (
            "training_onboarding_responses where user_id = '{client}'",
            "training_onboarding_responses_one_per_user",
        ),
        (
            "training_onboarding_nps where user_id = '{client}'",
            "training_onboarding_nps_user_id_idx",
        ),
    ],
)
@pytest.mark.parametrize("who", ["client", "prof", "admin"])
def test_what_a_page_asks_of_a_table_is_found_by_an_index(
    crowd: Crowd, who: str, query: str, index: str
) -> None:
    plan = plans.of(getattr(crowd, who), f"select * from public.{crowd.fill(query)}")
    assert plan.uses_index(index), plan.tree
    assert plan.rows_visited <= 500, plan.tree
    assert not any(plan.scans_whole(table) for table in BIG), plan.tree


@pytest.mark.parametrize("who", ["client", "prof"])
def test_the_boards_of_everybody_are_not_read_for_ones_own(crowd: Crowd, who: str) -> None:
    plan = plans.of(getattr(crowd, who), "select * from public.kanban_user_modules_v1")
    assert plan.uses_index("user_formation_snapshots_user_id_idx"), plan.tree
    assert plan.rows_visited <= 1_000, plan.tree


@pytest.mark.parametrize(
    ("table", "helpers"),
    [
        ("courses", {"app.assigned_course_ids": 1}),
        ("course_modules", {"app.written_course_ids": 1}),
        ("user_courses", {}),
        ("course_versions", {"app.followed_course_ids": 1}),
        ("formation_submissions", {"app.assigned_submission_ids": 1}),
        ("user_formation_snapshots", {"app.assigned_submission_ids": 1}),
        ("user_formations", {}),
        ("formation_module_statuses", {"app.assigned_submission_ids": 1}),
        ("resources", {"app.followed_module_ids": 1}),
        ("builder_modules", {"app.shown_subfamily_ids": 1, "app.shown_family_ids": 1}),
        ("builder_subfamilies", {"app.shown_family_ids": 1}),
        ("training_onboarding_responses", {"app.assigned_user_ids": 1}),
        ("training_onboarding_nps", {"app.assigned_user_ids": 1}),
        ("training_onboarding_questions", {"app.current_user_id": 1}),
    ],
)
@pytest.mark.parametrize("who", ["client", "prof", "admin"])
def test_a_policy_asks_its_helpers_once(
    crowd: Crowd, who: str, table: str, helpers: dict[str, int]
) -> None:
    plan = plans.of(getattr(crowd, who), f"select * from public.{table}")
    assert plan.times_called("public.is_admin_or_owner") <= 1, plan.tree
    assert plan.times_called("app.current_user_type") <= 1, plan.tree
    assert plan.times_called("app.current_user_id") <= 6, plan.tree  # within the helpers too
    spared = who == "admin"  # whom an earlier clause may have let in
    for helper, times in helpers.items():
        assert times - spared <= plan.times_called(helper) <= times, plan.tree


@pytest.mark.parametrize("who", ["client", "admin"])
def test_the_whole_catalogue_is_not_listed_for_the_modules_of_ones_own_course(
    crowd: Crowd, who: str
) -> None:
    query = "select * from public.course_modules where course_id = '{course}'"
    plan = plans.of(getattr(crowd, who), crowd.fill(query))
    assert plan.times_called("app.written_course_ids") == 1, plan.tree
    assert plan.times_called("app.offered_course_ids") == 0, plan.tree


def test_what_a_prof_accompanies_is_listed_without_a_look_at_the_rows(crowd: Crowd) -> None:
    query = "select app.assigned_submission_ids(), app.assigned_course_ids()"
    listed = [plan for plan in plans.within(crowd.prof, query) if plan.reads("user_formations")]
    assert len(listed) == 2
    for plan in listed:
        assert plan.stays_in_index("user_formations_prof_id_idx"), plan.tree


def test_the_newest_of_everybody_are_not_each_compared_with_all_that_a_prof_accompanies(
    crowd: Crowd,
) -> None:
    newest = "formation_submissions order by last_activity_at desc, id desc limit 50"
    plan = plans.of(crowd.prof, f"select * from public.{newest}")
    assert plan.uses_index("formation_submissions_activity_idx"), plan.tree
    assert "hashed SubPlan" in plan.tree, plan.tree
    assert plan.times_called("app.assigned_submission_ids") == 1, plan.tree


@pytest.mark.parametrize("who", ["client", "prof"])
def test_resources_of_what_is_followed_now_cost_nothing_of_what_was(crowd: Crowd, who: str) -> None:
    query = crowd.fill("select * from public.resources where builder_module_id = '{palette}'")
    plan = plans.of(getattr(crowd, who), query)
    assert plan.times_called("app.followed_module_ids") == 1, plan.tree
    assert plan.times_called("app.formerly_followed_module_ids") == 0, plan.tree


@pytest.mark.parametrize(
    ("who", "index"),
    [("client", "user_formations_followed_idx"), ("prof", "user_formations_accompanied_idx")],
)
def test_the_modules_of_what_is_followed_are_read_from_no_snapshots_words(
    crowd: Crowd, who: str, index: str
) -> None:
    asked = plans.within(getattr(crowd, who), "select app.followed_module_ids()")
    [plan] = [plan for plan in asked if plan.reads("user_formation_snapshots")]
    assert plan.stays_in_index(index), plan.tree
    assert "Function Scan" not in plan.tree, plan.tree


def test_a_board_costs_a_prof_nothing_of_what_he_accompanied_before(crowd: Crowd) -> None:
    query = "select * from public.kanban_user_modules_v1 where submission_id = '{submission}'"
    plan = plans.of(crowd.prof, crowd.fill(query))
    assert plan.times_called("app.accompanied_submission_ids") == 2, plan.tree
    assert plan.times_called("app.assigned_submission_ids") == 0, plan.tree


@pytest.mark.parametrize("who", ["client", "admin"])
@pytest.mark.parametrize("whose", ["submission_id = '{submission}'", "user_id = '{client}'"])
def test_a_board_is_unpacked_once_from_its_snapshot(crowd: Crowd, who: str, whose: str) -> None:
    asker = getattr(crowd, who)
    boards = f"from public.user_formation_snapshots where {crowd.fill(whose)}"
    [row] = asker.run(f"select count(*) as total {boards}")
    plan = plans.of(asker, f"select * from public.kanban_user_modules_v1 where {crowd.fill(whose)}")
    # All modules told for each card, and all but one thrown away: that would be squared.
    [unpacked] = re.findall(r"Function Scan .*loops (\d+)", plan.tree)
    assert int(unpacked) <= row["total"], plan.tree


# Functions.


@pytest.mark.parametrize(
    ("who", "function", "arguments"),
    [
        ("client", "get_builder_palette", {}),
        ("client", "get_course", {"p_course_id": "{course}"}),
        ("prof", "get_course", {"p_course_id": "{course}"}),
        ("client", "list_published_courses", {}),
        ("client", "list_published_courses", {"p_after_title": "Formation 9"}),
        ("client", "create_course", {"p_title": "Bases"}),
        ("client", "update_course", {"p_course_id": "{course}", "p_title": "Autre"}),
        (
            "client",
            "add_course_module",
            {"p_course_id": "{course}", "p_builder_module_id": "{palette}"},
        ),
        (
            "client",
            "move_course_module",
            {"p_course_module_id": "{module}", "p_position": 5},
        ),
        ("client", "remove_course_module", {"p_course_module_id": "{module}"}),
        ("client", "duplicate_course", {"p_course_id": "{standard}"}),
        ("client", "archive_course", {"p_course_id": "{course}"}),
        ("client", "delete_course", {"p_course_id": "{course}"}),
        ("client", "enrol_in_course", {"p_course_id": "{standard}"}),
        ("client", "upgrade_enrolment", {"p_course_id": "{followed}"}),
        ("client", "leave_course", {"p_course_id": "{followed}"}),
        ("client", "submit_user_parcours_for_validation", {"p_course_id": "{course}"}),
        ("admin", "refresh_submission_snapshot", {"p_submission_id": "{pending}"}),
        ("admin", "approve_user_parcours_submission", {"p_submission_id": "{pending}"}),
        (
            "admin",
            "reject_user_parcours_submission",
            {"p_submission_id": "{pending}", "p_comment": "Non"},
        ),
        (
            "admin",
            "assign_formation_prof",
            {"p_formation_id": "{formation}", "p_prof_id": "{prof}"},
        ),
        ("client", "init_kanban_statuses_for_submission", {"p_submission_id": "{submission}"}),
        (
            "client",
            "move_kanban_module",
            {"p_status_id": "{card}", "p_status": "done", "p_position": 0},
        ),
        ("client", "get_user_courses_and_parcours", {"p_user_id": "{client}"}),
        ("admin", "get_user_courses_and_parcours", {"p_user_id": "{client}"}),
        ("prof", "list_accompanied_formations", {}),
        ("client", "get_training_onboarding_form", {}),
        ("client", "get_training_onboarding_summary", {}),
        ("prof", "get_training_onboarding_summary", {"p_user_id": "{client}"}),
    ],
)
def test_a_function_reads_nothing_big_from_end_to_end(
    crowd: Crowd, who: str, function: str, arguments: dict[str, Any]
) -> None:
    given = {name: crowd.fill(value) for name, value in arguments.items()}
    asked = plans.inside(getattr(crowd, who), function, **given)
    assert asked
    for plan in asked:
        assert not any(plan.scans_whole(table) for table in BIG), plan.tree


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"p_kind": "submission"},
        {"p_kind": "formation"},
        {"p_kind": "enrolment"},
        {"p_status": "pending"},
        {"p_status": "under_way"},
        {"p_status": "rejected"},
        {"p_user_id": "{client}"},
        {"p_prof_id": "{prof}"},
    ],
)
@pytest.mark.parametrize("page", ["first", "middle", "last"])
def test_a_page_of_everybodys_work_reads_what_it_shows(
    crowded: Database, crowd: Crowd, page: str, asked: dict[str, str]
) -> None:
    before: dict[str, Any] = {}
    if page != "first":
        [(moment,)] = crowded.run(
            "select last_activity_at from public.formation_submissions "
            "order by last_activity_at limit 1 offset %s",
            [20 if page == "last" else 7500],
        )
        before = {"p_before": moment}
    given = {name: crowd.fill(value) for name, value in asked.items()}
    told = plans.inside(crowd.admin, OVERVIEW, p_limit=50, **given, **before)
    for plan in told:
        assert not any(plan.scans_whole(table) for table in BIG), plan.tree
    # Fifty of each kind, with course, person, snapshot and cards; a filter may throw some away.
    assert sum(plan.rows_visited for plan in told) <= 50 * 20, told[-1].tree


def test_deleted_courses_are_left_out_by_an_index_of_those(crowd: Crowd) -> None:
    asked = plans.inside(crowd.admin, OVERVIEW)
    [page] = [plan for plan in asked if plan.reads("formation_submissions")]
    assert page.uses_index("courses_deleted_idx"), page.tree


def test_words_are_looked_for_once_and_not_in_all_that_everybody_does(
    crowded: Database, crowd: Crowd
) -> None:
    [(address,)] = crowded.run("select email from public.profiles where id = %s", [crowd.client.id])
    asked = plans.inside(crowd.admin, OVERVIEW, p_search=address)
    for name in ("profiles_words_idx", "courses_words_idx"):
        assert sum(plan.uses_index(name) for plan in asked) == 1
    for plan in asked:
        assert not any(plan.scans_whole(table) for table in BIG), plan.tree
    found, page = (plan for plan in asked if plan.reads("formation_submissions"))
    assert found.uses_index("formation_submissions_user_id_idx"), found.tree
    assert page.rows_visited <= 50 * 20, page.tree


@pytest.mark.parametrize("words", ["p19", "zz", "z"])
def test_words_of_any_length_are_found_by_an_index(crowd: Crowd, words: str) -> None:
    asked = plans.inside(crowd.admin, OVERVIEW, p_search=words)
    assert any(plan.uses_index("profiles_words_idx") for plan in asked)
    assert not any(plan.scans_whole("courses") for plan in asked)


def test_a_page_of_what_a_prof_accompanies_reads_nothing_of_others(crowd: Crowd) -> None:
    asked = plans.inside(crowd.prof, "list_accompanied_formations")
    [page] = [plan for plan in asked if plan.reads("formation_submissions")]
    assert page.uses_index("user_formations_prof_id_idx"), page.tree
    assert page.uses_index("formation_submissions_pkey"), page.tree
    assert not any(page.scans_whole(table) for table in BIG), page.tree


def test_the_catalogue_stops_at_the_end_of_its_page(crowd: Crowd) -> None:
    [plan] = [
        plan
        for plan in plans.inside(crowd.client, "list_published_courses", p_limit=20)
        if plan.reads("courses")
    ]
    assert plan.uses_index("courses_catalogue_idx"), plan.tree
    assert plan.rows_visited <= 20 + 20 * 6 + PALETTE, plan.tree


def test_a_move_on_a_board_reads_that_board(crowd: Crowd) -> None:
    asked = plans.inside(
        crowd.client,
        "move_kanban_module",
        p_status_id=crowd.named["card"],
        p_status="done",
        p_position=0,
    )
    assert sum(plan.rows_visited for plan in asked) <= 60
