"""What a theme lacks: tokens the database refuses, tokens left out, texts too faint to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.themes import contrast, grammar

if TYPE_CHECKING:
    from nlctl.themes.contrast import Contrast
    from nlctl.themes.files import Theme


@dataclass(frozen=True)
class Findings:
    """One theme's contrasts, and what is wrong (`errors`) or merely odd (`warnings`)."""

    slug: str
    name: str
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    contrasts: tuple[Contrast, ...]


def lint(theme: Theme, reference: Theme) -> Findings:
    """Hold a theme to the grammar, to the reference theme's tokens and to WCAG 2.2.

    A theme that says `accessibility.contrast: AAA` is held to 7:1, every other to 4.5:1.
    """
    errors = [f"{token} {fault}" for token, fault in grammar.find_faults(theme.tokens)]
    expected, present = reference.flat, theme.flat
    errors += [f"{token} is missing" for token in expected if token not in present]
    contrasts = measure(theme)
    errors += [str(pair) for pair in contrasts if not pair.passes]
    strangers = [
        f"{token} is not in {reference.slug}" for token in present if token not in expected
    ]
    return Findings(theme.slug, theme.name, tuple(errors), tuple(strangers), tuple(contrasts))


def measure(theme: Theme) -> list[Contrast]:
    """The contrasts of the theme's colours, those that cannot be read left out."""
    colors = theme.tokens.get("colors")
    if not isinstance(colors, dict):
        return []
    readable = {name: value for name, value in colors.items() if grammar.is_triplet(value)}
    wants_aaa = theme.flat.get("accessibility.contrast") == "AAA"
    return contrast.measure(readable, text=contrast.AAA if wants_aaa else contrast.AA)
