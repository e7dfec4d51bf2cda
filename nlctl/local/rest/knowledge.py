"""Knowledge: what the Data API knows of its database, and the statements made with that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlctl.local.rest import plan, shape, sql, unfiltered

if TYPE_CHECKING:
    from collections.abc import Hashable

    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.plan import Plan
    from nlctl.local.rest.request import ApiRequest
    from nlctl.local.rest.schema import Schema
    from nlctl.local.rest.shape import Values
    from nlctl.local.rest.sql import Statement

PLANS = 2048
"""Shapes of requests whose plans are kept."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with its statements."""

    plan: Plan
    main: Statement
    estimate: Statement | None


@dataclass(slots=True)
class Knowledge:
    """The configuration and the schema at one time, and the plans made with them."""

    config: RestConfig
    schema: Schema
    plans: dict[Hashable, Prepared] = field(default_factory=dict)

    def prepare(self, request: ApiRequest) -> tuple[Prepared, Values]:
        """The statements for a request, and the values they take."""
        key, values = shape.of(request, self.config.max_rows)
        prepared = self.plans.get(key)
        if prepared is None:
            prepared = self._prepare(request)
            if len(self.plans) >= PLANS:
                self.plans.pop(next(iter(self.plans)))
            self.plans[key] = prepared
        return prepared, values

    def _prepare(self, request: ApiRequest) -> Prepared:
        made = plan.make(request, self.schema, self.config)
        if made.call and self.config.safe_update:
            unfiltered.tell(made.call.function)
        return Prepared(made, sql.main(made), sql.estimate(made))
