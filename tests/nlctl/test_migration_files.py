"""Migration files: what is one, what its text is, and what a new one is called."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from nlctl.errors import InvalidInput
from nlctl.migrations import files, statements

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 1, 10, 12, 0, 0, tzinfo=UTC)


def write(folder: Path, name: str, content: str | bytes = "select 1;\n") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_files_are_read_in_the_order_of_their_versions(tmp_path: Path) -> None:
    for name in ("10_b.sql", "9_a.sql", "20260110120000_c.sql"):
        write(tmp_path, name)
    assert [migration.name for migration in files.read(tmp_path)] == ["a", "b", "c"]


def test_what_is_not_called_like_a_migration_is_named_as_skipped(tmp_path: Path) -> None:
    for name in ("loans.sql", "20260110120000-loans.sql", "20260110120000_loans.sql", "README.md"):
        write(tmp_path, name)
    assert files.skipped(tmp_path) == ("20260110120000-loans.sql", "loans.sql")


def test_what_is_skipped_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "loans.sql")
    assert files.read(tmp_path) == ()


def test_the_first_file_of_an_old_supabase_project_is_skipped_as_the_cli_does(
    tmp_path: Path,
) -> None:
    write(tmp_path, "20211208999999_init.sql")
    write(tmp_path, "20211209000000_init.sql")
    assert [migration.version for migration in files.read(tmp_path)] == ["20211209000000"]


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "20260110120000_a.sql")
    write(tmp_path, "20260110120000_b.sql")
    with pytest.raises(InvalidInput, match=r"20260110120000_a\.sql, 20260110120000_b\.sql"):
        files.read(tmp_path)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "1_a.sql", "select 1;\nselect 'été';".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"1_a\.sql:2: this is not UTF-8"):
        files.read(tmp_path)


def test_a_file_with_a_nul_byte_is_refused_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, "1_a.sql", "select 1;\n \0drop table t;")
    with pytest.raises(InvalidInput, match=r"1_a\.sql:2:2"):
        files.read(tmp_path)


def test_an_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no folder"):
        files.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", [b"select 1;\r\nselect 2;\r\n", b"\xef\xbb\xbfselect 1;\nselect 2;\n"]
)
def test_a_file_has_one_hash_on_every_system(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, "1_unix.sql", "select 1;\nselect 2;\n")
    write(tmp_path, "2_elsewhere.sql", content)
    here, elsewhere = files.read(tmp_path)
    assert here.sha256 == elsewhere.sha256


@pytest.mark.parametrize(
    "marked",
    [
        "-- nlctl: no-transaction\nselect 1;",
        "-- An index.\n--nlctl:no-transaction\nselect 1;",
        "\n-- An index.\n\n  -- nlctl: no-transaction  \nselect 1;",
    ],
)
def test_a_first_comment_can_mark_a_file_as_non_transactional(tmp_path: Path, marked: str) -> None:
    write(tmp_path, "1_a.sql", marked)
    assert not files.read(tmp_path)[0].is_transactional


@pytest.mark.parametrize(
    "text",
    [
        "select 1;\n-- nlctl: no-transaction",
        "-- not nlctl: no-transaction\nselect 1;",
        "-- nlctl: no-transactions\nselect 1;",
        "select '\n-- nlctl: no-transaction\n';",
    ],
)
def test_the_mark_counts_only_as_a_comment_of_its_own_at_the_top(tmp_path: Path, text: str) -> None:
    write(tmp_path, "1_a.sql", text)
    assert files.read(tmp_path)[0].is_transactional


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1_a.sql holds no statement yet"),
        ("-- A title.\n", "1_a.sql holds no statement yet"),
        ("select 1;\n\n  commit;", "1_a.sql:3:3: a file may not begin or end a transaction"),
        ("begin;\nbegin;\ncommit;", "1_a.sql:2:1: a file may not begin or end a transaction"),
        ("begin; select 1; rollback;", "1_a.sql:1:1: a file may not begin or end a transaction"),
        ("begin; commit and chain;", "1_a.sql:1:1: a file may not begin or end a transaction"),
        ("begin; commit;", "1_a.sql holds no statement yet"),
        ("create index concurrently i on t (a);", "1_a.sql:1:1: this cannot run in a transaction"),
        ("copy t from stdin;", "1_a.sql:1:1: a migration cannot copy"),
        ("select 1;\nselect 'oops", "1_a.sql:2:8: this quote is never closed"),
    ],
)
def test_what_cannot_be_applied_is_refused_with_its_place(
    tmp_path: Path, text: str, complaint: str
) -> None:
    write(tmp_path, "1_a.sql", text)
    with pytest.raises(InvalidInput, match=complaint):
        files.check(files.read(tmp_path)[0])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("begin; select 1; commit;", ["select 1"]),
        (
            "select 1; START TRANSACTION; select 2; end; select 3;",
            ["select 1", "select 2", "select 3"],
        ),
        ("-- nlctl: no-transaction\nbegin;", ["-- nlctl: no-transaction\nbegin"]),
    ],
)
def test_a_begin_and_its_commit_are_left_to_the_transaction_of_the_file(
    tmp_path: Path, text: str, kept: list[str]
) -> None:
    write(tmp_path, "1_a.sql", text)
    assert [each.text.strip() for each in files.read(tmp_path)[0].work] == kept


def test_places_are_looked_up_for_complaints_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "1_a.sql", "select 1;\n" * 3)
    looked_up: list[int] = []
    monkeypatch.setattr(statements, "place", lambda _script, offset: looked_up.append(offset))

    files.check(files.read(tmp_path)[0])

    assert looked_up == []  # each counts the lines before it: a long file would take minutes


def test_a_new_file_carries_the_moment_in_utc_and_a_plain_name(tmp_path: Path) -> None:
    path = files.create(tmp_path / "migrations", "  Été à la mer, Œuvres! ", NOON)
    assert path.name == "20260110120000_ete_a_la_mer_oeuvres.sql"


def test_a_new_file_begins_with_a_sentence_to_finish(tmp_path: Path) -> None:
    path = files.create(tmp_path, "borrowed items", NOON)
    assert path.read_text() == "-- Borrowed items: what this is for, in one sentence.\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20260110120000_a.sql", "20260110120001"),
        ("20301231235959_a.sql", "20310101000000"),
        ("99999999999999_a.sql", "100000000000000"),
        ("20250101000000_a.sql", "20260110120000"),
    ],
)
def test_a_new_file_is_later_than_every_other(tmp_path: Path, name: str, expected: str) -> None:
    write(tmp_path, name)
    assert files.create(tmp_path, "b", NOON).name == f"{expected}_b.sql"


@pytest.mark.parametrize("name", ["", "  ", "!?"])
def test_a_new_file_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="needs a name"):
        files.create(tmp_path, name, NOON)
