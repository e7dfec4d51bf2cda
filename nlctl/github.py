"""GitHub Actions: how it is told of a failure, to show it beside the line at fault."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlctl.errors import Place


def runs_this() -> bool:
    """Whether GitHub Actions runs this command."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotation(message: str, place: Place | None = None) -> str:
    """The line that makes an error of `message`, at a place of the checkout where there is one."""
    properties = ""
    if place:
        at = {"file": _in_checkout(place.path), "line": place.line, "col": place.column}
        properties = " " + ",".join(f"{name}={_property(str(at[name]))}" for name in at)
    return f"::error{properties}::{_message(message)}"


def _in_checkout(path: Path) -> str:
    checkout = Path(os.environ.get("GITHUB_WORKSPACE", Path.cwd())).resolve()
    whole = path.resolve()
    return whole.relative_to(checkout).as_posix() if whole.is_relative_to(checkout) else str(path)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
