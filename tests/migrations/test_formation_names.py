"""The names that a frontend of the formations already uses: functions, columns, words, policies."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.databases import Database

FUNCTIONS = {
    "get_user_courses_and_parcours": "p_user_id uuid",
    "submit_user_parcours_for_validation": "p_course_id uuid",
    "approve_user_parcours_submission": "p_submission_id uuid, p_force boolean DEFAULT false",
    "reject_user_parcours_submission": "p_submission_id uuid, p_comment text",
    "withdraw_user_parcours_submission": "p_submission_id uuid",
    "refresh_submission_snapshot": "p_submission_id uuid",
    "init_kanban_statuses_for_submission": "p_submission_id uuid",
    "move_kanban_module": "p_status_id uuid, p_status text, p_position integer",
    "duplicate_course": "p_course_id uuid",
    "get_training_onboarding_form": "",
    "save_training_onboarding_draft": (
        "p_answers jsonb, p_base_saved_at timestamp with time zone "
        "DEFAULT NULL::timestamp with time zone"
    ),
    "submit_training_onboarding": "p_answers jsonb, p_nps jsonb DEFAULT NULL::jsonb",
    "get_training_onboarding_summary": "p_user_id uuid DEFAULT NULL::uuid",
    "set_training_onboarding_active": "p_kind text, p_id uuid, p_active boolean",
}
WHOLE = {
    "formation_module_statuses": (
        "id user_id submission_id module_uuid status position created_at updated_at"
    ),
    "kanban_user_modules_v1": (
        "status_id user_id submission_id module_uuid status position title description duration"
    ),
    "training_onboarding_responses": (
        "id user_id draft_answers submitted_answers status draft_saved_at first_submitted_at "
        "last_submitted_at created_at updated_at"
    ),
}
COLUMNS = {
    "courses": "course_type status author_id title slug description version deleted_at",
    "builder_families": "position is_active",
    "builder_subfamilies": "family_id position is_active",
    "builder_modules": "subfamily_id title description duration_minutes position is_active",
    "course_modules": "course_id builder_module_id position title description duration_minutes",
    "resources": "builder_module_id storage_path url",
    "user_courses": "user_id course_id done_modules",
    "formation_submissions": (
        "course_id user_id status submitted_at reviewed_by reviewed_at review_comment"
    ),
    "user_formation_snapshots": "submission_id content course_version content_hash",
    "user_formations": "user_id course_id submission_id prof_id",
    "training_onboarding_sections": "slug label help position is_active",
    "training_onboarding_questions": "section_id slug label help question_type position is_active",
    "training_onboarding_question_options": "question_id value label position is_active",
    "training_onboarding_nps": "response_id user_id answer comment",
}
WORDS = {
    ("courses", "course_type"): ("'custom'", "standard custom"),
    ("courses", "status"): ("'draft'", "draft submitted published archived"),
    ("formation_submissions", "status"): ("'pending'", "pending approved rejected withdrawn"),
    ("formation_module_statuses", "status"): ("'todo'", "todo in_progress blocked done"),
    ("training_onboarding_responses", "status"): ("'draft'", "draft submitted"),
    ("training_onboarding_questions", "question_type"): (
        "'text'",
        "text long_text single_choice multiple_choice scale yes_no date",
    ),
}
COLUMNS_OF = """
select attname from pg_attribute
where attrelid = format('public.%%I', %s::text)::regclass and attnum > 0 and not attisdropped
order by attnum
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_called_as_before(school: Database, name: str) -> None:
    query = "select pg_get_function_arguments(%s::regproc)"
    assert school.run(query, [f"public.{name}"]) == [(FUNCTIONS[name],)]


def test_the_list_of_staff_needs_no_argument_and_names_its_rows(school: Database) -> None:
    [(needed, names)] = school.run(
        "select pronargs - pronargdefaults, proargnames from pg_proc "
        "where proname = 'get_admin_formations_and_submissions'"
    )
    assert needed == 0
    assert {"displayId", "kind", "title", "status", "last_activity_at"} <= set(names)


@pytest.mark.parametrize("table", WHOLE)
def test_a_table_has_these_columns_and_no_other(school: Database, table: str) -> None:
    assert [row[0] for row in school.run(COLUMNS_OF, [table])] == WHOLE[table].split()


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_has_these_columns(school: Database, table: str) -> None:
    found = {row[0] for row in school.run(COLUMNS_OF, [table])}
    assert set(COLUMNS[table].split()) - found == set()


@pytest.mark.parametrize(("table", "column"), WORDS)
def test_a_column_knows_these_words(school: Database, table: str, column: str) -> None:
    default, words = WORDS[table, column]
    [(found, check)] = school.run(
        """
        select
          (select column_default from information_schema.columns
            where table_schema = 'public' and table_name = %(table)s and column_name = %(column)s),
          (select pg_get_constraintdef(oid) from pg_constraint
            where conrelid = format('public.%%I', %(table)s::text)::regclass
              and conname like %(table)s || '%%_known' and array_length(conkey, 1) = 1
              and pg_get_constraintdef(oid) ~ ('\\(' || %(column)s || ' ='))
        """,
        {"table": table, "column": column},
    )
    assert found == f"{default}::text"
    assert set(re.findall(r"'(\w+)'", check)) == set(words.split())


def test_a_card_stands_for_one_module_of_a_submission(school: Database) -> None:
    assert school.run(
        "select pg_get_constraintdef(oid) from pg_constraint where contype = 'u' "
        "and conrelid = 'public.formation_module_statuses'::regclass"
    ) == [("UNIQUE (submission_id, module_uuid)",)]


def test_the_board_is_read_with_the_rights_of_its_reader(school: Database) -> None:
    query = "select reloptions from pg_class where oid = 'public.kanban_user_modules_v1'::regclass"
    assert school.run(query) == [(["security_invoker=true"],)]


def test_the_answers_keep_the_policies_that_others_know(school: Database) -> None:
    found = school.run(
        "select policyname, cmd from pg_policies where tablename = 'training_onboarding_responses'"
    )
    table = "training_onboarding_responses"
    assert {(f"{table}_{verb}_own", verb.upper()) for verb in ("select", "insert", "update")} <= {
        *found
    }


@pytest.mark.parametrize(
    "index",
    [
        "training_onboarding_questions_section_order_idx",
        "training_onboarding_question_options_question_order_idx",
    ],
)
def test_the_form_is_ordered_by_an_index(school: Database, index: str) -> None:
    [(definition,)] = school.run("select pg_get_indexdef(%s::regclass)", [f"public.{index}"])
    assert re.search(r"\((section|question)_id, \"?position\"?\)$", definition)


def test_resources_have_a_private_bucket(project: Project) -> None:
    config = tomllib.loads((project.root / "supabase/config.toml").read_text(encoding="utf-8"))
    assert config["storage"]["buckets"]["resources"]["public"] is False
