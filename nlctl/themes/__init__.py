"""Themes: design tokens kept as files, pushed to and pulled from `public.themes`."""

from nlctl.themes.differences import Difference, compare
from nlctl.themes.files import Theme, find, read, read_file
from nlctl.themes.findings import Findings, lint
from nlctl.themes.preview import render as render_preview
from nlctl.themes.store import Pushed, activate, active_name, fetch, pull, push
from nlctl.themes.stylesheet import write_css, write_tailwind

__all__ = [
    "Difference",
    "Findings",
    "Pushed",
    "Theme",
    "activate",
    "active_name",
    "compare",
    "fetch",
    "find",
    "lint",
    "pull",
    "push",
    "read",
    "read_file",
    "render_preview",
    "write_css",
    "write_tailwind",
]
