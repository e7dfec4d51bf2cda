"""Words: the condition of a policy as a person would say it, from the form PostgreSQL prints.

What has no words stays SQL, between backquotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlctl.rules.markdown import code

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLUMN = r"(?:\w+\.)*(?P<column>\w+)"
_CALLER = r"(?:app\.current_user_id\(\)|(?P<token>auth\.uid\(\)))"
_MIRRORED = r"(?:\w+\.)*(?P<mirrored>\w+)"
_TYPE = r"app\.current_user_type\(\)"
_VALUE = r"(?P<value>'(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false)"
_TOPIC = r"realtime\.topic\(\)"
_FOLDER = r"\(?storage\.foldername\(name\)\)?\[1\]"
_VALUES = r"ANY \(ARRAY\[(?P<values>[^\]]*)\]\)"

# The first that fits the whole condition speaks for it.
_PHRASES = {
    r"true": "all",
    r"false": "none",
    rf"public\.is_admin_or_owner\({_CALLER}\)": "the caller is an admin or owner",
    r"app\.current_user_id\(\) IS NOT NULL": "the caller has a living account",
    r"auth\.uid\(\) IS NOT NULL": "the caller has a token",
    rf"{_TYPE} = {_VALUE}": "the caller is of type {value}",
    rf"{_TYPE} = {_VALUES}": "the caller is of type {values}",
    rf"{_COLUMN} = {_CALLER}": "{column} is {caller}",
    rf"{_CALLER} = {_MIRRORED}": "{column} is {caller}",
    rf"{_COLUMN} = {_TYPE}": "{column} is the caller's type",
    rf"{_TOPIC} = {_VALUE}": "the topic is {value}",
    rf"{_TOPIC} = \({_VALUE} \|\| {_CALLER}\)": "the topic is {value} with the id of {caller}",
    rf"{_TOPIC} ~~ {_VALUE}": "the topic is like {value}",
    rf"{_FOLDER} = {_CALLER}": "its first folder is the id of {caller}",
    rf"extension = {_VALUE}": "the message is a {value}",
    rf"extension = {_VALUES}": "the message is a {values}",
    r"deleted_at IS NULL": "it is not deleted",
    rf"{_COLUMN} IS NULL": "{column} is empty",
    rf"{_COLUMN} IS NOT NULL": "{column} is set",
    rf"{_COLUMN} = {_VALUES}": "{column} is {values}",
    rf"{_COLUMN} = {_VALUE}": "{column} is {value}",
    rf"{_COLUMN} <> {_VALUE}": "{column} is not {value}",
    r"(?P<column>(?:is|has)_\w+)": "{column} is true",
    r"NOT (?P<column>(?:is|has)_\w+)": "{column} is false",
}
_CONDITIONS = tuple((re.compile(condition), phrase) for condition, phrase in _PHRASES.items())
_CAST = re.compile(r"('(?:[^']|'')*')|::(?:[\w.]+|\"[^\"]+\")(?: varying)?(?:\[\])?")
_LITERAL_CAST = re.compile(r"('(?:[^']|'')*')::[a-z]\w*(?: varying)?(?:\[\])?")
_COMPARED = re.compile(r"( (?:=|<>|IS NULL|IS NOT NULL)(?: |\Z))")
# A key is compared with the least there is, so that a yes or no bounds the scan of its index.
_LEAST = r"(?:0|'0{8}(?:-0{4}){3}-0{12}'::uuid)"
_GATE = re.compile(rf"\w+ >= CASE WHEN (.*) THEN {_LEAST} ELSE NULL(?:::\w+)? END")
_BOUNDLESS = re.compile(r"\(?\w+ <= 'f{8}(?:-f{4}){3}-f{12}'::uuid\)?")
_WRAPPER = re.compile(r"\( ?SELECT ")
_ALIAS = re.compile(r" AS (?:\w+|\"[^\"]+\")$")
_DEPTHS = {"(": 1, ")": -1, "CASE": 1, "END": -1}
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]|\s+|[^\s()'\"]+")


def tell(condition: str | None) -> str:
    """`(user_id = ( SELECT auth.uid() AS uid))` in words: `user_id` is the caller."""
    return "all" if condition is None else _told(_unwrapped(" ".join(condition.split())))


def _told(condition: str, *, is_part: bool = False) -> str:
    bare = without_parentheses(condition)
    for word, joint in (("OR", ", or "), ("AND", " and ")):
        parts = _split(bare, word)
        if len(parts) > 1:
            limits = (part for part in parts if not _BOUNDLESS.fullmatch(part.strip()))
            told = joint.join(_told(part, is_part=True) for part in limits)
            return f"({told})" if is_part and word == "OR" else told
    gate = _GATE.fullmatch(bare)
    return _told(gate[1], is_part=is_part) if gate else _phrase(bare)


def _phrase(condition: str) -> str:
    plain = _CAST.sub(lambda found: found[1] or "", condition)
    sides = _COMPARED.split(plain)  # what stands between them is every other piece
    sides[::2] = map(without_parentheses, sides[::2])
    for pattern, phrase in _CONDITIONS:
        found = pattern.fullmatch(plain) or pattern.fullmatch("".join(sides))
        if found:
            return phrase.format_map(_spoken(found.groupdict()))
    return code(condition)


def _spoken(found: Mapping[str, str | None]) -> dict[str, str]:
    column = found.get("column") or found.get("mirrored")
    values = [each.strip() for each in (found.get("values") or "").split(",")]
    return {
        "column": code(column),
        "caller": "the caller (even suspended)" if found.get("token") else "the caller",
        "value": _plain(found.get("value") or ""),
        "values": " or ".join(map(_plain, values)),
    }


def _plain(value: str) -> str:
    return code(value[1:-1].replace("''", "'") if value.startswith("'") else value)


def condition(expression: str) -> str:
    """A condition as SQL, without the parentheses around it and the casts of its literals."""
    return _LITERAL_CAST.sub(r"\1", without_parentheses(" ".join(expression.split())))


def without_parentheses(text: str) -> str:
    """The same without the parentheses around the whole."""
    text = text.strip()
    while text.startswith("(") and _end_of_group(text, 0) == len(text):
        text = text[1:-1].strip()
    return text


def _unwrapped(condition: str) -> str:
    """Without the selects around calls that only make them run once."""
    position = 0
    while found := _WRAPPER.search(condition, position):
        end = _end_of_group(condition, found.start())
        inner = condition[found.end() : end - 1]
        position = found.end()
        if _ALIAS.search(inner) and " FROM " not in inner:
            position = found.start()
            inner = _ALIAS.sub("", inner)
            condition = f"{condition[:position]}{inner}{condition[end:]}"
    return condition


def _split(condition: str, word: str) -> list[str]:
    """The sides of an AND or OR that is in no parentheses, quotes or CASE."""
    parts, depth = [""], 0
    for token in _TOKEN.findall(condition):
        depth += _DEPTHS.get(token, 0)
        if token == word and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _end_of_group(text: str, start: int) -> int:
    """Behind the parenthesis that closes the one at `start`."""
    depth = 0
    for found in _TOKEN.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(text)
