"""Orders: what a worker process is started for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.queue.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Order:
    """Whose jobs to do, and until when; with `reload` it ends where its functions change."""

    target: str | None = None
    queues: Sequence[str] = ()
    once: bool = False
    grace: float = Pace.grace
    reload: bool = False

    def as_arguments(self) -> list[str]:
        """The same on a command line."""
        return [
            *(["--target", self.target] if self.target else []),
            *(word for queue in self.queues for word in ("--queue", queue)),
            *(["--once"] if self.once else []),
            "--grace", str(self.grace),
            *(["--reload"] if self.reload else []),
        ]  # fmt: skip
