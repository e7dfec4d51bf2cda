"""The query string, taken apart: what PostgREST understands by each parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote_from_bytes, unquote_to_bytes

from nlctl.local.rest import errors
from nlctl.local.rest.request import (
    EVERYTHING,
    WHOLE,
    Aggregate,
    Column,
    Compare,
    Condition,
    Connective,
    Direction,
    Embed,
    Field,
    Filter,
    In,
    Is,
    Join,
    JsonStep,
    Logic,
    Match,
    Nulls,
    Operation,
    Operator,
    OrderTerm,
    Path,
    Quantifier,
    Query,
    Search,
    SelectItem,
    Truth,
    Window,
)
from nlctl.local.rest.scanner import Mismatch, Parser, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
Pairs = list[tuple[str, str]]

DEEPEST = 64
"""Levels of embeds or logic; beyond, PostgreSQL's own parser would run out of stack."""
LARGEST = 2**63 - 1

_SHAPING = {"select", "columns", "on_conflict"}

_IDENTIFIER = re.compile(r"(?:[^\W\d_]|[0-9_ $])+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_WHOLE = re.compile(_QUOTED.pattern + r"(?=[,)]|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_JSON_KEY = re.compile(r"[^(\-:.,>)]+")
_DIGITS = re.compile(r"[0-9]+")
_UNTIL_COMMA = re.compile(r"[^,)]+")
_BRACES = re.compile(r"\{[^{}]*\}")
_RANGE = re.compile(r"([0-9]+)-([0-9]*)")
_NUMBER = re.compile(r"\s*(-?)([0-9]+)\s*")
_TRUTH = re.compile(r"null|not_null|true|false|unknown", re.IGNORECASE)
_OPERATOR = re.compile(r"([a-z]+)(?:\(([^)]*)\))?\.")

_SEPARATOR = re.compile(rb"[&;]")
_PLAIN = re.compile(rb"[a-zA-Z0-9_.~-]*")
"""What is the same in a query string, encoded or not."""

_FIELD_NAME = "field name (* or [a..z0..9_$])"
_DELIMITER = "delimiter (.)"
_OPERATOR_NAME = "operator (eq, gt, ...)"

_QUANTIFIABLE = {
    Operator.EQ,
    Operator.GT,
    Operator.GTE,
    Operator.LT,
    Operator.LTE,
    Operator.LIKE,
    Operator.ILIKE,
    Operator.MATCH,
    Operator.IMATCH,
}
_OPERATORS = {str(operator): operator for operator in Operator}
_COMPARISON = re.compile(rf"({'|'.join(_OPERATORS)})\.(.*)", re.DOTALL)
_SEARCHES = {str(search): search for search in Search}


def parse(query_string: bytes, *, is_call: bool = False) -> Query:
    """What the query string asks for. In a call by GET, what is no condition is an argument."""
    pairs = read_pairs(query_string)
    conditions: list[tuple[Path, Condition]] = []
    arguments: Pairs = []
    orders: dict[Path, tuple[OrderTerm, ...]] = {}
    limits: dict[Path, str] = {}
    offsets: dict[Path, str] = {}
    shaping: dict[str, str] = {}
    for key, value in pairs:
        last = key.rpartition(".")[2]
        if key in _SHAPING:
            shaping.setdefault(key, value)
        elif last == "order":
            orders.setdefault(_path(key), _order(value))
        elif last == "limit":
            limits[_path(key)] = value
        elif last == "offset":
            offsets[_path(key)] = value
        elif last in {"and", "or"}:
            conditions.append(_logic(key, value))
        else:
            _add_filter(key, value, conditions, arguments if is_call else None)
    columns, on_conflict = shaping.get("columns"), shaping.get("on_conflict")
    return Query(
        select=_select(shaping["select"]) if "select" in shaping else EVERYTHING,
        conditions=tuple(conditions),
        orders=tuple(orders.items()),
        windows={path: _window(limits, offsets, path) for path in {**limits, **offsets}},
        columns=None if columns is None else _names("columns", columns),
        on_conflict=None if on_conflict is None else _names("on_conflict", on_conflict),
        arguments=tuple(arguments),
    )


# The query string as pairs.


def read_pairs(query_string: bytes) -> Pairs:
    """Names and values as text. A name without `=` says nothing and is left out."""
    pairs = []
    for part in _SEPARATOR.split(query_string):
        name, equals, value = part.partition(b"=")
        if equals:
            pairs.append((_decoded(name), _decoded(value)))
    return pairs


def canonical(query_string: bytes) -> str:
    """The query string in the order of its names, for Content-Location."""
    pairs = []
    for part in _SEPARATOR.split(query_string):
        if part:
            text, _, value = part.partition(b"=")
            name, written = _parameter(text)
            pairs.append((name, f"{written}={_quoted_again(value)}"))
    pairs.sort(key=itemgetter(0))
    return "&".join([written for _, written in pairs])


@lru_cache(maxsize=512)
def _parameter(text: bytes) -> tuple[bytes, str]:
    """What a name means, and how it is written."""
    name = _unquoted(text)
    return name, quote_from_bytes(name, safe="")


def _decoded(text: bytes) -> str:
    if _PLAIN.fullmatch(text):
        return text.decode()
    try:
        decoded = _unquoted(text).decode()
    except UnicodeDecodeError as error:
        raise errors.text_not_unicode() from error
    if "\0" in decoded:
        raise errors.text_with_null_byte()
    return decoded


def _unquoted(text: bytes) -> bytes:
    return text if _PLAIN.fullmatch(text) else unquote_to_bytes(text.replace(b"+", b" "))


def _quoted_again(text: bytes) -> str:
    """Quoted in the one right way, in whatever way it was before."""
    return text.decode() if _PLAIN.fullmatch(text) else _requoted(text)


@lru_cache(maxsize=512)
def _requoted(text: bytes) -> str:
    return quote_from_bytes(_unquoted(text), safe="")


# One parameter.


def _read(what: str, text: str, parser: Callable[[Scanner], T], *, before: str = "") -> T:
    """`text` read by a parser that need not read all of it. `before` belongs to it unsaid."""
    scanner = Scanner(before + text)
    try:
        return parser(scanner)
    except Mismatch as mismatch:
        place, details = scanner.explain()
        raise errors.syntax(f'"failed to parse {what} ({text})" {place}', details) from mismatch


@lru_cache(maxsize=512)
def _tree_path(key: str) -> tuple[Path, Field]:
    return _read("tree path", key, _path_and_field)


def _path(key: str) -> Path:
    """The embed that `rel.order` or `rel.limit` speaks of."""
    return _tree_path(key)[0]


@lru_cache(maxsize=512)
def _select(text: str) -> tuple[SelectItem, ...]:
    return _read("select parameter", text, lambda scanner: _items(scanner, depth=0))


@lru_cache(maxsize=512)
def _order(text: str) -> tuple[OrderTerm, ...]:
    return _read("order", text, _order_terms)


@lru_cache(maxsize=512)
def _names(parameter: str, text: str) -> tuple[str, ...]:
    names = _read(f"{parameter} parameter", text, _listed_names)
    return tuple(dict.fromkeys(names))


def _logic(key: str, text: str) -> tuple[Path, Condition]:
    *path, connective = _read("logic path", key, _dotted_names)
    embeds = tuple(name for name in path if name != "not")
    before = f"not.{connective}" if len(embeds) < len(path) else connective
    tree = _read("logic tree", text, lambda scanner: _condition(scanner, depth=0), before=before)
    return embeds, tree


def _add_filter(
    key: str, text: str, conditions: list[tuple[Path, Condition]], arguments: Pairs | None
) -> None:
    path, field = _tree_path(key)
    comparison = _COMPARISON.fullmatch(text)
    if comparison:  # what most filters are, and the grammar below would find the same
        name, value = comparison.groups()
        conditions.append((path, Filter(field, Compare(_OPERATORS[name], value))))
        return
    if arguments is None:
        operation, negated = _read("filter", text, _whole_operation)
    else:
        condition = _read("filter", text, _operation_or_nothing)
        if condition is None:
            arguments.append((field.name, text))
            return
        operation, negated = condition
    conditions.append((path, Filter(field, operation, negated)))


def _window(limits: dict[Path, str], offsets: dict[Path, str], path: Path) -> Window:
    limit, offset = _integer(limits.get(path)), _integer(offsets.get(path))
    if limit is not None and limit < 0:
        raise errors.range_not_satisfiable("Limit should be greater than or equal to zero.")
    return Window(offset=max(offset or 0, 0), limit=limit)


def _integer(text: str | None) -> int | None:
    """What is no number was not asked for; what is too large is as large as can be."""
    match = _NUMBER.fullmatch(text or "")
    if match is None:
        return None
    sign, digits = match.groups()
    number = int(digits) if len(digits) < len(str(LARGEST)) else LARGEST
    return -number if sign else number


def met(query: Query, range_header: str | None) -> Query:
    """With the rows of the root cut to those that `Range: first-last` asks for too."""
    if range_header is None:
        return query
    window = _meet(query.window, range_header)
    return query if window == WHOLE else query._replace(windows={**query.windows, (): window})


def _meet(window: Window, range_header: str | None) -> Window:
    first, last = _header_range(range_header)
    if last is not None and last < first:
        raise errors.range_not_satisfiable(
            "The lower boundary must be lower than or equal to the upper boundary "
            "in the Range header."
        )
    if window.limit == 0 and window.offset == 0:
        return window
    until = None if window.limit is None else window.offset + window.limit - 1
    upper = min((bound for bound in (until, last) if bound is not None), default=None)
    lower = max(window.offset, first)
    if upper is None:
        return Window(offset=lower)
    if upper < lower:
        raise errors.range_not_satisfiable("Limit should be greater than or equal to zero.")
    return Window(offset=lower, limit=upper - lower + 1)


def _header_range(text: str | None) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(text or "")
    if match is None:
        return 0, None
    return _integer(match[1]) or 0, _integer(match[2])


# Names and fields.


def _name(scanner: Scanner) -> str:
    """A quoted name, or words joined by dashes; an arrow is no dash."""
    return scanner.named(
        _FIELD_NAME,
        lambda: scanner.choose(lambda: _quoted_text(scanner), lambda: _dashed(scanner, _word)),
    )


def _word(scanner: Scanner) -> str:
    return scanner.matching(_IDENTIFIER, "letter", "digit").strip()


def _dashed(scanner: Scanner, piece: Callable[[Scanner], str]) -> str:
    return "-".join(scanner.several(lambda: piece(scanner), lambda: _dash(scanner)))


def _dash(scanner: Scanner) -> None:
    scanner.literal("-")
    if scanner.upcoming == ">":
        raise scanner.refuse()


def _quoted_text(scanner: Scanner) -> str:
    match = scanner.match(_QUOTED)
    if match is None:
        scanner.literal('"')
        raise scanner.refuse('"\\""', ahead=len(scanner.text) - scanner.position)
    return _ESCAPE.sub(r"\1", match[1])


def _delimiter(scanner: Scanner) -> str:
    return scanner.named(_DELIMITER, lambda: scanner.literal("."))


def _comma(scanner: Scanner) -> None:
    scanner.blanks()
    scanner.literal(",")
    scanner.blanks()


def _dotted_names(scanner: Scanner) -> list[str]:
    return scanner.several(lambda: _name(scanner), lambda: _delimiter(scanner))


def _listed_names(scanner: Scanner) -> list[str]:
    return scanner.several(lambda: _name(scanner), lambda: _comma(scanner))


def _path_and_field(scanner: Scanner) -> tuple[Path, Field]:
    *path, name = _dotted_names(scanner)
    return tuple(path), Field(name, _json_path(scanner))


def _field(scanner: Scanner) -> Field:
    scanner.blanks()
    field = Field(_name(scanner), _json_path(scanner))
    scanner.blanks()
    return field


def _json_path(scanner: Scanner) -> tuple[JsonStep, ...]:
    steps = []
    while scanner.follows("->>") or scanner.follows("->"):
        as_text = scanner.follows("->>")
        scanner.literal("->>" if as_text else "->")
        steps.append(_json_step(scanner, as_text=as_text))
    return tuple(steps)


def _json_step(scanner: Scanner, *, as_text: bool) -> JsonStep:
    return scanner.choose(
        lambda: JsonStep(scanner.attempt(lambda: _json_index(scanner)), True, as_text),
        lambda: JsonStep(scanner.attempt(lambda: _json_key(scanner)), False, as_text),
    )


def _json_index(scanner: Scanner) -> str:
    sign = "-" if scanner.maybe(lambda: scanner.literal("-")) else ""
    digits = scanner.matching(_DIGITS, "digit")
    if scanner.upcoming == ")" or any(scanner.follows(end) for end in ("->", "::", ".", ",")):
        return sign + digits
    if scanner.ends():
        return sign + digits
    raise Mismatch


def _json_key(scanner: Scanner) -> str:
    return scanner.named(
        "any non reserved character different from: .,>()",
        lambda: scanner.choose(lambda: _quoted_text(scanner), lambda: _dashed(scanner, _json_word)),
    )


def _json_word(scanner: Scanner) -> str:
    return scanner.matching(_JSON_KEY).strip()


# The parameter `select`.


@dataclass(frozen=True, slots=True)
class _EmbedParameter:
    hint: str | None = None
    join: Join | None = None


def _items(scanner: Scanner, *, depth: int) -> tuple[SelectItem, ...]:
    if depth > DEEPEST:
        raise scanner.refuse(f"at most {DEEPEST} levels")
    ways: tuple[Parser[list[SelectItem]], ...] = (
        lambda: scanner.several(lambda: _item(scanner, depth), lambda: _comma(scanner)),
        list,
    )
    return tuple(scanner.choose(*ways))


def _item(scanner: Scanner, depth: int) -> SelectItem:
    ways: tuple[Parser[SelectItem], ...] = (
        lambda: _embed(scanner, _spread_head, depth),
        lambda: _embed(scanner, _embed_head, depth),
        lambda: _column(scanner),
    )
    return scanner.choose(*ways)


def _embed(scanner: Scanner, head: Callable[[Scanner], Embed], depth: int) -> Embed:
    embed = scanner.attempt(lambda: head(scanner))
    scanner.literal("(")
    items = _items(scanner, depth=depth + 1)
    scanner.literal(")")
    return replace(embed, items=items)


def _spread_head(scanner: Scanner) -> Embed:
    scanner.blanks()
    scanner.literal("...")
    return replace(_relation(scanner, _name(scanner)), is_spread=True)


def _embed_head(scanner: Scanner) -> Embed:
    scanner.blanks()
    alias = scanner.maybe(lambda: _alias(scanner))
    name = _name(scanner)
    if name == "count":
        raise Mismatch
    return replace(_relation(scanner, name), alias=alias)


def _relation(scanner: Scanner, name: str) -> Embed:
    parameters = [scanner.maybe(lambda: _embed_parameter(scanner)) for _ in range(2)]
    if not scanner.follows("("):
        raise Mismatch
    given = [parameter for parameter in parameters if parameter is not None]
    hint = next((parameter.hint for parameter in given if parameter.hint), None)
    join = next((parameter.join for parameter in given if parameter.join), None)
    return Embed(name, hint=hint, join=join)


def _embed_parameter(scanner: Scanner) -> _EmbedParameter:
    scanner.literal("!")
    name = _name(scanner)
    if name in {Join.LEFT, Join.INNER}:
        return _EmbedParameter(join=Join(name))
    return _EmbedParameter(hint=name)


def _alias(scanner: Scanner) -> str:
    name = _name(scanner)
    scanner.literal(":")
    if scanner.upcoming == ":":
        raise scanner.refuse()
    return name


def _column(scanner: Scanner) -> Column:
    scanner.blanks()
    column = scanner.choose(
        lambda: scanner.attempt(lambda: _star(scanner)),
        lambda: scanner.attempt(lambda: _bare_count(scanner)),
        lambda: _plain_column(scanner),
    )
    scanner.blanks()
    return column


def _star(scanner: Scanner) -> Column:
    scanner.literal("*")
    _item_ends(scanner)
    return Column(Field("*"))


def _bare_count(scanner: Scanner) -> Column:
    alias = scanner.maybe(lambda: _alias(scanner))
    scanner.literal("count()")
    cast = _cast(scanner)
    _item_ends(scanner)
    return Column(Field("*"), alias, aggregate=Aggregate.COUNT, aggregate_cast=cast)


def _plain_column(scanner: Scanner) -> Column:
    alias = scanner.maybe(lambda: _alias(scanner))
    field = _field(scanner)
    cast = _cast(scanner)
    aggregate = scanner.maybe(lambda: _aggregate(scanner))
    aggregate_cast = _cast(scanner)
    _item_ends(scanner)
    return Column(field, alias, cast, aggregate, aggregate_cast)


def _cast(scanner: Scanner) -> str | None:
    if not scanner.follows("::"):
        return None
    scanner.literal("::")
    return _word(scanner)


def _aggregate(scanner: Scanner) -> Aggregate:
    scanner.literal(".")
    name = scanner.choose(*(_literal_of(scanner, str(aggregate)) for aggregate in Aggregate))
    scanner.literal("()")
    return Aggregate(name)


def _literal_of(scanner: Scanner, text: str) -> Callable[[], str]:
    return lambda: scanner.literal(text)


def _item_ends(scanner: Scanner) -> None:
    if not (scanner.follows(")") or scanner.follows(",") or scanner.ends()):
        raise Mismatch


# The parameter `order`.


def _order_terms(scanner: Scanner) -> tuple[OrderTerm, ...]:
    terms = scanner.several(lambda: _order_term(scanner), lambda: scanner.literal(","))
    return tuple(terms)


def _order_term(scanner: Scanner) -> OrderTerm:
    scanner.blanks()
    term = scanner.choose(
        lambda: scanner.attempt(lambda: _related_order(scanner)),
        lambda: _order_direction(scanner, OrderTerm(_field(scanner))),
    )
    scanner.blanks()
    return term


def _related_order(scanner: Scanner) -> OrderTerm:
    relation = _name(scanner)
    scanner.literal("(")
    field = _field(scanner)
    scanner.literal(")")
    return _order_direction(scanner, OrderTerm(field, relation))


def _order_direction(scanner: Scanner, term: OrderTerm) -> OrderTerm:
    direction = scanner.maybe(lambda: _dotted_word(scanner, Direction))
    nulls = scanner.maybe(lambda: _dotted_word(scanner, Nulls))
    if not (scanner.follows(",") or scanner.ends()):
        raise Mismatch
    return replace(
        term,
        direction=Direction(direction) if direction else None,
        nulls=Nulls(nulls) if nulls else None,
    )


def _dotted_word(scanner: Scanner, words: Iterable[str]) -> str:
    _delimiter(scanner)
    return scanner.choose(*(_literal_of(scanner, str(word)) for word in words))


# Filters and logic.


def _whole_operation(scanner: Scanner) -> tuple[Operation, bool]:
    return _negatable(scanner, Scanner.remainder)


def _operation_or_nothing(scanner: Scanner) -> tuple[Operation, bool] | None:
    return scanner.choose(lambda: _whole_operation(scanner), lambda: None)


def _condition(scanner: Scanner, *, depth: int) -> Condition:
    if depth > DEEPEST:
        raise scanner.refuse(f"at most {DEEPEST} levels")
    ways: tuple[Parser[Condition], ...] = (
        lambda: scanner.attempt(lambda: _logic_filter(scanner)),
        lambda: _logic_group(scanner, depth),
    )
    return scanner.choose(*ways)


def _logic_filter(scanner: Scanner) -> Filter:
    field = _field(scanner)
    _delimiter(scanner)
    operation, negated = _negatable(scanner, _value_in_logic)
    return Filter(field, operation, negated)


def _logic_group(scanner: Scanner, depth: int) -> Logic:
    negated = scanner.named("negation operator (not)", lambda: _negation(scanner))
    connective = scanner.named(
        "logic operator (and, or)",
        lambda: scanner.choose(*(_literal_of(scanner, str(word)) for word in Connective)),
    )
    scanner.blanks()
    scanner.literal("(")
    scanner.blanks()
    terms = scanner.several(lambda: _condition(scanner, depth=depth + 1), lambda: _comma(scanner))
    scanner.blanks()
    scanner.literal(")")
    scanner.blanks()
    return Logic(Connective(connective), tuple(terms), negated)


def _negatable(scanner: Scanner, read_value: Callable[[Scanner], str]) -> tuple[Operation, bool]:
    negated = _negation(scanner)
    return _operation(scanner, read_value), negated


def _negation(scanner: Scanner) -> bool:
    return scanner.maybe(lambda: scanner.literal("not") + _delimiter(scanner)) is not None


def _operation(scanner: Scanner, read_value: Callable[[Scanner], str]) -> Operation:
    match = _OPERATOR.match(scanner.text, scanner.position)
    name, modifier = match.groups() if match else ("", None)
    if not _is_operator(name, modifier):
        raise scanner.refuse(_OPERATOR_NAME, ahead=_understood(scanner))
    scanner.match(_OPERATOR)
    if name == "in":
        return In(_listed_values(scanner))
    if name == "is":
        return Is(_truth(scanner))
    value = read_value(scanner)
    if name in _SEARCHES:
        return Match(_SEARCHES[name], value, modifier and modifier.strip())
    return Compare(_OPERATORS[name], value, Quantifier(modifier) if modifier else None)


def _is_operator(name: str, modifier: str | None) -> bool:
    if name in {"in", "is"}:
        return modifier is None
    if name in _SEARCHES:
        return modifier is None or _IDENTIFIER.fullmatch(modifier) is not None
    if name not in _OPERATORS:
        return False
    return modifier is None or (_OPERATORS[name] in _QUANTIFIABLE and modifier in {"any", "all"})


def _understood(scanner: Scanner) -> int:
    """How much of what follows began as an operator."""
    ahead = scanner.text[scanner.position :]
    known = [name for name in ("in", "is", *_OPERATORS, *_SEARCHES) if ahead.startswith(name)]
    name = max(known, key=len, default="")
    takes_modifier = name in _SEARCHES or _OPERATORS.get(name) in _QUANTIFIABLE
    return len(name) + (takes_modifier and ahead.startswith("(", len(name)))


def _truth(scanner: Scanner) -> Truth:
    match = scanner.match(_TRUTH)
    if match is None:
        raise scanner.refuse("isVal: (null, not_null, true, false, unknown)")
    return Truth(match.group().lower())


def _listed_values(scanner: Scanner) -> tuple[str, ...]:
    scanner.blanks()
    scanner.literal("(")
    scanner.blanks()
    values = [_listed_value(scanner)]
    while scanner.follows(","):
        scanner.literal(",")
        values.append(_listed_value(scanner))
    scanner.blanks()
    scanner.literal(")")
    scanner.blanks()
    return tuple(values)


def _listed_value(scanner: Scanner) -> str:
    quoted = scanner.match(_QUOTED_WHOLE)
    return _ESCAPE.sub(r"\1", quoted[1]) if quoted else scanner.rest(_UNTIL_COMMA)


def _value_in_logic(scanner: Scanner) -> str:
    quoted = scanner.match(_QUOTED_WHOLE)
    if quoted:
        return _ESCAPE.sub(r"\1", quoted[1])
    array = scanner.match(_BRACES)
    return array.group() if array else scanner.rest(_UNTIL_COMMA)
