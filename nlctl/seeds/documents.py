"""YAML as seeds write it: plain values, nothing said twice, accents as they were typed.

Numbers and dates keep the spelling of the file, because PostgreSQL is the one who casts them:
`1.10` in a text column stays 1.10, and `12:30` is not a number.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast

import yaml

from nlctl import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

# 01000 is a postal code, not a number.
NUMBER = re.compile(r"^[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?$")
WHOLE_NUMBER = re.compile(r"^[-+]?(0|[1-9]\d*)$")


def to_json(value: Any) -> str:
    """JSON with every number as the file spells it."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)}: {to_json(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_json, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def from_json(text: str) -> Any:
    """The reverse of `to_json`."""
    return json.loads(text, parse_float=Decimal)


def dump(document: dict[str, Any]) -> str:
    """One document in block style, in the order given, accents literal."""
    return yaml.dump(
        document,
        Dumper=Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=100,
    )


class Loader(yaml.SafeLoader):
    """The JSON types of YAML 1.2, text as keys, no key twice, no lost letter."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML declares it so)
    yaml_constructors: ClassVar[dict[Any, Any]] = {
        tag: yaml.SafeLoader.yaml_constructors[tag]
        for tag in (
            "tag:yaml.org,2002:null",
            "tag:yaml.org,2002:bool",
            "tag:yaml.org,2002:int",
            "tag:yaml.org,2002:str",
            "tag:yaml.org,2002:seq",
            "tag:yaml.org,2002:map",
            None,
        )
    }

    def nodes(self) -> Iterator[yaml.Node]:
        """Every document of the stream."""
        while self.check_node():
            yield cast("yaml.Node", self.get_node())

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if key.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
                raise _fault(key, "a key that is not text")
            if key.value in seen:
                raise _fault(key, f"{key.value!r} is said twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        lost = texts.find_lost_letter(str(value))
        if lost:
            raise _fault(node, f"a letter was lost in {lost!r}")
        return value

    def construct_decimal(self, node: yaml.ScalarNode) -> Decimal:
        return Decimal(node.value)


class Dumper(yaml.SafeDumper):
    """Quotes whatever our loader, or another YAML reader, would not read back as text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_decimal(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", str(number))


def _fault(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


Loader.add_constructor("tag:yaml.org,2002:float", Loader.construct_decimal)
Dumper.add_representer(str, _represent_text)
Dumper.add_representer(Decimal, _represent_decimal)

for _class in (Loader, Dumper):
    for _name, _pattern, _first in (
        ("null", re.compile(r"^(null|~|)$"), ["n", "~", ""]),
        ("bool", re.compile(r"^(true|false)$"), ["t", "f"]),
        ("int", WHOLE_NUMBER, list("-+0123456789")),
        ("float", NUMBER, list("-+.0123456789")),
        ("merge", re.compile(r"^<<$"), ["<"]),
    ):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _first)
