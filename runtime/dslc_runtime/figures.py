"""What batches report -> losses and metrics of all of them.

Most figures are means over rows: a batch gives a number, which counts by the batch's size. Others are functions of sums or of all
rows (an F1 is no mean of F1s): there a batch contributes a tensor, and the figure is worked out from all contributions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def _as_they_are(joined: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in joined.items()}


@dataclass(frozen=True, slots=True)
class Figures:
    """How outputs of batches become figures.

    Attributes:
        joined: how the outputs that are no means become one: "sum" adds them, "rows" puts them below each other.
        finish: the figures by name from the joined outputs; every output is a figure unless it says otherwise.
    """

    joined: Mapping[str, str] = field(default_factory=dict[str, str])
    finish: Callable[[Mapping[str, Any]], dict[str, float]] = _as_they_are


ALL_MEANS = Figures()


@dataclass(slots=True)
class Totals:
    """Outputs of batches as they come in.

    Attributes:
        sums: of the outputs that are means, each times its rows.
        kept: what the others contributed.
    """

    figures: Figures
    sums: dict[str, float] = field(default_factory=dict[str, float])
    kept: dict[str, list[Array]] = field(default_factory=dict[str, list[Array]])

    def add(self, outputs: Mapping[str, Array], rows: int) -> None:
        """Add the outputs of a batch."""
        for name, value in outputs.items():
            if name in self.figures.joined:
                self.keep(name, value)
            else:
                self.count(name, float(value) * rows)

    def count(self, name: str, weighted: float) -> None:
        """Add a mean, or the sum of several, times the rows it is of."""
        self.sums[name] = self.sums.get(name, 0.0) + weighted

    def keep(self, name: str, value: Array) -> None:
        """Add what a batch contributed to an output that is no mean; its memory may change afterwards."""
        before = self.kept.setdefault(name, [])
        if before and self.figures.joined[name] == "sum":
            before[0] += value
        else:
            before.append(value.copy())

    def result(self, rows: int) -> dict[str, float]:
        """The figures of all rows."""
        joined: dict[str, Any] = {name: total / rows for name, total in self.sums.items()}
        joined |= {name: np.concatenate(parts) if len(parts) > 1 else parts[0] for name, parts in self.kept.items()}
        return self.figures.finish(joined)
