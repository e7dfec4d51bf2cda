"""Worker functions as files: found by their text, held to their contract, imported when needed."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from nlctl import project as projects
from nlctl.queue import functions, redaction
from nlctl.queue.functions import FunctionInvalid, InvalidArguments

if TYPE_CHECKING:
    from pathlib import Path

GREET = """
from pydantic import BaseModel
from functions._shared.words import GREETING

class Name(BaseModel):
    name: str

async def handle(name: Name, said: list[str]) -> None:
    said.append(f"{GREETING} {name.name}")
"""


WANTS_THE_MOON = """
from pydantic import BaseModel

class Name(BaseModel):
    pass

async def handle(name: Name, moon: int) -> None: ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "functions"
    (made / "_shared").mkdir(parents=True)
    return made


def test_a_file_is_a_task_and_says_where_its_jobs_wait(folder: Path) -> None:
    (folder / "send_notice.py").write_text('QUEUE = "mail"\nasync def handle(notice): ...\n')
    (folder / "_draft.py").write_text("this is no Python")
    [found] = functions.find(folder)

    assert (found.name, found.queue) == ("send-notice", "mail")


def test_a_file_without_a_queue_serves_the_default_one(folder: Path) -> None:
    (folder / "greet.py").write_text("async def handle(name): ...\n")

    assert [found.queue for found in functions.find(folder)] == ["default"]


def test_no_folder_has_no_functions(tmp_path: Path) -> None:
    assert functions.find(tmp_path / "functions") == ()
    assert not functions.exist(tmp_path / "functions")


@pytest.mark.parametrize("text", ["def handle(name): ...", "async def handle(", "\0"])
def test_a_file_that_is_no_function_is_named(folder: Path, text: str) -> None:
    (folder / "greet.py").write_text(text)

    with pytest.raises(FunctionInvalid, match=r"greet\.py"):
        functions.find(folder)


def test_finding_imports_nothing(folder: Path) -> None:
    (folder / "greet.py").write_text("import nowhere\nasync def handle(name): ...\n")

    functions.find(folder)
    assert "functions.greet" not in sys.modules


def test_a_function_gets_its_arguments_and_what_it_names(folder: Path) -> None:
    (folder / "_shared" / "words.py").write_text('GREETING = "Bonjour"\n')
    (folder / "greet.py").write_text(GREET)
    [greet] = functions.find(folder)
    said: list[str] = []

    async def make() -> list[str]:
        return said

    asyncio.run(greet.run({"name": "Ada"}, {"said": make}))

    assert said == ["Bonjour Ada"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("async def handle(name: str): ...", "takes a pydantic model"),
        (WANTS_THE_MOON, "nothing is called moon"),
    ],
)
def test_a_function_that_asks_for_too_much_is_named(folder: Path, text: str, reason: str) -> None:
    (folder / "odd.py").write_text(text)
    [odd] = functions.find(folder)

    with pytest.raises(FunctionInvalid, match=reason):
        asyncio.run(odd.run({}, {}))


def test_every_function_of_the_product_keeps_its_contract() -> None:
    for function in functions.find(projects.find().functions):
        assert set(function.contract.wants) <= {"db"}, function.name


def test_arguments_are_told_apart_by_field_and_never_repeated(folder: Path) -> None:
    (folder / "greet.py").write_text(GREET.replace("from functions._shared", "# from"))
    [greet] = functions.find(folder)

    with pytest.raises(InvalidArguments) as refusal:
        asyncio.run(greet.run({"name": {"secret": 1}}, {}))
    assert (
        refusal.value.message == "The arguments do not fit: name: Input should be a valid string."
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("postgresql://ada:hunter2@db:5432/x", "postgresql://•••@db:5432/x"),
        ("key sb_secret_N7UND0", "key •••"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer •••"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoi.sig", "token •••"),
        ("?apikey=abc&x=1", "?apikey=•••&x=1"),
        ("two\nlines", "two lines"),
        ("my word", "••• word"),
    ],
)
def test_what_opens_doors_is_masked(said: str, told: str) -> None:
    assert redaction.redact(said, ["my"]) == told


def test_a_long_reason_is_cut() -> None:
    assert len(redaction.redact("a " * 1000)) <= redaction.LONGEST
