"""Settings: the local stack does what config.toml says, and what the CLI does otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl.buckets import Bucket
from nlctl.errors import InvalidInput
from nlctl.local import keys, settings
from nlctl.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.local.settings import Settings


def read(folder: Path, written: str) -> Settings:
    """The settings of a project whose config.toml says `written`."""
    (folder / "supabase").mkdir(exist_ok=True)
    (folder / "supabase" / "config.toml").write_text(written, encoding="utf-8")
    return settings.read(Project(folder))


def test_an_empty_file_is_the_cli_s_own_stack(tmp_path: Path) -> None:
    found = read(tmp_path, "")

    assert (found.api.port, found.db.port, found.mail.port) == (54321, 54322, 54324)
    assert found.api.schemas == ("public", "graphql_public")
    assert found.api.extra_search_path == ("public", "extensions")
    assert found.api.max_rows == 1000
    assert found.jwt_secret == keys.JWT_SECRET
    assert found.signing_keys_path is None
    assert found.db.seed.sql_paths == ("./seed.sql",)
    assert found.auth.email.enable_confirmations is False


def test_a_folder_without_a_file_is_the_cli_s_own_stack(tmp_path: Path) -> None:
    assert settings.read(Project(tmp_path)).api.port == 54321


def test_what_the_file_says_is_done(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        [api]
        port = 5000
        schemas = ["api"]
        [auth]
        site_url = "https://example.test"
        signing_keys_path = "./keys.json"
        [auth.email]
        max_frequency = "1m30s"
        otp_length = 8
        [auth.mfa.totp]
        enroll_enabled = true
        [auth.hook.custom_access_token]
        enabled = true
        uri = "pg-functions://postgres/public/add_claims"
        [auth.sms.test_otp]
        4152127777 = "123456"
        """,
    )

    assert (found.api.port, found.api.schemas) == (5000, ("api",))
    assert found.auth.site_url == "https://example.test"
    assert found.signing_keys_path == (tmp_path / "supabase" / "keys.json").resolve()
    assert (found.auth.email.max_frequency, found.auth.email.otp_length) == (90.0, 8)
    assert found.auth.mfa.totp.enroll_enabled is True
    assert found.auth.hook["custom_access_token"].uri.endswith("add_claims")
    assert found.auth.sms.test_otp == {"4152127777": "123456"}


@pytest.mark.parametrize("section", ["inbucket", "local_smtp"])
def test_the_inbox_is_found_under_both_of_its_names(tmp_path: Path, section: str) -> None:
    found = read(tmp_path, f"[{section}]\nport = 6000\nsmtp_port = 6001\n")

    assert (found.mail.port, found.mail.smtp_port) == (6000, 6001)


def test_a_variable_stands_for_its_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "7000")
    (tmp_path / ".env").write_text("SITE=https://from-file.test\n")

    found = read(tmp_path, '[api]\nport = "env(API_PORT)"\n[auth]\nsite_url = "env(SITE)"\n')

    assert (found.api.port, found.auth.site_url) == (7000, "https://from-file.test")


def test_the_environment_speaks_louder_than_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", "https://from-shell.test")
    (tmp_path / ".env").write_text("SITE=https://from-file.test\n")

    assert read(tmp_path, '[auth]\nsite_url = "env(SITE)"\n').auth.site_url.endswith("shell.test")


def test_an_unset_variable_of_something_unused_harms_nobody(tmp_path: Path) -> None:
    found = read(
        tmp_path, '[auth.external.apple]\nenabled = false\nsecret = "env(NOBODY_SETS_THIS)"\n'
    )

    assert found.auth.external["apple"].enabled is False


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[api]\nport = "many"', "api.port in supabase/config.toml must be a whole number"),
        ("[api]\nport = true", "api.port"),
        ("[api]\nport = 0", "api.port .* must be a port from 1 to 65535, not 0"),
        ("[db]\nport = 65536", "db.port .* must be a port"),
        ("[inbucket]\nsmtp_port = -5", "mail.smtp_port"),
        ('[api]\nschemas = "public"', "api.schemas .* must be a list of texts"),
        ("[api]\nschemas = [1]", "api.schemas"),
        ("api = 1", "api .* must be a table"),
        ('[auth]\nenable_signup = "perhaps"', "auth.enable_signup .* must be true or false"),
        ('[auth.email]\nmax_frequency = "soon"', "auth.email.max_frequency .* a duration"),
        ('[storage]\nfile_size_limit = "much"', "storage.file_size_limit .* a size such as 50MiB"),
        ("[auth]\nsite_url = 1", "auth.site_url .* must be a text"),
        ("[auth]\nhook = 1", "auth.hook .* must be a table"),
        ('[auth]\njwt_secret = "short"', "auth.jwt_secret .* at least 16 characters"),
        (
            '[auth]\njwt_secret = "env(NOBODY_SETS_THIS)"',
            r"auth.jwt_secret .* is in \$NOBODY_SETS_THIS, which is not set",
        ),
        ("[api", "config.toml cannot be read"),
        ("[api]\nschemas = []", "api.schemas .* names no schema"),
        ("[auth.hook.send_sms]\nenabled = true", "auth.hook.send_sms .* has no uri"),
        (
            '[auth.hook.send_sms]\nenabled = true\nuri = "public.add_claims"',
            "auth.hook.send_sms.uri .* must be pg-functions://.*, not 'public.add_claims'",
        ),
        (
            '[auth.hook.send_sms]\nenabled = true\nuri = "pg-functions://postgres/add_claims"',
            "auth.hook.send_sms.uri .* must be pg-functions://",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, written)


def test_a_hook_that_is_switched_off_may_say_anything(tmp_path: Path) -> None:
    found = read(tmp_path, '[auth.hook.send_sms]\nenabled = false\nuri = "anything"\n')

    assert not found.auth.hook["send_sms"].enabled


def test_no_schema_is_fine_where_there_is_no_data_api(tmp_path: Path) -> None:
    assert read(tmp_path, "[api]\nenabled = false\nschemas = []\n").api.schemas == ()


def test_a_byte_order_mark_is_called_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="begins with a byte order mark") as refusal:
        read(tmp_path, "\ufeff[api]\nport = 5000\n")

    assert refusal.value.hint == "Save it as UTF-8 without one."


@pytest.mark.parametrize(
    ("written", "bytes_"),
    [
        ('"50MiB"', 52_428_800),
        ('"5MB"', 5_242_880),
        ('"1.5k"', 1536),
        ("700", 700),
        ('"1 G"', 2**30),
    ],
)
def test_sizes_are_read_as_docker_reads_them(tmp_path: Path, written: str, bytes_: int) -> None:
    found = read(tmp_path, f"[storage]\nfile_size_limit = {written}\n")

    assert found.storage.file_size_limit == bytes_


def test_buckets_are_declared_under_their_names(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "[storage.buckets.papers]\npublic = true\n"
        '[storage.buckets.avatars]\nfile_size_limit = "1MiB"\nallowed_mime_types = ["image/*"]\n',
    )

    assert found.storage.declared() == [
        Bucket("papers", True, None, ()),
        Bucket("avatars", False, 1_048_576, ("image/*",)),
    ]


def test_letters_are_counted_only_where_they_leave_the_machine(tmp_path: Path) -> None:
    limits = "[auth.rate_limit]\nemail_sent = 3\n"

    assert read(tmp_path, limits).auth.letters_per_hour > 1000
    with_server = read(tmp_path, limits + "[auth.email.smtp]\nenabled = true\n")
    assert with_server.auth.letters_per_hour == 3


def test_secrets_stay_out_of_what_is_printed(tmp_path: Path) -> None:
    secret = "a-secret-of-this-project-only-0123456789"
    found = read(tmp_path, f'[auth]\njwt_secret = "{secret}"\n')

    assert found.jwt_secret == secret
    assert secret not in repr(found)
