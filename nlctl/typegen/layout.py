"""Layout: TypeScript's types on lines of 80 characters, as Prettier would lay them out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 80
_STEP = 2
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")


@dataclass(frozen=True)
class Text:
    """What has no place to break at."""

    text: str

    def flat(self) -> str | None:
        """All on one line; none where that is not allowed."""
        return self.text

    def broken(self, indent: int) -> str:  # noqa: ARG002 - as the others have it
        """Over several lines, those after the first indented."""
        return self.text


@dataclass(frozen=True)
class Object:
    """Members in braces; `is_open` puts each on a line of its own even where all would fit."""

    members: Sequence[tuple[str, Node]]
    is_open: bool = True
    separator: str = ""

    def flat(self) -> str | None:
        """All on one line; none where that is not allowed."""
        if not self.members:
            return "{}"
        values = [node.flat() for _, node in self.members]
        if self.is_open or None in values:
            return None
        pairs = zip(self.members, values, strict=True)
        return f"{{ {'; '.join(f'{name}: {value}' for (name, _), value in pairs)} }}"

    def broken(self, indent: int) -> str:
        """Over several lines, those after the first indented."""
        inner = indent + _STEP
        lines = [
            " " * inner + member(name, node, inner, len(self.separator)) + self.separator
            for name, node in self.members
        ]
        return "\n".join(["{", *lines, " " * indent + "}"])


@dataclass(frozen=True)
class List:
    """Elements in brackets."""

    elements: Sequence[Node]
    opening: str = "["
    closing: str = "]"
    trailing: str = ","

    def flat(self) -> str | None:
        """All on one line; none where that is not allowed."""
        texts = [element.flat() for element in self.elements]
        if None in texts:
            return None
        return f"{self.opening}{', '.join(filter(None, texts))}{self.closing}"

    def broken(self, indent: int) -> str:
        """Over several lines, those after the first indented."""
        inner = indent + _STEP
        shown = [" " * inner + show(element, inner, inner, 1) for element in self.elements]
        return "\n".join(
            [self.opening, ",\n".join(shown) + self.trailing, " " * indent + self.closing]
        )


@dataclass(frozen=True)
class Union:
    """One of several; an object that may be null keeps its braces on the line."""

    choices: Sequence[Node]

    def flat(self) -> str | None:
        """All on one line; none where that is not allowed."""
        texts = [choice.flat() for choice in self.choices]
        return None if None in texts else " | ".join(filter(None, texts))

    def broken(self, indent: int) -> str:
        """Over several lines, those after the first indented."""
        first, *others = self.choices
        if isinstance(first, Object) and others == [NULL]:
            return f"{first.broken(indent)} | null"
        inner = indent + 2 * _STEP
        return "".join(
            f"\n{' ' * (indent + _STEP)}| {show(choice, inner, inner)}" for choice in self.choices
        )


@dataclass(frozen=True)
class Array:
    """Any number of one thing."""

    element: Node

    def flat(self) -> str | None:
        """All on one line; none where that is not allowed."""
        text = self.element.flat()
        if text is None:
            return None
        return f"({text})[]" if isinstance(self.element, Union) else f"{text}[]"

    def broken(self, indent: int) -> str:
        """Over several lines, those after the first indented."""
        return f"{self.element.broken(indent)}[]"


@dataclass(frozen=True)
class Both:
    """An object that is something else besides."""

    object: Object
    text: str

    def flat(self) -> str | None:
        """All on one line; none where that is not allowed."""
        inside = self.object.flat()
        return None if inside is None else f"{inside} & {self.text}"

    def broken(self, indent: int) -> str:
        """Over several lines, those after the first indented."""
        return f"{self.object.broken(indent)} & {self.text}"


Node = Text | Object | List | Union | Array | Both
NULL = Text("null")


def show(node: Node, indent: int, column: int, after: int = 0) -> str:
    """A node that begins at `column`, on one line if that and `after` characters more fit."""
    text = node.flat()
    if text is not None and column + len(text) + after <= WIDTH:
        return text
    return node.broken(indent)


def member(name: str, node: Node, indent: int, after: int = 0) -> str:
    """`name: node`; a union that is broken begins below its name."""
    shown = show(node, indent, indent + len(name) + 2, after)
    return f"{name}:{shown}" if shown.startswith("\n") else f"{name}: {shown}"


def key(name: str) -> str:
    """A name as a key: in quotes only where it needs them."""
    return name if _PLAIN_KEY.match(name) else literal(name)


def literal(text: str) -> str:
    """A string in double quotes, or in single ones where that escapes less."""
    if text.count('"') <= text.count("'"):
        return json.dumps(text, ensure_ascii=False)
    inside = json.dumps(text.replace('"', "\0"), ensure_ascii=False)[1:-1]
    return f"'{inside.replace(chr(39), chr(92) + chr(39))}'".replace("\\u0000", '"')
