"""The query string: what is understood, and where it says it got stuck."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from nlctl.local.rest import grammar
from nlctl.local.rest.errors import ApiError
from nlctl.local.rest.grammar import windows
from nlctl.local.rest.request import (
    WHOLE,
    Aggregate,
    Column,
    Compare,
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
    Operator,
    OrderTerm,
    Quantifier,
    Query,
    Search,
    Truth,
    Window,
)


def parse(text: str, *, is_call: bool = False) -> Query:
    return grammar.parse(text.encode(), is_call=is_call)


def refusal(text: str, *, is_call: bool = False) -> ApiError:
    with pytest.raises(ApiError) as refused:
        parse(text, is_call=is_call)
    return refused.value


def only(text: str) -> object:
    """The one condition of a query, whatever it is about."""
    ((_, condition),) = parse(text).conditions
    return condition


ID, NAME, STAR = Column(Field("id")), Column(Field("name")), Column(Field("*"))


@pytest.mark.parametrize(
    ("select", "items"),
    [
        ("*", [STAR]),
        ("", []),
        ("id,name", [ID, NAME]),
        (" id , name ", [ID, NAME]),
        (
            "first name,inner-dash,é$1",
            [Column(Field(n)) for n in ("first name", "inner-dash", "é$1")],
        ),
        (r'"say \"hi\" \\ there"', [Column(Field('say "hi" \\ there'))]),
        ("alias:id::text", [Column(Field("id"), "alias", "text")]),
        ("id::double precision", [Column(Field("id"), cast="double precision")]),
        (
            "a->b->>c",
            [Column(Field("a", (JsonStep("b", False, False), JsonStep("c", False, True))))],
        ),
        (
            "a->0->>-1",
            [Column(Field("a", (JsonStep("0", True, False), JsonStep("-1", True, True))))],
        ),
        ("a->1x", [Column(Field("a", (JsonStep("1x", False, False),)))]),
        ('a->"b.c"', [Column(Field("a", (JsonStep("b.c", False, False),)))]),
        ("a->!@#$%^&*_b", [Column(Field("a", (JsonStep("!@#$%^&*_b", False, False),)))]),
        ("n:a.sum()::int", [Column(Field("a"), "n", None, Aggregate.SUM, "int")]),
        ("a::int.max()", [Column(Field("a"), None, "int", Aggregate.MAX)]),
        ("count()", [Column(Field("*"), aggregate=Aggregate.COUNT)]),
        ("n:count()::text", [Column(Field("*"), "n", None, Aggregate.COUNT, "text")]),
        ("count", [Column(Field("count"))]),
        ("child(*)", [Embed("child", (STAR,))]),
        ("child()", [Embed("child")]),
        ("c:child!inner(id)", [Embed("child", (ID,), "c", join=Join.INNER)]),
        ("child!fk!left(id)", [Embed("child", (ID,), hint="fk", join=Join.LEFT)]),
        ("child!inner!fk(id)", [Embed("child", (ID,), hint="fk", join=Join.INNER)]),
        ("...child(name)", [Embed("child", (NAME,), is_spread=True)]),
        ("id,child(id,grand(name))", [ID, Embed("child", (ID, Embed("grand", (NAME,))))]),
        ("child(a->0)", [Embed("child", (Column(Field("a", (JsonStep("0", True, False),))),))]),
    ],
)
def test_select_is_read_as_a_tree(select: str, items: list[object]) -> None:
    assert list(parse(f"select={quote(select)}").select) == items


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("eq.a.b", Compare(Operator.EQ, "a.b")),
        ("eq.", Compare(Operator.EQ, "")),
        ("neq.1", Compare(Operator.NEQ, "1")),
        ("isdistinct.null", Compare(Operator.IS_DISTINCT, "null")),
        ("like(any).{a*,b*}", Compare(Operator.LIKE, "{a*,b*}", Quantifier.ANY)),
        ("gte(all).{1,2}", Compare(Operator.GTE, "{1,2}", Quantifier.ALL)),
        ("adj.[1,2]", Compare(Operator.ADJACENT, "[1,2]")),
        ("in.(a,b)", In(("a", "b"))),
        ('in.("a,b",c d,"e\\"f")', In(("a,b", "c d", 'e"f'))),
        ("in.()", In(("",))),
        ('in.("a"b)', In(('"a"b',))),
        ("is.null", Is(Truth.NULL)),
        ("is.NOT_NULL", Is(Truth.NOT_NULL)),
        ("is.Unknown", Is(Truth.UNKNOWN)),
        ("fts.cat", Match(Search.FULL, "cat")),
        ("wfts(french).le chat", Match(Search.WEB, "le chat", "french")),
        ("eq.line\nbreak", Compare(Operator.EQ, "line\nbreak")),
    ],
)
def test_a_filter_is_an_operator_and_a_value(text: str, operation: object) -> None:
    assert only(f"a={quote(text)}") == Filter(Field("a"), operation)  # type: ignore[arg-type]
    assert only(f"a={quote('not.' + text)}") == Filter(Field("a"), operation, True)  # type: ignore[arg-type]


def test_a_plus_is_a_blank_and_a_percent_starts_a_byte() -> None:
    assert only("a=eq.b+c%2Bd%C3%A9") == Filter(Field("a"), Compare(Operator.EQ, "b c+dé"))


def test_a_filter_knows_the_way_to_its_embed_and_into_its_json() -> None:
    query = parse("child.grand.data->>key=eq.1")

    ((path, condition),) = query.conditions
    assert path == ("child", "grand")
    assert condition == Filter(
        Field("data", (JsonStep("key", False, True),)), Compare(Operator.EQ, "1")
    )


def test_logic_nests_and_keeps_quoted_and_braced_values_whole() -> None:
    query = parse('child.not.or=(a.eq."x,y",not.and(b.cs.{1,2},c.not.in.(3,4)))')

    inner = Logic(
        Connective.AND,
        (
            Filter(Field("b"), Compare(Operator.CONTAINS, "{1,2}")),
            Filter(Field("c"), In(("3", "4")), negated=True),
        ),
        negated=True,
    )
    outer = Logic(
        Connective.OR, (Filter(Field("a"), Compare(Operator.EQ, "x,y")), inner), negated=True
    )
    assert query.conditions == ((("child",), outer),)


def test_order_says_direction_nulls_and_whose_column() -> None:
    query = parse("order=a,b.desc.nullslast,c.nullsfirst,child(d).asc&child.order=e->>f.desc")

    assert query.orders == (
        (
            (),
            (
                OrderTerm(Field("a")),
                OrderTerm(Field("b"), None, Direction.DESC, Nulls.LAST),
                OrderTerm(Field("c"), None, None, Nulls.FIRST),
                OrderTerm(Field("d"), "child", Direction.ASC),
            ),
        ),
        (("child",), (OrderTerm(Field("e", (JsonStep("f", False, True),)), None, Direction.DESC),)),
    )


def test_rows_are_cut_at_each_level() -> None:
    query = parse("limit=5&offset=2&child.limit=1&child.grand.offset=3")

    assert query.windows == {
        (): Window(2, 5),
        ("child",): Window(0, 1),
        ("child", "grand"): Window(3, None),
    }


@pytest.mark.parametrize("text", ["limit=", "limit=many", "offset=-3", "limit", "offset=1.5"])
def test_a_cut_that_is_no_number_was_not_asked_for(text: str) -> None:
    assert parse(text).window == WHOLE


def test_a_number_larger_than_any_table_is_cut_to_one_that_can_be_told() -> None:
    assert parse("limit=" + "9" * 5000).window.limit == windows.LARGEST


def test_a_negative_limit_is_refused() -> None:
    assert (refusal("limit=-1").code, refusal("limit=-1").status) == ("PGRST103", 416)


@pytest.mark.parametrize(
    ("query", "header", "window"),
    [
        ("", "0-9", Window(0, 10)),
        ("", "5-", Window(5, None)),
        ("", "bytes=0-9", WHOLE),
        ("", "-5", WHOLE),
        ("limit=3", "0-9", Window(0, 3)),
        ("limit=30&offset=5", "0-9", Window(5, 5)),
        ("offset=2", "4-", Window(4, None)),
        ("limit=0", "0-9", Window(0, 0)),
    ],
)
def test_a_range_header_meets_the_parameters(query: str, header: str, window: Window) -> None:
    assert grammar.met(parse(query), header).window == window


@pytest.mark.parametrize(
    ("query", "header"), [("", "9-0"), ("limit=3", "5-9"), ("limit=0&offset=3", "0-9")]
)
def test_a_range_without_rows_is_refused(query: str, header: str) -> None:
    with pytest.raises(ApiError) as refused:
        grammar.met(parse(query), header)
    assert refused.value.status == 416


def test_columns_and_conflicts_are_lists_of_names() -> None:
    query = parse('columns=a,"b c",a&on_conflict=d, e')

    assert (query.columns, query.on_conflict) == (("a", "b c"), ("d", "e"))


def test_the_first_of_two_selects_counts() -> None:
    assert parse("select=id&select=name").select == (ID,)


def test_a_call_by_get_takes_what_is_no_condition_as_arguments() -> None:
    query = parse("a=1&b=eq.2&a=%7B3%7D&c=eqx", is_call=True)

    assert query.arguments == (("a", "1"), ("a", "{3}"), ("c", "eqx"))
    assert query.conditions == (((), Filter(Field("b"), Compare(Operator.EQ, "2"))),)


FIELD = "field name (* or [a..z0..9_$])"
AFTER_NAME = 'letter, digit, "-", "->>", "->"'
STUCK = [
    ("id=val", "filter (val)", 1, 'unexpected "v" expecting "not" or operator (eq, gt, ...)'),
    ("id=noop.0", "filter (noop.0)", 1, 'unexpected "o" expecting "not" or operator (eq, gt, ...)'),
    ("id=", "filter ()", 1, 'unexpected end of input expecting "not" or operator (eq, gt, ...)'),
    ("id=eq().1", "filter (eq().1)", 4, 'unexpected ")" expecting operator (eq, gt, ...)'),
    ("id=fts().1", "filter (fts().1)", 5, 'unexpected ")" expecting operator (eq, gt, ...)'),
    ("id=is().1", "filter (is().1)", 3, 'unexpected "(" expecting operator (eq, gt, ...)'),
    ("id=neq(any).1", "filter (neq(any).1)", 4, 'unexpected "(" expecting operator (eq, gt, ...)'),
    ("id=not.x", "filter (not.x)", 5, 'unexpected "x" expecting operator (eq, gt, ...)'),
    (
        "id=is.2",
        "filter (is.2)",
        4,
        'unexpected "2" expecting isVal: (null, not_null, true, false, unknown)',
    ),
    ("id=in.(1", "filter (in.(1)", 6, 'unexpected end of input expecting "," or ")"'),
    ("id=in.1", "filter (in.1)", 4, 'unexpected "1" expecting "("'),
    (
        "select=id!x",
        "select parameter (id!x)",
        3,
        f'unexpected \'!\' expecting {AFTER_NAME}, "::", ".", ")", "," or end of input',
    ),
    (
        "select=a(b[])",
        "select parameter (a(b[]))",
        4,
        f'unexpected \'[\' expecting {AFTER_NAME}, "::", ".", ")", "," or end of input',
    ),
    (
        "select=a(b",
        "select parameter (a(b)",
        4,
        'unexpected end of input expecting letter, digit, "-", "->>", "->", "::", ".", ")" or ","',
    ),
    (
        "select=a::",
        "select parameter (a::)",
        4,
        "unexpected end of input expecting letter or digit",
    ),
    (
        "select=a->>-7x",
        "select parameter (a->>-7x)",
        7,
        'unexpected \'x\' expecting digit, "->", "::", ".", "," or end of input',
    ),
    ("select=a->>--7", "select parameter (a->>--7)", 6, 'unexpected "-" expecting digit'),
    (
        "select=a->(b",
        "select parameter (a->(b)",
        4,
        'unexpected "(" expecting "-", digit or any non reserved character different from: .,>()',
    ),
    (
        "order=id.ac",
        "order (id.ac)",
        4,
        'unexpected "c" expecting "asc", "desc", "nullsfirst" or "nullslast"',
    ),
    (
        "order=id.descc",
        "order (id.descc)",
        8,
        "unexpected 'c' expecting delimiter (.), \",\" or end of input",
    ),
    (
        "order=id.asc.nlsfst",
        "order (id.asc.nlsfst)",
        8,
        'unexpected "l" expecting "nullsfirst" or "nullslast"',
    ),
    (
        "order=id.asc.nullslasttt",
        "order (id.asc.nullslasttt)",
        17,
        "unexpected 't' expecting \",\" or end of input",
    ),
    (
        "order=a(b,c)",
        "order (a(b,c))",
        2,
        f"unexpected '(' expecting {AFTER_NAME}, delimiter (.), \",\" or end of input",
    ),
    (
        "or=()",
        "logic tree (())",
        4,
        f'unexpected ")" expecting {FIELD}, negation operator (not) or logic operator (and, or)',
    ),
    ("or=)(", "logic tree ()()", 3, 'unexpected ")" expecting "("'),
    (
        "and=(ord(id.eq.1),id.eq.2)",
        "logic tree ((ord(id.eq.1),id.eq.2))",
        7,
        'unexpected "d" expecting "("',
    ),
    (
        "or=(id.eq.1,not.xor(id.eq.2))",
        "logic tree ((id.eq.1,not.xor(id.eq.2)))",
        16,
        'unexpected "x" expecting logic operator (and, or)',
    ),
    ("columns=", "columns parameter ()", 1, f"unexpected end of input expecting {FIELD}"),
    ("on_conflict=", "on_conflict parameter ()", 1, f"unexpected end of input expecting {FIELD}"),
    ("!=eq.1", "tree path (!)", 1, f'unexpected "!" expecting {FIELD}'),
]


@pytest.mark.parametrize(("text", "what", "column", "details"), STUCK)
def test_what_cannot_be_read_tells_where_and_what_was_expected(
    text: str, what: str, column: int, details: str
) -> None:
    refused = refusal(text)

    assert refused.message == f'"failed to parse {what}" (line 1, column {column})'
    assert refused.details == details
    assert (refused.code, refused.status, refused.hint) == ("PGRST100", 400, None)


def test_the_line_of_a_mistake_is_told_too() -> None:
    assert "(line 2, column 3)" in refusal('select="a%0Ab"!x').message


@pytest.mark.parametrize("text", ["a=eq.%00", "a%00=eq.1", "a=eq.%FF", "%C3=eq.1"])
def test_what_is_no_text_is_refused(text: str) -> None:
    assert (refusal(text).code, refusal(text).status) == ("22021", 400)


@pytest.mark.parametrize("text", ["select=" + "a(" * 500, "or=(" + "and(" * 500])
def test_what_nests_without_end_is_refused(text: str) -> None:
    assert refusal(text).code == "PGRST100"


def test_the_canonical_query_is_sorted_and_encoded() -> None:
    assert grammar.canonical(b"b=2&a=x+y&c=\xc3\xa9&a=1&d") == "a=x%20y&a=1&b=2&c=%C3%A9&d="
