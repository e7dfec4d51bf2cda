"""How long `nlctl --help` takes to start, beside Python alone and a bare typer application."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from bench import stopwatch

HELLO = """
import typer
app = typer.Typer(rich_markup_mode=None)

@app.command()
def hello(name: str) -> None:
    "Greet somebody."

app()
"""
NLCTL = "from nlctl.cli import main; main()"  # what the console script does


def start(code: str, *arguments: str) -> float:
    """Seconds from nothing to the end of a Python that runs `code`."""
    command = [sys.executable, "-c", code, *arguments]
    return stopwatch.time(partial(subprocess.run, command, check=True, capture_output=True))


def main() -> None:
    """Print the table."""
    runs = stopwatch.runs(20, __doc__)
    acts = {
        "python -c pass": partial(start, "pass"),
        "typer hello --help": partial(start, HELLO, "--help"),
        "nlctl --help": partial(start, NLCTL, "--help"),
        "nlctl db query --help": partial(start, NLCTL, "db", "query", "--help"),
    }
    stopwatch.compare(acts, runs)


if __name__ == "__main__":
    main()
