"""One self-contained page that shows themes on real components, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nlctl.themes import findings, stylesheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlctl.themes.files import Theme

TEMPLATE = "preview.html.j2"


def render(themes: Sequence[Theme]) -> str:
    """The page as HTML; it asks nothing of the network."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    samples = [
        {
            "slug": theme.slug,
            "name": theme.name,
            "is_default": theme.is_default,
            "scheme": stylesheet.color_scheme(theme),
            "variables": stylesheet.variables(theme),
            "colors": theme.tokens["colors"],
            "contrasts": findings.measure(theme),
        }
        for theme in themes
    ]
    return environment.get_template(TEMPLATE).render(themes=samples) + "\n"
