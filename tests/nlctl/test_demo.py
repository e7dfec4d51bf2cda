"""The demonstration: a place full of life, made by the functions that the frontend calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bcrypt
import pytest

from nlctl import seeds

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.databases import Database

PASSWORD = b"demo-notionlab"
FACTS = {
    "people by type": (
        "select user_type_id, count(*) from public.profiles group by 1",
        {"owner": 1, "admin": 2, "prof": 1, "client": 30},
    ),
    "standard courses by status": (
        "select status, count(*) from public.courses where course_type = 'standard' group by 1",
        {"published": 4, "draft": 1, "archived": 1},
    ),
    "submissions in each state": (
        "select status, count(*) from public.formation_submissions group by 1",
        {"pending": 4, "approved": 8, "rejected": 2, "withdrawn": 2},
    ),
    "training requests": (
        "select status, count(*) from public.training_onboarding_responses group by 1",
        {"submitted": 20, "draft": 5},
    ),
    "links that followers read": (
        (
            "select kind, count(distinct resource.id) from public.resources as resource "
            "join public.course_versions on builder_module_id = any (builder_module_ids) group by 1"
        ),
        {"link": 4},
    ),
    "letters that wait": ("select task_name, 1 from procrastinate.procrastinate_jobs", {}),
}


def apply(database: Database, project: Project) -> int:
    report = seeds.apply(database.url, project.seeds, sets=("reference", "demo"))
    return len(report.changes) + sum(script.rows for script in report.scripts)


def test_the_demonstration_shows_every_state(database: Database, project: Project) -> None:
    apply(database, project)

    shown: dict[str, Any] = {name: dict(database.run(query)) for name, (query, _) in FACTS.items()}
    assert shown == {name: expected for name, (_, expected) in FACTS.items()}
    [(columns, under_way)] = database.run(
        "select count(distinct status), count(distinct submission_id) "
        "from public.formation_module_statuses"
    )
    assert (columns, under_way) == (4, 8)


def test_a_second_run_changes_nothing(database: Database, project: Project) -> None:
    assert apply(database, project) > 0
    assert apply(database, project) == 0


def test_everybody_in_it_signs_in_with_one_password(database: Database, project: Project) -> None:
    apply(database, project)

    hashes = database.run("select distinct encrypted_password from auth.users")
    assert [bcrypt.checkpw(PASSWORD, stored.encode()) for (stored,) in hashes] == [True]


def test_the_demonstration_never_goes_to_production() -> None:
    with pytest.raises(Exception, match="never go to production"):
        seeds.allow(("reference", "demo"), is_production=True)
