"""What one person follows and composes, and what staff see of everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.callers import anonymous, sign_up
from tests.formations import NOBODY, compose, make_palette, publish, start, submit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

MINE = "get_user_courses_and_parcours"
ALL = "get_admin_formations_and_submissions"

# Boards by the hundred, in ties: ten things happen at each instant.
CROWD = """
with client as (select id from public.profiles where user_type_id = 'client'),
course as (
  insert into public.courses (author_id, title, slug)
  select client.id, 'Parcours ' || n, 'parcours-' || n || '-' || gen_random_uuid()
  from client, generate_series(1, 250) as n
  returning id, author_id
),
submission as (
  insert into public.formation_submissions (course_id, user_id, last_activity_at)
  select id, author_id, now() - (row_number() over () / 10) * interval '1 minute' from course
  returning id, course_id, user_id
)
insert into public.user_formation_snapshots
  (submission_id, user_id, course_id, course_version, content, content_hash)
select id, user_id, course_id, 1, '{"modules": []}', repeat('0', 64) from submission
"""
ENROLLED = """
with course as (
  insert into public.courses (course_type, status, title, slug)
  select 'standard', 'published', 'Cours ' || n, 'cours-' || n from generate_series(1, 250) as n
  returning id
),
version as (
  insert into public.course_versions (course_id, version, content, content_hash)
  select id, 1, '{"modules": []}', '' from course returning course_id
)
insert into public.user_courses (user_id, course_id, course_version, last_activity_at)
select profiles.id, course_id, 1, now() - (row_number() over () / 10) * interval '1 minute'
from version, public.profiles where user_type_id = 'client'
"""


def overview(person: Person, whose: Person | None = None) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = person.rpc(MINE, p_user_id=(whose or person).id)
    return told


def pages(staff: Person, **asked: Any) -> Iterator[list[dict[str, Any]]]:
    """Each page, as a screen asks for the next one."""
    page = staff.rpc(ALL, **asked)
    while page:
        yield page
        last = page[-1]
        page = staff.rpc(ALL, **asked, p_before=last["last_activity_at"], p_before_id=last["id"])


def shown(staff: Person, **asked: Any) -> list[tuple[str, str]]:
    return [(row["kind"], row["status"]) for row in staff.rpc(ALL, **asked)]


# One's own.


def test_who_has_done_nothing_has_two_empty_lists(member: MakePerson) -> None:
    assert overview(member()) == {"courses": [], "parcours": []}


def test_one_sees_what_one_follows_and_composes(school: Database, member: MakePerson) -> None:
    admin, ada, ben = member("admin"), member(), member()
    modules = make_palette(school, 3)
    course = publish(admin, modules, "Bases")
    for person in (ada, ben):
        person.rpc("enrol_in_course", p_course_id=course)
        compose(person, modules[:1], f"Brouillon de {person.id}")
    first = ada.rpc("get_course", p_course_id=course)["modules"][0]["module_uuid"]
    ada.rpc("set_enrolment_module_done", p_course_id=course, p_module_uuid=first)
    admin.rpc("update_course", p_course_id=course, p_title="Bases, bis")

    told = overview(ada)
    [follows], [draft] = told["courses"], told["parcours"]
    assert (follows["title"], follows["modules_done"], follows["modules_total"]) == ("Bases", 1, 3)
    assert follows["latest_version"] == follows["course_version"] + 1
    assert draft["title"] == f"Brouillon de {ada.id}"
    assert (draft["status"], draft["modules_total"], draft["duration"]) == ("draft", 1, 10)
    assert (draft["submission"], draft["formation"]) == (None, None)
    assert overview(admin, ada) == told


def test_a_course_under_way_tells_how_far_it_is(school: Database, member: MakePerson) -> None:
    admin, ada, prof = member("admin"), member(), member("prof", first_name="Grace")
    board = start(ada, admin, make_palette(school, 4))
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    for card, status in zip(board.cards(), ("done", "blocked", "in_progress"), strict=False):
        ada.rpc("move_kanban_module", p_status_id=card["status_id"], p_status=status, p_position=0)
    [parcours] = overview(ada)["parcours"]
    formation = parcours["formation"]
    assert {key: formation[key] for key in formation if key.startswith("modules_")} == {
        "modules_total": 4,
        "modules_done": 1,
        "modules_in_progress": 1,
        "modules_blocked": 1,
    }
    assert (formation["prof_id"], formation["ended_at"]) == (prof.id, None)
    assert (formation["prof_first_name"], formation["prof_last_name"]) == ("Grace", None)
    assert parcours["submission"]["status"] == "approved"
    [row] = admin.rpc(ALL, p_user_id=ada.id)
    assert (row["modules_total"], row["modules_done"], row["prof_id"]) == (4, 1, prof.id)


def test_the_latest_submission_is_told(school: Database, member: MakePerson) -> None:
    admin, ada = member("admin"), member()
    course = compose(ada, make_palette(school, 1))
    first = submit(ada, course)
    admin.rpc("reject_user_parcours_submission", p_submission_id=first, p_comment="Trop court")
    [told] = overview(ada)["parcours"]
    assert (told["submission"]["status"], told["submission"]["review_comment"]) == (
        "rejected",
        "Trop court",
    )
    second = submit(ada, course)
    [told] = overview(ada)["parcours"]
    assert (told["status"], told["submission"]["submission_id"]) == ("submitted", second)


def test_what_is_archived_stays_in_the_list(school: Database, member: MakePerson) -> None:
    admin, ada = member("admin"), member()
    modules = make_palette(school, 2)
    course = publish(admin, modules)
    ada.rpc("enrol_in_course", p_course_id=course)
    board = start(ada, admin, modules)
    for staff, ended in ((admin, course), (ada, board.course_id)):
        staff.rpc("archive_course", p_course_id=ended)
    told = overview(ada)
    assert [each["status"] for each in told["courses"] + told["parcours"]] == ["archived"] * 2
    assert len(told["courses"][0]["modules"]) == 2
    assert told["parcours"][0]["formation"]["ended_at"]
    assert sorted(shown(admin, p_user_id=ada.id)) == [
        ("enrolment", "under_way"),
        ("formation", "ended"),
    ]


def test_what_is_deleted_is_in_no_list(school: Database, member: MakePerson) -> None:
    admin, ada = member("admin"), member()
    modules = make_palette(school, 2)
    course = publish(admin, modules)
    ada.rpc("enrol_in_course", p_course_id=course)
    board = start(ada, admin, modules)
    draft = compose(ada, modules)
    for deleted in (course, board.course_id, draft):
        admin.rpc("delete_course", p_course_id=deleted)
    assert overview(ada) == {"courses": [], "parcours": []}
    assert admin.rpc(ALL, p_user_id=ada.id) == []


@pytest.mark.parametrize("kind", ["client", "prof"])
def test_nobody_asks_about_others(member: MakePerson, kind: str) -> None:
    asker = member(kind)
    for asked in (member().id, NOBODY, None):
        assert asker.refusal(MINE, p_user_id=asked).code == "FORBIDDEN"


@pytest.mark.parametrize("asked", [None, NOBODY])
def test_somebody_who_is_not_there_is_not_found(member: MakePerson, asked: str | None) -> None:
    assert member("admin").refusal(MINE, p_user_id=asked).code == "NOT_FOUND"


def test_the_suspended_and_visitors_are_told_nothing(school: Database, member: MakePerson) -> None:
    eve = member("admin", status="suspended")
    for function, asked in ((MINE, {"p_user_id": eve.id}), (ALL, {})):
        assert eve.refusal(function, **asked).code == "FORBIDDEN"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            anonymous(school).rpc(function, **asked)


# Everybody's, for staff.


@pytest.mark.parametrize("kind", ["client", "prof"])
def test_only_staff_see_everybody(member: MakePerson, kind: str) -> None:
    assert member(kind).refusal(ALL).code == "FORBIDDEN"


@pytest.mark.parametrize("kind", ["owner", "admin"])
def test_there_may_be_nothing_yet(person: MakePerson, kind: str) -> None:
    assert person(kind).rpc(ALL) == []


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("kind", "course"),
        ("kind", ""),
        ("status", "done"),
        ("limit", 0),
        ("limit", 101),
        ("limit", None),
    ],
)
def test_an_odd_question_is_refused(member: MakePerson, argument: str, wrong: Any) -> None:
    refusal = member("admin").refusal(ALL, **{f"p_{argument}": wrong})
    assert (refusal.code, refusal.details) == ("INVALID", argument)


@pytest.fixture(scope="module")
def work(school: Database) -> dict[str, Any]:
    """One of each for Élodie, and something for somebody else."""
    admin, prof = sign_up(school, "admin"), sign_up(school, "prof")
    elodie, ben = sign_up(school, "client", first_name="Élodie"), sign_up(school, "client")
    modules = make_palette(school, 2)
    submit(elodie, compose(elodie, modules, "En attente"))
    back = submit(elodie, compose(elodie, modules, "Refusé"))
    admin.rpc("reject_user_parcours_submission", p_submission_id=back, p_comment="Non")
    taken = submit(elodie, compose(elodie, modules, "Retiré"))
    elodie.rpc("withdraw_user_parcours_submission", p_submission_id=taken)
    board = start(elodie, admin, modules, "En cours à l'été")
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    ended = start(elodie, admin, modules, "Fini")
    elodie.rpc("archive_course", p_course_id=ended.course_id)
    begun, through = publish(admin, modules, "Suivi"), publish(admin, modules[:1], "Achevé")
    for course in (begun, through):
        elodie.rpc("enrol_in_course", p_course_id=course)
    [only] = elodie.rpc("get_course", p_course_id=through)["modules"]
    elodie.rpc("set_enrolment_module_done", p_course_id=through, p_module_uuid=only["module_uuid"])
    start(ben, admin, modules, "À Ben")
    return {"admin": admin, "prof": prof, "elodie": elodie, "ben": ben}


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ({}, "Achevé|En attente|En cours à l'été|Fini|Refusé|Retiré|Suivi"),
        ({"p_kind": "submission"}, "En attente|Refusé|Retiré"),
        ({"p_kind": "formation"}, "En cours à l'été|Fini"),
        ({"p_kind": "enrolment"}, "Achevé|Suivi"),
        ({"p_status": "pending"}, "En attente"),
        ({"p_status": "approved"}, "En cours à l'été|Fini"),
        ({"p_status": "rejected"}, "Refusé"),
        ({"p_status": "withdrawn"}, "Retiré"),
        ({"p_status": "under_way"}, "En cours à l'été|Suivi"),
        ({"p_status": "ended"}, "Fini"),
        ({"p_status": "completed"}, "Achevé"),
        ({"p_kind": "formation", "p_status": "under_way"}, "En cours à l'été"),
        ({"p_kind": "submission", "p_status": "approved"}, ""),
        ({"p_kind": "enrolment", "p_status": "pending"}, ""),
        ({"p_search": "ete"}, "En cours à l'été"),
        ({"p_search": " ACHEVE "}, "Achevé"),
        ({"p_search": "elodie", "p_status": "ended"}, "Fini"),
        ({"p_search": "%"}, ""),
        ({"p_search": "r"}, "Refusé|Retiré"),
        ({"p_search": "ét"}, "En cours à l'été"),
        ({"p_search": "_ini"}, ""),
        ({"p_search": "  "}, "Achevé|En attente|En cours à l'été|Fini|Refusé|Retiré|Suivi"),
    ],
)
def test_staff_find(work: dict[str, Any], asked: dict[str, str], titles: str) -> None:
    found = work["admin"].rpc(ALL, **asked, p_user_id=work["elodie"].id)
    assert "|".join(sorted(row["title"] for row in found)) == titles
    assert {row["first_name"] for row in found} <= {"Élodie"}


def test_staff_find_what_a_prof_accompanies(work: dict[str, Any]) -> None:
    [row] = work["admin"].rpc(ALL, p_prof_id=work["prof"].id)
    assert (row["title"], row["prof_id"]) == ("En cours à l'été", work["prof"].id)


def test_staff_find_by_name_address_and_title(work: dict[str, Any]) -> None:
    admin, ben = work["admin"], work["ben"]
    assert {row["email"] for row in admin.rpc(ALL, p_search=ben.email)} == {ben.email}
    assert {row["user_id"] for row in admin.rpc(ALL, p_search="ÉLODIE")} == {work["elodie"].id}
    assert {row["title"] for row in admin.rpc(ALL, p_search="à ben")} == {"À Ben"}


def test_each_has_an_id_of_its_own_and_the_newest_comes_first(work: dict[str, Any]) -> None:
    rows = work["admin"].rpc(ALL)
    assert len({row["displayId"] for row in rows}) == len(rows) >= 8
    assert {row["displayId"] for row in rows} == {f"{row['kind']}:{row['id']}" for row in rows}
    activity = [row["last_activity_at"] for row in rows]
    assert activity == sorted(activity, reverse=True)


def test_what_just_moved_comes_first(work: dict[str, Any]) -> None:
    admin, elodie = work["admin"], work["elodie"]
    formation = admin.rpc(ALL, p_prof_id=work["prof"].id)[0]
    [card, *_] = elodie.run(
        "select id, status from public.formation_module_statuses where submission_id = %s",
        [formation["submission_id"]],
    )
    status = "done" if card["status"] == "todo" else "todo"
    elodie.rpc("move_kanban_module", p_status_id=card["id"], p_status=status, p_position=0)
    assert admin.rpc(ALL, p_limit=1)[0]["displayId"] == formation["displayId"]


# Page by page.


def crowd(database: Database, person: MakePerson) -> Person:
    """Two thousand submissions and enrolments of four clients, and who pages through them."""
    for _ in range(4):
        person()
    with database.connect() as filling:
        filling.execute(CROWD.encode())
        filling.execute(ENROLLED.encode())
    return person("admin")


def test_pages_give_each_row_once(database: Database, person: MakePerson) -> None:
    admin = crowd(database, person)
    seen = [row["displayId"] for page in pages(admin, p_limit=100) for row in page]
    assert len(seen) == len(set(seen)) == 2000
    for kind, total in (("submission", 1000), ("enrolment", 1000), ("formation", 0)):
        sizes = [len(page) for page in pages(admin, p_limit=100, p_kind=kind)]
        assert sum(sizes) == total


def test_pages_give_what_rests_once_while_the_rest_moves(
    database: Database, person: MakePerson
) -> None:
    admin = crowd(database, person)
    moved: set[str] = set()
    seen: list[str] = []
    for page in pages(admin, p_limit=100):
        seen += [row["displayId"] for row in page]
        for table, kind in (("formation_submissions", "submission"), ("user_courses", "enrolment")):
            moved |= {
                f"{kind}:{row[0]}"
                for row in database.run(
                    f"update public.{table} set last_activity_at = clock_timestamp() "
                    f"where id in (select id from public.{table} order by random() limit 5) "
                    "returning id::text"
                )
            }
    everything = {
        f"{kind}:{row[0]}"
        for table, kind in (("formation_submissions", "submission"), ("user_courses", "enrolment"))
        for row in database.run(f"select id::text from public.{table}")
    }
    assert len(seen) == len(set(seen))
    assert everything - moved <= set(seen)
    # What moved away from under the cursor stands above the first page now.
    missed = everything - set(seen)
    above = [row["displayId"] for page in pages(admin, p_limit=100) for row in page]
    assert missed <= set(above[: len(moved)])
