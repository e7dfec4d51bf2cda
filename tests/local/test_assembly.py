"""Services get what config.toml says, each with a database role of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlctl.errors import InvalidInput
from nlctl.local import assembly, settings, tokens
from nlctl.local.assembly import Places
from nlctl.project import Project

PLACES = Places(
    url="http://127.0.0.1:54321",
    database_url=lambda user: f"postgresql://{user}@x/postgres",
    smtp_port=54325,
    storage_folder=Path("storage"),
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project folder with its state folder and no settings."""
    (tmp_path / "supabase").mkdir()
    (tmp_path / ".nlctl").mkdir()
    return Project(tmp_path)


def configure(project: Project, written: str) -> Project:
    (project.root / "supabase" / "config.toml").write_text(written)
    return Project(project.root)


def services_of(project: Project) -> set[str]:
    asked = settings.read(project)
    return set(assembly.services(asked, assembly.keyring(project, asked), PLACES))


def test_every_service_runs_unless_switched_off(project: Project) -> None:
    everything = services_of(project)

    assert everything >= {"rest", "auth", "storage"}
    assert services_of(configure(project, "[auth]\nenabled = false")) == everything - {"auth"}
    assert services_of(configure(project, "[api]\nenabled = false")) == everything - {"rest"}


def test_each_service_logs_in_as_itself(project: Project) -> None:
    asked = settings.read(project)

    assert "//authenticator@" in assembly.rest_config(asked, PLACES).database_url
    assert "//supabase_auth_admin@" in assembly.auth_config(asked, PLACES).database_url


def test_only_hooks_that_are_switched_on_are_asked(project: Project) -> None:
    written = """
        [auth.hook.custom_access_token]
        enabled = true
        uri = "pg-functions://postgres/public/a"
        [auth.hook.before_user_created]
        enabled = false
        uri = "pg-functions://postgres/public/b"
        """
    asked = settings.read(configure(project, written))

    assert dict(assembly.auth_config(asked, PLACES).hooks) == {
        "custom_access_token": "pg-functions://postgres/public/a"
    }


def test_without_signing_keys_nothing_is_published(project: Project) -> None:
    ring = assembly.keyring(project, settings.read(project))

    assert ring.jwks() == {"keys": []}


def test_a_signing_key_that_is_named_and_missing_is_made_beside_the_data(project: Project) -> None:
    named = configure(project, '[auth]\nsigning_keys_path = "./signing_keys.json"')
    asked = settings.read(named)

    first, second = (assembly.keyring(named, asked).jwks() for _ in range(2))

    assert first == second
    assert not (project.root / "supabase" / "signing_keys.json").exists()
    (kept,) = tokens.read_signing_keys(project.state / "signing_keys.json")
    assert first == {"keys": [kept.public()]}


def test_a_signing_key_of_the_project_s_own_is_used(project: Project) -> None:
    named = configure(project, '[auth]\nsigning_keys_path = "./signing_keys.json"')
    key = tokens.make_signing_key()
    tokens.write_signing_keys(project.root / "supabase" / "signing_keys.json", [key])

    ring = assembly.keyring(named, settings.read(named))

    assert ring.jwks() == {"keys": [key.public()]}


def test_a_signing_key_that_cannot_be_read_stops_the_start(project: Project) -> None:
    named = configure(project, '[auth]\nsigning_keys_path = "./signing_keys.json"')
    (project.root / "supabase" / "signing_keys.json").write_text("{}")

    with pytest.raises(InvalidInput, match=r"signing_keys\.json is not a list"):
        assembly.keyring(named, settings.read(named))


def test_letters_may_be_the_projects_own(project: Project) -> None:
    written = """
        [auth.email.template.invite]
        subject = "Welcome"
        content_path = "./supabase/invite.html"
        [auth.email.template.recovery]
        content_path = "recovery.html"
        [auth.email.template.magic_link]
        subject = "Your link"
    """
    (project.root / "supabase" / "invite.html").touch()
    (project.root / "supabase" / "recovery.html").touch()

    letters = assembly.letters(settings.read(configure(project, written)))

    assert letters["invite"].subject == "Welcome"
    for name in ("invite", "recovery"):
        file = letters[name].file
        assert file
        assert file.is_file()
    assert letters["magic_link"].file is None


@pytest.mark.parametrize(
    ("written", "sender"),
    [
        ("", "no-reply@localhost"),
        ('[inbucket]\nadmin_email = "a@b.test"\nsender_name = "Ada"', "Ada <a@b.test>"),
        ('[auth.email.smtp]\nenabled = true\nadmin_email = "c@d.test"', "c@d.test"),
        ('[auth.email.smtp]\nenabled = false\nadmin_email = "c@d.test"', "no-reply@localhost"),
    ],
)
def test_letters_are_from_whom_the_project_names(
    project: Project, written: str, sender: str
) -> None:
    asked = settings.read(configure(project, written))

    assert assembly.auth_config(asked, PLACES).mail_from == sender


def test_text_messages_have_an_interval_of_their_own(project: Project) -> None:
    asked = settings.read(configure(project, '[auth.sms]\nmax_frequency = "1m"'))

    assert assembly.auth_config(asked, PLACES).sms_interval == 60
