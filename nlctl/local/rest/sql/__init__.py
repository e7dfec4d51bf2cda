"""SQL: one statement for each plan, with a numbered parameter for each value.

Names and the texts of JSON paths are quoted; nothing else of a request becomes part of the text but
limits, which are numbers.
"""

# ruff: noqa: S608 (building SQL is what this package is for; see above)
from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.negotiation import Form
from nlctl.local.rest.nodes import SOURCE
from nlctl.local.rest.request import Count
from nlctl.local.rest.sql import answers, calls, counts, mutations, queries
from nlctl.local.rest.sql.names import RESULT, SHOWN
from nlctl.local.rest.sql.statement import Parameters, Statement

if TYPE_CHECKING:
    from nlctl.local.rest.plan import Plan

__all__ = ["Statement", "estimate", "main"]


def main(plan: Plan) -> Statement:
    """The statement that does what was asked.

    It gives one row, all of it text: total, rows, body, response.headers, response.status,
    inserted, location. With a plan as the answer it gives that, line by line.
    """
    parameters = Parameters()
    parts = _before(parameters, plan)
    query = _shown(parameters, plan)
    if plan.answer.form is Form.CSV:  # which names the columns, then reads the rows
        parts.append(f"{SHOWN} as ({query})")
        query = f"select * from {SHOWN}"
    columns = [
        _total(parameters, plan, parts),
        answers.count_rows(plan),
        answers.write_body(plan),
        "nullif(current_setting('response.headers', true), '')",
        "nullif(current_setting('response.status', true), '')",
        answers.count_inserted(plan),
        answers.write_location(plan),
    ]
    before = f"with {', '.join(parts)} " if parts else ""
    text = f"{before}select {', '.join(columns)} from ({query}) as {RESULT}"
    if plan.answer.explain:
        text = f"explain ({answers.write_options(plan.answer.explain)}) {text}"
    return parameters.of(text)


def estimate(plan: Plan) -> Statement | None:
    """The statement that tells how many rows the planner expects, where that was asked for."""
    if plan.mutation or plan.call or plan.count not in {Count.PLANNED, Count.ESTIMATED}:
        return None
    parameters = Parameters()
    return parameters.of(f"explain (format json) {counts.write(parameters, plan.root)}")


def _before(parameters: Parameters, plan: Plan) -> list[str]:
    """What has to be done before there are rows to show."""
    if plan.mutation:
        return [f"{SOURCE} as ({mutations.write(parameters, plan.mutation)})"]
    return [f"{SOURCE} as ({calls.write(parameters, plan.call)})"] if plan.call else []


def _shown(parameters: Parameters, plan: Plan) -> str:
    """The rows of the answer; of a mutation that shows none, just how many they are."""
    if plan.mutation and plan.answer.form is Form.NOTHING:
        return f"select from {SOURCE}"
    return queries.write(parameters, plan.root)


def _total(parameters: Parameters, plan: Plan, parts: list[str]) -> str:
    """The rows there would be without a window. What counts them is added to the parts."""
    if plan.mutation or plan.count not in {Count.EXACT, Count.ESTIMATED}:
        return "null"
    if plan.max_rows is None and not plan.is_windowed:
        return answers.count_rows(plan)
    counted = counts.write(parameters, plan.root)
    if plan.count is Count.ESTIMATED and plan.max_rows is not None and not plan.call:
        counted += f" limit {plan.max_rows + 1}"
    parts.append(f"pgrst_counted as ({counted})")
    return "(select count(*)::text from pgrst_counted)"
