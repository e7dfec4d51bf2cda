"""Schema storage of a fresh project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.local import catalogue

if TYPE_CHECKING:
    from tests.databases import Database

MOMENT = "timestamp with time zone default now()"

BUCKETS = {
    "id": "text not null",
    "name": "text not null",
    "owner": "uuid",
    "owner_id": "text",
    "public": "boolean default false",
    "avif_autodetection": "boolean default false",
    "file_size_limit": "bigint",
    "allowed_mime_types": "text[]",
    "type": "storage.buckettype not null default 'STANDARD'::storage.buckettype",
    "versioning_status": "text",
    "created_at": MOMENT,
    "updated_at": MOMENT,
}

OBJECTS = {
    "id": "uuid not null default gen_random_uuid()",
    "bucket_id": "text",
    "name": "text",
    "owner": "uuid",
    "owner_id": "text",
    "metadata": "jsonb",
    "user_metadata": "jsonb",
    "path_tokens": "text[] generated string_to_array(name, '/'::text)",
    "version": "text",
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "last_accessed_at": MOMENT,
    "archived_at": "timestamp with time zone",
    "is_delete_marker": "boolean not null default false",
    "is_versioned": "boolean not null default false",
}

TABLES = ["buckets", "objects", "s3_multipart_uploads", "s3_multipart_uploads_parts", "migrations"]

NAMES = [
    ("storage.foldername('a/b/c.tar.gz')", ["a", "b"]),
    ("storage.foldername('c.txt')", []),
    ("storage.filename('a/b/c.tar.gz')", "c.tar.gz"),
    ("storage.extension('a/b.d/c.tar.gz')", "gz"),
    ("storage.get_common_prefix('a/b/c.txt', 'a/', '/')", "a/b/"),
    ("storage.get_common_prefix('a/c.txt', 'a/', '/')", None),
]

OPERATIONS = [
    ("storage.object.upload", "allow_only_operation('object.upload')", True),
    ("storage.object.upload", "allow_only_operation('storage.object.upload')", True),
    ("object.upload", "allow_only_operation('storage.object.upload')", True),
    ("storage.object.list", "allow_only_operation('object.upload')", False),
    ("storage.object.list", "allow_any_operation(array['object.upload', 'object.list'])", True),
    ("", "allow_only_operation('')", False),
    ("", "allow_any_operation(array['object.list'])", False),
]

FILES = ["Zoo.txt", "a/one.txt", "a/b/two.txt", "a/b/three.txt", "a/C/four.txt", "music/five.mp3"]

LISTINGS = [
    ("name from storage.search('', 'files')", ["a", "music", "Zoo.txt"]),
    ("name from storage.search('', 'files', sortorder => 'desc')", ["Zoo.txt", "music", "a"]),
    ("name from storage.search('a/', 'files')", ["b", "C", "one.txt"]),
    ("name from storage.search('', 'files', search => 'z')", ["Zoo.txt"]),
    ("name from storage.search('a/', 'files', search => 'on')", ["one.txt"]),
    ("name from storage.search('', 'files', limits => 1, offsets => 1)", ["music"]),
    (
        "name from storage.search('a/', 'files', sortcolumn => 'created_at')",
        ["b", "C", "one.txt"],
    ),
    ("name from storage.search('', 'other')", []),
    ("name from storage.search_v2('', 'files')", ["Zoo.txt", "a/", "music/"]),
    ("key from storage.search_v2('a/', 'files')", ["C", "b", "one.txt"]),
    ("name from storage.search_v2('a/', 'files', limits => 1)", ["a/C/"]),
    ("name from storage.search_v2('a/', 'files', start_after => 'a/C/')", ["a/b/", "a/one.txt"]),
    (
        "name from storage.search_v2('a/', 'files', sort_order => 'desc')",
        ["a/one.txt", "a/b/", "a/C/"],
    ),
    (
        "name from storage.list_objects_with_delimiter('files', '', '/')",
        ["Zoo.txt", "a/", "music/"],
    ),
    (
        "name from storage.list_objects_with_delimiter('files', 'a/', '/', start_after => 'a/b/')",
        ["a/one.txt"],
    ),
    (
        "name from storage.list_objects_with_delimiter('files', 'a/b/', '')",
        ["a/b/three.txt", "a/b/two.txt"],
    ),
]


@pytest.mark.parametrize(
    ("table", "columns"), [("storage.buckets", BUCKETS), ("storage.objects", OBJECTS)]
)
def test_a_table_of_storage_has_the_columns_of_the_reference(
    fresh: Database, table: str, columns: dict[str, str]
) -> None:
    assert catalogue.columns(fresh, table) == columns


def test_the_history_of_the_service_has_its_columns(fresh: Database) -> None:
    assert list(catalogue.columns(fresh, "storage.migrations")) == [
        "id",
        "name",
        "hash",
        "executed_at",
    ]


def test_a_bucket_is_of_one_of_three_types(fresh: Database) -> None:
    found = fresh.run("select unnest(enum_range(null::storage.buckettype))::text")

    assert found == [("STANDARD",), ("ANALYTICS",), ("VECTOR",)]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_storage_is_the_services_and_lets_nobody_in(fresh: Database, table: str) -> None:
    [(secured, policies)] = fresh.run(
        "select relrowsecurity, (select count(*) from pg_policy where polrelid = c.oid) "
        "from pg_class as c where oid = %s::regclass",
        (f"storage.{table}",),
    )

    assert catalogue.owner(fresh, f"storage.{table}") == "supabase_storage_admin"
    assert (secured, policies) == (True, 0)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
@pytest.mark.parametrize("table", ["buckets", "objects"])
def test_policies_alone_decide_who_uses_storage(fresh: Database, table: str, role: str) -> None:
    assert catalogue.privileges(fresh, f"storage.{table}", role) >= {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
    }


@pytest.mark.parametrize("table", ["buckets", "objects"])
def test_postgres_may_pass_its_rights_in_storage_on(fresh: Database, table: str) -> None:
    assert catalogue.privileges(fresh, f"storage.{table}", "postgres") >= {
        "SELECT*",
        "INSERT*",
        "UPDATE*",
        "DELETE*",
    }


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_the_history_of_the_service_is_nobody_elses(fresh: Database, role: str) -> None:
    assert catalogue.privileges(fresh, "storage.migrations", role) == set()


@pytest.mark.parametrize(("call", "answer"), NAMES)
def test_a_name_is_taken_apart(fresh: Database, call: str, answer: object) -> None:
    assert fresh.run(f"select {call}") == [(answer,)]


@pytest.mark.parametrize(("operation", "question", "answer"), OPERATIONS)
def test_a_policy_can_ask_what_is_being_done(
    fresh: Database, operation: str, question: str, answer: bool
) -> None:
    with fresh.connect(autocommit=False) as connection:
        connection.execute("select set_config('storage.operation', %s, true)", (operation,))
        found = connection.execute(f"select storage.{question}".encode()).fetchone()

    assert found == (answer,)


@pytest.mark.parametrize(("query", "names"), LISTINGS)
def test_a_bucket_is_listed_one_level_at_a_time(
    empty_database: Database, query: str, names: list[str]
) -> None:
    fill(empty_database)

    assert [name for (name,) in empty_database.run(f"select {query}")] == names


def test_a_folder_has_a_name_and_nothing_else(empty_database: Database) -> None:
    fill(empty_database)

    [folder, file] = empty_database.run(
        "select id, updated_at, created_at, last_accessed_at, metadata "
        "from storage.search('', 'files', search => 'm') "
        "union all select id, updated_at, created_at, last_accessed_at, metadata "
        "from storage.search('', 'files', search => 'zoo')"
    )
    assert folder == (None, None, None, None, None)
    assert None not in file


def test_files_are_listed_by_date_from_a_cursor_on(empty_database: Database) -> None:
    fill(empty_database)
    empty_database.run(
        "update storage.objects set created_at = '2026-01-01'::timestamptz + ordinality * '1 day'"
        "::interval from unnest(array['a/b/two.txt', 'a/b/three.txt']) with ordinality as day "
        "where name = day"
    )

    first = empty_database.run(
        "select name, created_at::text from storage.search_v2("
        "'a/b/', 'files', limits => 1, sort_column => 'created_at')"
    )
    assert [name for name, _ in first] == ["a/b/two.txt"]
    rest = empty_database.run(
        "select name from storage.search_v2('a/b/', 'files', sort_column => 'created_at', "
        "start_after => %s, sort_column_after => %s)",
        first[0],
    )
    assert rest == [("a/b/three.txt",)]


def test_a_person_lists_what_the_policies_show(empty_database: Database) -> None:
    fill(empty_database)
    empty_database.run(
        "create policy music on storage.objects for select to anon "
        "using ((storage.foldername(name))[1] = 'music')"
    )

    with empty_database.connect("authenticator") as visitor:
        visitor.execute("set role anon")
        found = visitor.execute("select name from storage.search('', 'files')").fetchall()

    assert found == [("music",)]


def test_a_bucket_says_how_much_it_holds(empty_database: Database) -> None:
    fill(empty_database)

    assert empty_database.run("select * from storage.get_size_by_bucket()") == [(60, "files")]


def test_an_upload_can_be_tried_without_a_trace(empty_database: Database) -> None:
    fill(empty_database)

    with pytest.raises(psycopg.Error) as answer:
        empty_database.run("select storage.can_insert_object('files', 'new.txt', null, '{}')")

    assert answer.value.sqlstate == "PT200"
    assert empty_database.run("select from storage.objects where name = 'new.txt'") == []


@pytest.mark.parametrize("user", ["postgres", "supabase_admin", "supabase_storage_admin"])
@pytest.mark.parametrize("table", ["buckets", "objects"])
def test_nobody_deletes_from_storage_by_sql(fresh: Database, table: str, user: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refusal:
        fresh.run(f"delete from storage.{table}", user=user)

    assert refusal.value.diag.message_primary == (
        "Direct deletion from storage tables is not allowed. Use the Storage API instead."
    )


def test_the_service_deletes_by_saying_so(empty_database: Database) -> None:
    fill(empty_database)

    with empty_database.connect("supabase_storage_admin", autocommit=False) as c:
        c.execute("set local storage.allow_delete_query = 'true'")
        c.execute("set local role service_role")
        deleted = c.execute("delete from storage.objects").rowcount

    assert deleted == len(FILES)


def test_a_bucket_has_a_name_of_at_most_100_letters(empty_database: Database) -> None:
    empty_database.run("insert into storage.buckets (id, name) values ('b', repeat('x', 100))")

    with pytest.raises(psycopg.errors.RaiseException):
        empty_database.run("update storage.buckets set name = repeat('x', 101)")


def test_two_files_cannot_share_a_name(empty_database: Database) -> None:
    fill(empty_database)

    with pytest.raises(psycopg.errors.UniqueViolation):
        empty_database.run(
            "insert into storage.objects (bucket_id, name) values ('files', 'Zoo.txt')"
        )


def test_a_changed_file_says_when(empty_database: Database) -> None:
    fill(empty_database)
    empty_database.run("update storage.objects set updated_at = '2020-01-01'")

    [(moments,)] = empty_database.run(
        "select count(*) from storage.objects where updated_at < now() - interval '1 day'"
    )
    assert moments == 0


def fill(database: Database) -> None:
    database.run("insert into storage.buckets (id, name) values ('files', 'files')")
    database.run(
        "insert into storage.objects (bucket_id, name, metadata) "
        "select 'files', name, '{\"size\": 10}' from unnest(%s::text[]) as name",
        (FILES,),
    )
