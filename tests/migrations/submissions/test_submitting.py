"""A course is frozen the day it is submitted, once, and staff hear of it."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.callers import anonymous
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, publish, submit
from tests.listening import hears
from tests.migrations.submissions.answers import (
    APPROVE,
    REFRESH,
    REJECT,
    SUBMIT,
    WITHDRAW,
    assign,
    rename_first_module,
    snapshot,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

CALLERS = 16


def test_a_submitted_course_waits_as_it_read_that_day(
    school: Database, ada: Person, course_id: str
) -> None:
    answer = ada.rpc(SUBMIT, p_course_id=course_id)
    assert (answer["status"], answer["user_id"]) == ("pending", ada.id)

    said = ada.rpc("get_course", p_course_id=course_id)
    assert said["status"] == "submitted"
    frozen = snapshot(school, answer["id"])
    assert frozen["content"] == {key: said[key] for key in frozen["content"]}
    assert frozen["course_version"] == said["version"]
    assert [module["title"] for module in frozen["content"]["modules"]] == [
        "Module 1",
        "Module 2",
        "Module 3",
    ]
    assert school.run(
        "select content_hash = app.content_hash(content) from public.user_formation_snapshots "
        "where submission_id = %s",
        [answer["id"]],
    ) == [(True,)]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("client", "active", "NOT_FOUND"),
        ("prof", "active", "NOT_FOUND"),
        ("admin", "active", "FORBIDDEN"),
        ("owner", "active", "FORBIDDEN"),
        ("client", "suspended", "FORBIDDEN"),
    ],
)
def test_nobody_submits_somebody_elses_course(
    school: Database, member: MakePerson, course_id: str, kind: str, status: str, code: str
) -> None:
    assert member(kind, status=status).refusal(SUBMIT, p_course_id=course_id).code == code
    query = "select id from public.formation_submissions where course_id = %s"
    assert school.run(query, [course_id]) == []


def test_a_visitor_reaches_none_of_it(school: Database, submission_id: str) -> None:
    visitor = anonymous(school)
    calls: list[partial[Any]] = [
        partial(visitor.rpc, SUBMIT, p_course_id=submission_id),
        partial(visitor.rpc, APPROVE, p_submission_id=submission_id),
        partial(visitor.rpc, REJECT, p_submission_id=submission_id, p_comment="Non"),
        partial(visitor.rpc, WITHDRAW, p_submission_id=submission_id),
        partial(visitor.rpc, REFRESH, p_submission_id=submission_id),
        partial(assign, visitor, submission_id, None),
    ]
    for call in calls:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            call()


def test_a_course_that_cannot_be_submitted_says_why(
    member: MakePerson, ada: Person, admin: Person, palette: list[str]
) -> None:
    archived, deleted = compose(ada, palette[:1]), compose(ada, palette[:1])
    ada.rpc("archive_course", p_course_id=archived)
    ada.rpc("delete_course", p_course_id=deleted)
    standard = publish(admin, palette[:1])

    for author, course, code, details in [
        (ada, compose(ada, []), "INVALID", "modules"),
        (ada, archived, "CONFLICT", None),
        (ada, deleted, "NOT_FOUND", None),
        (ada, str(uuid4()), "NOT_FOUND", None),
        (ada, None, "NOT_FOUND", None),
        (admin, standard, "CONFLICT", None),
    ]:
        refusal = author.refusal(SUBMIT, p_course_id=course)
        assert (refusal.code, refusal.details) == (code, details)


def test_submitting_twice_is_submitting_once(
    school: Database, ada: Person, course_id: str, submission_id: str
) -> None:
    before = snapshot(school, submission_id)
    rename_first_module(ada, course_id, "Autrement")
    assert submit(ada, course_id) == submission_id
    assert snapshot(school, submission_id) == before


def test_sixteen_who_submit_at_once_make_one_submission(
    school: Database, ada: Person, course_id: str
) -> None:
    ids = at_once(*[partial(submit, ada, course_id)] * CALLERS)
    assert len(set(ids)) == 1
    query = "select id::text from public.formation_submissions where course_id = %s"
    assert school.run(query, [course_id]) == [(ids[0],)]


def test_what_is_being_changed_is_frozen_whole(
    school: Database, ada: Person, palette: list[str], course_id: str
) -> None:
    with transaction_of(ada) as connection:
        for module in palette[3:]:
            connection.execute("select public.add_course_module(%s, %s)", [course_id, module])
        with in_background(lambda: submit(ada, course_id)) as answer:
            wait_until_somebody_waits(school)
            connection.commit()
            frozen = snapshot(school, answer.result())
    said = ada.rpc("get_course", p_course_id=course_id)
    assert frozen["content"]["modules"] == said["modules"]
    assert len(said["modules"]) == 5
    assert frozen["course_version"] == frozen["content"]["version"] == said["version"]


def test_a_snapshot_is_always_one_version_of_the_course(
    school: Database, ada: Person, palette: list[str]
) -> None:
    course_id = compose(ada, palette)
    said: dict[int, Any] = {}
    done = Event()

    def edit() -> None:
        for number in range(60):
            content = ada.rpc("get_course", p_course_id=course_id)
            said[content["version"]] = content["modules"]
            if done.is_set():
                return
            last = content["modules"][-1]["module_uuid"]
            ada.rpc("move_course_module", p_course_module_id=last, p_position=number % 4)

    with in_background(edit) as edits:
        frozen = []
        for _ in range(15):
            submission_id = submit(ada, course_id)
            frozen.append(snapshot(school, submission_id))
            ada.rpc(WITHDRAW, p_submission_id=submission_id)
        done.set()
        edits.result()
    assert len({each["course_version"] for each in frozen}) > 1
    for each in frozen:
        assert each["content"]["modules"] == said[each["course_version"]]
        assert each["content"]["version"] == each["course_version"]


# Who hears of it.


def test_staff_hear_of_each_submission_and_of_its_answer(
    school: Database, ada: Person, admin: Person, course_id: str
) -> None:
    school.run("delete from realtime.messages", user="supabase_admin")
    first = submit(ada, course_id)
    admin.rpc(REFRESH, p_submission_id=first)
    admin.rpc(REJECT, p_submission_id=first, p_comment="Non")
    second = submit(ada, course_id)
    admin.rpc(APPROVE, p_submission_id=second)

    sent = school.run(
        "select event, private, payload - 'id' from realtime.messages "
        "where topic = 'submissions-admin' order by inserted_at",
        user="supabase_admin",
    )
    assert sent == [
        (
            "submission",
            True,
            {
                "submission_id": submission_id,
                "course_id": course_id,
                "user_id": ada.id,
                "status": status,
            },
        )
        for submission_id, status in [
            (first, "pending"),
            (first, "rejected"),
            (second, "pending"),
            (second, "approved"),
        ]
    ]


def test_only_staff_join_the_topic_of_submissions(school: Database, member: MakePerson) -> None:
    for kind in ("owner", "admin"):
        assert hears(member(kind), "submissions-admin")
        assert not hears(member(kind, status="suspended"), "submissions-admin")
    for somebody in (member("prof"), member("client"), anonymous(school)):
        assert not hears(somebody, "submissions-admin")


def test_staff_join_nothing_that_only_looks_like_it(admin: Person) -> None:
    for topic in ("submissions", "submissions-admin2", "SUBMISSIONS-ADMIN", "", "submissions-%"):
        assert not hears(admin, topic)
    assert not hears(admin, "submissions-admin", "presence")


def test_nobody_speaks_on_the_topic_of_submissions(school: Database, member: MakePerson) -> None:
    for speaker in (member("owner"), member("client"), anonymous(school)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            speaker.run(
                "insert into realtime.messages (topic, extension, event) "
                "values ('submissions-admin', 'broadcast', 'submission')"
            )
