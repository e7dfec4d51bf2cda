"""How the Data API is set up; `pgrst.*` settings of role authenticator may change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, eq=False)
class RestConfig:
    """Settings under PostgREST's names, without `db_` where nothing is lost."""

    database_url: str
    """As role authenticator."""
    schemas: tuple[str, ...] = ("public",)
    extra_search_path: tuple[str, ...] = ("public", "extensions")
    anon_role: str | None = "anon"
    max_rows: int | None = 1000
    pre_request: str | None = None
    """A function called before each request, `schema.name` or name."""
    root_function: str | None = None
    """A function that answers at `/` in place of the OpenAPI description."""
    aggregates_enabled: bool = False
    plan_enabled: bool = False
    safe_update: bool = True
    """Whether UPDATE and DELETE without a condition are refused, as the platform does.

    The platform's module refuses them inside functions too; of those the log warns.
    """
    transaction_end: Literal[
        "commit", "commit-allow-override", "rollback", "rollback-allow-override"
    ] = "commit"
    hoisted_settings: tuple[str, ...] = (
        "statement_timeout",
        "plan_filter.statement_cost_limit",
        "default_transaction_isolation",
    )
    """Function-level settings that are set for the whole transaction."""
    openapi_mode: Literal["follow-privileges", "ignore-privileges", "disabled"] = (
        "follow-privileges"
    )
    openapi_security_active: bool = False
    server_url: str = "http://127.0.0.1:54321/rest/v1"
    """Where clients find this API, told in its description."""
    audience: str | None = None
    """The `aud` that a token must name, if it names any."""
    max_body_bytes: int = 64 * 1024 * 1024
    pool_size: int = 10
    pool_timeout: float = 10.0
    """Seconds a request waits for a connection before 504."""

    @property
    def may_override_transaction(self) -> bool:
        return self.transaction_end.endswith("-allow-override")
