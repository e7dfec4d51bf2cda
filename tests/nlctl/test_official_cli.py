"""The Supabase CLI and nlctl keep one history: what either writes, the other reads."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl.errors import MigrationConflict
from tests import npm
from tests.workshops import Workshop

if TYPE_CHECKING:
    from tests.databases import Database

OURS = Path(__file__).parents[2] / "migrations" / "notionlab"
ADA = "20260101000000"
BEN = "20260102000000"
FILES = {
    f"{ADA}_ada.sql": "-- Ada's table.\ncreate table public.ada (id int);\n\n\n"
    "create function public.twice(n int) returns int language sql\n"
    "as $$\n  select n * 2;\n\n  -- blank lines in a body stay\n$$;\n",
    f"{BEN}_ben.sql": "create table public.ben (id int);\n",
}
# What the advisors may find, and why it stands.
ALLOWED = {
    "function_search_path_mutable of _realtime.ask_each": (
        "the local stack's own: its questions bring the search path of whoever asks"
    ),
    "multiple_permissive_policies of public.training_onboarding_responses": (
        "training_onboarding_responses_select_own is a name that others know"
    ),
}
SETTINGS = """
default_project = "workshop"
[projects.workshop]
migrations = "supabase/migrations"
[targets.scratch]
production = false
"""


@dataclass(frozen=True)
class OfficialCli:
    """The Supabase CLI in a project's folder, speaking to one database."""

    program: Path
    folder: Path
    database: Database

    def type(self, *words: str) -> str:
        """Type `supabase words…` and say yes to whatever it asks."""
        command = [self.program, *words, f"--remote={self.database.url}", "--yes"]
        done = subprocess.run(
            [*map(str, command), "--output-format", "json"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def remote_versions(self) -> list[str]:
        """What it takes for applied."""
        listed = json.loads(self.type("migration", "list"))["migrations"]
        return [row["remote"] for row in listed if row["remote"]]


class OfficialWorkshop(Workshop):
    """A workshop whose migrations lie where the Supabase CLI looks."""

    @property
    def folder(self) -> Path:
        """Where the migrations lie."""
        return self.root / "supabase" / "migrations"


@pytest.fixture
def shop(tmp_path: Path, empty_database: Database) -> Workshop:
    """A folder as `supabase init` makes it, which nlctl knows too, with two migrations."""
    workshop = OfficialWorkshop(tmp_path, empty_database)
    (tmp_path / "nlctl.toml").write_text(SETTINGS)
    workshop.folder.mkdir(parents=True)
    (tmp_path / "supabase" / "config.toml").write_text('project_id = "workshop"\n')
    for name, text in FILES.items():
        (workshop.folder / name).write_text(text, encoding="utf-8", newline="\n")
    return workshop


def cli_in(folder: Path, database: Database) -> OfficialCli:
    """The program, or a reason to skip."""
    try:
        return OfficialCli(npm.program("supabase"), folder, database)
    except npm.NpmMissing as reason:
        pytest.skip(str(reason))


@pytest.fixture
def cli(shop: Workshop) -> OfficialCli:
    """The Supabase CLI in the project."""
    return cli_in(shop.root, shop.database)


# What it writes, we read


@pytest.mark.parametrize("words", [("db", "push"), ("migration", "up")])
def test_what_the_cli_applied_is_applied(
    cli: OfficialCli, shop: Workshop, words: tuple[str, ...]
) -> None:
    cli.type(*words)
    assert shop.states() == {ADA: "applied", BEN: "applied"}
    assert shop.up().applied == ()


def test_an_edit_of_what_the_cli_applied_is_found(cli: OfficialCli, shop: Workshop) -> None:
    cli.type("db", "push")
    (shop.folder / f"{BEN}_ben.sql").write_text("create table public.ben (id bigint);\n")
    with pytest.raises(MigrationConflict, match="Edited after being applied"):
        shop.up()


def test_what_the_cli_repaired_is_as_it_says(cli: OfficialCli, shop: Workshop) -> None:
    shop.up(to=ADA)
    cli.type("migration", "repair", BEN, "--status", "applied")
    assert shop.states() == {ADA: "applied", BEN: "applied"}
    cli.type("migration", "repair", BEN, "--status", "reverted")
    assert [applied.version for applied in shop.up().applied] == [BEN]


# What we write, it reads


def test_what_we_applied_the_cli_lists_and_does_not_push(cli: OfficialCli, shop: Workshop) -> None:
    shop.up()
    assert cli.remote_versions() == [ADA, BEN]
    cli.type("db", "push")  # applied twice, it would fail on the tables


def test_the_cli_pushes_what_we_left(cli: OfficialCli, shop: Workshop) -> None:
    shop.up(to=ADA)
    cli.type("db", "push")
    assert shop.states() == {ADA: "applied", BEN: "applied"}


def test_what_we_repaired_the_cli_lists(
    cli: OfficialCli, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shop.environment().items():
        monkeypatch.setenv(name, value)
    shop.up()
    shop.type("repair", BEN, "--status", "reverted", "--yes")
    assert cli.remote_versions() == [ADA]
    shop.type("repair", BEN, "--status", "applied", "--yes")
    assert cli.remote_versions() == [ADA, BEN]


def test_files_that_the_cli_fetched_are_those_we_applied(cli: OfficialCli, shop: Workshop) -> None:
    shop.up()
    for path in shop.folder.iterdir():
        path.unlink()
    cli.type("migration", "fetch")
    fetched = (shop.folder / f"{ADA}_ada.sql").read_text()
    assert fetched != FILES[f"{ADA}_ada.sql"]  # it drops the space between statements
    assert shop.states() == {ADA: "applied", BEN: "applied"}
    assert shop.up().applied == ()


def test_our_own_migrations_go_both_ways(empty_database: Database, tmp_path: Path) -> None:
    workshop = OfficialWorkshop(tmp_path, empty_database)
    workshop.folder.mkdir(parents=True)
    (tmp_path / "supabase" / "config.toml").write_text('project_id = "workshop"\n')
    for path in OURS.glob("*.sql"):
        (workshop.folder / path.name).write_bytes(path.read_bytes())
    cli = cli_in(tmp_path, empty_database)
    cli.type("db", "push")
    assert set(workshop.states().values()) == {"applied"}


# Advisors


def advise(cli: OfficialCli) -> set[str]:
    """What the CLI's advisors warn of, and where."""
    answer = json.loads(cli.type("db", "advisors", "--level", "warn", "--fail-on", "none"))
    return {
        "{} of {schema}.{name}".format(found["name"], **found["metadata"])
        for found in answer["results"]
    }


def test_the_advisors_warn_of_nothing_else(database: Database, tmp_path: Path) -> None:
    assert advise(cli_in(tmp_path, database)) <= ALLOWED.keys()


def test_the_advisors_would_warn(cli: OfficialCli, shop: Workshop) -> None:
    shop.database.run("create table public.open (id int); grant select on public.open to anon")
    assert "rls_disabled_in_public of public.open" in advise(cli)
