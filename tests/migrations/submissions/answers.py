"""What is asked of submissions, and what there is of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.concurrency import transaction_of

if TYPE_CHECKING:
    from tests.callers import Person, Refused
    from tests.databases import Database

SUBMIT = "submit_user_parcours_for_validation"
APPROVE = "approve_user_parcours_submission"
REJECT = "reject_user_parcours_submission"
WITHDRAW = "withdraw_user_parcours_submission"
REFRESH = "refresh_submission_snapshot"
AUTH = "supabase_auth_admin"
CLOSING = ["archive_course", "delete_course"]


def status_of(course_id: str, author: Person) -> str:
    return str(author.rpc("get_course", p_course_id=course_id)["status"])


def submission(database: Database, submission_id: str) -> dict[str, Any]:
    query = "select to_jsonb(s) from public.formation_submissions as s where id = %s"
    [(found,)] = database.run(query, [submission_id])
    return dict(found)


def snapshot(database: Database, submission_id: str) -> dict[str, Any]:
    query = "select to_jsonb(s) from public.user_formation_snapshots as s where submission_id = %s"
    [(found,)] = database.run(query, [submission_id])
    return dict(found)


def under_way(database: Database, course_id: str) -> list[str]:
    """The submissions whose boards are followed for this course."""
    query = (
        "select submission_id::text from public.user_formations "
        "where course_id = %s and ended_at is null"
    )
    return [row[0] for row in database.run(query, [course_id])]


def count_cards(database: Database, course_id: str) -> int:
    query = (
        "select count(*) from public.formation_module_statuses as card "
        "join public.formation_submissions as s on s.id = card.submission_id "
        "where s.course_id = %s"
    )
    [(count,)] = database.run(query, [course_id])
    return int(count)


def rename_first_module(author: Person, course_id: str, title: str) -> None:
    first = author.rpc("get_course", p_course_id=course_id)["modules"][0]["module_uuid"]
    author.rpc("update_course_module", p_course_module_id=first, p_title=title)


def told(refusal: Refused) -> Any:
    return json.loads(refusal.details or "null")


def assign(staff: Person, formation_id: str | None, prof_id: str | None) -> Any:
    return staff.rpc("assign_formation_prof", p_formation_id=formation_id, p_prof_id=prof_id)


SEEN = """
select array[
  (select count(*) from public.formation_submissions where id = %(id)s),
  (select count(*) from public.user_formation_snapshots where submission_id = %(id)s),
  (select count(*) from public.user_formations where submission_id = %(id)s),
  (select count(*) from public.formation_module_statuses where submission_id = %(id)s),
  (select count(*) from public.kanban_user_modules_v1 where submission_id = %(id)s)
] as counts
"""


def seen(reader: Person, submission_id: str) -> list[int]:
    """How many rows of a submission, its snapshot, its formation and its board he sees."""
    with transaction_of(reader) as connection:
        [row] = connection.execute(SEEN.encode(), {"id": submission_id})
        return list(row["counts"])
