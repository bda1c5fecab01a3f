"""Runs the two graphs of a sharded step by the interpreter, as a runtime would, one shard after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.interpret import interpret
from dslc.sharding import SHARE, Sharding

Array = npt.NDArray[Any]


def run_sharded(sharding: Sharding, feeds: Mapping[str, Array], rows: Sequence[int]) -> dict[str, Array]:
    """Outputs and new states of a step whose batch is cut into so many rows each.

    Args:
        feeds: of the whole batch.
    """
    total = sum(rows)
    inputs = {leaf.attrs.str("name"): leaf.out for leaf in sharding.part.leaves("input")}
    sizes = {
        str(dim): size
        for name, value in inputs.items()
        for dim, size in zip(value.shape, feeds[name].shape, strict=True)
    }
    ends = list(accumulate(rows))
    given = dict(feeds)
    for i, (end, count) in enumerate(zip(ends, rows, strict=True)):
        own = dict(feeds)
        for name, axis in (*sharding.inputs.items(), *sharding.draws.items()):
            own[name] = rows_of(feeds[name], axis, end - count, end, total)
        found = interpret(sharding.part, own, {sharding.batch: count})
        given |= {f"{name}.{i}": array for name, array in found.items()}
        given[f"{SHARE}.{i}"] = np.array(count / total)
    for name in sharding.joined:
        given[name] = np.concatenate([given[f"{name}.{i}"] for i in range(len(rows))])
    return interpret(sharding.rest, given, sizes | {sharding.batch: total})


def rows_of(array: Array, axis: int, start: int, end: int, total: int) -> Array:
    """Some rows of an array that has as many elements for each along an axis, one row's after another's."""
    each = array.shape[axis] // total
    return np.take(array, range(start * each, end * each), axis)


def assert_close(found: Mapping[str, Array], wanted: Mapping[str, Array], tolerance: float) -> None:
    """The same names in the same order, the same types, and |a - b| <= tolerance * (1 + max |b|)."""
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        bound = tolerance * (1 + float(np.abs(array.astype("f8")).max(initial=0.0)))
        np.testing.assert_allclose(found[name], array, rtol=0, atol=bound, err_msg=name)
