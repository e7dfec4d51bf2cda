"""The grammar of tokens, word for word the CHECK of `public.themes` (a test holds them equal)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from nlctl.errors import ThemeFileInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nlctl.themes.files import Theme

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TRIPLET = re.compile(
    r"(360(\.0+)?|(3[0-5][0-9]|[12]?[0-9]?[0-9])(\.[0-9]{1,3})?)"
    r"( (100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,3})?)%){2}"
)
LEAVES_ITS_RULE = re.compile(
    r"[][;{}<>\\\x00-\x1f\x7f-\x9f]|/\*|@import|(?i:url|src|image|image-set|expression)\s*\(",
)
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
INNERMOST = re.compile(r"\([^()]*\)")
LONGEST_TEXT = 300
LARGEST_THEME = 65536


def check(theme: Theme) -> None:
    """Refuse a theme that the database would refuse, naming its first fault."""
    for token, fault in find_faults(theme.tokens):
        raise ThemeFileInvalid(
            f"{theme.name}: {token} {fault}; nothing was written.", hint="Run: nlctl theme lint"
        )


def find_faults(tokens: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each token the database would refuse, and why."""
    if len(json.dumps(tokens, ensure_ascii=False).encode()) > LARGEST_THEME:
        yield "tokens", f"are larger than {LARGEST_THEME} bytes"
    if not isinstance(tokens.get("colors"), dict) or not tokens["colors"]:
        yield "colors", "must map names to H S% L% triplets"
    for group, values in tokens.items():
        if not NAME.fullmatch(group):
            yield group, "is not a kebab-case name"
        if not isinstance(values, dict):
            yield group, "must be an object"
            continue
        for name, value in values.items():
            yield from _faults_of(group, name, value)


def is_triplet(value: object) -> bool:
    """Whether this is `H S% L%`: 0 to 360, then two percentages, between single spaces."""
    return isinstance(value, str) and TRIPLET.fullmatch(value) is not None


def is_scalar(value: object) -> bool:
    """Whether this can stand as one CSS variable: a number, a boolean or a short harmless text."""
    if isinstance(value, str):
        is_harmless = not LEAVES_ITS_RULE.search(value) and closes_what_it_opens(value)
        return 1 <= len(value) <= LONGEST_TEXT and is_harmless
    return isinstance(value, (bool, int, float))


def closes_what_it_opens(text: str) -> bool:
    """Whether quotes and parentheses come in pairs: one left open swallows what follows."""
    rest = QUOTED.sub("", text)
    while (fewer := INNERMOST.sub("", rest)) != rest:
        rest = fewer
    return not set("()\"'") & set(rest)


def _faults_of(group: str, name: str, value: object) -> Iterator[tuple[str, str]]:
    token = f"{group}.{name}"
    if not NAME.fullmatch(name):
        yield token, "is not a kebab-case name"
    if group == "colors":
        if not is_triplet(value):
            yield token, f"{value!r} is not a triplet like 188 82% 23%"
    elif not is_scalar(value):
        yield (
            token,
            (
                "must be a number, true, false or a short text, its quotes and parentheses closed, "
                "without ; [ ] { } < > or url()"
            ),
        )
