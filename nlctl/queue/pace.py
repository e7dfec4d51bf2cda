"""How fast a worker lives: when it tries again, looks around, and gives up. All in seconds."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Production's by default; tests live faster."""

    attempts: int = 12
    first_pause: float = 2
    longest_pause: float = 3600
    heartbeat: float = 10
    stalled_after: float = 30  # without a heartbeat; jobs of such workers are taken up
    poll: float = 5  # for jobs whose moment has come; new ones announce themselves
    sweep: float = 3600  # between looks for what is old enough to be forgotten
    longest_job: float = 900  # one that takes longer has failed
    grace: float = 30  # for the job in hand when the worker is told to stop
    reconnect: float = 2

    def pause(self, failures: int) -> float:
        """How long a job waits after so many failures: twice as long each time, never in step."""
        longest: float = min(self.longest_pause, self.first_pause * 2.0 ** (failures - 1))
        return longest * random.uniform(0.5, 1)  # noqa: S311 (spreads load, guards nothing)
