"""Following a standard course: in the version one began with, until one goes on to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.callers import anonymous
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, make_palette, publish

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

RPCS = ["enrol_in_course", "upgrade_enrolment", "set_enrolment_module_done", "leave_course"]
VERSIONS = "select version, content from public.course_versions where course_id = %s order by 1"


@pytest.fixture
def palette(school: Database) -> list[str]:
    """Three modules."""
    return make_palette(school, 3)


@pytest.fixture
def course(admin: Person, palette: list[str]) -> str:
    """A published course of them."""
    return publish(admin, palette, "Bases")


def enrol(person: Person, course: str) -> dict[str, Any]:
    enrolment: dict[str, Any] = person.rpc("enrol_in_course", p_course_id=course)
    return enrolment


def finish(person: Person, course: str, *modules: str, done: bool = True) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for module in modules:
        answer = person.rpc(
            "set_enrolment_module_done", p_course_id=course, p_module_uuid=module, p_done=done
        )
    return answer


def followed(person: Person, course: str) -> dict[str, Any]:
    """What the person's list says of the course."""
    told = person.rpc("get_user_courses_and_parcours", p_user_id=person.id)["courses"]
    [found] = [each for each in told if each["course_id"] == course]
    return dict(found)


def modules_of(reader: Person, course: str) -> list[str]:
    told = reader.rpc("get_course", p_course_id=course)["modules"]
    return [module["module_uuid"] for module in told]


# Beginning.


@pytest.mark.parametrize("kind", ["client", "prof", "admin", "owner"])
def test_anybody_follows_a_published_course(member: MakePerson, course: str, kind: str) -> None:
    person = member(kind)
    enrolment = enrol(person, course)
    assert enrolment["user_id"] == person.id
    assert (enrolment["done_modules"], enrolment["completed_at"]) == ([], None)
    told = followed(person, course)
    assert told["course_version"] == told["latest_version"] == enrolment["course_version"]
    assert [module["title"] for module in told["modules"]] == ["Module 1", "Module 2", "Module 3"]


def test_a_second_call_changes_nothing(
    school: Database, admin: Person, ada: Person, course: str
) -> None:
    first = enrol(ada, course)
    admin.rpc("update_course", p_course_id=course, p_title="Bases, bis")
    assert enrol(ada, course) == first
    assert len(school.run(VERSIONS, [course])) == 1


def test_two_calls_at_once_make_one_enrolment(ada: Person, course: str) -> None:
    first, second = at_once(*[lambda: enrol(ada, course)] * 2)
    assert first == second


def test_many_begin_at_once_with_one_version(
    school: Database, member: MakePerson, course: str
) -> None:
    people = [member() for _ in range(4)]
    begun = at_once(*[lambda person=person: enrol(person, course) for person in people])
    assert {each["user_id"] for each in begun} == {person.id for person in people}
    assert len(school.run(VERSIONS, [course])) == 1


@pytest.mark.parametrize("state", ["draft", "archived", "deleted", "custom", "unknown", "null"])
def test_what_is_not_published_is_not_followed(
    admin: Person, ada: Person, palette: list[str], course: str, state: str
) -> None:
    asked: str | None = course
    match state:
        case "draft":
            asked = compose(admin, palette[:1], p_course_type="standard")
        case "archived":
            admin.rpc("archive_course", p_course_id=course)
        case "deleted":
            admin.rpc("delete_course", p_course_id=course)
        case "custom":
            asked = compose(ada, palette[:1])
        case _:
            asked = str(uuid4()) if state == "unknown" else None
    assert ada.refusal("enrol_in_course", p_course_id=asked).code == "NOT_FOUND"


def test_the_suspended_and_visitors_follow_nothing(
    school: Database, member: MakePerson, course: str
) -> None:
    eve, visitor = member(status="suspended"), anonymous(school)
    for function in RPCS:
        more = {"p_module_uuid": None} if "module" in function else {}
        assert eve.refusal(function, p_course_id=course, **more).code == "FORBIDDEN"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            visitor.rpc(function, p_course_id=course, **more)


@pytest.mark.parametrize("function", RPCS[1:])
def test_who_does_not_follow_a_course_has_nothing_to_change(
    member: MakePerson, admin: Person, course: str, function: str
) -> None:
    enrol(member(), course)
    [module, *_] = modules_of(admin, course)
    more = {"p_module_uuid": module} if "module" in function else {}
    assert admin.refusal(function, p_course_id=course, **more).code == "NOT_FOUND"


def test_a_course_changed_while_somebody_begins_is_kept_whole(
    school: Database, admin: Person, ada: Person, course: str
) -> None:
    [first, *_] = modules_of(admin, course)
    with transaction_of(admin) as editing:
        editing.execute("select public.remove_course_module(%s)", [first])
        with in_background(lambda: enrol(ada, course)) as beginning:
            wait_until_somebody_waits(school)
            editing.commit()
            begun = beginning.result()
    told = followed(ada, course)
    assert begun["course_version"] == told["latest_version"]
    assert [module["title"] for module in told["modules"]] == ["Module 2", "Module 3"]


def test_a_module_rewritten_while_somebody_begins_is_the_next_version(
    school: Database, admin: Person, ada: Person, course: str, palette: list[str]
) -> None:
    with transaction_of(ada) as beginning:
        beginning.execute("select public.enrol_in_course(%s)", [course])
        with in_background(
            lambda: admin.run(
                "update public.builder_modules set title = 'Autre' where id = %s", palette[:1]
            )
        ) as rewriting:
            wait_until_somebody_waits(school)
            beginning.commit()
            rewriting.result()
    told = followed(ada, course)
    assert told["modules"][0]["title"] == "Module 1"
    assert told["latest_version"] == told["course_version"] + 1


# Keeping what one began with.

CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "a module is removed": ("remove_course_module", {"p_course_module_id": "module"}),
    "a module is added": (
        "add_course_module",
        {"p_course_id": "course", "p_builder_module_id": "palette"},
    ),
    "modules are moved": ("move_course_module", {"p_course_module_id": "module", "p_position": 2}),
    "a module has other words": (
        "update_course_module",
        {"p_course_module_id": "module", "p_title": "Autre"},
    ),
    "the course is renamed": ("update_course", {"p_course_id": "course", "p_title": "Autre"}),
    "the course is archived": ("archive_course", {"p_course_id": "course"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_follower_keeps_what_he_began_with_when(
    admin: Person, ada: Person, palette: list[str], course: str, change: str
) -> None:
    enrol(ada, course)
    before = followed(ada, course)
    [module, *_] = modules_of(admin, course)
    named = {"course": course, "module": module, "palette": palette[0]}
    function, arguments = CHANGES[change]
    admin.rpc(function, **{name: named.get(value, value) for name, value in arguments.items()})
    after = followed(ada, course)
    changing = {"latest_version", "status"}
    assert {key: after[key] for key in after.keys() - changing} == {
        key: before[key] for key in before.keys() - changing
    }
    assert (after["latest_version"] > before["latest_version"]) == ("archived" not in change)


@pytest.mark.parametrize("column", ["title = 'Autre'", "duration_minutes = 99"])
def test_a_follower_keeps_his_words_when_the_palette_changes(
    admin: Person, ada: Person, palette: list[str], course: str, column: str
) -> None:
    enrol(ada, course)
    before = followed(ada, course)
    admin.run(f"update public.builder_modules set {column} where id = %s", palette[:1])
    after = followed(ada, course)
    assert after["modules"] == before["modules"]
    assert after["latest_version"] == before["latest_version"] + 1


def test_a_follower_keeps_a_module_that_the_palette_lost_for_good(
    school: Database, admin: Person, ada: Person, palette: list[str], course: str
) -> None:
    enrol(ada, course)
    before = followed(ada, course)
    admin.run("delete from public.builder_modules where id = %s", palette[:1])
    school.run("select app.purge_deleted('public.builder_modules', now())")
    assert len(modules_of(admin, course)) == 2
    after = followed(ada, course)
    assert after["modules"] == before["modules"]
    assert after["latest_version"] > before["latest_version"]


def test_nobody_rewrites_a_version(
    school: Database, member: MakePerson, ada: Person, course: str
) -> None:
    enrol(ada, course)
    for writer in (ada, member("owner")):
        for table in ("course_versions", "user_courses"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.run(f"update public.{table} set course_id = %s", [course])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        school.run("set role service_role; update public.course_versions set content = '{}'")


@pytest.mark.parametrize(
    ("who", "sees"), [("ada", True), ("client", False), ("prof", False), ("admin", True)]
)
def test_a_follower_and_staff_see_the_enrolment_and_its_version(
    member: MakePerson, ada: Person, course: str, who: str, sees: bool
) -> None:
    enrol(ada, course)
    reader = ada if who == "ada" else member(who)
    for table in ("user_courses", "course_versions"):
        rows = reader.run(f"select * from public.{table} where course_id = %s", [course])
        assert bool(rows) == sees


# Going on.


def test_going_on_keeps_what_is_done(
    admin: Person, ada: Person, palette: list[str], course: str
) -> None:
    enrol(ada, course)
    first, second, third = modules_of(admin, course)
    finish(ada, course, first, second)
    admin.rpc("remove_course_module", p_course_module_id=first)
    admin.rpc("add_course_module", p_course_id=course, p_builder_module_id=palette[0])
    admin.rpc("update_course_module", p_course_module_id=second, p_title="Autre")
    gone_on = ada.rpc("upgrade_enrolment", p_course_id=course)
    assert gone_on["done_modules"] == [second]
    told = followed(ada, course)
    assert told["course_version"] == told["latest_version"]
    assert [module["title"] for module in told["modules"]] == ["Autre", "Module 3", "Module 1"]
    assert (told["modules_done"], told["modules_total"]) == (1, 3)
    assert told["modules"][1]["module_uuid"] == third


def test_who_goes_on_with_more_to_do_is_not_through(
    admin: Person, ada: Person, palette: list[str], course: str
) -> None:
    enrol(ada, course)
    assert finish(ada, course, *modules_of(admin, course))["completed_at"]
    admin.rpc("add_course_module", p_course_id=course, p_builder_module_id=palette[0])
    assert followed(ada, course)["completed_at"]
    assert ada.rpc("upgrade_enrolment", p_course_id=course)["completed_at"] is None


def test_who_goes_on_with_less_to_do_may_be_through(
    admin: Person, ada: Person, course: str
) -> None:
    enrol(ada, course)
    first, *rest = modules_of(admin, course)
    finish(ada, course, *rest)
    admin.rpc("remove_course_module", p_course_module_id=first)
    assert ada.rpc("upgrade_enrolment", p_course_id=course)["completed_at"]


def test_there_is_nothing_to_go_on_to(ada: Person, course: str) -> None:
    begun = enrol(ada, course)
    assert ada.rpc("upgrade_enrolment", p_course_id=course) == begun


@pytest.mark.parametrize("end", ["archive_course", "delete_course"])
def test_nobody_goes_on_with_a_course_that_ended(
    admin: Person, ada: Person, course: str, end: str
) -> None:
    enrol(ada, course)
    admin.rpc(end, p_course_id=course)
    assert ada.refusal("upgrade_enrolment", p_course_id=course).code == "NOT_FOUND"


def test_two_go_on_and_finish_at_once(
    school: Database, admin: Person, ada: Person, course: str
) -> None:
    enrol(ada, course)
    first, second, _ = modules_of(admin, course)
    admin.rpc("remove_course_module", p_course_module_id=first)
    with transaction_of(ada) as going_on:
        going_on.execute("select public.upgrade_enrolment(%s)", [course])
        with in_background(lambda: finish(ada, course, second)) as finishing:
            wait_until_somebody_waits(school)
            going_on.commit()
            finished = finishing.result()
    assert finished["done_modules"] == [second]
    assert followed(ada, course)["modules_total"] == 2


# Doing.


def test_what_is_done_is_counted_once(admin: Person, ada: Person, course: str) -> None:
    begun = enrol(ada, course)
    first, second, third = modules_of(admin, course)
    done = finish(ada, course, third, first, first)
    assert (done["done_modules"], done["completed_at"]) == ([first, third], None)
    assert done["last_activity_at"] > begun["last_activity_at"]
    through = finish(ada, course, second)
    assert through["completed_at"]
    assert finish(ada, course, second)["completed_at"] == through["completed_at"]
    again = finish(ada, course, second, done=False)
    assert (again["done_modules"], again["completed_at"]) == ([first, third], None)


def test_two_modules_finished_at_once_are_both_done(
    admin: Person, ada: Person, course: str
) -> None:
    enrol(ada, course)
    modules = modules_of(admin, course)
    at_once(*[lambda module=module: finish(ada, course, module) for module in modules])
    told = followed(ada, course)
    assert told["done_modules"] == modules
    assert told["completed_at"]


@pytest.mark.parametrize("asked", ["of another course", "unknown", "null"])
def test_a_module_of_another_course_is_not_done(
    admin: Person, ada: Person, palette: list[str], course: str, asked: str
) -> None:
    enrol(ada, course)
    module = {
        "of another course": modules_of(admin, publish(admin, palette[:1]))[0],
        "unknown": str(uuid4()),
    }.get(asked)
    refusal = ada.refusal(
        "set_enrolment_module_done", p_course_id=course, p_module_uuid=module, p_done=True
    )
    assert refusal.code == "NOT_FOUND"


def test_done_or_not_is_said(admin: Person, ada: Person, course: str) -> None:
    enrol(ada, course)
    refusal = ada.refusal(
        "set_enrolment_module_done",
        p_course_id=course,
        p_module_uuid=modules_of(admin, course)[0],
        p_done=None,
    )
    assert (refusal.code, refusal.details) == ("INVALID", "done")


# Ending.


def test_who_leaves_begins_anew(admin: Person, ada: Person, course: str) -> None:
    enrol(ada, course)
    finish(ada, course, *modules_of(admin, course))
    ada.rpc("leave_course", p_course_id=course)
    assert ada.refusal("leave_course", p_course_id=course).code == "NOT_FOUND"
    assert enrol(ada, course)["done_modules"] == []


def test_one_leaves_and_the_others_stay(member: MakePerson, ada: Person, course: str) -> None:
    ben = member()
    enrol(ada, course)
    begun = enrol(ben, course)
    ada.rpc("leave_course", p_course_id=course)
    assert followed(ben, course)["enrolment_id"] == begun["id"]


def test_a_course_deleted_while_somebody_begins_is_not_followed(
    school: Database, admin: Person, ada: Person, course: str
) -> None:
    with transaction_of(admin) as deleting:
        deleting.execute("select public.delete_course(%s)", [course])
        with in_background(lambda: ada.refusal("enrol_in_course", p_course_id=course)) as beginning:
            wait_until_somebody_waits(school)
            deleting.commit()
            assert beginning.result().code == "NOT_FOUND"


def test_who_began_just_before_the_course_was_deleted_follows_nothing(
    school: Database, admin: Person, ada: Person, course: str
) -> None:
    with transaction_of(ada) as beginning:
        beginning.execute("select public.enrol_in_course(%s)", [course])
        with in_background(lambda: admin.rpc("delete_course", p_course_id=course)) as deleting:
            wait_until_somebody_waits(school)
            beginning.commit()
            deleting.result()
    assert ada.rpc("get_user_courses_and_parcours", p_user_id=ada.id)["courses"] == []
    assert school.run(VERSIONS, [course]) == []
