"""A seed file says what it says, or is refused with the line at fault."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from nlctl.errors import DamagedText, InvalidInput, SeedCycle, SeedFileInvalid
from nlctl.seeds import documents, files
from nlctl.seeds.files import Place, Seed
from nlctl.seeds.order import in_order

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.project import Project

HEAD = "table: public.items\nkey: [id]\n"


def write(folder: Path, text: str, name: str = "items.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def seed_of(table: str) -> Seed:
    return Seed(table, ("id",), (), (), Place("items.yaml", 1))


def test_a_row_knows_its_line_and_its_columns_lines(tmp_path: Path) -> None:
    path = write(tmp_path, f"# why\n{HEAD}rows:\n  - id: drill\n    label: Perceuse\n")

    (seed,) = files.read_file(path)

    assert str(seed.rows[0].place) == "items.yaml:5"
    assert str(seed.rows[0].at("label")) == "items.yaml:6"


def test_values_keep_the_spelling_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"{HEAD}rows:\n  - {{id: a, price: 1.10, hour: 12:30, day: 2025-01-18, answer: no,"
        " zip: 01000, count: 3, open: true, note: null, deep: {b: [1.50]}}\n",
    )

    (seed,) = files.read_file(path)

    assert documents.to_json(seed.rows[0].values) == (
        '{"id": "a", "price": 1.10, "hour": "12:30", "day": "2025-01-18", "answer": "no", '
        '"zip": "01000", "count": 3, "open": true, "note": null, "deep": {"b": [1.50]}}'
    )


@pytest.mark.parametrize("text", ["yes", "1e5", "01", "12:30", "null", "~", "a\nb\n", " é ", "#x"])
def test_a_dumped_text_is_read_back_as_the_same_text(tmp_path: Path, text: str) -> None:
    document = {"table": "public.items", "key": ["id"], "rows": [{"id": "a", "label": text}]}

    (seed,) = files.read_file(write(tmp_path, documents.dump(document)))

    assert seed.rows[0].values["label"] == text


def test_rows_may_share_what_they_have_in_common(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"{HEAD}rows:\n  - &drill {{id: a, kind: tool}}\n  - {{<<: *drill, id: b}}\n",
    )

    (seed,) = files.read_file(path)

    assert seed.rows[1].values == {"id": "b", "kind": "tool"}


def test_a_dumped_number_keeps_its_zeros() -> None:
    assert documents.dump({"price": Decimal("1.10")}) == "price: 1.10\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rows: []\n", "items.yaml:1: a document has table, key and rows"),
        ("- a\n", "items.yaml:1: expected table, key and rows"),
        (f"{HEAD}rows: []\nextra: 1\n", "items.yaml:1: a document has table"),
        ("table: items\nkey: [id]\nrows: []\n", "items.yaml:1: table must be schema.name"),
        ("table: public.items\nkey: id\nrows: []\n", "items.yaml:2: expected a list of columns"),
        ("table: public.items\nkey: []\nrows: []\n", "items.yaml:2: the key names no column"),
        (f"{HEAD}rows: {{}}\n", "items.yaml:3: rows must be a list"),
        (f"{HEAD}rows:\n  - drill\n", "items.yaml:4: a row must name its columns"),
        (f"{HEAD}rows:\n  - {{label: a}}\n", "items.yaml:4: the row has no id"),
        (f"{HEAD}rows:\n  - {{id: null}}\n", "items.yaml:4: the row has no id"),
        (f"{HEAD}rows:\n  - id: a\n    id: b\n", "items.yaml:5: 'id' is said twice"),
        (f"{HEAD}rows:\n  - {{1: a}}\n", "items.yaml:4: a key that is not text"),
        (f"{HEAD}rows:\n  - {{[a]: a}}\n", "items.yaml:4: a key that is not text"),
        (f"{HEAD}rows:\n  - id: !!python/name:os a\n", "items.yaml:4: could not determine"),
        (f"{HEAD}rows:\n  - id: !!timestamp 2025-01-01\n", "items.yaml:4: could not determine"),
        (f"{HEAD}rows:\n  - {{id: a\x07}}\n", "items.yaml:4: special characters are not allowed"),
        (f"{HEAD}rows:\n\t- {{id: a}}\n", "items.yaml:4: found character"),
        (f"{HEAD}rows:\n  - id: 'a\n", "items.yaml:5: found unexpected end of stream"),
        (f"{HEAD}rows:\n  - {{id: a}}\n  - {{id: a}}\n", "items.yaml:5: the same public.items row"),
        (f"{HEAD}rows:\n  - {{id: 'pr?f'}}\n", "items.yaml:4: a letter was lost in 'pr?f'"),
        (f"{HEAD}rows:\n  - {{id: 'le ?tat'}}\n", "items.yaml:4: a letter was lost in '?tat'"),
    ],
)
def test_a_file_at_fault_is_refused_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    write(tmp_path, text)

    with pytest.raises(SeedFileInvalid) as refusal:
        files.read(tmp_path, ["reference"])

    assert refusal.value.message.startswith(fault)


@pytest.mark.parametrize(
    "text",
    ["Prêt ?", "L’Âge « à Ångström »", "Ça va ? Oui", "https://a.test/x?y=1", "/x?y", "quoi ?!"],
)
def test_honest_question_marks_are_left_alone(tmp_path: Path, text: str) -> None:
    (seed,) = files.read_file(write(tmp_path, f"{HEAD}rows:\n  - {{id: a, label: '{text}'}}\n"))

    assert seed.rows[0].values["label"] == text


@pytest.mark.parametrize(
    "label", ["PrÃ©nom", "pr\ufffdnom", "lâ€™outil", "FranÃ§ais", "Ã‰tat", "cÅ“ur"]
)
def test_misread_accents_are_refused_in_rows_and_scripts(tmp_path: Path, label: str) -> None:
    rows = write(tmp_path, f"{HEAD}rows:\n  - {{id: a, label: {label}}}\n")
    script = write(tmp_path, f"select 1;\nselect '{label}';\n", "items.sql")

    with pytest.raises(DamagedText, match=r"items.yaml:4: damaged accents"):
        files.read_file(rows)
    with pytest.raises(DamagedText, match=r"items.sql:2: damaged accents"):
        files.read_script(script)


def test_a_latin1_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "items.yaml"
    path.write_bytes(f"{HEAD}rows:\n  - {{id: été}}\n".encode("latin-1"))

    with pytest.raises(DamagedText, match=r"items.yaml:4: not UTF-8"):
        files.read_file(path)


def test_a_table_written_in_two_files_is_one_seed(tmp_path: Path) -> None:
    write(tmp_path, f"{HEAD}rows:\n  - {{id: a}}\n", "a.yaml")
    write(tmp_path, f"{HEAD}rows:\n  - {{id: b}}\n", "b.yaml")

    (reference,) = files.read(tmp_path, ["reference"])

    assert [row.values["id"] for row in reference.seeds[0].rows] == ["a", "b"]


def test_two_opinions_on_a_key_are_refused(tmp_path: Path) -> None:
    write(tmp_path, f"{HEAD}rows: []\n---\ntable: public.items\nkey: [label]\nrows: []\n")

    with pytest.raises(SeedFileInvalid, match=r"another key or initial at items.yaml:1"):
        files.read(tmp_path, ["reference"])


def test_sets_are_read_from_their_folders_reference_first(tmp_path: Path) -> None:
    write(tmp_path, f"{HEAD}rows: []\n")
    write(tmp_path, f"{HEAD}rows:\n  - {{id: a}}\n", "demo/items.yaml")
    write(tmp_path, "select 1;\n", "demo/items.sql")

    reference, demo = files.read(tmp_path, ["demo", "reference"])

    assert (reference.name, len(reference.scripts)) == ("reference", 0)
    assert (demo.name, len(demo.seeds[0].rows), len(demo.scripts)) == ("demo", 1, 1)


def test_an_unknown_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No seed set called staging"):
        files.read(tmp_path, ["reference", "staging"])


@pytest.mark.parametrize("name", ["demo", "test"])
def test_other_sets_than_the_reference_never_reach_production(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name} seeds never go to production"):
        files.allow(["reference", name], is_production=True)


def test_every_set_may_go_elsewhere() -> None:
    files.allow(files.SETS, is_production=False)
    files.allow(["reference"], is_production=True)


@pytest.mark.parametrize("statement", ["commit", "vacuum items", "copy items from stdin"])
def test_a_script_that_leaves_the_transaction_is_refused(tmp_path: Path, statement: str) -> None:
    path = write(tmp_path, f"select 1;\n-- why\n{statement};\n", "items.sql")

    with pytest.raises(SeedFileInvalid, match=r"items.sql:3: \w+ cannot run here"):
        files.read_script(path)


def test_parents_come_before_children() -> None:
    seeds = [seed_of("public.loans"), seed_of("public.items"), seed_of("public.shelves")]

    ordered = in_order(
        seeds,
        {
            "public.loans": frozenset({"public.items", "auth.users"}),
            "public.items": frozenset({"public.shelves", "public.items"}),
        },
    )

    assert [seed.table for seed in ordered] == ["public.shelves", "public.items", "public.loans"]


def test_tables_that_point_at_each_other_are_named() -> None:
    seeds = [seed_of("public.eggs"), seed_of("public.hens")]

    with pytest.raises(SeedCycle, match=r"public.eggs → public.hens|public.hens → public.eggs"):
        in_order(
            seeds,
            {"public.eggs": frozenset({"public.hens"}), "public.hens": frozenset({"public.eggs"})},
        )


def test_the_example_of_the_readme_is_a_seed(project: Project, tmp_path: Path) -> None:
    readme = (project.seeds / "README.md").read_text(encoding="utf-8")
    example = readme.split("```yaml\n")[1].split("```")[0]

    (seed,) = files.read_file(write(tmp_path, example))

    assert (seed.table, seed.key, seed.initial) == ("public.user_types", ("id",), ("label",))
