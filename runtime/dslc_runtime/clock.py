"""A clock for generated source: seconds spent at numbered places, and how often each was passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class Clock:
    """What `start` and `tick` of a run add up. A tick costs about 0.2 us, which is not counted.

    Attributes:
        seconds, passes: by place.
        runs: how often the program ran.
    """

    seconds: list[float] = field(default_factory=list[float])
    passes: list[int] = field(default_factory=list[int])
    runs: int = 0
    _last: float = 0.0

    def place(self) -> int:
        """A new place."""
        self.seconds.append(0.0)
        self.passes.append(0)
        return len(self.passes) - 1

    def names(self) -> dict[str, Callable[..., None]]:
        """What generated source calls."""
        return {"start": self._start, "tick": self._tick}

    def _start(self) -> None:
        self.runs += 1
        self._last = perf_counter()

    def _tick(self, place: int) -> None:
        self.seconds[place] += perf_counter() - self._last
        self.passes[place] += 1
        self._last = perf_counter()
