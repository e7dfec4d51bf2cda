"""The pages in rules/ say what the migrations make, and every link in them leads somewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl import catalogue, rules
from nlctl.rules import State
from nlctl.rules.atlas import anchor
from tests import npm

if TYPE_CHECKING:
    from nlctl.catalogue import Catalogue
    from nlctl.project import Project
    from tests.databases import Database

READER = Path(__file__).parent / "diagrams.cjs"

HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)")
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REGISTERED = re.compile(r"^\| `(\w+)` \| ((?:`[A-Z_]+` ?)+)\|$", re.MULTILINE)
REFUSED = re.compile(r"^\| `([A-Z_]+)` \| \d+ \|", re.MULTILINE)


@pytest.fixture(scope="module")
def pages(project: Project) -> dict[str, str]:
    """The text of each page of this repository."""
    folder = rules.folder_of(project, project.default_name)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}


@pytest.fixture
def found(database: Database) -> Catalogue:
    """What the migrations make."""
    with database.connect() as connection:
        return catalogue.read(connection)


def test_the_pages_say_what_the_migrations_make(project: Project, found: Catalogue) -> None:
    planned = rules.plan(project, project.default_name, found)

    stale = [
        (page.name, str(page.state), page.diff) for page in planned if page.state is not State.FRESH
    ]
    assert stale == [], "nlctl rules build writes them anew"


def test_each_table_view_and_call_has_its_section(pages: dict[str, str], found: Catalogue) -> None:
    whole = "\n".join(pages.values())
    relations = {thing.full_name.removeprefix("public.") for thing in (*found.tables, *found.views)}
    calls = {f.name for f in found.functions if f.schema == "public" and f.returns != "trigger"}

    assert set(re.findall(r"ANCHOR:(?:TABLE|VIEW):(\S+)", whole)) == relations
    assert set(re.findall(r"ANCHOR:RPC:(\S+)", whole)) == calls


def test_every_link_leads_to_a_heading(pages: dict[str, str]) -> None:
    headings = {
        name: {anchor(heading) for heading in HEADING.findall(text)} for name, text in pages.items()
    }
    links = {link for text in pages.values() for link in LINK.findall(text)}

    assert links
    assert [
        (page, place) for page, place in links if place and place not in headings.get(page, ())
    ] == []
    assert {page for page, _ in links} <= pages.keys()


def test_calls_refuse_as_the_register_says(project: Project, pages: dict[str, str]) -> None:
    register = (project.root / "migrations" / "README.md").read_text(encoding="utf-8")
    listed = {
        name: set(codes.strip("` ").split("` `")) for name, codes in REGISTERED.findall(register)
    }
    told = {}
    for text in pages.values():
        for part in text.split("<!-- ANCHOR:RPC:")[1:]:
            name, _, body = part.partition(" -->")
            told[name] = set(REFUSED.findall(body.partition("<!-- A")[0]))

    assert {name: codes for name, codes in told.items() if codes} == listed


@pytest.fixture(scope="module")
def mermaid() -> Path:
    """Mermaid in one file, as npm has it; its dependencies are inside."""
    if shutil.which("node") is None:
        pytest.skip("Mermaid needs Node")
    try:
        return npm.fetch_file("mermaid", "dist/mermaid.min.js")
    except npm.NpmMissing as reason:
        pytest.skip(str(reason))


def faults(mermaid: Path, diagrams: list[str]) -> list[str | None]:
    done = subprocess.run(
        ["node", str(READER), str(mermaid)],
        input=json.dumps(diagrams),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    told: list[str | None] = json.loads(done.stdout)
    return told


def test_mermaid_can_draw_each_diagram(mermaid: Path, pages: dict[str, str]) -> None:
    diagrams = [drawn for text in pages.values() for drawn in DIAGRAM.findall(text)]
    broken = "erDiagram\n  a ||--oo b : x"

    *found, of_broken = faults(mermaid, [*diagrams, broken])

    assert len(found) >= 5
    assert [fault for fault in found if fault] == []
    assert of_broken
