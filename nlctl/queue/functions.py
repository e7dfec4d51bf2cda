"""Worker functions: files of functions/, found by their text and imported when a job asks.

`functions/send_notice.py` is the task send-notice. Its `handle(notice: Notice, db)` takes the
arguments of a job as a pydantic model, which is the contract, then what it names of the outside
world. A constant QUEUE says where its jobs wait; `default` where it says nothing.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import sys
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nlctl.errors import InvalidInput, NlctlError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from pydantic import BaseModel

PACKAGE = "functions"
DEFAULT_QUEUE = "default"


class FunctionInvalid(InvalidInput):
    """A file of functions/ that cannot be a worker function; no job of it was run."""


class InvalidArguments(NlctlError):
    """Arguments of a job that do not fit its function; no later attempt would change that."""


@dataclass(frozen=True)
class Contract:
    """What a function takes: the model of its arguments, then parts of the outside world."""

    handle: Callable[..., Awaitable[object]]
    model: type[BaseModel]
    wants: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """A worker function, and the queue where its jobs wait."""

    name: str
    path: Path
    queue: str

    @cached_property
    def contract(self) -> Contract:
        """The function itself; importing it takes as long as what it imports."""
        handle = _import(self.path).handle
        first, *others = inspect.signature(handle, eval_str=True).parameters.values()
        if not _is_model(first.annotation):
            raise FunctionInvalid(f"{self.path.name}: handle takes a pydantic model first.")
        return Contract(handle, first.annotation, tuple(other.name for other in others))

    async def run(self, arguments: Mapping[str, Any], world: Mapping[str, Any]) -> None:
        """Handle one job. `world` has a way to make each thing that functions may name."""
        from pydantic import ValidationError

        contract = self.contract
        try:
            given = contract.model.model_validate(dict(arguments))
        except ValidationError as error:
            raise InvalidArguments(_faults(error)) from None
        unknown = [want for want in contract.wants if want not in world]
        if unknown:
            raise FunctionInvalid(f"{self.path.name}: nothing is called {', '.join(unknown)}.")
        await contract.handle(given, **{want: await world[want]() for want in contract.wants})


def find(folder: Path) -> tuple[Function, ...]:
    """Every function of a folder, by name; files that begin with _ are theirs to share."""
    return tuple(_read(path) for path in _files(folder))


def exist(folder: Path) -> bool:
    """Whether a folder has any function, readable or not."""
    return bool(_files(folder))


def fingerprint(folder: Path) -> dict[str, int]:
    """What changes when a function does, or something they share."""
    found = {}
    for path in folder.rglob("*.py"):
        with contextlib.suppress(FileNotFoundError):  # an editor is at it
            found[str(path)] = path.stat().st_mtime_ns
    return found


def _files(folder: Path) -> list[Path]:
    found = folder.glob("*.py") if folder.is_dir() else ()
    return sorted(path for path in found if not path.name.startswith("_"))


def _read(path: Path) -> Function:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise FunctionInvalid(f"{path.name} cannot be read: {error}.") from error
    if not any(isinstance(n, ast.AsyncFunctionDef) and n.name == "handle" for n in tree.body):
        raise FunctionInvalid(
            f"{path.name} has no `async def handle`.",
            hint="Begin the name of a file that others share with _.",
        )
    queue = next(_queues(tree), DEFAULT_QUEUE)
    return Function(path.stem.replace("_", "-"), path, queue)


def _queues(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="QUEUE")], value=ast.Constant(value=str() as name)
            ):
                yield name


def _import(path: Path) -> ModuleType:
    _open_package(path.parent)
    name = f"{PACKAGE}.{path.stem}"
    sys.modules.pop(name, None)
    return importlib.import_module(name)


def _open_package(folder: Path) -> None:
    """Let `functions` mean this folder, whatever else is called so."""
    known = sys.modules.get(PACKAGE)
    if known and list(known.__path__) == [str(folder)]:
        return
    for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package


def _is_model(annotation: object) -> bool:
    from pydantic import BaseModel

    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _faults(error: Any) -> str:
    """Each fault by its field, without what was given: that may be personal."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    said = [f"{'.'.join(map(str, each['loc'])) or 'all'}: {each['msg']}" for each in faults]
    return f"The arguments do not fit: {'; '.join(said)}."
