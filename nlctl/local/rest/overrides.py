"""Overrides: what `alter role authenticator set pgrst.… = …` changes in the configuration."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nlctl.local.rest.config import RestConfig

log = logging.getLogger(__name__)

TRUTHS = {"true": True, "yes": True, "on": True, "1": True}
LIES = {"false": False, "no": False, "off": False, "0": False}
ENDS = {"commit", "commit-allow-override", "rollback", "rollback-allow-override"}
MODES = {"follow-privileges", "ignore-privileges", "disabled"}


def apply(settings: Mapping[str, str], config: RestConfig) -> RestConfig:
    """The configuration with the settings that mean something; the others are told in the log."""
    changes: dict[str, Any] = {}
    for name, text in settings.items():
        if name not in _READERS:
            continue
        field, read = _READERS[name]
        try:
            changes[field] = read(text)
        except ValueError:
            log.warning("pgrst.%s is ignored, it cannot be %r", name, text)
    return replace(config, **changes)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _some_names(text: str) -> tuple[str, ...]:
    names = _names(text)
    if not names:
        raise ValueError(text)
    return names


def _truth(text: str) -> bool:
    known = {**TRUTHS, **LIES}.get(text.lower())
    if known is None:
        raise ValueError(text)
    return known


def _number(text: str) -> int | None:
    return int(text) if text else None


def _text(text: str) -> str | None:
    return text or None


def _one_of(choices: set[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return read


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "db_aggregates_enabled": ("aggregates_enabled", _truth),
    "db_anon_role": ("anon_role", _text),
    "db_extra_search_path": ("extra_search_path", _names),
    "db_hoisted_tx_settings": ("hoisted_settings", _names),
    "db_max_rows": ("max_rows", _number),
    "db_plan_enabled": ("plan_enabled", _truth),
    "db_pre_request": ("pre_request", _text),
    "db_root_spec": ("root_function", _text),
    "db_schemas": ("schemas", _some_names),
    "db_tx_end": ("transaction_end", _one_of(ENDS)),
    "jwt_aud": ("audience", _text),
    "openapi_mode": ("openapi_mode", _one_of(MODES)),
    "openapi_security_active": ("openapi_security_active", _truth),
    "openapi_server_proxy_uri": ("server_url", str),
}
