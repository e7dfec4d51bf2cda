"""nlctl rls matrix: what it shows, writes and compares, and whom it takes for whom."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.access import people
from tests import terminals
from tests.clients import browser

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakePerson
    from tests.databases import Database

LITTLE = """
create table public.shelves (id int primary key);
create table public.themes (id int primary key);
alter table public.themes enable row level security;
grant all on public.shelves, public.themes to authenticated;
create function public.find() returns void language plpgsql as $$
begin
  raise sqlstate 'PGRST' using message = '{"code": "NOT_FOUND", "message": "No."}';
end;
$$;
"""
LOOK = """
<!doctype html><iframe src="matrix.html"></iframe><script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {
  const page = frame.contentDocument;
  const form = page.querySelector("form");
  const shown = () => [...page.querySelectorAll("td button")]
    .filter((button) => !button.hidden && !button.closest("tr").hidden);
  const told = (button) => {
    const row = button.closest("tr");
    return {
      person: button.parentElement.dataset.person,
      subject: row.dataset.subject,
      class: row.cells[1].textContent,
      operation: row.dataset.operation,
      outcome: button.dataset.outcome,
      mark: button.textContent,
    };
  };
  const filtered = (choices) => {
    form.reset();
    for (const [name, value] of Object.entries(choices)) form.elements[name].value = value;
    form.dispatchEvent(new Event("input"));
    return shown().map(told);
  };
  const diary = {
    everything: filtered({}),
    clients: filtered({ person: "client", operation: "update" }),
    policies: filtered({ outcome: "policy" }),
    themes: filtered({ subject: "public.themes" }),
    text: filtered({ text: "NOT_FOUND" }),
  };
  diary.counted = page.querySelector("output").textContent;
  diary.kept = frame.contentWindow.location.hash;
  filtered({ subject: "public.themes", operation: "insert" });
  const first = shown()[0];
  diary.stops = shown().map((button) => button.tabIndex);
  first.focus();
  const right = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
  first.dispatchEvent(right);
  diary.focused = told(page.activeElement);
  diary.told = page.querySelector("[role=status]").textContent;
  fetch("/", { method: "POST", body: JSON.stringify(diary) });
});
</script>
"""


@pytest.fixture
def terminal(empty_database: Database, tmp_path: Path) -> terminals.Terminal:
    """A project with little to measure."""
    empty_database.run(LITTLE)
    return terminals.open_in(tmp_path, empty_database.url)


@pytest.fixture
def chromium() -> str:
    """The program, where it is installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("a page needs chromium")
    return program


def test_the_terminal_shows_what_a_file_may_expect(terminal: terminals.Terminal) -> None:
    shown = terminal.type("rls", "matrix")
    head, _, *lines = shown.out.splitlines()
    (terminal.folder / "access.txt").write_text("\n".join([head, *lines]))

    compared = terminal.type("rls", "matrix", "--expect", "access.txt")

    assert head.split() == ["who", "anon", "client", "service_role"]
    assert (shown.exit_code, compared.exit_code, compared.out) == (0, 0, shown.out)


def test_a_difference_is_told_and_ends_with_1(terminal: terminals.Terminal) -> None:
    folder = terminal.folder / "access"
    folder.mkdir()
    (folder / "shelves.txt").write_text("who  client\npublic.shelves none  S???\n")
    (folder / "README.md").write_text("Marks tell who may do what.")

    answer = terminal.type("rls", "matrix", "--expect", "access", "--json")

    sentence = "public.shelves none: client is expected to have S???, and has SIUD."
    assert answer.exit_code == 1
    assert answer.document["differences"][-1] == sentence


def test_a_scene_is_there_for_the_length_of_the_measurement(
    terminal: terminals.Terminal, empty_database: Database
) -> None:
    (terminal.folder / "scene.sql").write_text("insert into public.shelves values (1), (2)")

    document = terminal.type("rls", "matrix", "--scene", "scene.sql", "--json").document

    tried = {
        cell["tried"]
        for cell in document["cells"]
        if (cell["subject"], cell["operation"]) == ("public.shelves", "select")
    }
    assert tried == {3}
    assert empty_database.run("select from public.shelves") == []


def test_people_of_the_database_are_taken_before_any_is_made(
    database: Database, person: MakePerson
) -> None:
    ada, ben, eve = person(), person(), person(status="suspended")
    owner = person("owner")

    with database.connect(autocommit=False) as connection:
        everybody = people.gather(connection)
        connection.rollback()

    names = ["anon", "client", "prof", "admin", "owner", "suspended", "service_role"]
    assert [each.name for each in everybody.acting] == names
    known = {each.name: each.id for each in everybody.acting if not each.is_made}
    taken = {"client": ada.id, "suspended": eve.id, "owner": owner.id}
    assert known == {**taken, "anon": None, "service_role": None}
    assert everybody.other.id == ben.id


def test_production_is_asked_about_first(
    terminal: terminals.Terminal, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_PRODUCTION_DATABASE_URL", empty_database.url)

    refused = terminal.type("rls", "matrix", "--target", "production")
    allowed = terminal.type("rls", "matrix", "--target", "production", "--yes")

    assert (refused.exit_code, refused.out) == (2, "")
    assert allowed.exit_code == 0


def test_only_the_owner_of_the_tables_can_measure(database: Database, tmp_path: Path) -> None:
    answer = terminals.open_in(tmp_path, database.authenticator_url).type("rls", "matrix")

    assert (answer.exit_code, answer.out) == (1, "")
    assert answer.err.startswith("error: The matrix could not be measured: permission denied")


def test_a_file_that_cannot_be_read_or_written_is_named(terminal: terminals.Terminal) -> None:
    for option in ("--expect", "--scene", "--html"):
        answer = terminal.type("rls", "matrix", option, "nowhere/file")

        assert answer.exit_code == 2
        assert answer.err.splitlines()[-1].startswith("error: nowhere/file cannot be ")


def test_the_page_shows_in_a_browser_what_the_json_says(
    terminal: terminals.Terminal, chromium: str, tmp_path: Path
) -> None:
    answer = terminal.type("rls", "matrix", "--json", "--html", "matrix.html")
    page = (terminal.folder / "matrix.html").read_bytes()
    files = {"/": ("text/html", LOOK.encode()), "/matrix.html": ("text/html", page)}

    diary = browser.open_page(chromium, files, tmp_path)

    every = cells_of(answer.document)
    assert in_order(diary["everything"]) == in_order(every)
    assert in_order(diary["clients"]) == in_order(
        cell for cell in every if (cell["person"], cell["operation"]) == ("client", "update")
    )
    assert in_order(diary["policies"]) == in_order(
        cell for cell in every if cell["outcome"] == "policy"
    )
    assert in_order(diary["themes"]) == in_order(
        cell for cell in every if cell["subject"] == "public.themes"
    )
    assert {cell["mark"] for cell in diary["text"]} == {"NOT_FOUND"}
    assert diary["counted"] == f"{len(diary['text'])} of {len(every)} cells"
    assert diary["kept"] == "#text=NOT_FOUND"
    assert diary["stops"] == [0, *[-1] * (len(diary["stops"]) - 1)]
    assert (diary["focused"]["person"], diary["focused"]["outcome"]) == ("client", "policy")
    assert diary["told"].startswith("client, public.themes, none, insert: refused by a policy")


def test_the_page_works_as_a_file_and_asks_nothing_of_the_network(
    terminal: terminals.Terminal, chromium: str, tmp_path: Path
) -> None:
    terminal.type("rls", "matrix", "--html", "matrix.html")
    page = tmp_path / "matrix.html"

    opened = subprocess.run(
        [chromium, *browser.FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
         f"{page.as_uri()}#operation=select&person=anon"],
        capture_output=True, encoding="utf-8", timeout=browser.PATIENCE_SECONDS,
    )  # fmt: skip

    [(shown, every)] = re.findall(r"<output.*>(\d+) of (\d+) cells</output>", opened.stdout)
    assert 0 < int(shown) < int(every)
    assert re.findall(r"https?:|src=|<link|@import|url\(", page.read_text()) == []


def cells_of(document: Any) -> list[dict[str, str]]:
    """The cells and calls of the JSON, as the page shows them."""
    tried = [
        *document["cells"],
        *(
            {
                **call,
                "subject": call["function"],
                "class": call["class"] or "",
                "operation": "call",
            }
            for call in document["calls"]
        ),
    ]
    names = ("person", "subject", "class", "operation", "outcome", "mark")
    return [{name: cell[name] for name in names} for cell in tried]


def in_order(cells: Any) -> list[tuple[str, ...]]:
    return sorted(tuple(cell.values()) for cell in cells)
