"""Absences: what config.toml switches on and the local stack does not have.

Studio is not among them: no application calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl.local.tables import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOOKS = {
    "before_user_created",
    "custom_access_token",
    "mfa_verification_attempt",
    "password_verification_attempt",
}
"""Those that the local Auth asks."""

_ON = (True, "true", "1")


@dataclass(frozen=True)
class Absence:
    """A table of config.toml by its path, `*` for any name; what one of its switches asks for."""

    path: str
    consequence: str
    switches: tuple[str, ...] = ("enabled",)

    def find(self, document: Mapping[str, Any]) -> Iterator[str]:
        """A line for each such table that is switched on."""
        for name, table in _tables(document, self.path.split(".")):
            if any(table.get(switch) in _ON for switch in self.switches):
                yield f"{name} is enabled in {FILE}; {self.consequence}"


_FACTOR = ("enroll_enabled", "verify_enabled")
_NO_SMS = "no text message is sent: only the numbers of auth.sms.test_otp get a code."

ABSENCES = (
    Absence("api.tls", "the local stack speaks plain HTTP."),
    Absence("db.pooler", "the local stack has no pooler: connect to the database itself."),
    Absence("storage.image_transformation", "images are served as they are."),
    Absence("storage.s3_protocol", "the local stack does not speak S3."),
    Absence("storage.analytics", "the local stack has no analytics buckets."),
    Absence("storage.vector", "the local stack has no vector buckets."),
    Absence("auth.captcha", "no captcha is asked for."),
    Absence("auth.email.smtp", "letters go to the local inbox and no further."),
    Absence("auth.email.notification.*", "the local stack sends no such letter."),
    *(
        Absence(f"auth.sms.{provider}", _NO_SMS)
        for provider in ("messagebird", "textlocal", "twilio", "twilio_verify", "vonage")
    ),
    Absence("auth.mfa.phone", "the local stack has no factor by telephone.", _FACTOR),
    Absence("auth.mfa.web_authn", "the local stack has no passkeys.", _FACTOR),
    Absence("auth.passkey", "the local stack has no passkeys."),
    Absence("auth.external.*", 'it answers "provider is not enabled": nobody signs in that way.'),
    Absence("auth.web3.*", "nobody signs in with a wallet."),
    Absence("auth.third_party.*", "its tokens are not believed."),
    Absence("auth.oauth_server", "the local stack is no OAuth server."),
    Absence("edge_runtime", "the local stack runs no Edge Functions."),
    Absence("analytics", "the local stack has no log explorer; see: nlctl logs"),
)


def find(document: Mapping[str, Any]) -> tuple[str, ...]:
    """One line for each thing that is asked for and not there."""
    absent = [line for absence in ABSENCES for line in absence.find(document)]
    return (*absent, *_hooks(document), *_written(document))


def _hooks(document: Mapping[str, Any]) -> Iterator[str]:
    for name, hook in _tables(document, ["auth", "hook", "*"]):
        if hook.get("enabled") not in _ON:
            continue
        if name.rpartition(".")[2] not in HOOKS:
            yield f"{name} is enabled in {FILE}; the local stack does not ask it."
        elif str(hook.get("uri", "")).lower().startswith("http"):
            yield f"{name} is enabled in {FILE}; it fails: the local stack asks SQL functions only."


def _written(document: Mapping[str, Any]) -> Iterator[str]:
    """What needs no switch: to write it down is to ask for it."""
    for name, bucket in _tables(document, ["storage", "buckets", "*"]):
        if bucket.get("objects_path"):
            yield f"{name}.objects_path is set in {FILE}; no file is uploaded."
    if any(secrets for _, secrets in _tables(document, ["db", "vault"])):
        yield (
            f"db.vault is set in {FILE}; its secrets are not written: "
            "call vault.create_secret in seed.sql."
        )


def _tables(
    table: Any, path: list[str], walked: tuple[str, ...] = ()
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables at a path, each with its full name."""
    if not isinstance(table, dict):
        return
    if not path:
        yield ".".join(walked), table
        return
    for name in table if path[0] == "*" else [path[0]]:
        yield from _tables(table.get(name), path[1:], (*walked, name))
