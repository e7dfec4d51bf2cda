"""Absences: a switch for something that is not there does not stay without an answer."""

from __future__ import annotations

import tomllib

import pytest

from nlctl.local import absences


@pytest.mark.parametrize(
    ("written", "name", "consequence"),
    [
        (
            "[auth.external.google]\nenabled = true",
            "auth.external.google",
            'it answers "provider is not enabled": nobody signs in that way.',
        ),
        (
            "[auth.mfa.phone]\nverify_enabled = true",
            "auth.mfa.phone",
            "the local stack has no factor by telephone.",
        ),
        (
            '[auth.hook.send_email]\nenabled = true\nuri = "pg-functions://postgres/public/send"',
            "auth.hook.send_email",
            "the local stack does not ask it.",
        ),
        (
            '[auth.hook.custom_access_token]\nenabled = true\nuri = "HTTPS://example.test"',
            "auth.hook.custom_access_token",
            "it fails: the local stack asks SQL functions only.",
        ),
        (
            '[analytics]\nenabled = "true"',
            "analytics",
            "the local stack has no log explorer; see: nlctl logs",
        ),
    ],
)
def test_what_is_asked_for_in_vain_is_told(written: str, name: str, consequence: str) -> None:
    line = f"{name} is enabled in supabase/config.toml; {consequence}"

    assert absences.find(tomllib.loads(written)) == (line,)


@pytest.mark.parametrize(
    ("written", "name", "consequence"),
    [
        (
            '[storage.buckets.images]\nobjects_path = "./images"',
            "storage.buckets.images.objects_path",
            "no file is uploaded.",
        ),
        (
            '[db.vault]\nkey = "value"',
            "db.vault",
            "its secrets are not written: call vault.create_secret in seed.sql.",
        ),
    ],
)
def test_what_is_written_in_vain_is_told(written: str, name: str, consequence: str) -> None:
    line = f"{name} is set in supabase/config.toml; {consequence}"

    assert absences.find(tomllib.loads(written)) == (line,)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "[storage.buckets.images]\npublic = true",
        "[auth.external.google]\nenabled = false",
        '[auth.external]\ngoogle = "odd"',
        "[auth.mfa.totp]\nverify_enabled = true",
        '[auth.hook.custom_access_token]\nenabled = true\nuri = "pg-functions://postgres/public/a"',
        "[studio]\nenabled = true",
    ],
)
def test_what_is_there_or_not_asked_for_needs_no_words(written: str) -> None:
    assert absences.find(tomllib.loads(written)) == ()


def test_each_provider_is_named_by_itself() -> None:
    document = {"auth": {"external": {"google": {"enabled": True}, "apple": {"enabled": True}}}}

    names = [line.partition(" ")[0] for line in absences.find(document)]

    assert names == ["auth.external.google", "auth.external.apple"]
