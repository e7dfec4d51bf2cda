"""What a course says, in which version, and what makes another one of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, make_palette, order, version

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database


def tell(database: Database, course: str) -> tuple[dict[str, Any], str]:
    [(content, digest)] = database.run(
        "select said, app.content_hash(said) from app.course_content(%s) as said", [course]
    )
    return content, digest


# What a course says.


def test_words_of_the_course_go_before_those_of_the_palette(
    school: Database, member: MakePerson
) -> None:
    ada = member()
    course = compose(ada, make_palette(school, 2))
    first, second = order(school, course)
    ada.rpc(
        "update_course_module",
        p_course_module_id=first,
        p_title="Chez nous",
        p_description="Pas à pas",
        p_duration_minutes=5,
    )
    told = ada.rpc("get_course", p_course_id=course)["modules"]
    assert [
        (each["module_uuid"], each["title"], each["description"], each["duration"]) for each in told
    ] == [(first, "Chez nous", "Pas à pas", 5), (second, "Module 2", "", 20)]


CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "title": ("update_course", {"p_title": "Autre"}),
    "description": ("update_course", {"p_description": "Autre"}),
    "words of a module": ("update_course_module", {"p_title": "Autre"}),
    "time of a module": ("update_course_module", {"p_duration_minutes": 7}),
    "order": ("move_course_module", {"p_position": 1}),
    "a module less": ("remove_course_module", {}),
    "a module more": ("add_course_module", {}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_content_is_another_hash_and_another_version(
    school: Database, member: MakePerson, change: str
) -> None:
    ada = member()
    palette = make_palette(school, 2)
    course = compose(ada, palette)
    [module, _] = order(school, course)
    content, digest = tell(school, course)
    assert tell(school, course) == (content, digest)

    function, arguments = CHANGES[change]
    target = (
        {"p_course_id": course} if "_module" not in function else {"p_course_module_id": module}
    )
    if function == "add_course_module":
        target = {"p_course_id": course, "p_builder_module_id": palette[0]}
    ada.rpc(function, **target, **arguments)
    changed, other = tell(school, course)
    assert other != digest
    assert changed["version"] == content["version"] + 1


@pytest.mark.parametrize("change", ["title", "order"])
def test_what_is_changed_and_changed_back_has_its_hash_again(
    school: Database, member: MakePerson, change: str
) -> None:
    ada = member()
    course = compose(ada, make_palette(school, 2), "Avant")
    [module, _] = order(school, course)
    content, digest = tell(school, course)
    for there_and_back in (("Après", 1), ("Avant", 0)):
        if change == "title":
            ada.rpc("update_course", p_course_id=course, p_title=there_and_back[0])
        else:
            ada.rpc("move_course_module", p_course_module_id=module, p_position=there_and_back[1])
    again, same = tell(school, course)
    assert same == digest
    assert again["version"] > content["version"]


@pytest.mark.parametrize(
    "act",
    [
        ("update_course", {"p_title": " Mon parcours "}),
        ("update_course", {}),
        ("archive_course", {}),
        ("submit_user_parcours_for_validation", {}),
    ],
    ids=lambda act: act[0],
)
def test_what_changes_no_word_is_no_new_version(
    school: Database, member: MakePerson, act: tuple[str, dict[str, str]]
) -> None:
    ada = member()
    course = compose(ada, make_palette(school, 1))
    before = tell(school, course)
    ada.rpc(act[0], p_course_id=course, **act[1])
    assert tell(school, course) == before


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
CONTENTS = st.dictionaries(WORDS, WORDS | st.integers(-9, 9) | st.none(), max_size=4)


@settings(max_examples=60, deadline=None)
@given(one=CONTENTS, other=CONTENTS, data=st.data())
def test_two_contents_have_one_hash_when_they_are_equal(
    school: Database, one: dict[str, Any], other: dict[str, Any], data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(list(one.items()))))
    [(digest, same, different)] = school.run(
        "select app.content_hash(%s), app.content_hash(%s::text::jsonb), app.content_hash(%s)",
        [Jsonb(one), json.dumps(shuffled, indent=data.draw(st.integers(0, 3))), Jsonb(other)],
    )
    assert digest == same
    without = [{key: each[key] for key in each if key != "version"} for each in (one, other)]
    assert (digest == different) == (without[0] == without[1])


# What it hears of the palette.


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        ("title = 'Autre'", True),
        ("description = 'Autre'", True),
        ("duration_minutes = 61", True),
        ("position = 7", False),
        ("is_active = false", False),
        ("title = title", False),
    ],
)
def test_a_course_is_a_new_version_when_its_modules_read_otherwise(
    school: Database, member: MakePerson, change: str, is_new: bool
) -> None:
    modules = make_palette(school, 2)
    course, other = compose(member(), modules[:1]), compose(member(), modules[1:])
    before = version(school, course), version(school, other)
    member("admin").run(f"update public.builder_modules set {change} where id = %s", [modules[0]])
    assert (version(school, course), version(school, other)) == (before[0] + is_new, before[1])


def test_a_course_with_words_of_its_own_is_no_new_version(
    school: Database, member: MakePerson
) -> None:
    ada = member()
    modules = make_palette(school, 1)
    course = compose(ada, modules)
    [module] = ada.run("select id::text from public.course_modules where course_id = %s", [course])
    ada.rpc("update_course_module", p_course_module_id=module["id"], p_title="À moi")
    before = version(school, course)
    member("admin").run(
        "update public.builder_modules set title = 'Autre' where id = %s", [modules[0]]
    )
    assert version(school, course) == before


def test_a_module_put_into_a_course_while_it_is_rewritten_is_counted(
    school: Database, member: MakePerson
) -> None:
    admin, ada = member("admin"), member()
    modules = make_palette(school, 1)
    course = compose(ada, [])
    with transaction_of(admin) as rewriting:
        rewriting.execute(
            "update public.builder_modules set title = 'Autre' where id = %s", [modules[0]]
        )
        with in_background(
            lambda: ada.rpc("add_course_module", p_course_id=course, p_builder_module_id=modules[0])
        ) as adding:
            wait_until_somebody_waits(school)
            rewriting.commit()
            adding.result()
    assert ada.rpc("get_course", p_course_id=course)["modules"][0]["title"] == "Autre"


def test_two_modules_rewritten_at_once_are_both_counted(
    school: Database, member: MakePerson
) -> None:
    ada, ben = member("admin"), member("admin")
    modules = make_palette(school, 2)
    course = compose(member(), modules)
    before = version(school, course)
    rewrite = "update public.builder_modules set title = 'Autre' where id = %s"
    with transaction_of(ada) as first:
        first.execute(rewrite.encode(), [modules[0]])
        with in_background(lambda: ben.run(rewrite, [modules[1]])) as second:
            wait_until_somebody_waits(school)
            first.commit()
            second.result()
    assert version(school, course) == before + 2
