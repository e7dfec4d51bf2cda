"""nlctl gen types: what clients are told of tables, views and functions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from nlctl import database as databases
from nlctl.typegen import python, shape, typescript
from nlctl.typegen.order import by_name
from tests import npm, terminals

if TYPE_CHECKING:
    from nlctl.typegen.shape import Shape
    from tests.databases import Database

GALLERY = Path(__file__).with_name("gallery.sql").read_text(encoding="utf-8")
FORMAT = """
import { format } from "oxfmt"
import { readFileSync, writeFileSync } from "node:fs"
const source = readFileSync("cli.ts", "utf8")
const { code } = await format("cli.ts", source.slice(source.indexOf("export type Json")), {
  semi: false,
  printWidth: 80,
})
writeFileSync("cli.ts", code)
"""
STRICT = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "module": "esnext",
        "moduleResolution": "bundler",
        "target": "es2022",
        "lib": ["es2022", "dom"],
        "types": [],
        "skipLibCheck": True,
    },
    "include": ["*.ts"],
}
PROGRAM = """
import { createClient } from "@supabase/supabase-js"
import type { CompositeTypes, Database, Enums, Tables, TablesInsert, TablesUpdate } from "./types"
import { Constants } from "./types"

const supabase = createClient<Database>("http://127.0.0.1", "key")
const gallery = supabase.schema("gallery")

export async function use() {
  const items = await gallery.from("items").select("id, label, rooms(id, \\"long name\\")")
  const id: string = items.data![0].id
  const label: string | null = items.data![0].label
  const room: number | undefined = items.data![0].rooms?.id
  const sum = await gallery.rpc("add", { a: 1 })
  const total: number = sum.data!
  await gallery.from("rooms").insert({ "long name": "Orangerie" })
  // @ts-expect-error: the server numbers them
  await gallery.from("items").insert({ serial_no: 1, sure: "x", facts: {} })
  // @ts-expect-error: there is no such condition
  await gallery.from("items").update({ condition: "lost" })
  return { id, label, room, total }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const claims: true[] = [
  true satisfies Same<Enums<{ schema: "gallery" }, "condition">, "new" | "worn" | 'bro"ken'>,
  true satisfies Same<Tables<{ schema: "gallery" }, "shown">["label"], string | null>,
  true satisfies Same<TablesInsert<{ schema: "gallery" }, "items">["sure"], string>,
  true satisfies Same<TablesUpdate<{ schema: "gallery" }, "items">["sure"], string | undefined>,
  true satisfies Same<CompositeTypes<{ schema: "gallery" }, "size">["width"], number | null>,
  true satisfies Same<Tables<"notes">["body"], string>,
  true satisfies Same<TablesInsert<"notes">["id"], never | undefined>,
]
export const known: readonly string[] = Constants.gallery.Enums.condition
export default claims
"""
RIGHT = """
from types_of_gallery import GalleryAddArgs, GalleryItems, GalleryItemsInsert, GalleryRoomsInsert

item: GalleryItemsInsert = {"sure": "yes", "facts": {"a": 1}, "condition": "worn"}
room: GalleryRoomsInsert = {"long name": "Orangerie"}
row = GalleryItems.model_validate({})
day: str = row.taken_on.isoformat() if row.taken_on else ""
kind: str | None = row.class_
"""
WRONG = 'from types_of_gallery import GalleryItemsInsert\nx: GalleryItemsInsert = {"sure": 1}\n'


@pytest.fixture
def gallery(empty_database: Database) -> Database:
    """A database with a bit of everything."""
    empty_database.run(
        "create table public.notes (id int generated always as identity, body text not null)"
    )
    with empty_database.connect() as connection:
        connection.execute(GALLERY.encode())
    return empty_database


def read(database: Database, *schemas: str) -> Shape:
    """The shape of some schemas."""
    with databases.connect(database.url) as connection:
        return shape.read(connection, schemas)


def install(*packages: str) -> Path:
    """Packages from npm, or a reason to skip."""
    try:
        return npm.install(*packages)
    except npm.NpmMissing as reason:
        pytest.skip(str(reason))


def ask_the_official_cli(database: Database, schema: str, folder: Path) -> str:
    """What the Supabase CLI prints, laid out by its own formatter."""
    cli = install("supabase") / "node_modules" / ".bin" / "supabase"
    formatter = install("oxfmt")
    words = ["gen", "types", f"--remote={database.url}", "--schema", schema]
    done = subprocess.run([cli, *words], capture_output=True, text=True, check=True, cwd=folder)
    (folder / "cli.ts").write_text(done.stdout, encoding="utf-8")
    (folder / "node_modules").symlink_to(formatter / "node_modules")
    (folder / "format.mjs").write_text(FORMAT, encoding="utf-8")
    subprocess.run(["node", "format.mjs"], check=True, cwd=folder)
    return (folder / "cli.ts").read_text(encoding="utf-8")


def without_shorthands(text: str) -> str:
    """Database and Constants; how Tables<…> and its like are defined is everybody's own."""
    return text[: text.index("\ntype ")] + text[text.index("\nexport const Constants") :]


# Beside the official CLI


def test_every_kind_of_thing_reads_as_the_official_cli_has_it(
    gallery: Database, tmp_path: Path
) -> None:
    # The CLI alone finds what an outer join leaves certain, by reading the view's whole tree.
    gallery.run("drop view gallery.counted")
    theirs = ask_the_official_cli(gallery, "gallery", tmp_path)
    ours = typescript.write(read(gallery, "gallery"))
    assert without_shorthands(ours) == without_shorthands(theirs)


def test_the_backend_reads_as_the_official_cli_has_it(database: Database, tmp_path: Path) -> None:
    # Of an outer join too, see above.
    database.run("drop view public.kanban_user_modules_v1 cascade")
    theirs = ask_the_official_cli(database, "public", tmp_path)
    ours = typescript.write(read(database, "public"))
    assert without_shorthands(ours) == without_shorthands(theirs)


def test_supabase_js_is_typed_strictly(gallery: Database, tmp_path: Path) -> None:
    packages = install("typescript", "@supabase/supabase-js")
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "types.ts").write_text(typescript.write(read(gallery, "public", "gallery")))
    (tmp_path / "program.ts").write_text(PROGRAM)
    (tmp_path / "tsconfig.json").write_text(json.dumps(STRICT))
    compiler = packages / "node_modules" / ".bin" / "tsc"
    done = subprocess.run([compiler, "-p", "."], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


# TypeScript


@pytest.mark.parametrize(
    "line",
    [
        "id: string",
        "label: string | null",
        "serial_no?: never",
        '"order-no": number',
        'state: Database["gallery"]["Enums"]["condition"] | null',
        "| { Args: { a: number; b?: number }; Returns: number }",
        'condition: ["new", "worn", \'bro"ken\'],',
        'referencedRelation: "shown"',
        'ComputedFields: "room_of" | "upper_label"',
    ],
)
def test_typescript_is_told_of_it(gallery: Database, line: str) -> None:
    lines = typescript.write(read(gallery, "gallery")).splitlines()
    assert line in {each.strip() for each in lines}


def test_overloads_that_nobody_can_call_say_so(gallery: Database) -> None:
    for kind in ("int", "text"):
        gallery.run(
            f"create function gallery.twin(a {kind}) returns int language sql as 'select 1'"
        )
    text = typescript.write(read(gallery, "gallery"))
    assert text.count("between: gallery.twin(") == 2


def test_a_view_of_an_outer_join_may_always_be_null(gallery: Database) -> None:
    [counted] = [r for r in read(gallery, "gallery").relations if r.name == "counted"]
    assert [column.is_nullable for column in counted.columns] == [True, True]


def test_names_stand_in_the_order_of_a_dictionary() -> None:
    names = ["b", "a_b", "É", "ab", "A", "a", "a-b", "e", "a1", "f"]
    assert sorted(names, key=by_name) == ["a", "A", "a_b", "a-b", "a1", "ab", "b", "e", "É", "f"]


# Python


def test_python_is_typed_strictly(gallery: Database, tmp_path: Path) -> None:
    gallery.run("drop function gallery.add(text)")
    module = python.write(read(gallery, "gallery"))
    (tmp_path / "types_of_gallery.py").write_text(module, encoding="utf-8")
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "right.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    [complaint, _summary] = done.stdout.splitlines()
    assert complaint.startswith('wrong.py:2: error: Missing key "facts"')


def test_a_row_as_the_data_api_sends_it_becomes_a_model(
    gallery: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.run(
        "insert into gallery.items (sure, facts, taken_at, class) values ('x', '{}', now(), 'c')"
    )
    [(row,)] = gallery.run("select to_jsonb(i) from gallery.items i")
    module = ModuleType("types_of_gallery")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(python.write(read(gallery, "gallery")), module.__dict__)
    item = module.GalleryItems.model_validate(row)
    assert (item.class_, item.taken_at.tzinfo is not None, item.condition) == ("c", True, "new")


# The command


def test_the_exposed_schemas_are_described(gallery: Database, tmp_path: Path) -> None:
    terminal = terminals.open_in(tmp_path, gallery.url)
    (tmp_path / "supabase").mkdir(exist_ok=True)
    (tmp_path / "supabase" / "config.toml").write_text('[api]\nschemas = ["gallery", "later"]\n')
    answer = terminal.type("gen", "types", "--json")
    assert (answer.exit_code, answer.document["schemas"]) == (0, ["gallery"])


def test_a_schema_that_is_not_there_is_refused(gallery: Database, tmp_path: Path) -> None:
    answer = terminals.open_in(tmp_path, gallery.url).type("gen", "types", "--schema", "nowhere")
    assert (answer.exit_code, answer.err.strip()) == (
        2,
        "error: This database has no schema nowhere.",
    )


def test_a_database_without_any_exposed_schema_is_refused(
    gallery: Database, tmp_path: Path
) -> None:
    terminal = terminals.open_in(tmp_path, gallery.url)
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text('[api]\nschemas = ["later"]\n')
    answer = terminal.type("gen", "types")
    assert (answer.exit_code, "None of the exposed schemas" in answer.err) == (2, True)


def test_a_schema_named_twice_is_described_once(gallery: Database, tmp_path: Path) -> None:
    terminal = terminals.open_in(tmp_path, gallery.url)
    answer = terminal.type("gen", "types", "-s", "gallery", "-s", "gallery")
    assert answer.out.count("\n  gallery: {\n    Tables") == 1
