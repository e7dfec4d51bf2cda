"""What the pages of a small library tell of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl import catalogue, project, rules
from tests import databases, workshops

if TYPE_CHECKING:
    from tests.databases import Database

LIBRARY = Path(__file__).parent / "library.sql"


@pytest.fixture(scope="module")
def pages(platform_template: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of a project whose one migration makes a library."""
    database = databases.clone(platform_template)
    workshop = workshops.open_at(tmp_path_factory.mktemp("library"), database)
    workshop.write(20300102030405, LIBRARY.read_text(encoding="utf-8"), "library")
    workshop.up()
    with database.connect() as connection:
        found = catalogue.read(connection)
    databases.drop(database)
    planned = rules.plan(project.at(workshop.root), workshops.PROJECT, found)
    return {page.name: page.after or "" for page in planned}


@pytest.fixture(scope="module")
def library(pages: dict[str, str]) -> str:
    """The page of its only domain."""
    return pages["library.md"]


def section(text: str, anchor: str) -> list[str]:
    """The lines under an anchor."""
    _, _, told = text.partition(f"<!-- ANCHOR:{anchor} -->\n")
    return told.partition("\n<!-- A")[0].splitlines()


def test_a_page_opens_with_what_its_migration_says(library: str) -> None:
    assert library.splitlines()[:6] == [
        "---",
        'title: "Library"',
        'description: "Members borrow | return items."',
        'version: "20300102030405"',
        'date: "2030-01-02"',
        "---",
    ]


def test_a_table_tells_its_columns(library: str) -> None:
    lines = section(library, "TABLE:items")

    assert r"What can be borrowed: \<drills> & \*saws\*." in lines
    assert lines[6:10] == [
        "| `id` | `bigint` |  | numbered | Primary key. |",
        r"| `label` | `text` |  | `'sans nom'` | As on the box \| the lid. |",
        "| `shelf` | `shelf` | yes |  |  |",
        "| `price` | `numeric(10,2)` | yes |  |  |",
    ]


def test_a_table_tells_what_its_constraints_mean(library: str) -> None:
    lines = section(library, "TABLE:loans")

    assert (
        "| `item_id` | `bigint` |  |  | → [`items`](library.md#items), deleted with it. |" in lines
    )
    assert (
        "| `borrower_id` | `uuid` | yes |  | → `auth.users`, emptied when it is deleted. |" in lines
    )
    assert "| `status` | `text` |  | `'out'` | One of `out`, `back`. |" in lines
    assert "- `loans_due_soon`: `due_on < '2100-01-01'`" in lines
    assert "| `loans_one_open` | `(item_id)` | yes | `status = 'out'` |" in lines


def test_a_table_tells_who_may_do_what_when(library: str) -> None:
    lines = section(library, "TABLE:loans")

    start = lines.index("| who | may | when | policy |") + 2
    own = "`borrower_id` is the caller (even suspended) and `status` is `out`"
    changed = f"{own}; and afterwards `status` is `back` and `status` is `out`"
    assert lines[start : start + 4] == [
        f"| signed-in people | read | {own} | `loans_select_own` |",
        f"| signed-in people | change `status` | {changed} | `loans_update_own` |",
        "| servers | read, add, delete, truncate | always |  |",
        "",
    ]


def test_a_condition_without_words_is_shown_as_sql(library: str) -> None:
    [line] = [line for line in section(library, "TABLE:items") if "some" in line]

    assert line.startswith("| visitors | read | `EXISTS ( SELECT FROM public.items other WHERE")


def test_a_view_is_told_as_one(library: str) -> None:
    lines = section(library, "VIEW:open_loans")

    assert "| signed-in people | read | as its tables allow |  |" in lines


def test_a_trigger_is_told_with_what_its_function_says(library: str) -> None:
    assert (
        "| `loans_broadcast` | after insert, update when `new.status = 'out'` "
        "| Tell the borrower. | `app.broadcast_loan()` |"
    ) in section(library, "TABLE:loans")


def test_a_call_tells_how_to_make_it_and_what_comes_of_it(library: str) -> None:
    lines = section(library, "RPC:borrow_item")

    assert 'await supabase.rpc("borrow_item", { p_item_id })' in lines
    assert "| `p_due_on` | `date` | `null` |" in lines
    told = "`app.broadcast_loan` publishes `loan_changed` on `loans:{borrower_id}`"
    assert [line for line in lines if line.startswith("- ")] == [
        "- Returns one row of [`loans`](library.md#loans).",
        "- For signed-in people.",
        "- Checked by `app.require_member`: The caller, a member.",
        f"- Adds to [`loans`](library.md#loans); then {told}.",
    ]
    assert lines[-2:] == [
        "| `FORBIDDEN` | 403 | Deviens membre. |  |",
        "| `INVALID` | 422 | Choisis une date à venir. | `due_on` |",
    ]


def test_a_call_that_returns_rows_tells_their_columns(library: str) -> None:
    lines = section(library, "RPC:find_items")

    assert "- For everybody." in lines
    assert "- Changes nothing: with `{ get: true }` it can be a GET." in lines
    assert "| `label` | `text` |" in lines


def test_a_topic_tells_who_sends_and_who_may_join(library: str) -> None:
    lines = section(library, "REALTIME")

    assert (
        "| `loans:{borrower_id}` | `loan_changed` | the changed row "
        "| [`loans`](library.md#loans): after insert, update when `new.status = 'out'` |"
    ) in lines
    own = "the topic is `loans:` with the id of the caller (even suspended)"
    assert f"| signed-in people | receive | {own} | `loans_receive_own` |" in lines


def test_a_table_tells_what_its_changes_publish(library: str) -> None:
    assert "A change publishes `loan_changed` on `loans:{borrower_id}`." in library
    assert section(library, "TABLE:items")[-1].startswith("Its rows are in the publication")


def test_files_tell_who_may_keep_them(library: str) -> None:
    [line] = [line for line in section(library, "FILES") if "papers" in line]

    told = "`bucket_id` is `papers` and its first folder is the id of the caller (even suspended)"
    assert line == f"| signed-in people | read | {told} | `papers_read_own` |"


def test_what_hangs_on_the_platform_is_told(library: str) -> None:
    told = "| `auth.users` | `Greet Members` | after insert | Say welcome. | `app.greet` |"
    assert told in section(library, "PLATFORM")


def test_types_and_inner_functions_have_their_lists(library: str) -> None:
    assert "| `shelf` | enum | `upper`, `lower` |  |" in section(library, "TYPES")
    assert "| `app.require_member()` | The caller, a member. | everybody |" in section(
        library, "INTERNALS"
    )


def test_a_name_with_backquotes_stays_one_name(library: str) -> None:
    assert "\n### ``odd `b` | c``\n" in library
    assert "\n| `` odd `t` `` | enum |" in library


def test_a_diagram_draws_tables_and_what_they_point_at(library: str) -> None:
    lines = section(library, "DIAGRAM")

    assert "    numeric price" in lines
    assert '  "items" ||--o{ "loans" : "item_id"' in lines
    assert '  "auth.users" |o--o{ "loans" : "borrower_id"' in lines


def test_the_first_page_leads_to_everything(pages: dict[str, str]) -> None:
    index = pages["README.md"]

    assert "| [Library](library.md) | Members borrow \\| return items. | 3 | 2 |" in index
    assert "[`borrow_item`](library.md#borrow_item)" in index
    assert "| `INVALID` | 422 | `borrow_item` |" in index
