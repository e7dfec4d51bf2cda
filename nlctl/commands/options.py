"""The options that every command shares, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
TargetName = Annotated[
    str | None,
    typer.Option("--target", "-t", help="Target of nlctl.toml; local by default.", metavar="NAME"),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a destructive act.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do everything, then roll it back.")]
