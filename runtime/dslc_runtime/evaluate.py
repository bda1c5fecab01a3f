"""Running a trained model over data: means of scalars (`evaluate`), or the outputs of every row (`predict`). Nothing is updated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.parts import Part, batches
from dslc_runtime.engine import Feed, Program, feed
from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]


def evaluate(program: Program, state: Mapping[str, Array], part: Part, batch: int, seed: int = 0) -> dict[str, float]:
    """Each scalar output's mean over the rows of a part: batches are weighted by their size, so a short last one counts less.

    Raises:
        RuntimeFault: DL5008, the part has no rows.
    """
    if len(part) == 0:
        raise RuntimeFault("DL5008", "there is nothing to evaluate: the data have no rows")
    sums: dict[str, float] = {}
    feeds: dict[int, Feed] = {}
    with np.errstate(all="ignore"):
        for number, rows in enumerate(batches(part, batch)):
            n = len(rows)
            if n not in feeds:
                feeds[n] = feed(program, state, part.fields, n, seed)
            feeds[n].fill(rows, number)
            feeds[n].bound.run()
            for name, value in feeds[n].bound.outputs.items():
                sums[name] = sums.get(name, 0.0) + float(value) * n
    return {name: total / len(part) for name, total in sums.items()}


def predict(
    program: Program, state: Mapping[str, Array], part: Part, batch: int | None = None, seed: int = 0
) -> dict[str, Array]:
    """The outputs of every row, in order.

    Args:
        batch: rows at a time; None for all at once, as outputs without a batch axis need.
    """
    results: dict[str, Array] = {}
    total = len(part)
    feeds: dict[int, Feed] = {}
    done = 0
    with np.errstate(all="ignore"):
        for number, rows in enumerate(batches(part, batch or max(total, 1))):
            n = len(rows)
            if n not in feeds:
                feeds[n] = feed(program, state, part.fields, n, seed)
            feeds[n].fill(rows, number)
            feeds[n].bound.run()
            for name, value in feeds[n].bound.outputs.items():
                if n == total:
                    results[name] = value.copy()
                    continue
                whole = results.setdefault(name, np.empty((total, *value.shape[1:]), value.dtype))
                whole[done : done + n] = value
            done += n
    return results
