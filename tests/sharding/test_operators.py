"""What operators declare of rows: at every sample, whatever is promised of a result holds, with shards of 3 rows and of 2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sample import Sample
from samples import SAMPLES

from dslc.backends.interpret import interpret
from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph
from dslc.ops import OPS
from dslc.ops.ir import Attr, Node
from dslc.record import replace
from dslc.sharding.passing import passed
from dslc.sharding.placement import Partial, Placement, Replicated, Sharded, UnshardableError, Whole
from dslc.tensor_type import Dim, DType, TensorType, symbol

Array = npt.NDArray[Any]

B = symbol("B")
ROWS = (3, 2)
TOTAL = sum(ROWS)
SAMPLED = frozenset(op.name for op in OPS.values() if op.kernel is not None and op.rows is not None)
#: Passes put them into the graph of a shard, which has been cut by then.
OF_THE_ENGINE = frozenset(op.name for op in OPS.values() if op.kernel is not None and op.decompose is not None)
#: They have no operand with rows of their own, or read all rows: what they promise is for values without rows.
WITHOUT_ROWS = frozenset({"arange", "full", "pack", "roc_area", "segment"})


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand as the whole batch has it and as each shard does."""

    type: TensorType
    placement: Placement
    whole: Array
    parts: tuple[Array, ...]


# ---------------------------------------------------------------------------------------------- operands


def scaled(array: Array, degree: int, rows: int) -> Array:
    return array * (TOTAL / rows) ** degree if degree else array


def turned(array: Array, by: int) -> Array:
    """Other numbers of the same kind: in another order, and floats a little larger."""
    return np.roll(array, by) * (1 + 0.07 * by) if array.dtype.kind == "f" else np.roll(array, by)


def rows_of(array: Array, placement: Sharded, shard: int) -> Array:
    """The rows of a shard, where rows lie in order inside an axis."""
    before = placement.before if isinstance(placement.before, int) else 1
    axis, start = placement.axis, sum(ROWS[:shard])
    shape = array.shape
    split = array.reshape((*shape[:axis], before, TOTAL, shape[axis] // (before * TOTAL), *shape[axis + 1 :]))
    mine = np.take(split, range(start, start + ROWS[shard]), axis + 1)
    return mine.reshape((*shape[:axis], shape[axis] // TOTAL * ROWS[shard], *shape[axis + 1 :]))


def operands_of(array: Array) -> Iterator[Operand]:
    """All that a sample's operand may be."""
    kind = TensorType(DType("bool" if array.dtype == bool else f"{array.dtype.kind}{8 * array.itemsize}"), array.shape)
    is_float = kind.dtype.is_float
    for degree in (0, 1) if is_float else (0,):
        yield Operand(kind, Replicated(degree), array, tuple(scaled(array, degree, rows) for rows in ROWS))
    if is_float:
        yield Operand(kind, Replicated(None), 0 * array, (0 * array,) * len(ROWS))
    for degree in (0, 1) if is_float else ():
        parts = tuple(turned(array, i) for i in range(len(ROWS)))
        whole = sum(part * (rows / TOTAL) ** degree for part, rows in zip(parts, ROWS, strict=True))
        yield Operand(kind, Partial(degree), np.asarray(whole), parts)
    for axis in (axis for axis, size in enumerate(array.shape) if size):
        yield from with_rows(array, kind, axis)


def with_rows(array: Array, kind: TensorType, axis: int) -> Iterator[Operand]:
    size = array.shape[axis]
    dims: tuple[Dim, ...] = (*kind.shape[:axis], size * B, *kind.shape[axis + 1 :])
    whole = np.concatenate([turned(array, i) for i in range(TOTAL)], axis)
    equal = np.repeat(np.take(array, [0], axis), size * TOTAL, axis)
    places = [(1, size, whole), (size, 1, whole), (None, None, equal)] if size > 1 else [(1, 1, whole)]
    for (before, behind, values), degree in product(places, (0, 1) if kind.dtype.is_float else (0,)):
        placement = Sharded(axis, before, behind, degree)
        parts = tuple(scaled(rows_of(values, placement, i), degree, rows) for i, rows in enumerate(ROWS))
        yield Operand(TensorType(kind.dtype, dims), placement, values, parts)


# ---------------------------------------------------------------------------------------------- applications


def applied(name: str, sample: Sample, operands: Sequence[Operand]) -> tuple[Graph, Node] | None:
    """An operator applied to inputs of these types; None where it does not exist."""
    builder = Builder()
    leaves = [builder.leaf("input", operand.type, name=f"x{i}") for i, operand in enumerate(operands)]
    try:
        result = builder.apply(name, *leaves, **attrs_of(sample, operands))
    except InternalError:
        return None
    builder.graph.outputs["y"] = result
    return builder.graph, builder.graph.producer(result)


def attrs_of(sample: Sample, operands: Sequence[Operand]) -> dict[str, Attr]:
    """The options of a sample, where the size of an axis that has rows is that of the operand."""
    attrs, sizes = dict(sample.attrs), sample.attrs.get("sizes")
    shapes = [operand.type.shape for operand in operands[:1]]
    if isinstance(sizes, tuple) and shapes and len(sizes) == len(shapes[0]):
        old = np.shape(sample.operands[0])
        pairs = zip(sizes, old, shapes[0], strict=True)
        attrs["sizes"] = tuple(mine if size == was else size for size, was, mine in pairs)
    return attrs


def computed(graph: Graph, arrays: Sequence[Array], rows: int) -> Array:
    return interpret(graph, {f"x{i}": array for i, array in enumerate(arrays)}, {"B": rows})["y"]


def choices(name: str, sample: Sample) -> Iterator[list[Operand]]:
    """Operands of a sample in the ways they may lie: every choice of the simplest ways, and some of all."""
    arrays = [np.asarray(o, "f8") if isinstance(o, int | float) else o for o in sample.operands]
    if any(array.size and not np.abs(array.astype("f8")).max() < 1e3 for array in arrays):
        return  # overflow is not what this is about
    ways = [list(operands_of(array)) for array in arrays]
    yield from map(list, product(*([way for way in operand if is_simple(way.placement)] for operand in ways)))
    random = Random(f"{name} {sample}")
    for _ in range(30 * len(ways)):
        yield [random.choice(way) for way in ways]


def is_simple(placement: Placement) -> bool:
    if isinstance(placement, Sharded):
        return (placement.axis, placement.before, placement.degree) == (0, 1, 0)
    return placement == Replicated(0)


def promised(name: str, sample: Sample) -> Iterator[tuple[Graph, list[Operand], Placement]]:
    for operands in choices(name, sample):
        made = applied(name, sample, operands)
        if made is None or made[1].op != name:
            continue
        try:
            placement = passed(made[1], [operand.placement for operand in operands], B)
        except UnshardableError:
            continue
        if not isinstance(placement, Whole):
            yield made[0], operands, placement


def assert_kept(graph: Graph, operands: Sequence[Operand], placement: Placement) -> None:
    """What is promised of a result is so."""
    try:
        whole = computed(graph, [operand.whole for operand in operands], TOTAL)
    except (ValueError, IndexError):
        return  # of gradients, types do not say that they fit their operands
    parts = [computed(graph, [operand.parts[i] for operand in operands], rows) for i, rows in enumerate(ROWS)]
    if not all(np.isfinite(array.astype("f8")).all() for array in (whole, *parts)):
        return
    match placement:
        case Partial(degree):
            wanted = [whole]
            parts = [sum(part * (rows / TOTAL) ** (degree or 0) for part, rows in zip(parts, ROWS, strict=True))]
        case Replicated(degree):
            wanted = [scaled(whole, degree or 0, rows) for rows in ROWS]
        case Sharded(degree=degree):
            wanted = [scaled(rows_of(whole, placement, i), degree or 0, rows) for i, rows in enumerate(ROWS)]
        case Whole():
            raise AssertionError
    for part, array in zip(parts, wanted, strict=True):
        exact = array.dtype.kind != "f" or array.dtype == np.float64
        bound = (1e-12 if exact else float(np.finfo(array.dtype).eps)) * (
            1 + float(np.abs(array.astype("f8")).max(initial=0.0))
        )
        ways = [(str(operand.type), operand.placement) for operand in operands]
        assert np.shape(part) == array.shape, (ways, placement)
        assert np.allclose(part, array, rtol=0, atol=bound), (ways, placement)


@pytest.mark.parametrize("name", sorted(SAMPLED))
def test_what_is_promised_of_a_result_holds(name: str):
    with_rows = 0
    for sample in SAMPLES[name]:
        kept: dict[tuple[object, ...], int] = {}
        for graph, operands, placement in promised(name, sample):
            key = (placement, *(replace(o.placement, degree=0) for o in operands if not isinstance(o.placement, Whole)))
            kept[key] = kept.get(key, 0) + 1
            if kept[key] <= 2:
                assert_kept(graph, operands, placement)
                with_rows += any(isinstance(operand.placement, Sharded) for operand in operands)
    assert bool(with_rows) != (name in WITHOUT_ROWS)


def test_every_operator_of_a_training_step_says_how_rows_pass():
    known = {op.name for op in OPS.values() if op.kernel is not None}
    assert known - SAMPLED == OF_THE_ENGINE
