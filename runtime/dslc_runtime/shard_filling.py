"""Filling a batch that is cut: each process takes the rows of its own shard and draws its random numbers when it begins to run.

Only the numbers of the rows and of the batch travel. A process has the fields as they were when it was forked; so rows of a field
that may change, and all else that cannot be filled in parts, are filled whole before any process runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.parts import Rows
from dslc_runtime.filling import Fill, Filling, Source
from dslc_runtime.mapped import shared_zeros
from dslc_runtime.random import Draw, DrawSpec, can_begin_inside, drawing
from dslc_runtime.shards import Batch, Cut, Run, Shard

Array: TypeAlias = npt.NDArray[Any]


def shard_filling(cut: Cut, batch: Batch, specs: Iterable[DrawSpec], source: Source) -> tuple[Fill, Sequence[Run]]:
    """What is done before the shards run, and what each of them begins with.

    Args:
        specs: all random tensors of the batch.
    """
    fields, seed, size = source.fields, source.seed, batch.sizes[cut.batch]
    drawn = {spec.stream: spec for spec in specs}
    gather_apart = [name for name, field in fields.items() if cut.inputs.get(name) == 0 and not field.flags.writeable]
    draw_apart = [name for name, spec in drawn.items() if cut.draws.get(name) == 0 and can_begin_inside(spec)]
    whole = Filling(
        tuple((field, batch.inputs[name]) for name, field in fields.items() if name not in gather_apart),
        tuple(drawing(spec, seed, batch.draws[name]) for name, spec in drawn.items() if name not in draw_apart),
    )
    rows, number = (shared_zeros(shape, np.dtype(np.int64)) for shape in ((size,), ()))
    begins: list[Run] = []
    for shard in cut.of(size):
        gather = ((fields[name], shard.of(batch.inputs[name], 0)) for name in gather_apart)
        draw = (_drawing(drawn[name], seed, batch.draws[name], shard) for name in draw_apart)
        part = Filling(tuple(gather), tuple(draw))
        begins.append(partial(_begin, part, shard.of(rows, 0), number))
    return partial(_fill, whole, rows, number), begins


def _drawing(spec: DrawSpec, seed: int, whole: Array, shard: Shard) -> Draw:
    """What draws a shard's part, whose rows come first in memory."""
    return drawing(spec, seed, shard.of(whole, 0), whole.size // shard.batch * shard.start)


def _fill(whole: Fill, told_rows: Array, told_number: Array, rows: Rows, number: int) -> None:
    told_rows[:] = rows
    told_number[()] = number
    whole(rows, number)


def _begin(part: Fill, told_rows: Array, told_number: Array) -> None:
    part(told_rows, int(told_number))
