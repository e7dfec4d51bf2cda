"""A stopwatch: the same few things timed in turn, so that a busy machine slows them all."""

from __future__ import annotations

import argparse
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from nlctl import console

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def runs(default: int, description: str) -> int:
    """How many runs the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=default, help=f"{default} by default")
    return max(1, int(parser.parse_args().runs))


def time(act: Callable[[], object]) -> float:
    """Seconds that `act` takes."""
    begin = perf_counter()
    act()
    return perf_counter() - begin


def compare(acts: Mapping[str, Callable[[], float]], runs: int) -> None:
    """Print the median seconds of each act and its ratio to the first."""
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(runs):
        for name, act in acts.items():
            seconds[name].append(act())
    reference = median(next(iter(seconds.values())))
    rows = [
        (name, *(f"{value * 1000:.1f}" for value in (min(taken), median(taken), max(taken))),
         f"{median(taken) / reference:.2f}")
        for name, taken in seconds.items()
    ]  # fmt: skip
    console.say_table(("", "least ms", "median ms", "most ms", "ratio"), rows)
    console.say(f"({runs} runs each)")
