"""Bodies: what functions do, as far as their text tells: whom they refuse, write to and publish to.

What a called function does counts as done by its caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

REFUSE = "app.refuse"
_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|[()\[\],]|[^'()\[\],/-]+|.", re.DOTALL)
_CALL = re.compile(r"\b(\w+\.\w+)\s*\(")
_WRITE = re.compile(
    r"\b(insert\s+into|update|delete\s+from)\s+(?:only\s+)?(\w+\.\w+)", re.IGNORECASE
)
_STATUS = re.compile(r"when\s+'(\w+)'\s+then\s+(\d+)", re.IGNORECASE)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_SENDERS = {
    "realtime.send": ("payload", "event", "topic", "private"),
    "realtime.broadcast_changes": ("topic", "event"),
}
_REFUSAL = ("code", "message", "details")
_VERBS = {"insert": "adds to", "update": "changes", "delete": "deletes from"}


@dataclass(frozen=True)
class Refusal:
    """One way to be refused; what the function computes is …."""

    code: str
    message: str
    details: str


@dataclass(frozen=True)
class Publication:
    """One message on a topic; `payload` is None where the changed row travels."""

    topic: str
    event: str
    payload: str | None


@dataclass(frozen=True)
class Bodies:
    """The text of every function, by `schema.name`; overloads are read together."""

    texts: Mapping[str, str]

    @cached_property
    def statuses(self) -> dict[str, int]:
        """The HTTP status of each code, as `app.refuse` gives it."""
        return {code: int(status) for code, status in _STATUS.findall(self.texts.get(REFUSE, ""))}

    def refusals(self, name: str) -> list[Refusal]:
        """Every refusal, one for each code and sentence."""
        return self._gathered(name, self._own_refusals)

    def publications(self, name: str) -> list[Publication]:
        """Every message sent through Realtime."""
        return self._gathered(name, self._own_publications)

    def writes(self, name: str) -> list[tuple[str, str]]:
        """Tables written to, each with a verb: `("changes", "public.themes")`."""
        return self._gathered(name, self._own_writes)

    def guards(self, name: str) -> list[str]:
        """Functions it calls that turn away callers without the right to be there."""
        return [called for called in self._calls(name) if self._turns_away(called)]

    def codes(self, name: str) -> list[str]:
        """Codes it refuses with, in the order of the register."""
        used = {refusal.code for refusal in self.refusals(name)}
        return [code for code in self.statuses if code in used]

    def _turns_away(self, name: str) -> bool:
        return bool({"NOT_AUTHENTICATED", "FORBIDDEN"} & set(self.codes(name)))

    def _gathered(self, name: str, own: Callable[[str], Iterable[T]]) -> list[T]:
        reached = self._reached(name, {})
        return list(dict.fromkeys(item for each in reached for item in own(each)))

    def _reached(self, name: str, seen: dict[str, None]) -> Iterable[str]:
        if name in seen or name == REFUSE:
            return seen
        seen[name] = None
        for called in self._calls(name):
            self._reached(called, seen)
        return seen

    def _calls(self, name: str) -> list[str]:
        found = _CALL.findall(self._text(name))
        return [each for each in dict.fromkeys(found) if each in self.texts and each != name]

    def _own_refusals(self, name: str) -> Iterator[Refusal]:
        for given in _calls_to(REFUSE, self._text(name)):
            by_name = dict(zip(_REFUSAL, given, strict=False)) | _named(given)
            code, message, details = (_shown(by_name.get(part, "null")) for part in _REFUSAL)
            if code in self.statuses:
                yield Refusal(code, message, details)

    def _own_publications(self, name: str) -> Iterator[Publication]:
        text = self._text(name)
        for sender, parameters in _SENDERS.items():
            for given in _calls_to(sender, text):
                by_name = dict(zip(parameters, given, strict=False)) | _named(given)
                yield Publication(
                    _pattern(by_name.get("topic", ""), text),
                    _pattern(by_name.get("event", ""), text),
                    _shape(by_name["payload"]) if "payload" in by_name else None,
                )

    def _own_writes(self, name: str) -> Iterator[tuple[str, str]]:
        text = self._text(name)
        for found in _WRITE.finditer(text):
            statement = text[found.start() : text.find(";", found.start())].lower()
            verb = found[1].split()[0].lower()
            yield "adds to or changes" if "do update" in statement else _VERBS[verb], found[2]

    def _text(self, name: str) -> str:
        return _without_comments(self.texts.get(name, ""))


def _without_comments(body: str) -> str:
    tokens = (found[0] for found in _TOKEN.finditer(body))
    return "".join(" " if token.startswith(("--", "/*")) else token for token in tokens)


def _calls_to(function: str, text: str) -> Iterator[list[str]]:
    """The arguments of each call."""
    for found in re.finditer(rf"\b{re.escape(function)}\s*\(", text):
        yield arguments(text, found.end())


def arguments(text: str, start: int = 0) -> list[str]:
    """What stands between commas, up to the end or the parenthesis that closes the list."""
    parts, depth = [""], 0
    for found in _TOKEN.finditer(text, start):
        piece = found[0]
        if piece == ")" and depth == 0:
            break
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(piece, 0)
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [" ".join(part.split()) for part in parts]


def _named(given: Iterable[str]) -> dict[str, str]:
    found = (re.match(r"(?:p_)?(\w+)\s*(?:=>|:=)\s*(.*)", each, re.DOTALL) for each in given)
    return {each[1]: each[2] for each in found if each}


def _shown(argument: str) -> str:
    if argument.lower() == "null":
        return ""
    literal = _literal(argument)
    return "…" if literal is None else literal


def _literal(argument: str) -> str | None:
    pieces = re.fullmatch(rf"\s*{_LITERAL.pattern}\s*", argument)
    return pieces[1].replace("''", "'") if pieces else None


def _pattern(expression: str, text: str) -> str:
    """`'loans:' || new.borrower_id` as people say it: loans:{borrower_id}."""
    variable = re.escape(expression) if re.fullmatch(r"\w+", expression) else "(?!)"
    declared = re.search(rf"\b{variable}\s+(?:constant\s+)?\w+\s*:=\s*([^;]+);", text)
    if declared:
        expression = " ".join(declared[1].split())
    return "".join(_spoken(part) for part in re.split(r"\s*\|\|\s*", expression))


def _spoken(part: str) -> str:
    literal = _literal(part)
    if literal is not None:
        return literal
    columns = set(re.findall(r"(?:\b(?:new|old)|^\w+)\.(\w+)\b(?!\()", part))
    return f"{{{columns.pop() if len(columns) == 1 else part.removeprefix('p_')}}}"


def _shape(payload: str) -> str:
    """`jsonb_build_object('id', new.id)` as `{ id }`."""
    for given in _calls_to("jsonb_build_object", payload):
        return f"{{ {', '.join(_literal(key) or key for key in given[::2])} }}"
    return payload
