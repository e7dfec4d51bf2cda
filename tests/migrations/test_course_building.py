"""Composing a course by drag and drop, alone and together, and what becomes of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.concurrency import (
    at_once,
    in_background,
    transaction_of,
    wait_until_somebody_waits,
)
from tests.formations import NOBODY, compose, make_palette, order, publish, start, submit, version

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

LONG_TITLE, LONG_TEXT = "a" * 201, "a" * 5001
PLACES = """
select position, id::text from public.course_modules where course_id = %s order by position
"""


@pytest.fixture
def course(school: Database, ada: Person) -> str:
    """Her draft, of three modules."""
    return compose(ada, make_palette(school, 3))


# Starting one.


@pytest.mark.parametrize("kind", ["client", "prof", "admin", "owner"])
def test_anybody_starts_a_custom_course(member: MakePerson, kind: str) -> None:
    author = member(kind)
    made = author.rpc("create_course", p_title="  L'Été à vélo !  ", p_description=" Loin ")
    assert (made["author_id"], made["course_type"], made["status"], made["version"]) == (
        author.id,
        "custom",
        "draft",
        1,
    )
    assert (made["title"], made["description"]) == ("L'Été à vélo !", "Loin")
    assert made["slug"] == f"l-ete-a-velo-{made['id'][:8]}"


def test_a_title_without_letters_has_an_address_all_the_same(ada: Person) -> None:
    made = ada.rpc("create_course", p_title="¿?")
    assert made["slug"] == made["id"][:8]


def test_letters_that_are_joined_come_apart_in_a_slug(ada: Person) -> None:
    made = ada.rpc("create_course", p_title="Mise en œuvre, ex æquo")
    assert made["slug"] == f"mise-en-oeuvre-ex-aequo-{made['id'][:8]}"


@pytest.mark.parametrize("kind", ["client", "prof"])
def test_only_staff_start_a_standard_course(member: MakePerson, kind: str) -> None:
    refusal = member(kind).refusal("create_course", p_title="Bases", p_course_type="standard")
    assert refusal.code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("title", None),
        ("title", "   "),
        ("title", LONG_TITLE),
        ("description", LONG_TEXT),
        ("course_type", "autre"),
        ("course_type", None),
    ],
)
def test_an_odd_course_is_not_started(ada: Person, argument: str, wrong: str | None) -> None:
    refusal = ada.refusal("create_course", **{"p_title": "Bases", f"p_{argument}": wrong})
    assert (refusal.code, refusal.details) == ("INVALID", argument)


def test_a_client_has_a_hundred_courses_also_when_he_starts_two_at_once(
    school: Database, ada: Person
) -> None:
    school.run(
        "insert into public.courses (author_id, title, slug) "
        "select %s, 'Plein', 'plein-' || gen_random_uuid() from generate_series(1, 99)",
        [ada.id],
    )
    create = [lambda: ada.rpc("create_course", p_title="Encore")] * 2
    refused = [answer for answer in at_once(*create) if not isinstance(answer, dict)]
    assert [answer.code for answer in refused] == ["QUOTA_EXCEEDED"]


# Who may change one.

EDITS: dict[str, dict[str, Any]] = {
    "update_course": {"p_course_id": "course", "p_title": "Autre"},
    "add_course_module": {"p_course_id": "course", "p_builder_module_id": "palette"},
    "reorder_course_modules": {"p_course_id": "course", "p_module_ids": "modules"},
    "archive_course": {"p_course_id": "course"},
    "delete_course": {"p_course_id": "course"},
    "update_course_module": {"p_course_module_id": "module", "p_title": "Autre"},
    "move_course_module": {"p_course_module_id": "module", "p_position": 1},
    "remove_course_module": {"p_course_module_id": "module"},
}
ENDS = {"archive_course", "delete_course"}


def arguments_for(database: Database, edit: str, course: str) -> dict[str, Any]:
    modules = order(database, course)
    [(palette,)] = database.run(
        "select builder_module_id::text from public.course_modules where id = %s", modules[:1]
    )
    named = {"course": course, "modules": modules[::-1], "module": modules[0], "palette": palette}
    return {
        name: named.get(value, value) if isinstance(value, str) else value
        for name, value in EDITS[edit].items()
    }


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("who", ["author", "admin"])
def test_the_author_and_staff_change_a_custom_course(
    school: Database, member: MakePerson, ada: Person, course: str, edit: str, who: str
) -> None:
    editor = ada if who == "author" else member("admin")
    before = version(school, course)
    editor.rpc(edit, **arguments_for(school, edit, course))
    assert (version(school, course) > before) == (edit not in ENDS)
    order(school, course)


def refusals(person: Person, asked: dict[str, dict[str, Any]]) -> set[str]:
    return {person.refusal(edit, **arguments).code for edit, arguments in asked.items()}


def every_edit(database: Database, course: str) -> dict[str, dict[str, Any]]:
    return {edit: arguments_for(database, edit, course) for edit in EDITS}


def test_a_stranger_finds_no_custom_course(
    school: Database, member: MakePerson, course: str
) -> None:
    before = order(school, course), version(school, course)
    assert refusals(member(), every_edit(school, course)) == {"NOT_FOUND"}
    assert (order(school, course), version(school, course)) == before


def test_who_reads_a_course_does_not_change_it(
    school: Database, member: MakePerson, ada: Person
) -> None:
    admin, prof = member("admin"), member("prof")
    palette = make_palette(school, 2)
    board = start(ada, admin, palette)
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    for course in (publish(admin, palette), board.course_id):
        assert refusals(prof, every_edit(school, course)) == {"FORBIDDEN"}


def test_a_course_that_is_gone_is_changed_by_nobody(
    school: Database, ada: Person, course: str
) -> None:
    edits = every_edit(school, course)
    ada.rpc("delete_course", p_course_id=course)
    assert refusals(ada, edits) == {"NOT_FOUND"}


def test_an_archived_course_stays_as_it_is(school: Database, ada: Person, course: str) -> None:
    edits = {
        edit: arguments
        for edit, arguments in every_edit(school, course).items()
        if edit not in ENDS
    }
    ada.rpc("archive_course", p_course_id=course)
    assert refusals(ada, edits) == {"CONFLICT"}


@pytest.mark.parametrize("named", [None, NOBODY])
def test_what_is_not_there_is_not_changed(ada: Person, named: str | None) -> None:
    here: dict[str, Any] = {"p_module_ids": [], "p_builder_module_id": None}
    edits = {
        edit: {
            name: named if name in ("p_course_id", "p_course_module_id") else here.get(name, value)
            for name, value in arguments.items()
        }
        for edit, arguments in EDITS.items()
    }
    assert refusals(ada, edits) == {"NOT_FOUND"}


def test_the_suspended_change_nothing(
    school: Database, member: MakePerson, ada: Person, course: str
) -> None:
    edits = every_edit(school, course) | {
        "create_course": {"p_title": "Bases"},
        "publish_course": {"p_course_id": course},
        "duplicate_course": {"p_course_id": course},
    }
    member("owner").rpc("set_user_status", p_user_id=ada.id, p_status="suspended")
    assert refusals(ada, edits) == {"FORBIDDEN"}


# What is asked.


@pytest.mark.parametrize(
    ("edit", "argument", "wrong"),
    [
        ("update_course", "title", "  "),
        ("update_course", "title", LONG_TITLE),
        ("update_course", "description", LONG_TEXT),
        ("add_course_module", "position", -1),
        ("update_course_module", "title", " "),
        ("update_course_module", "title", LONG_TITLE),
        ("update_course_module", "description", LONG_TEXT),
        ("update_course_module", "duration_minutes", 0),
        ("update_course_module", "duration_minutes", 6001),
        ("move_course_module", "position", -1),
        ("move_course_module", "position", None),
        ("reorder_course_modules", "module_ids", None),
        ("reorder_course_modules", "module_ids", "twice"),
        ("reorder_course_modules", "module_ids", "nothing among them"),
    ],
)
def test_an_odd_change_is_refused(
    school: Database, ada: Person, course: str, edit: str, argument: str, wrong: Any
) -> None:
    arguments = arguments_for(school, edit, course)
    if wrong in ("twice", "nothing among them"):
        modules = order(school, course)
        wrong = [*modules, modules[0] if wrong == "twice" else None]
    refusal = ada.refusal(edit, **(arguments | {f"p_{argument}": wrong}))
    assert (refusal.code, refusal.details) == ("INVALID", argument)


@pytest.mark.parametrize("lot", ["one less", "one of another course", "none"])
def test_an_order_of_other_modules_is_a_conflict(
    school: Database, ada: Person, course: str, lot: str
) -> None:
    modules = order(school, course)
    [foreign] = order(school, compose(ada, make_palette(school, 1)))
    wanted = {"one less": modules[1:], "one of another course": [*modules, foreign], "none": []}
    refusal = ada.refusal("reorder_course_modules", p_course_id=course, p_module_ids=wanted[lot])
    assert refusal.code == "CONFLICT"
    assert refusal.details == f'{{"version": {version(school, course)}}}'


@pytest.mark.parametrize("state", ["unknown", "off", "deleted", None])
def test_only_what_the_palette_shows_is_added(
    school: Database, ada: Person, course: str, state: str | None
) -> None:
    [module] = make_palette(school, 1)
    change = {"off": "is_active = false", "deleted": "deleted_at = now()"}.get(state or "")
    if change:
        school.run(f"update public.builder_modules set {change} where id = %s", [module])
    named = {"unknown": NOBODY, None: None}.get(state, module)
    refusal = ada.refusal("add_course_module", p_course_id=course, p_builder_module_id=named)
    assert refusal.code == "NOT_FOUND"


def test_a_course_has_a_hundred_modules(school: Database, ada: Person) -> None:
    [module] = make_palette(school, 1)
    course = compose(ada, [])
    school.run(
        "insert into public.course_modules (course_id, builder_module_id, position) "
        "select %s, %s, n from generate_series(0, 98) as n",
        [course, module],
    )
    add = {"p_course_id": course, "p_builder_module_id": module}
    assert ada.rpc("add_course_module", **add)["position"] == 99
    assert ada.refusal("add_course_module", **add).code == "QUOTA_EXCEEDED"


def test_null_goes_back_to_the_words_of_the_palette(
    school: Database, ada: Person, course: str
) -> None:
    [module, *_] = order(school, course)
    ada.rpc("update_course_module", p_course_module_id=module, p_title="À moi")
    ada.rpc("update_course_module", p_course_module_id=module)
    assert ada.rpc("get_course", p_course_id=course)["modules"][0]["title"] == "Module 1"


# What becomes of one.


@pytest.mark.parametrize("state", ["draft", "archived", "published"])
def test_staff_publish_a_standard_course(school: Database, member: MakePerson, state: str) -> None:
    admin = member("admin")
    course = compose(admin, make_palette(school, 1), p_course_type="standard")
    school.run("update public.courses set status = %s where id = %s", [state, course])
    assert admin.rpc("publish_course", p_course_id=course)["status"] == "published"


@pytest.mark.parametrize("kind", ["client", "prof"])
def test_nobody_else_publishes(school: Database, member: MakePerson, kind: str) -> None:
    course = publish(member("admin"), make_palette(school, 1))
    assert member(kind).refusal("publish_course", p_course_id=course).code == "FORBIDDEN"


def test_what_cannot_be_published_is_refused(member: MakePerson, course: str) -> None:
    admin = member("admin")
    empty = compose(admin, [], p_course_type="standard")
    for asked, code, details in (
        (course, "CONFLICT", None),
        (empty, "INVALID", "modules"),
        (NOBODY, "NOT_FOUND", None),
        (None, "NOT_FOUND", None),
    ):
        refusal = admin.refusal("publish_course", p_course_id=asked)
        assert (refusal.code, refusal.details) == (code, details)


def test_what_remains_keeps_its_order_when_several_modules_go_at_once(
    school: Database, ada: Person
) -> None:
    courses = {name: compose(ada, make_palette(school, 6)) for name in ("first", "second")}
    held = {name: order(school, course) for name, course in courses.items()}
    gone = [held["first"][1], held["first"][3], held["first"][4], held["second"][0]]
    school.run("delete from public.course_modules where id = any (%s::uuid[])", [gone])
    for name, course in courses.items():
        remaining = [module for module in held[name] if module not in gone]
        assert school.run(PLACES, [course]) == list(enumerate(remaining))


@pytest.mark.parametrize(("first", "second"), [(1, 3), (3, 1)])
def test_modules_that_go_at_the_same_time_leave_no_gap(
    school: Database, ada: Person, first: int, second: int
) -> None:
    """As a server or a purge of the palette removes them, who do not hold the course first."""
    course = compose(ada, make_palette(school, 5))
    held = order(school, course)
    remove = "delete from public.course_modules where id = %s"
    with school.connect(autocommit=False) as removing:
        removing.execute(remove.encode(), [held[first]])
        with in_background(partial(school.run, remove, [held[second]])) as removed:
            wait_until_somebody_waits(school)
            removing.commit()
            removed.result()
    remaining = [module for module in held if module not in (held[first], held[second])]
    assert school.run(PLACES, [course]) == list(enumerate(remaining))


def test_a_course_is_published_with_what_was_being_changed(
    school: Database, member: MakePerson
) -> None:
    ben, grace = member("admin"), member("admin")
    course = compose(ben, make_palette(school, 1), p_course_type="standard")
    [only] = order(school, course)
    with transaction_of(ben) as editing:
        editing.execute("select public.remove_course_module(%s)", [only])
        with in_background(lambda: grace.refusal("publish_course", p_course_id=course)) as other:
            wait_until_somebody_waits(school)
            editing.commit()
            assert other.result().details == "modules"


def test_a_course_is_archived_once(ada: Person, course: str) -> None:
    first = ada.rpc("archive_course", p_course_id=course)
    assert first["status"] == "archived"
    assert ada.rpc("archive_course", p_course_id=course) == first


def test_archiving_ends_the_formation_with_its_board(
    school: Database, member: MakePerson, ada: Person
) -> None:
    board = start(ada, member("admin"), make_palette(school, 2))
    ada.rpc("archive_course", p_course_id=board.course_id)
    assert board.cards() == []
    assert ada.run(
        "select id from public.user_formations where id = %s and ended_at is not null",
        [board.formation_id],
    )


def test_deleting_withdraws_what_waits(ada: Person, course: str) -> None:
    submission = submit(ada, course)
    ada.rpc("delete_course", p_course_id=course)
    assert ada.run(
        "select status from public.formation_submissions where id = %s", [submission]
    ) == [{"status": "withdrawn"}]


# Copies.


@pytest.mark.parametrize("who", ["client", "prof", "admin", "author"])
def test_who_reads_a_course_copies_it(
    school: Database, member: MakePerson, ada: Person, course: str, who: str
) -> None:
    admin = member("admin")
    [module, *_] = order(school, course)
    ada.rpc("update_course_module", p_course_module_id=module, p_title="À moi")
    source = course if who == "author" else publish(admin, make_palette(school, 3), "Bases")
    reader = ada if who == "author" else member(who)
    copy = reader.rpc("duplicate_course", p_course_id=source)
    assert (copy["course_type"], copy["status"], copy["author_id"]) == (
        "custom",
        "draft",
        reader.id,
    )
    assert copy["title"].endswith(" (copie)")
    assert copy["version"] == version(school, copy["id"])
    ours, theirs = (
        [
            (each["title"], each["duration"])
            for each in reader.rpc("get_course", p_course_id=one)["modules"]
        ]
        for one in (copy["id"], source)
    )
    assert ours == theirs
    assert not set(order(school, copy["id"])) & set(order(school, source))


def test_a_copy_has_a_title_that_fits(member: MakePerson, ada: Person) -> None:
    course = compose(ada, [], "a" * 200)
    copy = ada.rpc("duplicate_course", p_course_id=course)
    assert copy["title"] == "a" * 192 + " (copie)"
    assert ada.rpc("duplicate_course", p_course_id=copy["id"])["title"] == copy["title"]


def test_an_archived_course_is_taken_up_in_a_copy(ada: Person, course: str) -> None:
    ada.rpc("archive_course", p_course_id=course)
    assert ada.rpc("duplicate_course", p_course_id=course)["status"] == "draft"


@pytest.mark.parametrize("state", ["draft of another", "deleted", "unknown"])
def test_what_is_out_of_sight_is_not_copied(
    member: MakePerson, ada: Person, course: str, state: str
) -> None:
    if state == "deleted":
        ada.rpc("delete_course", p_course_id=course)
    asked = NOBODY if state == "unknown" else course
    reader = member() if state == "draft of another" else ada
    assert reader.refusal("duplicate_course", p_course_id=asked).code == "NOT_FOUND"


def test_a_copy_counts_among_the_hundred(school: Database, member: MakePerson) -> None:
    ben = member()
    course = publish(member("admin"), make_palette(school, 1))
    school.run(
        "insert into public.courses (author_id, title, slug) "
        "select %s, 'Plein', 'plein-' || gen_random_uuid() from generate_series(1, 100)",
        [ben.id],
    )
    assert ben.refusal("duplicate_course", p_course_id=course).code == "QUOTA_EXCEEDED"


def test_a_copy_is_of_the_course_before_a_change_or_after_it(
    school: Database, member: MakePerson
) -> None:
    ben, grace = member("admin"), member()
    course = publish(ben, make_palette(school, 3), "Avant")
    modules = order(school, course)
    with transaction_of(ben) as editing:
        editing.execute("select public.update_course(%s, 'Après')", [course])
        editing.execute("select public.remove_course_module(%s)", [modules[0]])
        with in_background(lambda: grace.rpc("duplicate_course", p_course_id=course)) as copying:
            wait_until_somebody_waits(school)
            editing.commit()
            copy = copying.result()
    assert copy["title"] == "Après (copie)"
    assert len(order(school, copy["id"])) == 2
