"""What is deleted for good leaves nothing behind that names it.

The walk needs no list of tables: one that names people, courses, modules or submissions, by a
foreign key or by the name of a column, must be filled below, and is then searched like all others
for the ids of what is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl.local.cluster import SUPERUSER
from tests import databases
from tests.callers import sign_up
from tests.formations import Board, compose, make_palette, publish, start, submit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.callers import Person
    from tests.databases import Database

PEOPLE = ("client", "prof", "admin")
OURS, WALKED = ["public", "app", "shared", "bo"], ["public", "app", "shared", "bo", "auth"]
# What tells of the past on purpose. Realtime and the queue, where all passes, are not walked.
TRACES = {"public.audit_logs", "app.job_failures"}
# What followers read, frozen: a module that the palette lost is still what they follow.
FROZEN = {
    "public.course_versions": ["content", "builder_module_ids"],
    "public.user_courses": ["done_modules"],
    "public.user_formation_snapshots": ["content", "builder_module_ids"],
    "public.formation_module_statuses": ["module_uuid"],
}

TABLES = """
select format('%%I.%%I', nspname, relname) from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('r', 'p') and not relispartition and nspname = any (%s)
"""
CONCERNED = """
with recursive concerned as (
  select root::regclass as oid
  from unnest(array[
    'auth.users', 'public.courses', 'public.builder_modules', 'public.formation_submissions'
  ]) as root
  union
  select conrelid from pg_constraint join concerned on confrelid = concerned.oid
  where contype = 'f'
)
select ours from unnest(%s::text[]) as ours
where ours::regclass in (select oid from concerned)
  or exists (
    select from pg_attribute
    where attrelid = ours::regclass and not attisdropped and attname ~ (
      '(^|_)((user|person|profile|client|author|actor|owner|prof|course|module|submission|formation)'
      '_?(id|uuid)s?|by)$')
  )
"""
IDS = """
select to_jsonb(each) ->> 'id' from {} as each where to_jsonb(each) ->> 'id' ~ '^[0-9a-f]{{8}}-'
"""
NAMING = "select count(*) from {} as each where (to_jsonb(each) - %s::text[])::text ~ %s"
ROWS = """
insert into public.component_rules (component_key, user_id)
select min(component_key), %(user)s from public.modules_registry;
insert into public.dashboard_layouts (user_id, layout) values (%(user)s, '[]');
insert into public.action_logs (actor_id, action) values (%(user)s, 'course.opened');
with response as (
  insert into public.training_onboarding_responses (user_id) values (%(user)s)
  returning id, user_id
)
insert into public.training_onboarding_nps (response_id, user_id, answer)
select id, user_id, true from response;
insert into public.resources (builder_module_id, kind, title, url)
values (%(module)s, 'link', 'Guide', 'https://exemple.fr');
insert into public.resources (builder_module_id, title, storage_path)
values (%(module)s, 'Guide', %(module)s || '/guide.pdf');
insert into storage.buckets (id, name) values ('resources', 'resources') on conflict do nothing;
insert into storage.objects (bucket_id, name) values ('resources', %(module)s || '/guide.pdf');
"""
OBJECTS_LEFT = """
select name from storage.objects where name ~ %s and not exists (
  select from procrastinate.procrastinate_jobs
  where task_name = 'remove-storage-object' and args ->> 'name' = name and status = 'todo'
)
"""


@dataclass(frozen=True)
class World:
    """One of everything that a client can have, and those who teach and run the place."""

    database: Database
    client: Person
    prof: Person
    admin: Person
    module: str
    course: str
    board: Board

    def ids(self) -> set[str]:
        """Of all rows that have one."""
        with self.database.connect(SUPERUSER) as operator:
            found = [operator.execute(IDS.format(table).encode()) for table in self.tables()]
            return {row[0] for cursor in found for row in cursor}

    def tables(self) -> list[str]:
        """What is searched."""
        return sorted({row[0] for row in self.database.run(TABLES, [WALKED])} - TRACES)

    def naming(self, ids: set[str], frozen: dict[str, list[str]]) -> dict[str, int]:
        """How many rows of each table name one of `ids`, outside its `frozen` columns."""
        with self.database.connect(SUPERUSER) as operator:
            counted = {
                table: operator.execute(
                    NAMING.format(table).encode(), [frozen.get(table, []), "|".join(ids)]
                ).fetchone()
                for table in self.tables()
            }
        return {table: row[0] for table, row in counted.items() if row and row[0]}

    def concerned(self) -> set[str]:
        """Tables that name people, courses, modules or submissions."""
        ours = {row[0] for row in self.database.run(TABLES, [OURS])} - TRACES
        return {row[0] for row in self.database.run(CONCERNED, [sorted(ours)])}

    def elsewhere(self, database: Database) -> World:
        """The same in a copy of the database."""
        there = {who: replace(getattr(self, who), database=database) for who in PEOPLE}
        return replace(self, database=database, **there)

    def purge(self, table: str, one: str) -> None:
        """Delete a row as people do, then for good as an operator does."""
        self.database.run(f"delete from public.{table} where id = %s", [one])
        self.database.run("select app.purge_deleted(%s, now())", [f"public.{table}"])


def fill(database: Database, client: Person, prof: Person, admin: Person) -> World:
    modules = make_palette(database, 3)
    with database.connect(SUPERUSER) as operator:
        psycopg.ClientCursor(operator).execute(ROWS, {"user": client.id, "module": modules[0]})
    course = publish(admin, modules)
    client.rpc("enrol_in_course", p_course_id=course)
    [first, *_] = client.rpc("get_course", p_course_id=course)["modules"]
    client.rpc("set_enrolment_module_done", p_course_id=course, p_module_uuid=first["module_uuid"])
    board = start(client, admin, modules)
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    submit(client, compose(client, modules))
    return World(database, client, prof, admin, modules[0], course, board)


@pytest.fixture(scope="module")
def made(product_template: Database) -> Iterator[World]:
    """One of everything, and as much of somebody else."""
    database = databases.clone(product_template)
    sign_up(database, "owner")
    for _ in range(2):
        world = fill(database, *(sign_up(database, kind) for kind in PEOPLE))
    yield world
    databases.drop(database)


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """A copy of it."""
    copy = databases.clone(made.database)
    yield made.elsewhere(copy)
    databases.drop(copy)


def drop_account(world: World, person: Person) -> None:
    world.database.run("delete from auth.users where id = %s", [person.id])


DELETIONS: dict[str, Callable[[World], object]] = {
    "custom course": lambda world: world.purge("courses", world.board.course_id),
    "standard course": lambda world: world.purge("courses", world.course),
    "module": lambda world: world.purge("builder_modules", world.module),
    "submission": lambda world: world.database.run(
        "delete from public.formation_submissions where id = %s", [world.board.submission_id]
    ),
    "client": lambda world: drop_account(world, world.client),
    "prof": lambda world: drop_account(world, world.prof),
    "admin": lambda world: drop_account(world, world.admin),
}


def test_every_table_that_names_somebody_or_something_is_filled(world: World) -> None:
    named = {world.client.id, world.course, world.module, world.board.submission_id}
    unfilled = world.concerned() - world.naming(named, {}).keys()
    assert not unfilled, f"`fill` has to write a row into {', '.join(sorted(unfilled))}."


@pytest.mark.parametrize("deleted", DELETIONS)
def test_nothing_names_what_is_gone_after_the_deletion_of_a(world: World, deleted: str) -> None:
    before = world.ids()
    DELETIONS[deleted](world)
    after = world.ids()
    gone = before - after
    assert gone
    assert world.naming(gone, FROZEN if deleted == "module" else {}) == {}
    assert world.database.run(OBJECTS_LEFT, ["|".join(gone)], user=SUPERUSER) == []


@pytest.mark.parametrize(
    ("deleted", "roots"),
    [
        ("custom course", ["courses", "formation_submissions", "user_formations"]),
        ("standard course", ["courses", "user_courses"]),
        ("module", ["builder_modules", "resources", "course_modules"]),
        ("submission", ["formation_submissions", "user_formations", "formation_module_statuses"]),
        ("client", ["profiles", "courses", "user_courses", "training_onboarding_responses"]),
        ("prof", ["profiles"]),
        ("admin", ["profiles"]),
    ],
)
def test_what_hangs_on_it_goes_and_what_is_somebody_elses_stays(
    world: World, deleted: str, roots: list[str]
) -> None:
    counted = "select count(*) from public.{}"
    before = {table: world.database.run(counted.format(table)) for table in roots}
    DELETIONS[deleted](world)
    after = {table: world.database.run(counted.format(table)) for table in roots}
    assert all((0,) < after[table][0] < before[table][0] for table in roots), (before, after)


def test_a_course_that_is_deleted_softly_leaves_no_board_and_no_follower(world: World) -> None:
    before = world.ids()
    for course in (world.course, world.board.course_id):
        world.database.run("delete from public.courses where id = %s", [course])
    assert world.naming(before - world.ids(), {}) == {}
    left = world.naming({world.course, world.board.submission_id}, {})
    assert not left.keys() & {
        "public.user_courses",
        "public.course_versions",
        "public.formation_module_statuses",
    }


def test_a_course_whose_submission_is_deleted_is_its_authors_again(world: World) -> None:
    DELETIONS["submission"](world)
    told = world.client.rpc("get_course", p_course_id=world.board.course_id)
    assert told["status"] == "draft"


def test_deleting_what_waits_gives_a_course_back_too(world: World) -> None:
    [(course,)] = world.database.run(
        "delete from public.formation_submissions where user_id = %s and status = 'pending' "
        "returning course_id::text",
        [world.client.id],
    )
    assert world.client.rpc("get_course", p_course_id=course)["status"] == "draft"


@pytest.mark.parametrize("column", ["user_id uuid", "noted_by uuid", "course_ids uuid[]"])
def test_a_new_table_has_to_be_filled(world: World, column: str) -> None:
    world.database.run(f"create table public.diaries (id uuid primary key, {column})")
    assert "public.diaries" in world.concerned()


def test_a_new_table_that_forgets_is_found(world: World) -> None:
    world.database.run("create table public.diaries (id uuid, told jsonb)")
    world.database.run(
        "insert into public.diaries values (gen_random_uuid(), jsonb_build_array(%s::text))",
        [world.client.id],
    )
    before = world.ids()
    DELETIONS["client"](world)
    assert world.naming(before - world.ids(), {}) == {"public.diaries": 1}
