"""WCAG 2.2 contrast: which colours meet on the screen, and how well they part.

Text needs 4.5:1 (7:1 for AAA, success criteria 1.4.3 and 1.4.6); what marks a control or a curve
needs 3:1 (1.4.11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from coloraide import Color

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SURFACES = ("background", "card", "popover")
TEXTS_ON_SURFACES = {
    "foreground": (*SURFACES, "muted"),
    "muted-foreground": SURFACES,
    "primary": ("background", "card"),
    "link": ("background", "card"),
    "destructive": ("background", "card"),
}
MARKS_ON_SURFACES = {
    "input": ("background", "card"),
    "ring": ("background", "card"),
    "sidebar-ring": ("sidebar",),
}
CHART = re.compile(r"chart-\d+")

AA, AAA, MARK = 4.5, 7.0, 3.0


@dataclass(frozen=True)
class Contrast:
    """Two colours that meet, the ratio between them, and the least it must be."""

    front: str
    back: str
    ratio: float
    required: float

    @property
    def passes(self) -> bool:
        """Whether the ratio is enough; 4.499 is not."""
        return self.ratio >= self.required

    @property
    def grade(self) -> str:
        """AAA, AA, or what it is too weak for."""
        if not self.passes:
            return f"below {self.required:g}:1"
        if self.required == MARK:
            return "AA"
        return "AAA" if self.ratio >= AAA else "AA"

    @property
    def shown(self) -> str:
        """The ratio, never rounded up to what it is not."""
        return f"{floor(self.ratio * 10) / 10:.1f}:1"

    def __str__(self) -> str:
        return f"{self.front} on {self.back} {self.shown} {self.grade}"


def measure(colors: Mapping[str, str], *, text: float = AA) -> list[Contrast]:
    """Every pair that these colours declare; all of them must follow the grammar."""
    return [
        Contrast(front, back, ratio(colors[front], colors[back]), required)
        for front, back, required in _pairs(colors, text)
        if front in colors and back in colors
    ]


def ratio(front: str, back: str) -> float:
    """The WCAG contrast ratio of two `H S% L%` triplets."""
    return float(to_color(front).contrast(to_color(back), method="wcag21"))


def to_color(triplet: str) -> Color:
    """The colour that the frontend gets from `hsl(<triplet>)`."""
    hue, saturation, lightness = (float(part.rstrip("%")) for part in triplet.split())
    return Color("hsl", [hue, saturation / 100, lightness / 100])


def _pairs(colors: Mapping[str, str], text: float) -> Iterator[tuple[str, str, float]]:
    for front, backs in TEXTS_ON_SURFACES.items():
        yield from ((front, back, text) for back in backs)
    for back in colors:
        if f"{back}-foreground" in colors and (f"{back}-foreground", back) not in _OWN_SURFACES:
            yield f"{back}-foreground", back, text
    for front, backs in MARKS_ON_SURFACES.items():
        yield from ((front, back, MARK) for back in backs)
    for front in colors:
        if CHART.fullmatch(front):
            yield front, "card", MARK


_OWN_SURFACES = {(front, back) for front, backs in TEXTS_ON_SURFACES.items() for back in backs}
