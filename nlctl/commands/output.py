"""Where a command puts a document: standard output, or the file that --output names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nlctl import console
from nlctl.errors import InvalidInput

Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write; standard output by default.")
]


def deliver(document: str, output: Path | None, *, json: bool) -> None:
    """Say the document, or write it to `output` and say so beside; as JSON for machines."""
    if output is not None:
        write(document, output)
    if json:
        written = None if output is None else str(output)
        console.say_json({"document": document, "written": written})
    elif output is None:
        console.say(document.rstrip("\n"))
    else:
        console.note(f"{output} written.")


def write(document: str, output: Path) -> None:
    """Write the document as UTF-8."""
    try:
        output.write_text(document, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInput(f"{output} cannot be written: {error.strerror}.") from error
