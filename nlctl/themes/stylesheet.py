"""What the frontend builds with: the `:root` fallback and the Tailwind map."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nlctl.themes import contrast, grammar

if TYPE_CHECKING:
    from nlctl.themes.files import Theme

TAILWIND_NAMES = {"radius": "borderRadius", "fonts": "fontFamily", "shadows": "boxShadow"}

RULES = """
html {
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}

.surface-glass {
  background-color: hsl(var(--colors-card) / 0.72);
  -webkit-backdrop-filter: blur(var(--blur-glass, 12px));
  backdrop-filter: blur(var(--blur-glass, 12px));
}
"""


def variables(theme: Theme) -> dict[str, str]:
    """The custom properties of a theme: `--colors-primary`, `--radius-md`, …"""
    grammar.check(theme)
    return {f"--{token.replace('.', '-')}": _css(value) for token, value in theme.flat.items()}


def color_scheme(theme: Theme) -> str:
    """`light` or `dark`, for the scroll bars and fields that the browser draws."""
    background = contrast.to_color(theme.tokens["colors"].get("background", "0 0% 100%"))
    return "dark" if background.luminance() < 0.18 else "light"


def write_css(theme: Theme) -> str:
    """The fallback that the page shows until it has the active tokens."""
    lines = [f"  {name}: {value};" for name, value in variables(theme).items()]
    head = f"/* {theme.name.replace('*/', '* /')}: made by nlctl theme css. */"
    root = [":root {", f"  color-scheme: {color_scheme(theme)};", *lines, "}"]
    return "\n".join([head, *root]) + "\n" + RULES


def write_tailwind(theme: Theme, *, as_module: bool) -> str:
    """What tailwind.config.js puts in `theme.extend`, as an ES module or as JSON."""
    grammar.check(theme)
    extend: dict[str, dict[str, Any]] = {
        "colors": {name: f"hsl(var(--colors-{name}))" for name in theme.tokens["colors"]}
    }
    for group, key in TAILWIND_NAMES.items():
        if group in theme.tokens:
            extend[key] = {_tailwind_name(n): f"var(--{group}-{n})" for n in theme.tokens[group]}
    document = json.dumps(extend, ensure_ascii=False, indent=2)
    return f"export default {document};\n" if as_module else f"{document}\n"


def _tailwind_name(name: str) -> str:
    return "DEFAULT" if name == "base" else name


def _css(value: str | float | bool) -> str:
    return value if isinstance(value, str) else json.dumps(value)
