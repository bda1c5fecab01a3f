"""Random graphs full of what rules look for: zeros, ones, powers of two, signs, and views of views; and their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph
from dslc.graph.arrays import numpy_dtype
from dslc.ops.ir import Value
from dslc.tensor_type import DType, TensorType, broadcast, count, evaluate, symbol

Array = npt.NDArray[Any]
B = symbol("B")
SIZE = 3
NUMBERS = (0.0, -0.0, 1.0, -1.0, 2.0, -0.5, 0.25, 3.0, -1.7, 8.0)
UNARY = ("neg", "neg", "neg", "transpose", "abs", "square", "relu", "tanh", "sum", "mean", "max", "stop_gradient")
BINARY = ("add", "sub", "mul", "div", "maximum", "minimum", "pow")


@st.composite
def rewritable_graphs(draw: st.DrawFn) -> Graph:
    """Graphs over ``x: [B, 4]``, ``y: [4]``, draws, a state and a scalar, all of one floating-point type.

    Every value is a result, and most are made from the one before, so that rules find their patterns.
    """
    dtype = draw(st.sampled_from([DType.F32, DType.F64]))
    b = Builder()
    pool: list[Value] = [
        b.leaf("input", TensorType(dtype, (B, 4)), name="x"),
        b.leaf("param", TensorType(dtype, (4,)), key="y"),
        b.leaf("draw", TensorType(dtype, (B, 4)), dist="normal", stream="r", mean=0.0, std=1.0),
        b.leaf("draw", TensorType(dtype, (B, 4)), dist="normal", stream="q", mean=0.0, std=1.0),
        b.leaf("state", TensorType(dtype, (4,)), name="s"),
        b.leaf("input", TensorType(dtype), name="scalar"),
    ]
    leaves = len(pool)
    for _ in range(draw(st.integers(5, 18))):
        pool.append(_grow(draw, b, pool[-2:] if len(pool) > leaves and draw(st.integers(0, 3)) else pool))
    for number, value in enumerate(pool[leaves:]):
        b.graph.outputs[f"out{number}"] = value
    b.graph.updates["s"] = draw(st.sampled_from([value for value in pool if value.shape == (4,)]))
    return b.graph


def _grow(draw: st.DrawFn, b: Builder, pool: list[Value]) -> Value:
    x = draw(st.sampled_from(pool))
    kind = draw(st.sampled_from(["unary", "binary", "number", "number", "view", "view", "where", "cast", "size"]))
    if kind == "unary":
        return b.apply(draw(st.sampled_from(UNARY)), x)
    if kind == "size":
        return b.apply("divide_by_size", x, size=draw(st.sampled_from([3, 4, B])))
    if kind == "number":
        c = b.constant(draw(st.sampled_from(NUMBERS)), x.dtype)
        pair = (c, x) if draw(st.booleans()) else (x, c)
        return b.apply(draw(st.sampled_from(BINARY)), *pair)
    if kind == "view":
        return _view(draw, b, x)
    if kind == "cast":
        wide = b.apply("cast", x, dtype=DType.F64)
        return b.apply("cast", wide, dtype=x.dtype)
    fits = [y for y in pool if broadcast(x.shape, y.shape) is not None]
    y = draw(st.sampled_from(fits))
    if kind == "binary":
        return b.apply(draw(st.sampled_from(BINARY)), x, y)
    known = b.constant(draw(st.sampled_from([0.0, 1.0])), DType.BOOL)
    condition = known if draw(st.booleans()) else b.apply("gt", x, y)
    return b.apply("where", condition, x, y)


def _view(draw: st.DrawFn, b: Builder, x: Value) -> Value:
    kind = draw(st.sampled_from(["flat", "same", "row", "column", "squeeze", "expand", "whole", "full"]))
    if kind == "flat":
        return b.apply("reshape", x, sizes=(count(x.shape),))
    if kind == "same":
        return b.apply("reshape", x, sizes=x.shape)
    if kind in ("row", "column") and x.type.rank < 4:
        return b.apply("expand_dims", x, axis=0 if kind == "row" else -1)
    if kind == "expand" and broadcast(x.shape, (B, 4)) == (B, 4):
        return b.apply("expand", x, sizes=(B, 4))
    if kind == "whole":
        return b.apply("slice", x, starts=(0,) * x.type.rank, stops=x.shape, steps=(1,) * x.type.rank)
    if kind == "full":
        return b.apply("full", sizes=x.shape, value=draw(st.sampled_from(NUMBERS)), dtype=x.dtype)
    return b.apply("squeeze", x)


def numbers(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Something for every leaf to hold: zeros of both signs, the largest number, an infinity and NaN among it."""
    generator = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for op, key in (("input", "name"), ("param", "key"), ("state", "name"), ("draw", "stream")):
        for node in graph.leaves(op):
            shape, dtype = [evaluate(dim, {"B": SIZE}) for dim in node.out.shape], numpy_dtype(node.out.dtype)
            values = generator.choice(_floats(dtype) if node.out.dtype.is_float else [-2, -1, 0, 1, 3], shape)
            found[node.attrs.str(key)] = np.asarray(values, dtype)
    return found


def _floats(dtype: np.dtype[Any]) -> list[float]:
    return [-2.0, -1.0, -0.0, 0.0, 0.3, 1.0, 1.7, float(np.finfo(dtype).max), np.inf, np.nan]


def results(graph: Graph, feeds: dict[str, Array]) -> dict[str, Array]:
    return interpret(graph, feeds, {"B": SIZE})
