"""Seeds make tables say what the files say: once, wholly, or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nlctl import seeds
from nlctl.errors import InvalidInput, SeedCycle, SeedFileInvalid, SeedRefused, SeedsBusy
from nlctl.seeds import writes
from tests import terminals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nlctl.project import Project
    from tests.databases import Database

LIBRARY = """
create table public.kinds (
  id text primary key,
  label text not null,
  updated_at timestamptz not null default now()
);
create table public.items (
  id text primary key,
  kind_id text not null references public.kinds (id),
  part_of text references public.items (id),
  label text not null check (label <> ''),
  is_active boolean not null default true,
  bought_on date,
  tags text[],
  details jsonb,
  raw json,
  price numeric(8, 2),
  code uuid,
  shouting text generated always as (upper(label)) stored
);
create table public.writes (what text not null);
create function public.note_write() returns trigger language plpgsql as $$
begin
  insert into public.writes values (tg_table_name || ' ' || tg_op);
  return null;
end;
$$;
create trigger noted after insert or update or delete on public.kinds
  for each row execute function public.note_write();
create trigger noted after insert or update or delete on public.items
  for each row execute function public.note_write();
"""
KINDS = """\
table: public.kinds
key: [id]
rows:
  - {id: tool, label: Outil à main}
  - {id: book, label: Œuvre « rare »}
"""
ITEMS = """\
table: public.items
key: [id]
rows:
  - id: bit
    kind_id: tool
    part_of: drill
    label: Mèche
  - id: drill
    kind_id: tool
    label: Perceuse
    bought_on: 2025-01-18
    tags: [électrique, lourd]
    details: {watts: 750, prêté: false}
    raw: {b: 1, a: 2}
    price: 49.90
    code: 7a0c1f6e-0f7b-4a52-8a30-3f6f5c0f9a11
"""


@pytest.fixture
def library(empty_database: Database) -> Database:
    """A database with kinds and items, where every write leaves a trace."""
    with empty_database.connect() as connection:
        connection.execute(LIBRARY)
    return empty_database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seeds of the library; the children's file sorts before the parents'."""
    path = tmp_path / "seeds"
    write(path, "a_items.yaml", ITEMS)
    write(path, "b_kinds.yaml", KINDS)
    return path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def counts(report: seeds.Report) -> dict[str, tuple[int, int, int, int]]:
    return {
        line.table: (line.inserted, line.updated, line.deleted, line.unchanged)
        for line in report.tables
    }


def test_an_empty_database_gets_every_row_parents_first(library: Database, folder: Path) -> None:
    report = seeds.apply(library.url, folder)

    assert list(counts(report).items()) == [
        ("public.kinds", (2, 0, 0, 0)),
        ("public.items", (2, 0, 0, 0)),
    ]
    assert library.run("select id, part_of from public.items order by id") == [
        ("bit", "drill"),
        ("drill", None),
    ]


def test_every_type_is_cast_by_the_database(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)

    assert library.run(
        "select bought_on::text, tags, details, price::text, code::text, shouting, is_active"
        " from public.items where id = 'drill'"
    ) == [
        (
            "2025-01-18",
            ["électrique", "lourd"],
            {"watts": 750, "prêté": False},
            "49.90",
            "7a0c1f6e-0f7b-4a52-8a30-3f6f5c0f9a11",
            "PERCEUSE",
            True,
        )
    ]


def test_accents_arrive_as_they_were_typed(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)

    labels = library.run("select label from public.kinds order by id")
    assert labels == [("Œuvre « rare »",), ("Outil à main",)]


def test_a_second_run_touches_no_row(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)
    before = library.run("select id, updated_at, xmin::text from public.kinds order by id")
    library.run("truncate public.writes")

    report = seeds.apply(library.url, folder)

    assert counts(report) == {"public.kinds": (0, 0, 0, 2), "public.items": (0, 0, 0, 2)}
    assert library.run("select * from public.writes") == []
    assert library.run("select id, updated_at, xmin::text from public.kinds order by id") == before


def test_only_rows_and_columns_that_differ_are_written(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)
    library.run("update public.items set label = 'Vrille', is_active = false where id = 'bit'")
    library.run("truncate public.writes")

    report = seeds.apply(library.url, folder)

    assert counts(report)["public.items"] == (0, 1, 0, 1)
    assert library.run("select * from public.writes") == [("items UPDATE",)]
    assert library.run("select label, is_active from public.items where id = 'bit'") == [
        ("Mèche", False)
    ]


def test_initial_columns_stay_as_people_left_them(library: Database, folder: Path) -> None:
    write(folder, "b_kinds.yaml", KINDS.replace("rows:", "initial: [label]\nrows:"))
    seeds.apply(library.url, folder)
    library.run("update public.kinds set label = 'Livre' where id = 'book'")

    report = seeds.apply(library.url, folder)

    assert counts(report)["public.kinds"] == (0, 0, 0, 2)
    assert library.run("select label from public.kinds where id = 'book'") == [("Livre",)]


def test_a_dry_run_reports_everything_and_writes_nothing(library: Database, folder: Path) -> None:
    write(folder, "log.sql", "insert into public.writes values ('script');\n")

    report = seeds.apply(library.url, folder, dry_run=True)

    assert counts(report) == {"public.kinds": (2, 0, 0, 0), "public.items": (2, 0, 0, 0)}
    assert [(script.name, script.rows) for script in report.scripts] == [("log.sql", 1)]
    assert library.run("select id from public.kinds") == []
    assert library.run("select what from public.writes") == []


def test_a_dry_run_finds_what_only_a_commit_would(library: Database, folder: Path) -> None:
    library.run(
        "create table public.pages (id text primary key, book text not null"
        " references public.kinds (id) deferrable initially deferred)"
    )
    write(folder, "c.yaml", "table: public.pages\nkey: [id]\nrows:\n  - {id: a, book: none}\n")

    with pytest.raises(SeedRefused, match="pages_book_fkey"):
        seeds.apply(library.url, folder, dry_run=True)


def test_one_bad_row_undoes_everything_and_is_named(library: Database, folder: Path) -> None:
    write(folder, "a_items.yaml", ITEMS.replace("label: Perceuse", "label: ''"))

    with pytest.raises(SeedRefused) as refusal:
        seeds.apply(library.url, folder)

    assert refusal.value.message.startswith("a_items.yaml:8: public.items: ")
    assert "items_label_check" in refusal.value.message
    assert library.run("select id from public.kinds") == []


def test_a_value_that_cannot_be_cast_is_named(library: Database, folder: Path) -> None:
    write(folder, "a_items.yaml", ITEMS.replace("2025-01-18", "2025-13-18"))

    with pytest.raises(SeedRefused, match=r"a_items.yaml:8: public.items: .*2025-13-18"):
        seeds.apply(library.url, folder)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ITEMS.replace("public.items", "public.itmes"), "a_items.yaml:1: there is no table"),
        (
            ITEMS.replace("    label: P", "    labl: P"),
            r"a_items.yaml:10: public.items has no colu",
        ),
        (ITEMS.replace("label: Perceuse", "shouting: A"), r"a_items.yaml:10: public.items has no"),
        (ITEMS.replace("[id]", "[label]"), r"a_items.yaml:1: \(label\) is not unique in public.it"),
        (ITEMS.replace("[id]", "[id, label]"), r"a_items.yaml:1: \(id, label\) is not unique"),
        (ITEMS.replace("rows:", "initial: [x]\nrows:"), "a_items.yaml:1: public.items has no col"),
    ],
)
def test_a_file_that_does_not_fit_its_table_is_refused_with_its_line(
    library: Database, folder: Path, text: str, fault: str
) -> None:
    write(folder, "a_items.yaml", text)

    with pytest.raises(SeedFileInvalid, match=fault):
        seeds.apply(library.url, folder)


def test_a_partial_unique_index_is_no_key(library: Database, folder: Path) -> None:
    library.run("create unique index on public.kinds (label) where id <> ''")
    write(folder, "b_kinds.yaml", KINDS.replace("[id]", "[label]"))

    with pytest.raises(SeedFileInvalid, match=r"\(label\) is not unique in public.kinds"):
        seeds.apply(library.url, folder)


def test_a_unique_pair_is_a_key_in_any_order(library: Database, folder: Path) -> None:
    library.run("create table public.marks (a text, b text, n integer, unique (a, b))")
    write(folder, "c.yaml", "table: public.marks\nkey: [b, a]\nrows:\n  - {a: x, b: y, n: 1}\n")
    seeds.apply(library.url, folder)
    library.run("update public.marks set n = 2")

    report = seeds.apply(library.url, folder)

    assert counts(report)["public.marks"] == (0, 1, 0, 0)


def test_tables_in_a_circle_are_named_and_nothing_is_written(
    library: Database, folder: Path
) -> None:
    library.run("alter table public.kinds add item_id text references public.items (id)")

    with pytest.raises(SeedCycle, match=r"public\.kinds → public\.items|public\.items → public\."):
        seeds.apply(library.url, folder)

    assert library.run("select id from public.kinds") == []


def test_names_with_capitals_are_quoted(library: Database, folder: Path) -> None:
    library.run('create table public."Order" ("group" text primary key, "Ça" text)')
    write(folder, "c.yaml", "table: public.Order\nkey: [group]\nrows:\n  - {group: a, Ça: 100%}\n")

    seeds.apply(library.url, folder)

    assert library.run('select "Ça" from public."Order"') == [("100%",)]


def test_pruning_deletes_the_rows_no_file_names_children_first(
    library: Database, folder: Path
) -> None:
    seeds.apply(library.url, folder)
    library.run("insert into public.kinds values ('toy', 'Jouet')")
    library.run("insert into public.items values ('bear', 'toy', null, 'Ours')")

    report = seeds.apply(library.url, folder, prune=True)

    assert counts(report) == {"public.kinds": (0, 0, 1, 2), "public.items": (0, 0, 1, 2)}
    assert library.run("select id from public.kinds order by id") == [("book",), ("tool",)]


def test_pruning_keeps_the_rows_of_other_sets(library: Database, folder: Path) -> None:
    write(folder, "demo/kinds.yaml", KINDS.replace("book", "game"))
    seeds.apply(library.url, folder, sets=("reference", "demo"))

    report = seeds.apply(library.url, folder, prune=True)

    assert report.changes == ()
    assert library.run("select id from public.kinds order by id") == [
        ("book",),
        ("game",),
        ("tool",),
    ]


def test_without_pruning_strangers_stay(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)
    library.run("insert into public.kinds values ('toy', 'Jouet')")

    assert seeds.apply(library.url, folder).changes == ()


def test_a_row_still_in_use_is_not_pruned_and_says_by_whom(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)
    library.run("insert into public.kinds values ('toy', 'Jouet')")
    library.run("create table public.shelves (kind_id text references public.kinds (id))")
    library.run("insert into public.shelves values ('toy')")
    library.run("update public.items set label = 'Vrille' where id = 'bit'")

    with pytest.raises(SeedRefused, match=r"pruning public.kinds: .*shelves"):
        seeds.apply(library.url, folder, prune=True)

    assert library.run("select label from public.items where id = 'bit'") == [("Vrille",)]


def test_a_script_runs_after_the_rows_of_its_set(library: Database, folder: Path) -> None:
    write(folder, "0_first.sql", "-- é\ninsert into public.writes select id from public.items;\n")

    report = seeds.apply(library.url, folder)

    assert [(script.name, script.rows) for script in report.scripts] == [("0_first.sql", 2)]


def test_a_script_that_fails_undoes_the_rows_and_is_named(library: Database, folder: Path) -> None:
    write(folder, "z.sql", "select 1;\n\nselect '100%'::integer;\n")

    with pytest.raises(SeedRefused, match=r"z.sql:3: invalid input syntax"):
        seeds.apply(library.url, folder)

    assert library.run("select id from public.kinds") == []


def test_a_diff_shows_old_and_new_and_writes_nothing(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)
    library.run("update public.items set label = 'Vrille', tags = '{a}' where id = 'drill'")
    library.run("delete from public.items where id = 'bit'")
    library.run("insert into public.kinds values ('toy', 'Jouet')")

    bit, drill, toy = seeds.diff(library.url, folder, prune=True).changes

    assert (bit.kind, bit.key, bit.place) == ("insert", {"id": "bit"}, "a_items.yaml:4")
    assert (drill.kind, dict(drill.fields)) == (
        "update",
        {"label": ("Vrille", "Perceuse"), "tags": (["a"], ["électrique", "lourd"])},
    )
    assert (toy.kind, toy.key) == ("delete", {"id": "toy"})
    assert library.run("select label from public.items") == [("Vrille",)]


def test_concurrent_applications_take_turns(library: Database, folder: Path) -> None:
    start = threading.Barrier(6)

    def run(_number: int) -> int:
        start.wait()
        return len(seeds.apply(library.url, folder).changes)

    with ThreadPoolExecutor(6) as pool:
        changes = sorted(pool.map(run, range(6)))

    assert changes == [0, 0, 0, 0, 0, 4]
    assert len(library.run("select what from public.writes")) == 4


def test_an_application_does_not_wait_for_ever(
    library: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "LOCK_TIMEOUT", "1ms")
    with library.connect(autocommit=False) as other:
        other.execute("select pg_advisory_xact_lock(hashtext(%s))", (writes.LOCK_NAME,))

        with pytest.raises(SeedsBusy, match="Another application of seeds"):
            seeds.apply(library.url, folder)


def test_an_export_is_a_seed_that_changes_nothing(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)

    exported = seeds.export(library.url, ["public.kinds", "public.items"])

    write(folder, "a_items.yaml", exported)
    (folder / "b_kinds.yaml").unlink()
    assert seeds.apply(library.url, folder).changes == ()


def test_an_export_is_stable_and_keeps_accents(library: Database, folder: Path) -> None:
    seeds.apply(library.url, folder)

    assert seeds.export(library.url, ["public.kinds"]) == (
        "table: public.kinds\nkey:\n  - id\nrows:\n"
        "  - id: book\n    label: Œuvre « rare »\n"
        "  - id: tool\n    label: Outil à main\n"
    )


@pytest.mark.parametrize(
    ("tables", "key", "fault"),
    [
        (["public.nothing"], [], "There is no table public.nothing"),
        (["public.writes"], [], r"public.writes has no primary key"),
        (["public.kinds"], ["label"], r"\(label\) is not unique in public.kinds"),
    ],
)
def test_an_export_needs_a_table_and_a_key(
    library: Database, tables: Sequence[str], key: Sequence[str], fault: str
) -> None:
    with pytest.raises(InvalidInput, match=fault):
        seeds.export(library.url, tables, key=key)


def test_our_own_rows_are_in_the_product_and_need_no_second_run(
    database: Database, project: Project
) -> None:
    report = seeds.apply(database.url, project.seeds)

    assert report.changes == ()
    assert sum(line.unchanged for line in report.tables) > 50
    assert database.run("select label from public.user_types where id = 'owner'") == [
        ("Propriétaire",)
    ]


def test_the_command_applies_then_finds_nothing_to_do(
    library: Database, folder: Path, tmp_path: Path
) -> None:
    terminal = terminals.open_in(tmp_path, library.url)

    first = terminal.type("seed", "apply")
    second = terminal.type("seed", "diff", "--exit-code")

    assert first.out.splitlines()[2].split() == ["public.kinds", "2", "0", "0", "0"]
    assert (second.exit_code, second.out) == (0, "The database says what the files say.\n")


def test_the_command_tells_ci_that_something_differs(
    library: Database, folder: Path, tmp_path: Path
) -> None:
    terminal = terminals.open_in(tmp_path, library.url)
    terminal.type("seed", "apply")
    library.run("update public.kinds set label = 'Livre' where id = 'book'")

    answer = terminal.type("seed", "diff", "--exit-code")

    assert answer.exit_code == 1
    assert answer.out.splitlines() == [
        "update public.kinds id=book  (b_kinds.yaml:5)",
        '    label: "Livre" → "Œuvre « rare »"',
    ]


def test_the_command_speaks_json(library: Database, folder: Path, tmp_path: Path) -> None:
    terminal = terminals.open_in(tmp_path, library.url)

    document = terminal.type("seed", "apply", "--dry-run", "--json").document

    assert document["dry_run"] is True
    assert document["tables"][0] == {
        "table": "public.kinds",
        "inserted": 2,
        "updated": 0,
        "deleted": 0,
        "unchanged": 0,
    }
    assert document["changes"][0]["fields"]["label"] == {"old": None, "new": "Outil à main"}


def test_the_command_refuses_demo_rows_on_production(
    library: Database, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_PRODUCTION_DATABASE_URL", library.url)
    terminal = terminals.open_in(tmp_path)

    answer = terminal.type("seed", "apply", "--set", "demo", "--target", "production")

    assert answer.exit_code == 2
    assert "never go to production" in answer.err


def test_pruning_a_shared_target_asks_first(
    library: Database, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", library.url)
    terminal = terminals.open_in(tmp_path)

    answer = terminal.type("seed", "apply", "--prune", "--target", "staging")

    assert answer.exit_code == 2
    assert "Add --yes" in answer.err
    assert library.run("select id from public.kinds") == []


def test_the_command_exports_to_a_file(library: Database, folder: Path, tmp_path: Path) -> None:
    terminal = terminals.open_in(tmp_path, library.url)
    terminal.type("seed", "apply")

    terminal.type("seed", "export", "public.kinds", "--key", "id", "--output", "kinds.yaml")

    assert "label: Œuvre « rare »" in (tmp_path / "kinds.yaml").read_text(encoding="utf-8")


# Rows of other tables, by what people know of them.


BOXES = """\
create table public.boxes (
  id uuid primary key default gen_random_uuid(),
  shelf text not null, place int not null, unique (shelf, place)
);
create table public.things (
  box_id uuid not null references public.boxes (id), name text not null, primary key (box_id, name)
);
"""
THINGS = """\
table: public.things
key: [box_id, name]
rows:
  - {box_id: {shelf: haute, place: 1}, name: Scie}
  - {box_id: {shelf: haute, place: 2}, name: Rabot}
---
table: public.boxes
key: [shelf, place]
rows:
  - {shelf: haute, place: 1}
  - {shelf: haute, place: 2}
"""
CONTENTS = "select place, name from public.things join public.boxes on id = box_id order by place"


def test_a_row_names_another_by_what_people_know_of_it(
    empty_database: Database, tmp_path: Path
) -> None:
    empty_database.run(BOXES)
    (tmp_path / "things.yaml").write_text(THINGS, encoding="utf-8")

    planned = seeds.diff(empty_database.url, tmp_path)
    first = seeds.apply(empty_database.url, tmp_path)
    second = seeds.apply(empty_database.url, tmp_path, prune=True)

    assert empty_database.run(CONTENTS) == [(1, "Scie"), (2, "Rabot")]
    assert (len(planned.changes), len(first.changes), len(second.changes)) == (4, 4, 0)
    assert [change.key["box_id"] for change in first.changes if "name" in change.key] == [
        {"shelf": "haute", "place": place} for place in (1, 2)
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("{shelf: basse, place: 1}", r'things.yaml:\d+: box_id names no row: \{"shelf": "basse"'),
        ("{shelf: haute}", r"things.yaml:\d+: \(shelf\) is not unique in public.boxes"),
        ("{colour: red}", r"things.yaml:\d+: \(colour\) is not unique in public.boxes"),
    ],
)
def test_a_row_that_names_nothing_is_refused(
    empty_database: Database, tmp_path: Path, named: str, said: str
) -> None:
    empty_database.run(BOXES)
    wrong = THINGS.replace("{shelf: haute, place: 2}, name", f"{named}, name")
    (tmp_path / "things.yaml").write_text(wrong, encoding="utf-8")

    with pytest.raises((SeedRefused, SeedFileInvalid), match=said):
        seeds.apply(empty_database.url, tmp_path)
    assert empty_database.run("select * from public.boxes") == []
