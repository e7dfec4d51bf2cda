"""A command speaks to the database it was told, and to a shared one only on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nlctl import targets
from nlctl.errors import ConfirmationNeeded, DatabaseUnreachable, InvalidInput, UnknownTarget
from nlctl.project import Project

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
default_project = "notionlab"
[targets.eu-production]
[targets.staging]
project = "assistant"
production = false
"""
URL = "postgresql://postgres:hush@db.example.test/postgres"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with two shared targets and no local stack."""
    monkeypatch.delenv("NLCTL_TARGET", raising=False)
    (tmp_path / "nlctl.toml").write_text(SETTINGS)
    return Project(tmp_path)


def test_a_url_comes_from_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_EU_PRODUCTION_DATABASE_URL", URL)

    target = targets.resolve(project, "eu-production")

    assert (target.database_url, target.is_production) == (URL, True)


def test_a_url_comes_from_the_env_file(project: Project) -> None:
    (project.root / ".env").write_text(f"NLCTL_STAGING_DATABASE_URL={URL}\n")

    target = targets.resolve(project, "staging")

    assert (target.project, target.is_production) == ("assistant", False)


def test_a_target_is_chosen_by_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_TARGET", "staging")
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", URL)

    assert targets.resolve(project).name == "staging"


def test_a_password_never_shows_in_a_repr(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", URL)

    assert "hush" not in repr(targets.resolve(project, "staging"))


def test_servers_call_the_api_of_a_target_with_its_key(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_EU_PRODUCTION_API_URL", "https://api.example.test")
    (project.root / ".env").write_text("NLCTL_EU_PRODUCTION_SECRET_KEY=hush\n")

    access = targets.access(project, "eu-production")

    assert (access.api_url, access.secret_key) == ("https://api.example.test", "hush")
    assert "hush" not in repr(access)


def test_servers_call_the_local_api_where_it_says_it_is(project: Project) -> None:
    project.state.mkdir()
    told = {"url": "http://127.0.0.1:54321", "secret_key": "hush", "pid": 7}
    (project.state / "api.json").write_text(json.dumps(told))

    assert targets.access(project).api_url == "http://127.0.0.1:54321"


def test_an_api_that_does_not_run_says_so(project: Project) -> None:
    with pytest.raises(DatabaseUnreachable, match="not running"):
        targets.access(project)


def test_a_missing_url_is_named(project: Project) -> None:
    with pytest.raises(InvalidInput, match="NLCTL_STAGING_DATABASE_URL is not set"):
        targets.resolve(project, "staging")


def test_an_unknown_target_names_the_known_ones(project: Project) -> None:
    with pytest.raises(UnknownTarget) as refusal:
        targets.resolve(project, "prod")
    assert refusal.value.hint == "Known: local, eu-production, staging."


def test_a_stack_that_never_ran_says_so(project: Project) -> None:
    with pytest.raises(DatabaseUnreachable, match="not running"):
        targets.resolve(project)


@pytest.mark.parametrize("remembered", ["", "{}", "[]", "\0"])
def test_a_damaged_memory_of_the_stack_counts_as_none(project: Project, remembered: str) -> None:
    project.state.mkdir()
    (project.state / "stack.json").write_text(remembered)

    with pytest.raises(DatabaseUnreachable, match="not running"):
        targets.resolve(project)


def test_a_shared_database_is_not_harmed_without_consent(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", URL)
    target = targets.resolve(project, "staging")

    targets.confirm(target, "Pruning", yes=True)
    with pytest.raises(ConfirmationNeeded, match="Pruning on staging needs confirming"):
        targets.confirm(target, "Pruning", yes=False)


def test_a_broken_settings_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "nlctl.toml").write_text("targets = [")

    with pytest.raises(InvalidInput, match=r"nlctl\.toml cannot be read"):
        targets.resolve(Project(tmp_path), "staging")


@pytest.mark.parametrize("section", ["targets = 3", "targets = []", "[targets]\nstaging = 3"])
def test_a_misspelt_section_of_the_settings_is_one_line(tmp_path: Path, section: str) -> None:
    (tmp_path / "nlctl.toml").write_text(section)

    with pytest.raises(InvalidInput, match=r"nlctl\.toml: write each of targets"):
        targets.resolve(Project(tmp_path), "staging")


def test_a_project_that_the_settings_do_not_describe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nlctl.toml").write_text('[projects.notionlab]\nmigrations = "here"')
    project = Project(tmp_path)

    assert project.migrations("notionlab") == tmp_path / "here"
    with pytest.raises(InvalidInput, match="no project called 'assistnat'"):
        project.migrations("assistnat")


@pytest.mark.parametrize(
    "url",
    [
        "hush",
        "postgres:hush@db.example.test/postgres",
        "postgresql://postgres:hu%sh@db.example.test/postgres",
        "postgresql://postgres:x@hush@db.example.test/postgres",
        "postgresql://postgres:hush/x@db.example.test/postgres",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_showing_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", url)

    with pytest.raises(InvalidInput) as refusal:
        targets.resolve(project, "staging")
    assert refusal.value.message == "NLCTL_STAGING_DATABASE_URL is not the URL of a database."


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///postgres",
        "postgresql://a:b%40c%2Fd@one.test:1,two.test:2/postgres?sslmode=require",
        "host=db.example.test password=hush",
    ],
)
def test_every_form_of_url_that_the_server_s_library_reads_is_taken(
    project: Project, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", url)

    assert targets.resolve(project, "staging").database_url == url
