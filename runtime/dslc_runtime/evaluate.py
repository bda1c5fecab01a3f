"""Running a trained model over data: losses and metrics (`evaluate`), or the outputs of every row (`predict`). Nothing is updated.

Both take a `Run`, so that any engine can serve: `program_run` makes one of a compiled program, `function_run` of anything that maps
arrays to arrays, such as an ONNX Runtime session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.parts import Part, Rows, batches
from dslc_runtime.engine import Feed, Program, feed
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.figures import ALL_MEANS, Figures, Totals

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[[Mapping[str, Array], Rows, int], Mapping[str, Array]]  # fields, rows, number of the batch


def program_run(program: Program, state: Mapping[str, Array], seed: int = 0) -> Run:
    """Run a compiled program; results are valid until its next run. Random tensors are keyed by the batch's number."""
    feeds: dict[int, Feed] = {}

    def run(fields: Mapping[str, Array], rows: Rows, number: int) -> Mapping[str, Array]:
        if len(rows) not in feeds:
            feeds[len(rows)] = feed(program, state, fields, len(rows), seed)
        ready = feeds[len(rows)]
        ready.fill(rows, number)
        ready.bound.step()
        return ready.bound.outputs

    return run


def function_run(function: Callable[[dict[str, Array]], Mapping[str, Array]]) -> Run:
    """Run a function of named arrays."""

    def run(fields: Mapping[str, Array], rows: Rows, number: int) -> Mapping[str, Array]:
        del number
        return function({name: field[rows] for name, field in fields.items()})

    return run


def evaluate(run: Run, part: Part, batch: int, figures: Figures = ALL_MEANS) -> dict[str, float]:
    """The figures of a part. Means are over its rows: batches are weighted by their size, so a short last one counts less.

    Raises:
        RuntimeFault: DL5008, the part has no rows.
    """
    if len(part) == 0:
        raise RuntimeFault("DL5008", "there is nothing to evaluate: the data have no rows")
    totals = Totals(figures)
    with np.errstate(all="ignore"):
        for number, rows in enumerate(batches(part, batch)):
            totals.add(run(part.fields, rows, number), len(rows))
    return totals.result(len(part))


def predict(run: Run, part: Part, batch: int | None = None) -> dict[str, Array]:
    """The outputs of every row, in order.

    Args:
        batch: rows at a time; None for all at once, as outputs without a batch axis need.
    """
    results: dict[str, Array] = {}
    total, done = len(part), 0
    with np.errstate(all="ignore"):
        for number, rows in enumerate(batches(part, batch or max(total, 1))):
            for name, value in run(part.fields, rows, number).items():
                if len(rows) == total:
                    results[name] = value.copy()
                    continue
                if name not in results:
                    results[name] = np.empty((total, *value.shape[1:]), value.dtype)
                results[name][done : done + len(rows)] = value
            done += len(rows)
    return results
