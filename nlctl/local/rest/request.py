"""A request as the Data API understands it: what was asked, before the schema is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from nlctl.local.rest.headers import Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str, ...]
"""The embeds between the root and what is meant, by alias or name; `()` is the root."""


# What is selected.


class JsonStep(NamedTuple):
    """One arrow of a JSON path: `->key`, `->>key`, `->0` or `->-1`."""

    key: str
    is_index: bool
    as_text: bool


class Field(NamedTuple):
    """A column, or a computed field, and the way into its JSON. `*` stands for every column."""

    name: str
    path: tuple[JsonStep, ...] = ()


class Aggregate(StrEnum):
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT = "count"


class Join(StrEnum):
    INNER = "inner"
    LEFT = "left"


class Column(NamedTuple):
    """`alias:field::cast.aggregate()::aggregate_cast`; `count()` alone counts the field `*`."""

    field: Field
    alias: str | None = None
    cast: str | None = None
    aggregate: Aggregate | None = None
    aggregate_cast: str | None = None


@dataclass(frozen=True, slots=True)
class Embed:
    """`alias:relation!hint!inner(items)`, or spread: `...relation(items)`.

    Without items it joins and shows nothing.
    """

    relation: str
    items: tuple[SelectItem, ...] = ()
    alias: str | None = None
    hint: str | None = None
    join: Join | None = None
    is_spread: bool = False


SelectItem = Column | Embed
EVERYTHING: tuple[SelectItem, ...] = (Column(Field("*")),)


# What is filtered.


class Operator(StrEnum):
    """Operators with one value, under their names in a request."""

    EQ = "eq"
    NEQ = "neq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    LIKE = "like"
    ILIKE = "ilike"
    MATCH = "match"
    IMATCH = "imatch"
    IS_DISTINCT = "isdistinct"
    CONTAINS = "cs"
    CONTAINED = "cd"
    OVERLAPS = "ov"
    STRICTLY_LEFT = "sl"
    STRICTLY_RIGHT = "sr"
    NOT_RIGHT = "nxr"
    NOT_LEFT = "nxl"
    ADJACENT = "adj"


class Quantifier(StrEnum):
    ANY = "any"
    ALL = "all"


class Truth(StrEnum):
    NULL = "null"
    NOT_NULL = "not_null"
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Search(StrEnum):
    """The family of full-text operators."""

    FULL = "fts"
    PLAIN = "plfts"
    PHRASE = "phfts"
    WEB = "wfts"


class Compare(NamedTuple):
    """`eq.value`, `like(any).{a*,b*}`; the value is text as it came, `*` not yet `%`."""

    operator: Operator
    value: str
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class In:
    """`in.(a,b)`; `in.()` holds one empty string, as the wire cannot tell it from nothing."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Is:
    value: Truth


@dataclass(frozen=True, slots=True)
class Match:
    """`fts(language).value` and its family."""

    search: Search
    value: str
    language: str | None = None


Operation = Compare | In | Is | Match


class Filter(NamedTuple):
    field: Field
    operation: Operation
    negated: bool = False


class Connective(StrEnum):
    AND = "and"
    OR = "or"


@dataclass(frozen=True, slots=True)
class Logic:
    """`not.and(a.eq.1,or(…))`."""

    connective: Connective
    terms: tuple[Condition, ...]
    negated: bool = False


Condition = Filter | Logic


# How rows are ordered and cut.


class Direction(StrEnum):
    ASC = "asc"
    DESC = "desc"


class Nulls(StrEnum):
    FIRST = "nullsfirst"
    LAST = "nullslast"


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """`field.desc.nullslast`; with `relation`, the field of a to-one embed: `relation(field)`."""

    field: Field
    relation: str | None = None
    direction: Direction | None = None
    nulls: Nulls | None = None


class Window(NamedTuple):
    """The rows asked for: `limit` and `offset`, met with the Range header at the root."""

    offset: int = 0
    limit: int | None = None


WHOLE = Window()


class Query(NamedTuple):
    """The query string, taken apart. Conditions of one path are all to hold."""

    select: tuple[SelectItem, ...] = EVERYTHING
    conditions: tuple[tuple[Path, Condition], ...] = ()
    orders: tuple[tuple[Path, tuple[OrderTerm, ...]], ...] = ()
    windows: Mapping[Path, Window] = MappingProxyType({})
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    """Of a function called by GET: what is no condition, repeated names included."""

    @property
    def window(self) -> Window:
        return self.windows.get((), WHOLE)


# What is preferred.


class Return(StrEnum):
    REPRESENTATION = "representation"
    HEADERS_ONLY = "headers-only"
    MINIMAL = "minimal"


class Resolution(StrEnum):
    MERGE = "merge-duplicates"
    IGNORE = "ignore-duplicates"


class Count(StrEnum):
    EXACT = "exact"
    PLANNED = "planned"
    ESTIMATED = "estimated"


class Missing(StrEnum):
    DEFAULT = "default"
    NULL = "null"


class Handling(StrEnum):
    STRICT = "strict"
    LENIENT = "lenient"


class Transaction(StrEnum):
    COMMIT = "commit"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header. None is what was not asked for; `unknown` is what nobody understood."""

    returning: Return | None = None
    resolution: Resolution | None = None
    count: Count | None = None
    missing: Missing | None = None
    handling: Handling | None = None
    transaction: Transaction | None = None
    timezone: str | None = None
    max_affected: int | None = None
    unknown: tuple[str, ...] = ()

    @property
    def is_strict(self) -> bool:
        return self.handling is Handling.STRICT


# What may be answered.


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Options of `application/vnd.pgrst.plan`: the plan of an answer, not the answer."""

    of: Media
    as_json: bool = False
    options: tuple[str, ...] = ()
    """Of analyze, verbose, settings, buffers and wal."""


class Media(NamedTuple):
    """A media type in lower case, without parameters but those that mean something here."""

    mime: str
    strips_nulls: bool = False
    plan: PlanOptions | None = None


ANY = Media("*/*")
JSON = Media("application/json")
SINGLE = Media("application/vnd.pgrst.object+json")
SINGLE_STRIPPED = Media("application/vnd.pgrst.object+json", strips_nulls=True)
ARRAY_STRIPPED = Media("application/vnd.pgrst.array+json", strips_nulls=True)
CSV = Media("text/csv")
GEOJSON = Media("application/geo+json")
OPENAPI = Media("application/openapi+json")
TEXT = Media("text/plain")
XML = Media("text/xml")
BYTES = Media("application/octet-stream")
FORM = Media("application/x-www-form-urlencoded")


# What is sent along.


@dataclass(frozen=True, slots=True)
class JsonBody:
    """JSON text for PostgreSQL to read. `keys` are those of the first object, in their order.

    With `columns` in the query the text was not looked at: keys is None, and it may be broken.
    """

    text: str
    keys: tuple[str, ...] | None
    is_array: bool = False
    is_object: bool = False
    media: Media = JSON
    """What it was before it was made into JSON."""


@dataclass(frozen=True, slots=True)
class FormBody:
    """Arguments of a function, sent as a form; repeated names included."""

    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RawBody:
    """The single unnamed argument of a function: `text/plain`, `text/xml` or bytes."""

    content: bytes
    media: Media


Body = JsonBody | FormBody | RawBody


# The request.


class Action(Enum):
    """What a method means for a path."""

    READ = "read a relation"
    INSERT = "insert into a relation"
    UPDATE = "update a relation"
    DELETE = "delete from a relation"
    PUT = "insert or replace the row of a primary key"
    CALL = "call a function, which may write"
    CALL_READ_ONLY = "call a function by GET or HEAD"
    DESCRIBE = "describe the API"
    OPTIONS = "list the methods of a path"

    __hash__ = object.__hash__  # Enum's own takes a hundred times as long

    @property
    def is_mutation(self) -> bool:
        return self in _MUTATIONS

    @property
    def is_call(self) -> bool:
        return self in _CALLS


_MUTATIONS = frozenset({Action.INSERT, Action.UPDATE, Action.DELETE, Action.PUT})
_CALLS = frozenset({Action.CALL, Action.CALL_READ_ONLY})


class Identity(NamedTuple):
    """Who asks: the database role, and the verified claims as JSON text, `role` included."""

    role: str
    claims: str


class ApiRequest(NamedTuple):
    """One request. `name` is the relation or function; None for the root of the API."""

    action: Action
    schema: str
    name: str | None
    identity: Identity
    method: str = "GET"
    path: str = "/"
    is_function: bool = False
    query: Query = Query()
    body: Body | None = None
    preferences: Preferences = Preferences()
    accept: tuple[Media, ...] = (ANY,)
    headers: Headers = Headers()
    names_profile: bool = False
    """Whether the answer tells its schema, in Content-Profile."""

    @property
    def is_head(self) -> bool:
        return self.method == "HEAD"
