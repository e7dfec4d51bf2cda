"""The doctor finds what is wrong, says what to do, and shows no secret."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from nlctl import doctor
from nlctl.doctor import environment, history, secrets, server, settings, texts
from nlctl.doctor.findings import Status
from nlctl.local import keys
from nlctl.migrations.status import Entry, State
from nlctl.project import Project
from tests import terminals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nlctl.doctor import Finding
    from tests.databases import Database

SERVICE_TOKEN = keys.legacy_key("service_role")
ANON_TOKEN = keys.legacy_key("anon")
OPAQUE = "sb_secret_" + "Zm9vYmFyYmF6cXV4cXV1eA_12345678"


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """An empty project."""
    (tmp_path / "nlctl.toml").touch()
    return Project(tmp_path)


def write(project: Project, name: str, text: str) -> None:
    """Put a file into the project."""
    path = project.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def errors(findings: Iterable[Finding]) -> list[str]:
    """What is wrong."""
    return [finding.message for finding in findings if finding.status is Status.ERROR]


def track(project: Project, name: str) -> None:
    """Give a file to git."""
    subprocess.run(["git", "init", "--quiet"], cwd=project.root, check=True)
    subprocess.run(["git", "add", "--force", name], cwd=project.root, check=True)


class TestSecrets:
    @pytest.mark.parametrize("key", [SERVICE_TOKEN, OPAQUE, keys.SECRET_KEY])
    @pytest.mark.parametrize("file", [".env", ".env.local", "frontend/.env.production"])
    def test_a_secret_key_in_a_public_variable_is_found(
        self, bare: Project, file: str, key: str
    ) -> None:
        write(bare, file, f'# Keys\nexport VITE_KEY="{key}"\n')

        [message] = errors(secrets.check(bare))
        assert message.startswith(f"{file}:2: VITE_KEY holds a ")

    @pytest.mark.parametrize("prefix", secrets.PUBLIC_PREFIXES)
    def test_every_bundlers_prefix_is_known(self, bare: Project, prefix: str) -> None:
        write(bare, ".env", f"{prefix}KEY={OPAQUE}")

        assert errors(secrets.check(bare))

    def test_the_environment_is_read_too(
        self, bare: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NEXT_PUBLIC_KEY", SERVICE_TOKEN)

        [message] = errors(secrets.check(bare))
        assert message.startswith("The environment's NEXT_PUBLIC_KEY holds a service_role token")

    def test_a_secret_key_in_a_tracked_file_is_found(self, bare: Project) -> None:
        write(bare, "api/.env.staging", f"\nSUPABASE_SECRET_KEY={OPAQUE}\n")
        track(bare, "api/.env.staging")

        [message] = errors(secrets.check(bare))
        assert message == "api/.env.staging:2 holds a secret key (sb_secret_Zm…), and git keeps it."

    @pytest.mark.parametrize(
        "file",
        ["dist/app.js", "web/build/index.html", ".next/static/a.js", "public/assets/a.js.map"],
    )
    def test_a_secret_key_in_a_bundle_is_found(self, bare: Project, file: str) -> None:
        write(bare, file, f'const key = "{SERVICE_TOKEN}"')

        [message] = errors(secrets.check(bare))
        assert message.startswith(f"{file}:1 holds a service_role token")

    def test_a_key_where_it_belongs_is_left_alone(self, bare: Project) -> None:
        write(bare, ".env", f"SUPABASE_SECRET_KEY={OPAQUE}\nVITE_ANON_KEY={ANON_TOKEN}\n")
        write(bare, "dist/app.js", f'"{keys.PUBLISHABLE_KEY}"; key.startsWith("sb_secret_")')
        write(bare, "node_modules/x/dist/test.js", f'"{OPAQUE}"')

        assert errors(secrets.check(bare)) == []

    def test_a_secret_is_never_printed(self, bare: Project) -> None:
        write(bare, ".env", f"VITE_A={SERVICE_TOKEN}\nVITE_B={OPAQUE}\n")

        told = json.dumps([finding.as_dict() for finding in secrets.check(bare)])
        assert SERVICE_TOKEN[:20] not in told
        assert OPAQUE[:20] not in told

    def test_a_token_of_another_issuer_is_read_by_its_role(self) -> None:
        payload = base64.urlsafe_b64encode(b'{"role": "service_role", "ref": "abc"}').decode()

        found = list(secrets.find_keys(f"\neyJhbGciOiJIUzI1NiJ9.{payload.rstrip('=')}.c2ln"))

        assert [(key.kind, key.line) for key in found] == [("a service_role token", 2)]

    @pytest.mark.parametrize("text", ["", "eyJub3RqdyJ9.bm90anNvbm5v.x", ANON_TOKEN, "sb_secret_"])
    def test_what_is_not_a_secret_is_not_taken_for_one(self, text: str) -> None:
        assert list(secrets.find_keys(text)) == []


class TestSettings:
    def test_this_projects_settings_are_sound(self) -> None:
        from tests.checkouts import ROOT

        assert errors(settings.check(Project(ROOT))) == []

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("targets = [", "nlctl.toml cannot be read"),
            ('[projects.a]\nmigrations = "nowhere"', "Project a has no folder nowhere."),
            ("[projects.a]", "Project a names no migrations."),
            ('[projects]\na = "folder"', "Project a names no migrations."),
            ('[targets.x]\nproject = "b"', "Target x belongs to no known project."),
            ('[targets.x]\nproduction = "no"', "Target x is not clear about production."),
            ('[targets]\nx = "url"', "Target x is not a table."),
            ('url = "postgresql://postgres:hush@db/postgres"', "Line 1 holds a password."),
            (f'key = "{OPAQUE}"', "Line 1 holds a secret key"),
        ],
    )
    def test_a_mistake_in_our_settings_is_found(
        self, bare: Project, text: str, problem: str
    ) -> None:
        write(bare, "nlctl.toml", text)

        [message] = errors(settings.check(bare))
        assert message.startswith(problem)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("[api", "config.toml cannot be read"),
            ('[db]\nport = "54322"', "db.port is '54322'."),
            ('[api]\nschemas = "public"', "api.schemas is 'public'."),
        ],
    )
    def test_a_mistake_in_the_platforms_settings_is_found(
        self, bare: Project, text: str, problem: str
    ) -> None:
        write(bare, "supabase/config.toml", text)

        [message] = errors(settings.check(bare))
        assert message.startswith(problem)

    def test_an_unknown_setting_is_pointed_out(self, bare: Project) -> None:
        write(bare, "nlctl.toml", "target = 1")

        assert "target means nothing to nlctl." in [f.message for f in settings.check(bare)]


class TestEnvironment:
    def test_packages_out_of_step_with_the_lock_are_named(
        self, bare: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.prefix", str(bare.root / ".venv"))
        lock = "typer==0.0.1 \\\n    --hash=sha256:00\nnowhere==1 ; sys_platform == 'other' \\\n"
        write(bare, "requirements.lock", lock)

        [finding] = environment.check_packages(bare)
        assert (finding.status, finding.message) == (
            Status.WARNING,
            "Not what the lock file names: typer.",
        )

    def test_another_projects_environment_is_left_alone(self, bare: Project) -> None:
        write(bare, "requirements.lock", "typer==0.0.1")

        assert list(environment.check_packages(bare)) == []

    @pytest.mark.parametrize(
        ("free", "status"), [(100, Status.ERROR), (500, Status.WARNING), (5000, Status.OK)]
    )
    def test_a_disk_that_fills_up_is_noticed(
        self, bare: Project, monkeypatch: pytest.MonkeyPatch, free: int, status: Status
    ) -> None:
        usage = type("Usage", (), {"free": free * environment.MEGABYTE})
        monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage)

        assert environment.check_disk(bare).status is status

    def test_a_locale_without_accents_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("locale.getencoding", lambda: "ANSI_X3.4-1968")

        assert environment.check_locale().status is Status.WARNING

    def test_programs_that_are_not_there_are_an_error(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("NLCTL_LOCAL_PG_BIN", str(tmp_path))

        finding = environment.check_programs()
        assert finding.status is Status.ERROR
        assert "NLCTL_LOCAL_PG_BIN" in str(finding.fix)


class TestDatabase:
    @pytest.mark.parametrize(
        ("major", "status"),
        [(14, Status.ERROR), (15, Status.OK), (17, Status.OK), (18, Status.WARNING),
         (19, Status.WARNING)],
    )  # fmt: skip
    def test_a_version_is_held_against_production(self, major: int, status: Status) -> None:
        assert server.check_version(major, production=17).status is status

    def test_an_encoding_without_every_letter_is_an_error(self) -> None:
        assert server.check_encoding("LATIN1").status is Status.ERROR

    def test_a_plain_postgresql_is_recognised(self, empty_database: Database) -> None:
        with empty_database.connect() as connection:
            assert server.check_roles(connection).status is Status.OK

    @pytest.mark.parametrize(
        ("state", "status"),
        [(State.PENDING, Status.WARNING), (State.OUT_OF_ORDER, Status.WARNING),
         (State.CHANGED, Status.ERROR), (State.MISSING, Status.ERROR),
         (State.FAILED, Status.ERROR)],
    )  # fmt: skip
    def test_a_history_that_asks_for_something_is_told(self, state: State, status: Status) -> None:
        entries = [Entry("20260101000000", state, None, None)]

        [finding] = history.compare(entries)
        assert finding.status is status
        assert "20260101000000" in finding.message

    def test_damaged_accents_are_found_wherever_texts_are(self, empty_database: Database) -> None:
        with empty_database.connect() as connection:
            connection.execute(
                """
                create table public.labels (id int, label text, tags text[], more jsonb);
                insert into public.labels values
                  (1, 'Propriétaire', '{Âge,À}', '{"question": "Ça va ? Oui?"}'),
                  (2, 'PropriÃ©taire', '{}', '{"a": "Ca va?"}'),
                  (3, 'Hôtel', '{pr?f}', '{"link": "https://a.test/?x=é"}'),
                  (4, 'Hôtel', '{}', '{"a": {"b": "caf\ufffd"}}'),
                  (5, 'Ã‰tat', '{}', null);
                """
            )
            found = errors(texts.examine(connection, ["public.labels", "public.gone"]))

        assert found == [
            "public.labels.label holds a damaged accent ('Ã©').",
            "public.labels.label holds a damaged accent ('Ã‰').",
            "public.labels.tags holds a damaged accent ('{pr?f}').",
            "public.labels.more holds a damaged accent ('\ufffd').",
        ]

    def test_a_table_out_of_reach_is_a_finding(self, empty_database: Database) -> None:
        with empty_database.connect() as connection:
            connection.execute("create table public.hidden (label text)")
            connection.execute("set role anon")
            found = list(doctor.carefully("texts", texts.examine(connection, ["public.hidden"])))

        assert errors(found) == ["Could not be examined: permission denied for table hidden."]

    def test_the_product_is_sound(self, database: Database, tmp_path: Path) -> None:
        from tests.checkouts import ROOT

        (tmp_path / ".nlctl").mkdir()
        stack = json.dumps({"database_url": database.url})
        (tmp_path / ".nlctl" / "stack.json").write_text(stack)
        for name in ("nlctl.toml", "supabase", "migrations", "seeds"):
            (tmp_path / name).symlink_to(ROOT / name)

        assert errors(doctor.examine(Project(tmp_path))) == []


def test_without_a_stack_the_rest_is_still_examined(tmp_path: Path) -> None:
    answer = terminals.open_in(tmp_path).type("doctor", "--json")

    found = {finding["check"]: finding for finding in answer.document["findings"]}
    assert (answer.exit_code, answer.document["healthy"]) == (0, True)
    assert found["database"]["fix"] == "Run: nlctl up"
    assert found["python"]["status"] == "ok"


def test_a_target_that_does_not_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", "postgresql://postgres:hush@127.0.0.1:1/x")

    answer = terminals.open_in(tmp_path).type("doctor", "--target", "staging")

    assert answer.exit_code == 1
    assert "error    database: The database did not answer" in answer.out
    assert "hush" not in answer.out


def test_an_error_fails_the_command_and_names_its_remedy(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"VITE_KEY={OPAQUE}")

    answer = terminals.open_in(tmp_path).type("doctor")

    assert answer.exit_code == 1
    assert "error    secrets: .env:1: VITE_KEY holds a secret key (sb_secret_Zm…)" in answer.out
    assert "→ Put the publishable key there" in answer.out
