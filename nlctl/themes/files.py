"""Theme files: one JSON document each, `<slug>.json`."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl import texts
from nlctl.errors import ThemeFileInvalid, UnknownTheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FIELDS = {"name", "is_default", "tokens"}


@dataclass(frozen=True)
class Theme:
    """A named set of tokens: groups (`colors`, `radius`, …) of scalar values."""

    slug: str
    name: str
    is_default: bool
    tokens: Mapping[str, Any]

    @property
    def flat(self) -> dict[str, Any]:
        """Each token by its path, `colors.primary`; a group that is no object stands as it is."""
        flat: dict[str, Any] = {}
        for group, values in self.tokens.items():
            if isinstance(values, dict):
                flat |= {f"{group}.{name}": value for name, value in values.items()}
            else:
                flat[group] = values
        return flat


def read(folder: Path) -> list[Theme]:
    """Every theme of the folder, the default first; refuses two of one name and two defaults."""
    themes = [read_file(path) for path in sorted(folder.glob("*.json"))]
    _refuse_twins(themes)
    return sorted(themes, key=lambda theme: (not theme.is_default, theme.slug))


def read_file(path: Path) -> Theme:
    """One theme, its form checked and its tokens as they stand."""
    text = texts.read(path)
    try:
        document = json.loads(
            text, object_pairs_hook=_without_twins, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise ThemeFileInvalid(f"{path.name}:{error.lineno}: {error.msg}.") from error
    except ValueError as error:
        raise ThemeFileInvalid(f"{path.name}: {error}.") from error
    if not isinstance(document, dict) or set(document) != FIELDS:
        raise ThemeFileInvalid(f"{path.name}: a theme has exactly name, is_default and tokens.")
    name, is_default, tokens = document["name"], document["is_default"], document["tokens"]
    if not isinstance(name, str) or not name.strip():
        raise ThemeFileInvalid(f"{path.name}: name must be a text.")
    if not isinstance(is_default, bool):
        raise ThemeFileInvalid(f"{path.name}: is_default must be true or false.")
    if not isinstance(tokens, dict):
        raise ThemeFileInvalid(f"{path.name}: tokens must be an object.")
    return Theme(path.stem, name, is_default, tokens)


def write_file(folder: Path, theme: Theme) -> Path | None:
    """Write the theme to its file; nothing, and None, when the file already says so."""
    path = folder / f"{theme.slug}.json"
    document = {"name": theme.name, "is_default": theme.is_default, "tokens": theme.tokens}
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if path.is_file() and path.read_bytes() == text.encode():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def find(themes: Sequence[Theme], wanted: str | None) -> Theme:
    """The theme of this exact name or slug; the default one when nothing is wanted."""
    matches = (
        [theme for theme in themes if theme.is_default]
        if wanted is None
        else [theme for theme in themes if theme.name == wanted]
        or [theme for theme in themes if theme.slug == wanted]
    )
    if matches:
        return matches[0]
    known = ", ".join(theme.slug for theme in themes) or "none"
    asked = "No theme is the default" if wanted is None else f"No theme is called {wanted!r}"
    raise UnknownTheme(f"{asked}.", hint=f"Known: {known}.")


def arrange(tokens: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """The same tokens in the order of others, the rest sorted: jsonb keeps no order of its own."""
    arranged = {}
    for group in _order(tokens, like):
        values, model = tokens[group], like.get(group)
        if isinstance(values, dict):
            names = _order(values, model if isinstance(model, dict) else {})
            values = {name: values[name] for name in names}
        arranged[group] = values
    return arranged


def slug_of(name: str) -> str:
    """« Été indien » as a file name: ete-indien."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "theme"


def _order(names: Mapping[str, Any], like: Mapping[str, Any]) -> list[str]:
    return [*(name for name in like if name in names), *sorted(names.keys() - like.keys())]


def _without_twins(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in pairs:
        if name in document:
            raise ValueError(f"{name!r} is said twice")
        document[name] = value
    return document


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _refuse_twins(themes: Sequence[Theme]) -> None:
    by_name: dict[str, Theme] = {}
    for theme in themes:
        twin = by_name.setdefault(theme.name, theme)
        if twin is not theme:
            raise ThemeFileInvalid(
                f"{theme.slug}.json and {twin.slug}.json are both called {theme.name!r}."
            )
    defaults = [f"{theme.slug}.json" for theme in themes if theme.is_default]
    if len(defaults) > 1:
        raise ThemeFileInvalid(f"Only one theme can be the default: {', '.join(defaults)}.")
