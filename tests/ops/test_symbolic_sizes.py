"""Operators whose ONNX form or kernel depends on sizes known at run time only: one graph, several batches, two engines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder, verify
from dslc.ops.ir import Value
from dslc.ops.slicing import split_slices
from dslc.tensor_type import DType, TensorType, symbol

B, T = symbol("B"), symbol("T")

Program = Callable[[Builder, Value], Value]


def _mean_gradient(b: Builder, x: Value) -> Value:
    return gradients(b, b.apply("mean", b.apply("square", x)), [x])[0]


def _slice_gradient(b: Builder, x: Value) -> Value:
    last = b.apply("slice", x, starts=(None, 1), stops=(None, None), steps=(1, 2))
    return gradients(b, b.apply("sum", b.apply("square", last)), [x])[0]


def _split(b: Builder, x: Value) -> Value:
    doubled = b.apply("concat", x, b.apply("neg", x), axis=0)
    first, second = (b.apply("slice", doubled, **attrs) for attrs in split_slices(doubled.type, 2, 0))
    return b.apply("sub", first, second)


def _lookups(b: Builder, x: Value) -> Value:
    ids = b.apply("argmax", x, axis=1)
    rows = b.apply("gather", b.apply("reshape", x, sizes=(-1, 4)), ids)
    return b.apply("concat", b.apply("one_hot", ids, classes=T), rows, axis=-1)


def _table_gradient(b: Builder, x: Value) -> Value:
    table = b.apply("reshape", x, sizes=(-1, 4))
    rows = b.apply("gather", table, b.apply("argmax", x, axis=1))
    return gradients(b, b.apply("sum", b.apply("square", rows)), [table])[0]


def _class_gradient(b: Builder, x: Value) -> Value:
    return gradients(b, b.apply("cross_entropy", x, b.apply("argmax", x, axis=1), axis=1), [x])[0]


PROGRAMS: dict[str, Program] = {
    "reshape to one unknown size": lambda b, x: b.apply("reshape", x, sizes=(B * T, 4)),
    "reshape to two": lambda b, x: b.apply("reshape", x, sizes=(T, B, 2, 2)),
    "flatten": lambda b, x: b.apply("flatten", x),
    "flatten everything": lambda b, x: b.apply("flatten", x, start=0),
    "slice to the end": lambda b, x: b.apply("slice", x, starts=(None, 1), stops=()),
    "slice from the end": lambda b, x: b.apply("slice", x, starts=(None, -2, 0), stops=(None, -1, 3)),
    "slice up to a size": lambda b, x: b.apply("slice", b.apply("concat", x, x, axis=0), starts=(B,), stops=(2 * B,)),
    "slice in steps": lambda b, x: b.apply("slice", x, starts=(), stops=(), steps=(1, 2)),
    "expand": lambda b, x: b.apply("expand", b.apply("mean", x, axes=(0, 1)), sizes=(T, B, 4)),
    "full": lambda b, x: b.apply("add", x, b.apply("full", sizes=(T, 1), value=2.0)),
    "mean": lambda b, x: b.apply("mean", x, axes=(0, 2)),
    "gradient of a mean": _mean_gradient,
    "gradient of a slice": _slice_gradient,
    "split": _split,
    "divide by a size": lambda b, x: b.apply("divide_by_size", x, size=B * T + 1),
    "sum to a shape": lambda b, x: b.apply("sum_to", x, sizes=(1, T, 1)),
    "pack": lambda b, x: b.apply("pack", x, b.apply("sum", x)),
    "lookups": _lookups,
    "gradient of a lookup": _table_gradient,
    "gradient of a cross entropy": _class_gradient,
    "kl_div per sample": lambda b, x: b.apply("kl_div", x, b.apply("square", x), reduction="batchmean"),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_one_graph_serves_every_size_on_both_engines(program: Program):
    onnxruntime = pytest.importorskip("onnxruntime")
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F32, (B, T, 4)), name="x")
    builder.graph.outputs["y"] = program(builder, x)
    verify(builder.graph, "test")
    model = to_onnx(builder.graph, {}).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for b, t in ((1, 2), (2, 3), (7, 5), (3, 4)):
        array = np.random.default_rng(b).standard_normal((b, t, 4)).astype(np.float32)
        expected = interpret(builder.graph, {"x": array})["y"]
        (found,) = session.run(["y"], {"x": array})
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_slice_that_turns_out_to_reach_outside_stops_the_run():
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F32, (B, T)), name="x")
    builder.graph.outputs["y"] = builder.apply("slice", x, starts=(None, 0), stops=(None, 3))
    assert interpret(builder.graph, {"x": np.zeros((2, 3), np.float32)})["y"].shape == (2, 3)
    with pytest.raises(IndexError, match="does not lie within axis 1, which has 2 elements"):
        interpret(builder.graph, {"x": np.zeros((2, 2), np.float32)})


@pytest.mark.parametrize("bad", [-1, 3])
@pytest.mark.parametrize("op", ["gather", "one_hot", "cross_entropy", "nll"])
def test_an_id_outside_the_classes_stops_the_run(op: str, bad: int):
    builder = Builder()
    ids = builder.leaf("input", TensorType(DType.I64, (B,)), name="ids")
    table = builder.leaf("input", TensorType(DType.F32, (3, 2) if op == "gather" else (B, 3)), name="table")
    made = builder.apply("one_hot", ids, classes=3) if op == "one_hot" else builder.apply(op, table, ids)
    builder.graph.outputs["y"] = made
    feeds = {"ids": np.array([0, bad, 1]), "table": np.zeros((3, 2 if op == "gather" else 3), np.float32)}
    with pytest.raises(IndexError, match=f"id {bad} is not one of the 3 ids from 0 to 2"):
        interpret(builder.graph, feeds)
