"""What the terminal sees: JSON for machines, lines and tables for people."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nlctl.errors import NlctlError, Place


def prepare_streams() -> None:
    """Keep French accents whatever the locale says; show each line at once, to a pipe too."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="replace", line_buffering=True)


def say(line: str = "") -> None:
    """One line of a command's answer, on standard output."""
    print(line)


def note(line: str) -> None:
    """One line beside the answer (progress, warnings), on standard error."""
    print(line, file=sys.stderr)


def annotate(message: str, place: Place | None = None) -> None:
    """The same again for GitHub Actions, which shows it beside the line; elsewhere nothing."""
    from nlctl import github

    if github.runs_this():
        print(github.annotation(message, place), file=sys.stderr)


def say_json(data: Any) -> None:
    """The answer for machines: one JSON document on standard output."""
    print(as_json(data))


def as_json(data: Any) -> str:
    """JSON as people read it, accents included."""
    return json.dumps(data, ensure_ascii=False, indent=2, default=str)


def say_error(error: NlctlError, *, as_json: bool) -> None:
    """One line with the way out, or the same as JSON; always on standard error."""
    if as_json:
        facts = {"message": error.message, "hint": error.hint, "code": error.code}
        print(json.dumps({"error": facts}, ensure_ascii=False), file=sys.stderr)
        return
    summary, *details = error.message.split("\n")
    way_out = f" {error.hint}" if error.hint else ""
    print("\n".join([f"error: {summary}{way_out}", *details]), file=sys.stderr)


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under their headings, as wide as they need."""
    cells = [list(columns), *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    print("\n".join(lines))


def say_pairs(pairs: Sequence[tuple[str, object]]) -> None:
    """Names and values, one pair a line, however long the values are."""
    width = max(len(name) for name, _ in pairs)
    print("\n".join(f"{name.ljust(width)}  {value}" for name, value in pairs))


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[str], None]]:
    """A bar on standard error, only where someone looks at it; call the result after each step."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console
    from rich.progress import Progress

    # On a terminal the bar prints what is said meanwhile, above itself; a pipe must not lose it.
    redirect = sys.stdout.isatty()
    terminal = Console(stderr=True)
    with Progress(console=terminal, transient=True, redirect_stdout=redirect) as bar:
        task = bar.add_task(label, total=total)

        def advance(step: str) -> None:
            bar.update(task, advance=1, description=f"{label} {step}")

        yield advance
