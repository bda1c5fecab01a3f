"""Random graphs full of what rules look for: zeros, powers of two, signs, views of views, parts of vectors; and their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.graph import Builder, Graph
from dslc.graph.arrays import numpy_dtype
from dslc.ops.ir import Value
from dslc.tensor_type import Dim, DType, TensorType, broadcast, count, evaluate, symbol

Array = npt.NDArray[Any]
B = symbol("B")
NUMBERS = (0.0, -0.0, 1.0, -1.0, 2.0, -0.5, 0.25, 3.0, -1.7, 8.0)
UNARY = ("neg", "abs", "square", "relu", "sigmoid", "tanh", "sum", "mean", "max", "stop_gradient")
BINARY = ("add", "sub", "mul", "div", "maximum", "minimum")
CUTS = ((1, 3), (4,), (2, 2))  # of a vector of four


def expressions(chance: Random) -> Graph:
    """A graph over ``x: [B, 4]``, ``y: [4]``, draws, a state and a scalar, all of one floating-point type.

    Every value is a result. Most are made from one of the last, and by few kinds of moves, so that rules find their patterns.
    """
    dtype = chance.choice([DType.F32, DType.F64])
    b = Builder()
    pool: list[Value] = [
        b.leaf("input", TensorType(dtype, (B, 4)), name="x"),
        b.leaf("param", TensorType(dtype, (4,)), key="y"),
        b.leaf("draw", TensorType(dtype, (B, 4)), dist="normal", stream="r", mean=0.0, std=1.0),
        b.leaf("draw", TensorType(dtype, (B, 4)), dist="normal", stream="q", mean=0.0, std=1.0),
        b.leaf("state", TensorType(dtype, (4,)), name="s"),
        b.leaf("input", TensorType(dtype), name="scalar"),
    ]
    leaves, moves = len(pool), chance.sample(_MOVES, 3)
    for _ in range(chance.randint(6, 14)):
        recent = pool[leaves:][-3:]
        x = chance.choice(recent if recent and chance.random() < 0.6 else pool)
        pool.extend(chance.choice(moves)(chance, b, x, pool))
    for number, value in enumerate(pool[leaves:]):
        b.graph.outputs[f"out{number}"] = value
    b.graph.updates["s"] = chance.choice([value for value in pool if value.shape == (4,)])
    return b.graph


_Move = Callable[[Random, Builder, Value, list[Value]], list[Value]]


def _signs_and_scales(chance: Random, b: Builder, x: Value, _: list[Value]) -> list[Value]:
    """A few operators with a number, and signs, one after another."""
    made: list[Value] = []
    for _ in range(chance.randint(1, 4)):
        kind = chance.choice(["neg", "neg", "square", "abs", *["mul"] * 4, "div", "add", "sub", "power"])
        c = b.constant(chance.choice(NUMBERS[:2] if kind in ("add", "sub") else NUMBERS[2:]), x.dtype)
        if kind in ("neg", "square", "abs"):
            x = b.apply(kind, x)
        elif kind == "power":
            x = b.apply("pow", x, b.constant(chance.choice([1.0, 2.0]), x.dtype))
        else:
            x = b.apply(kind, *((c, x) if chance.random() < 0.3 else (x, c)))
        made.append(x)
    return made


def _unary(chance: Random, b: Builder, x: Value, _: list[Value]) -> list[Value]:
    return [b.apply(chance.choice(UNARY), x)]


def _binary(chance: Random, b: Builder, x: Value, pool: list[Value]) -> list[Value]:
    y = chance.choice([value for value in pool if broadcast(x.shape, value.shape) is not None])
    if chance.random() < 0.3:
        y = b.apply("neg", y)
    return [b.apply(chance.choice(BINARY), *((y, x) if chance.random() < 0.5 else (x, y)))]


def _numbers_alone(chance: Random, b: Builder, x: Value, _: list[Value]) -> list[Value]:
    """What is known without running."""
    c, d = (b.constant(chance.choice(NUMBERS), x.dtype) for _ in range(2))
    return [b.apply("add", b.apply(chance.choice(BINARY), c, d), x)]


def _choice(chance: Random, b: Builder, x: Value, pool: list[Value]) -> list[Value]:
    y = chance.choice([value for value in pool if broadcast(x.shape, value.shape) is not None])
    known = b.constant(float(chance.random() < 0.5), DType.BOOL)
    return [b.apply("where", known if chance.random() < 0.5 else b.apply("gt", x, y), x, y)]


def _cast(chance: Random, b: Builder, x: Value, _: list[Value]) -> list[Value]:
    return [b.apply("cast", b.apply("cast", x, dtype=DType.F64), dtype=x.dtype)]


def _size(chance: Random, b: Builder, x: Value, _: list[Value]) -> list[Value]:
    size: Dim = chance.choice([3, 4, B])
    return [b.apply("divide_by_size", x, size=size)]


def _views(chance: Random, b: Builder, x: Value, _: list[Value]) -> list[Value]:
    """A few views of views."""
    made: list[Value] = []
    for _ in range(chance.randint(1, 4)):
        x = _seen(chance, b, x)
        made.append(x)
    return made


def _seen(chance: Random, b: Builder, x: Value) -> Value:
    return chance.choice(list(_VIEWS.values()))(b, x)


def _repeated(chance: Random, b: Builder, x: Value, pool: list[Value]) -> list[Value]:
    """Something that is repeated, perhaps twice, and then read."""
    small = chance.choice([value for value in pool if broadcast(value.shape, (B, 4)) == (B, 4)])
    kind = chance.choice(["any", "number", "scalar", "scalar"])
    if kind == "number":
        small = b.apply("full", sizes=(4,), value=chance.choice(NUMBERS), dtype=x.dtype)
    if kind == "scalar":
        small = chance.choice([value for value in pool if not value.shape])
    if chance.random() < 0.3 and small.shape == (4,):
        small = b.apply("expand_dims", small, axis=0)
    wide = b.apply("expand", small, sizes=(B, 4))
    again = b.apply("expand", wide, sizes=(2, B, 4)) if chance.random() < 0.5 else wide
    return [again, b.apply(chance.choice(UNARY), again), _seen(chance, b, _seen(chance, b, again))]


def _vector(chance: Random, b: Builder, _: Value, pool: list[Value]) -> list[Value]:
    """All parts of a vector, or of two, with something added perhaps, packed again."""
    v, w = (chance.choice([value for value in pool if value.shape == (4,)]) for _ in range(2))
    sizes, found, start = chance.choice(CUTS), list[Value](), 0
    cut = chance.choice(["slice", "segment", "reshaped"])
    for size in sizes:
        if cut == "segment":
            part = b.apply("segment", v, offset=start, sizes=(size,))
        else:
            part = b.apply("slice", v, starts=(start,), stops=(start + size,))
        found.append(b.apply("reshape", part, sizes=(1, size)) if cut == "reshaped" else part)
        start += size
    if chance.random() < 0.6:
        found = [b.apply("add", *chance.sample([part, b.apply("tanh", part)], 2)) for part in found]
    if chance.random() < 0.2:
        found = [*found[:-1], b.apply("slice", w, starts=(4 - sizes[-1],), stops=(4,))]
    return [b.apply("pack", *found)]


def _pieces(chance: Random, b: Builder, x: Value, pool: list[Value]) -> list[Value]:
    """Parts between zeros, added up in some order. None is -0, which 0 is added to: joined, it would stay -0."""
    (x,) = chance.sample([value for value in pool if value.shape[-1:] == (4,)], 1)
    sizes, found, start = chance.choice(CUTS), list[Value](), 0
    front = (0,) * (x.type.rank - 1)
    for size in sizes:
        at = (*front, start)
        part = b.apply("slice", x, starts=at, stops=(*x.shape[:-1], start + size))
        steps = (1,) * x.type.rank
        found.append(b.apply("pad_slice", b.apply("abs", part), sizes=x.shape, starts=at, steps=steps))
        start += size
    chance.shuffle(found)
    return [reduce(lambda total, piece: b.apply("add", total, piece), found)]


_MOVES: tuple[_Move, ...] = (
    *(_signs_and_scales, _signs_and_scales, _signs_and_scales),
    *(_views, _views, _repeated, _binary, _binary),
    *(_unary, _numbers_alone, _choice, _cast, _size, _vector, _pieces),
)

_VIEWS: dict[str, Callable[[Builder, Value], Value]] = {
    "flat": lambda b, x: b.apply("reshape", x, sizes=(count(x.shape),)),
    "same shape": lambda b, x: b.apply("reshape", x, sizes=x.shape),
    "row": lambda b, x: b.apply("expand_dims", x, axis=0) if x.type.rank < 4 else x,
    "column": lambda b, x: b.apply("expand_dims", x, axis=-1) if x.type.rank < 4 else x,
    "squeeze": lambda b, x: b.apply("squeeze", x),
    "axis in and out": lambda b, x: b.apply("squeeze", b.apply("expand_dims", x, axis=0), axis=0),
    "turned": lambda b, x: b.apply("transpose", x),
    "turned back": lambda b, x: b.apply("transpose", x),
    "around": lambda b, x: b.apply("transpose", x, axes=(*range(1, x.type.rank), 0)) if x.shape else x,
    "whole": lambda b, x: b.apply("slice", x, starts=(0,) * x.type.rank, stops=x.shape, steps=(1,) * x.type.rank),
    "alone": lambda b, x: b.apply("concat", x, axis=0) if x.shape else x,
    "no axes": lambda b, x: b.apply("max", x, axes=()),
}


# ---------------------------------------------------------------------------------------------- numbers


def numbers(graph: Graph, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Array]:
    """Something for every leaf to hold: zeros of both signs, the largest number, an infinity and NaN among it."""
    generator = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for op, key in (("input", "name"), ("param", "key"), ("state", "name"), ("draw", "stream")):
        for node in graph.leaves(op):
            shape, dtype = [evaluate(dim, sizes) for dim in node.out.shape], numpy_dtype(node.out.dtype)
            values = generator.choice(_floats(dtype) if node.out.dtype.is_float else [-2, -1, 0, 1, 3], shape)
            found[node.attrs.str(key)] = np.asarray(values, dtype)
    return found


def _floats(dtype: np.dtype[Any]) -> list[float]:
    return [-2.0, -1.0, -0.0, 0.0, 0.3, 1.0, 1.7, float(np.finfo(dtype).max), np.inf, np.nan]
