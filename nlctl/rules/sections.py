"""Sections: what stands under each anchor of a page, rendered from the atlas."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nlctl.rules import access, calls, diagram, markdown, tables, topics
from nlctl.rules import atlas as atlases
from nlctl.rules.pages import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.catalogue.model import Function, Table, View
    from nlctl.rules.atlas import Atlas
    from nlctl.rules.chapters import Domain


def of_domain(domain: Domain, atlas: Atlas) -> list[Section]:
    """All that is to be said of one domain; what it has none of is left out."""
    return [*_heading(domain, atlas), *_relations(domain, atlas), *_calls(domain, atlas),
            *_surroundings(domain, atlas)]  # fmt: skip


def of_index(title: str, atlas: Atlas) -> list[Section]:
    """What the first page says: the domains, and everything by name."""
    return [_domain_list(title, atlas), *_call_list(atlas), *_topic_list(atlas), *_errors(atlas)]


def _heading(domain: Domain, atlas: Atlas) -> Iterator[Section]:
    contents = {
        "Tables": [atlas.link(each.full_name) for each in atlas.tables(domain)],
        "Views": [atlas.link(each.full_name) for each in atlas.views(domain)],
        "RPCs": [atlas.link(atlases.full_name(each)) for each in atlas.calls(domain)],
    }
    yield _section("OVERVIEW", domain=domain, contents=_filled(contents))
    if contents["Tables"]:
        yield _section("DIAGRAM", drawing=diagram.draw(atlas.tables(domain)))


def _relations(domain: Domain, atlas: Atlas) -> Iterator[Section]:
    own, views = atlas.tables(domain), atlas.views(domain)
    if own:
        yield Section("TABLES", "## Tables")
        yield from (_table(table, atlas) for table in own)
    if views:
        yield Section("VIEWS", "## Views")
        yield from (_view(view, atlas) for view in views)


def _table(table: Table, atlas: Atlas) -> Section:
    name = atlases.short(table.full_name)
    return _section(
        f"TABLE:{name}",
        name=name,
        table=table,
        columns=tables.columns(table, atlas),
        checks=tables.checks(table),
        access=access.lines(table),
        indexes=tables.indexes(table),
        triggers=tables.triggers(table, atlas),
        publications=topics.of_table(table, atlas),
        is_published=table.full_name in atlas.published,
    )


def _view(view: View, atlas: Atlas) -> Section:
    name = atlases.short(view.full_name)
    columns = tables.columns(view, atlas)
    return _section(
        f"VIEW:{name}", name=name, view=view, columns=columns, access=access.lines(view)
    )


def _calls(domain: Domain, atlas: Atlas) -> Iterator[Section]:
    own = atlas.calls(domain)
    if own:
        yield Section("RPCS", "## RPCs")
    names = Counter(map(atlases.full_name, own))
    for function in own:
        is_alone = names[atlases.full_name(function)] == 1
        full = atlases.full_name(function) if is_alone else function.full_name
        yield _call(f"RPC:{atlases.short(full)}", function, atlas)


def _call(anchor: str, function: Function, atlas: Atlas) -> Section:
    return _section(
        anchor,
        name=atlases.short(atlases.full_name(function)),
        function=function,
        example=calls.example(function),
        arguments=calls.arguments(function),
        returns=calls.returns(function, atlas),
        returned=calls.returned_columns(function),
        callers=calls.callers(function),
        guards=calls.guards(function, atlas),
        reads_only=function.volatility != "volatile",
        effects=calls.effects(function, atlas),
        refusals=calls.refusals(function, atlas),
    )


def _surroundings(domain: Domain, atlas: Atlas) -> Iterator[Section]:
    sent, joined = topics.published(domain, atlas), topics.doors(domain, atlas, topics.MESSAGES)
    if sent or joined:
        yield _section("REALTIME", topics=sent, doors=joined)
    if files := topics.doors(domain, atlas, topics.OBJECTS):
        yield _section("FILES", doors=files)
    if elsewhere := atlas.platform_triggers(domain):
        lines = [(f"{t.schema}.{t.table}", tables.trigger_line(t, atlas)) for t in elsewhere]
        yield _section("PLATFORM", triggers=lines)
    if types := atlas.types(domain):
        yield _section("TYPES", types=[tables.type_line(each) for each in types])
    if internals := atlas.internals(domain):
        yield _section("INTERNALS", functions=[calls.line(each, atlas) for each in internals])


def _domain_list(title: str, atlas: Atlas) -> Section:
    counted = [
        (domain, len(atlas.tables(domain)), len(atlas.calls(domain))) for domain in atlas.domains
    ]
    return _section("INDEX", title=title, domains=counted)


def _call_list(atlas: Atlas) -> Iterator[Section]:
    every = [each for domain in atlas.domains for each in atlas.calls(domain)]
    if every:
        lines = sorted((calls.line(each, atlas) for each in every), key=lambda line: line.name)
        yield _section("INDEX:RPCS", calls=lines)


def _topic_list(atlas: Atlas) -> Iterator[Section]:
    every = [(domain, each) for domain in atlas.domains for each in topics.published(domain, atlas)]
    if every:
        yield _section("INDEX:TOPICS", topics=every)


def _errors(atlas: Atlas) -> Iterator[Section]:
    users: dict[str, list[str]] = {code: [] for code in atlas.bodies.statuses}
    for name in sorted({atlases.full_name(f) for d in atlas.domains for f in atlas.calls(d)}):
        for code in atlas.bodies.codes(name):
            users[code].append(markdown.code(atlases.short(name)))
    lines = [(code, atlas.bodies.statuses[code], names) for code, names in users.items()]
    if lines:
        yield _section("INDEX:ERRORS", errors=lines)


def _filled(contents: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return [(kind, names) for kind, names in contents.items() if names]


def _section(name: str, /, **facts: Any) -> Section:
    """The template is called as the anchor, up to the object it is about."""
    template = name.lower().replace("index:", "index_").partition(":")[0]
    text = _environment().get_template(f"{template}.md.j2").render(facts)
    return Section(name, re.sub(r"\n{3,}", "\n\n", text))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701 - Markdown, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": markdown.cell,
        "code": markdown.code,
        "prose": markdown.prose,
        "sentence": markdown.sentence,
    }
    return environment
