"""Context: what SQL can know of a request, and the role that it is done as."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nlctl.local.pipeline import Step
from nlctl.local.rest import names

if TYPE_CHECKING:
    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.headers import Headers
    from nlctl.local.rest.request import ApiRequest, Identity
    from nlctl.local.rest.schema import Schema

ISOLATION = "default_transaction_isolation"
"""The one setting that a transaction must begin with."""

REMEMBERED = 1024


class Context(NamedTuple):
    """All that decides what is set. Callers send the same again and again."""

    config: RestConfig
    known: Schema
    schema: str
    identity: Identity
    method: str
    path: str
    headers: Headers
    timezone: str | None
    function_settings: tuple[tuple[str, str], ...]
    is_read_only: bool


def of(
    request: ApiRequest,
    config: RestConfig,
    known: Schema,
    *,
    function_settings: tuple[tuple[str, str], ...] = (),
    is_read_only: bool = True,
) -> Step:
    """The statement that sets it, for the rest of the transaction."""
    return _step(
        Context(
            config,
            known,
            request.schema,
            request.identity,
            request.method,
            request.path,
            request.headers,
            request.preferences.timezone,
            function_settings,
            is_read_only,
        )
    )


@lru_cache(maxsize=REMEMBERED)
def _step(context: Context) -> Step:
    config, identity, headers = context.config, context.identity, context.headers
    settings = {
        "search_path": names.identifiers([context.schema, *config.extra_search_path]),
        # Before the role: the login may have been granted settings that the role was not.
        **context.known.role_settings.get(identity.role, {}),
        "role": identity.role,
        "request.jwt.claims": identity.claims,
        "request.method": context.method,
        "request.path": context.path,
        "request.headers": headers.plain_document,
        "request.cookies": headers.cookies_document,
        # A function may have set these beyond its transaction.
        "response.headers": "",
        "response.status": "",
    }
    if context.timezone:
        settings["timezone"] = context.timezone
    settings.update(context.function_settings)
    settings.pop(ISOLATION, None)
    if context.is_read_only:
        settings["transaction_read_only"] = "on"
    return Step(_set(tuple(settings)), [value.encode() for value in settings.values()])


@lru_cache(maxsize=256)
def _set(settings: tuple[str, ...]) -> bytes:
    calls = (
        f"set_config({names.literal(name)}, ${number}, true) is null"
        for number, name in enumerate(settings, start=1)
    )
    return f"select {', '.join(calls)}".encode()
