"""Lowering of cells: what a body reads from outside is handed in, also through several scans."""

from __future__ import annotations

from typing import Any

import numpy as np

from dslc.backends.interpret import interpret
from dslc.check.typed import Body, TypedCell, TypedValue
from dslc.graph import Graph, verify
from dslc.lower import lower
from dslc.ops.ir import Attrs
from dslc.source import Source, Span
from dslc.tensor_type import DType, TensorType, symbol

T, U, N = symbol("T"), symbol("U"), 3
SPAN = Span(Source("t.dl", "h = f(x)"), 4, 8)


def value(shape: tuple[Any, ...], op: str, *inputs: TypedValue, cell: TypedCell | None = None, **attrs: Any):
    return TypedValue(TensorType(DType.F64, shape), op, inputs, Attrs(attrs), SPAN, cell=cell)


def item(shape: tuple[Any, ...], scan: TypedValue, index: int) -> TypedValue:
    return value(shape, "item", scan, index=index, dtype=DType.F64, sizes=shape)


def cell(
    values: list[TypedValue], inputs: dict[str, TypedValue], after: TypedValue, reverse: bool = False
) -> TypedCell:
    body = Body(training=True, values=values, inputs=inputs)
    return TypedCell(body, ("h",), ("x",), (after,), (after,), reverse)


def decaying(x: TypedValue, zero: TypedValue, length: Any, reverse: bool = False) -> list[TypedValue]:
    """The scan h' = decay * h + x * mask over x, and its outputs."""
    h, e = value((N,), "input", name="h"), value((N,), "input", name="x")
    decay = value((), "param", key="decay")
    mask = value((N,), "random_bernoulli", e, p=0.5, value=2.0, stream="cell/0")
    kept, masked = value((N,), "mul", h, decay), value((N,), "mul", e, mask)
    after = value((N,), "add", kept, masked)
    made = cell([h, e, decay, mask, kept, masked, after], {"h": h, "x": e}, after, reverse)
    scan = value((), "scan", zero, x, cell=made)
    return [scan, item((length, N), scan, 1)]


def nested() -> tuple[Graph, dict[str, np.ndarray]]:
    """h' = (sum of the inner outputs over u) + h, for every t."""
    x, zero = value((T, U, N), "input", name="x"), value((N,), "full", sizes=(N,), value=0.0, dtype=DType.F64)
    h, rows = value((N,), "input", name="h"), value((U, N), "input", name="x")
    inner = decaying(rows, h, U, reverse=True)
    total = value((N,), "sum", inner[-1], axes=(0,), keepdims=False)
    after = value((N,), "add", total, h)
    scan = value((), "scan", zero, x, cell=cell([h, rows, *inner, total, after], {"h": h, "x": rows}, after))
    y = item((T, N), scan, 1)
    graph = lower(Body(training=True, values=[x, zero, scan, y]), {"y": y})
    generator = np.random.default_rng(0)
    masks = generator.integers(0, 2, (2, 4, N)) * 2.0
    return graph, {"x": generator.normal(size=(2, 4, N)), "decay": np.array(0.9), "cell/0": masks}


def test_a_draw_in_a_body_is_one_draw_for_the_whole_sequence():
    x, zero = value((T, N), "input", name="x"), value((N,), "full", sizes=(N,), value=0.0, dtype=DType.F64)
    scan, y = decaying(x, zero, T)
    graph = lower(Body(training=True, values=[x, zero, scan, y]), {"y": y})
    verify(graph, "lower")
    (draw,) = graph.leaves("draw")
    assert draw.out.shape == (T, N)
    assert draw.attrs == Attrs({"dist": "bernoulli", "p": 0.5, "value": 2.0, "stream": "cell/0"})


def test_parameters_and_draws_reach_a_scan_inside_a_scan():
    graph, _ = nested()
    verify(graph, "lower")
    assert [node.attrs["key"] for node in graph.leaves("param")] == ["decay"]
    assert [node.out.shape for node in graph.leaves("draw")] == [(T, U, N)]


def test_a_scan_inside_a_scan_computes_what_two_loops_do():
    graph, feeds = nested()
    h, rows = np.zeros(N), []
    for t in range(2):
        inner, total = h, np.zeros(N)
        for u in reversed(range(4)):
            inner = feeds["decay"] * inner + feeds["x"][t, u] * feeds["cell/0"][t, u]
            total += inner
        h = total + h
        rows.append(h)
    np.testing.assert_allclose(interpret(graph, feeds)["y"], rows, rtol=1e-12)
