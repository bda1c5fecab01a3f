"""What it means to be an operator: every claim of every OpDef, tried at every sample.

- the inferred type is the computed type (the interpreter holds every value against its type);
- the kernel writing into a dirty `out`, and in place, gives what the obvious form gives, and leaves its operands alone;
- the gradient, and the gradient of the gradient, are central differences in float64;
- the ONNX form gives under ONNX Runtime what NumPy gives;
- an operator with a kernel and a decomposition, which an engine's pass puts in, is what it decomposes into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from sample import Array, Sample, is_double
from samples import SAMPLES

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder, Graph, verify
from dslc.graph.arrays import numpy_dtype
from dslc.ops import FAMILIES, OPS
from dslc.ops.ir import Node, Value
from dslc.tensor_type import DType
from dslc_runtime.kernels import KERNELS
from dslc_runtime.kernels.steps import Work

CASES = [
    pytest.param(name, sample, id=f"{name}-{i}-{sample}")
    for name, list_ in SAMPLES.items()
    for i, sample in enumerate(list_)
]
OF_THE_ENGINE = frozenset(op.name for op in OPS.values() if op.kernel is not None and op.decompose is not None)
PRIMITIVE = [case for case in CASES if OPS[case.values[0]].kernel is not None]


def build(name: str, sample: Sample) -> tuple[Builder, tuple[Value, ...], Value]:
    builder = Builder()
    operands = sample.build(builder)
    result = builder.apply(name, *operands, **sample.attrs)
    builder.graph.outputs["result"] = result
    return builder, operands, result


def compute(graph: Graph, sample: Sample) -> Array:
    verify(graph, "test")
    return interpret(graph, sample.arrays)["result"]


# ---------------------------------------------------------------------------------------------- the table


def test_every_operator_has_at_least_five_samples():
    known = {op.name for op in OPS.values() if not (op.random or op.structural or op.export_only)}
    few = {name: len(SAMPLES.get(name, ())) for name in known if len(SAMPLES.get(name, ())) < 5}
    assert few == {}
    assert set(SAMPLES) <= set(OPS)


def test_no_operator_is_in_two_families():
    names = [opdef.name for family in FAMILIES.values() for opdef in family]
    assert sorted(names) == sorted(set(names))


def test_every_operator_can_be_computed_and_exported_or_is_random_or_composite_or_holds_a_graph():
    incomplete = [
        op.name
        for op in OPS.values()
        if not (op.random or op.structural or op.export_only)
        and op.decompose is None
        and (op.kernel is None or op.onnx is None)
    ]
    assert incomplete == []
    assert {op.kernel for op in OPS.values() if op.kernel} == set(KERNELS)


@pytest.mark.parametrize("name", OPS)
def test_documentation_starts_with_one_sentence(name: str):
    first = OPS[name].doc.splitlines()[0]
    assert first.endswith((".", "!"))
    assert first[:1].strip()


# ---------------------------------------------------------------------------------------------- types and kernels


@pytest.mark.parametrize(("name", "sample"), CASES)
@pytest.mark.parametrize("narrow", [False, True], ids=["f64", "f32"])
def test_the_computed_type_is_the_inferred_type(name: str, sample: Sample, narrow: bool):
    sample = sample.narrow() if narrow else sample
    builder, _, result = build(name, sample)
    found = compute(builder.graph, sample)
    assert found.shape == result.shape


def resolved(node: Node) -> dict[str, Any]:
    """A node's attributes as kernels take them."""
    return {name: numpy_dtype(value) if isinstance(value, DType) else value for name, value in node.attrs.items()}


def garbage(array: Array, round_: int) -> Array:
    """Memory of the same type and shape with misleading content."""
    fill = (
        (np.nan, 7.0)[round_]
        if array.dtype.kind == "f"
        else (True, False)[round_]
        if array.dtype == bool
        else (77, -1)[round_]
    )
    return np.full(array.shape, np.asarray(fill).astype(array.dtype), array.dtype)


def assert_same(found: Array, expected: Array, cancels: bool = False):
    """Equal, with nan equal to nan, but for the last few bits of floats."""
    assert found.dtype == expected.dtype
    if expected.dtype.kind == "f":
        few = 8 * np.finfo(expected.dtype).eps
        np.testing.assert_allclose(found, expected, rtol=few, atol=few if cancels else few / 64)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("name", "sample"), PRIMITIVE)
@pytest.mark.parametrize("narrow", [False, True], ids=["f64", "f32"])
def test_the_kernel_writes_the_obvious_result_into_dirty_memory(name: str, sample: Sample, narrow: bool):
    sample = sample.narrow() if narrow else sample
    builder, _, result = build(name, sample)
    attrs = resolved(builder.graph.producer(result))
    expected = compute(builder.graph, sample)
    kernel = KERNELS[str(OPS[name].kernel)]
    for round_ in range(2):
        operands = [o.copy() if isinstance(o, np.ndarray) and o.flags.c_contiguous else o for o in sample.operands]
        out = garbage(expected, round_)
        with np.errstate(all="ignore"):
            kernel.into(*operands, out=out, **attrs)
        assert_same(out, expected, sample.cancels)
        for operand, original in zip(operands, sample.operands, strict=True):
            np.testing.assert_array_equal(operand, original)


def other_order(array: Array) -> Array:
    """The same elements, of which those of the first axis lie beside each other in memory."""
    return np.ascontiguousarray(array.T).T


BOUND = [case for case in PRIMITIVE if KERNELS[str(OPS[case.values[0]].kernel)].bind is not None]


@pytest.mark.parametrize(("name", "sample"), BOUND)
@pytest.mark.parametrize("lay", [np.ascontiguousarray, other_order])
def test_a_kernel_that_is_bound_once_sees_what_its_operands_hold_at_each_run(
    name: str, sample: Sample, lay: Callable[[Array], Array]
):
    builder, _, result = build(name, sample)
    attrs = resolved(builder.graph.producer(result))
    expected = compute(builder.graph, sample)
    kernel = KERNELS[str(OPS[name].kernel)]
    assert kernel.bind is not None
    arrays = [o for o in sample.operands if isinstance(o, np.ndarray)]
    operands = [lay(np.full_like(o, np.nan if o.dtype.kind == "f" else 0)) for o in arrays]
    out, work = garbage(expected, 0), Work()
    run = kernel.bind(*operands, out=out, work=work, **attrs)
    for operand, content in zip(operands, sample.operands, strict=True):
        operand[...] = content
    for round_ in range(2):
        out[...] = garbage(expected, round_)
        work.anew()
        work.array(np.dtype(np.float64), 1 << 10).fill(np.nan)
        run()
        assert_same(out, expected, sample.cancels)


@pytest.mark.parametrize(("name", "sample"), [case for case in PRIMITIVE if OPS[case.values[0]].inplace])
@pytest.mark.parametrize("narrow", [False, True], ids=["f64", "f32"])
def test_the_kernel_works_in_place_where_the_operator_says_so(name: str, sample: Sample, narrow: bool):
    sample = sample.narrow() if narrow else sample
    builder, _, result = build(name, sample)
    attrs = resolved(builder.graph.producer(result))
    expected = compute(builder.graph, sample)
    kernel = KERNELS[str(OPS[name].kernel)]
    for position in OPS[name].inplace:
        operands = [o.copy() if isinstance(o, np.ndarray) else o for o in sample.operands]
        out = operands[position]
        if not isinstance(out, np.ndarray) or (out.dtype, out.shape) != (expected.dtype, expected.shape):
            continue
        with np.errstate(all="ignore"):
            kernel.into(*operands, out=out[...], **attrs)
        assert_same(out, expected, sample.cancels)


@pytest.mark.parametrize(("name", "sample"), [case for case in PRIMITIVE if OPS[case.values[0]].view])
def test_a_view_shares_memory_with_its_operand_where_that_is_contiguous(name: str, sample: Sample):
    builder, _, result = build(name, sample)
    attrs = resolved(builder.graph.producer(result))
    (operand,) = sample.operands
    assert isinstance(operand, np.ndarray)
    made = np.asarray(KERNELS[str(OPS[name].kernel)].obvious(operand, **attrs))
    assert KERNELS[str(OPS[name].kernel)].view
    if operand.flags.c_contiguous and operand.size and made.size:
        assert np.shares_memory(made, operand)


@pytest.mark.parametrize(("name", "sample"), [case for case in CASES if case.values[0] in OF_THE_ENGINE])
def test_an_operator_of_the_engine_is_what_it_decomposes_into(name: str, sample: Sample):
    builder, operands, result = build(name, sample)
    decompose = OPS[name].decompose
    assert decompose is not None
    plain = decompose(builder, operands, builder.graph.producer(result).attrs)
    assert plain.type == result.type
    builder.graph.outputs["plain"] = plain
    verify(builder.graph, "test")
    found = interpret(builder.graph, sample.arrays)
    assert_same(found["result"], found["plain"], sample.cancels)


# ---------------------------------------------------------------------------------------------- gradients


def weighted(builder: Builder, result: Value, feeds: Mapping[str, Array], name: str) -> tuple[Value, dict[str, Array]]:
    """The sum of a value's elements, each with a weight of its own, so that no mistake cancels out; and the weights fed too."""
    weights = np.random.default_rng(len(name)).uniform(0.5, 1.5, tuple(int(str(d)) for d in result.shape))
    leaf = builder.leaf("input", result.type, name=name)
    return builder.apply("sum", builder.apply("mul", result, leaf)), {**feeds, name: weights}


def differences(graph: Graph, feeds: Mapping[str, Array], output: str, name: str) -> Array:
    """The derivative of a scalar output by every element of one feed, by central differences."""
    slope = np.zeros(feeds[name].shape)
    for index in np.ndindex(slope.shape):
        ends = []
        step = 1e-5 * max(1.0, abs(float(feeds[name][index])))
        for sign in (1, -1):
            moved = np.array(feeds[name])
            moved[index] += sign * step
            ends.append(float(interpret(graph, {**feeds, name: moved})[output]))
        slope[index] = (ends[0] - ends[1]) / (2 * step)
    return slope


def differentiable(name: str, sample: Sample) -> bool:
    """Whether the sample has something to differentiate: a smooth float result of a float operand, before passes of an engine."""
    return (
        name not in OF_THE_ENGINE
        and sample.smooth
        and any(map(is_double, sample.operands))
        and build(name, sample)[2].dtype is DType.F64
    )


DIFFERENTIABLE = [case for case in CASES if differentiable(*case.values)]


def test_every_gradient_is_tried_at_five_shapes():
    shapes: dict[str, set[tuple[tuple[int, ...], ...]]] = {}
    for name, sample in (case.values for case in DIFFERENTIABLE):
        shapes.setdefault(name, set()).add(tuple(np.shape(operand) for operand in sample.operands))
    assert {name: found for name, found in shapes.items() if len(found) < 5} == {}


def so_far(builder: Builder, output: str, value: Value) -> Graph:
    """The graph as it is now, with one output; what the builder adds later is not in it."""
    graph = builder.graph
    return Graph(dict(graph.nodes), {output: value})


def assert_slopes(
    builder: Builder, loss: Value, names: Sequence[str], feeds: dict[str, Array], rtol: float, atol: float
):
    """The gradient that autodiff adds to the graph is that of central differences of the graph without it."""
    plain = so_far(builder, "loss", loss)
    leaves = {node.attrs.str("name"): node.out for node in builder.graph.leaves("input")}
    found = gradients(builder, loss, [leaves[name] for name in names])
    builder.graph.outputs = dict(zip(names, found, strict=True))
    verify(builder.graph, "test")
    slopes = interpret(builder.graph, feeds)
    for name in names:
        expected = differences(plain, feeds, "loss", name)
        np.testing.assert_allclose(slopes[name], expected, rtol=rtol, atol=atol, err_msg=name)


def floats(sample: Sample) -> list[str]:
    """The leaves that a sample can be differentiated by."""
    return [f"x{i}" for i, operand in enumerate(sample.operands) if is_double(operand)]


@pytest.mark.parametrize(("name", "sample"), DIFFERENTIABLE)
def test_the_gradient_is_that_of_central_differences(name: str, sample: Sample):
    builder, _, result = build(name, sample)
    loss, feeds = weighted(builder, result, sample.arrays, "weights")
    assert_slopes(builder, loss, floats(sample), feeds, rtol=2e-6, atol=1e-7)


TWICE = [case for case in DIFFERENTIABLE if np.size(case.values[1].operands[0]) in range(1, 7)]


def test_every_gradient_has_its_own():
    assert {case.values[0] for case in DIFFERENTIABLE} == {case.values[0] for case in TWICE}


@pytest.mark.parametrize(("name", "sample"), TWICE)
def test_the_gradient_of_the_gradient_is_that_of_central_differences(name: str, sample: Sample):
    builder, operands, result = build(name, sample)
    loss, feeds = weighted(builder, result, sample.arrays, "weights")
    total = builder.constant(0.0, DType.F64)
    for leaf, first in zip(
        floats(sample), gradients(builder, loss, [operands[int(n[1:])] for n in floats(sample)]), strict=True
    ):
        part, feeds = weighted(builder, first, feeds, f"{leaf}.weights")
        total = builder.apply("add", total, part)
    assert_slopes(builder, total, floats(sample), feeds, rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------------------------------------- ONNX


@pytest.mark.parametrize(
    ("name", "sample"), [case for case in CASES if case.values[1].onnx and case.values[0] not in OF_THE_ENGINE]
)
def test_onnx_runtime_computes_what_numpy_computes(name: str, sample: Sample):
    onnxruntime = pytest.importorskip("onnxruntime")
    sample = sample.narrow()
    builder, _, _ = build(name, sample)
    expected = compute(builder.graph, sample)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    model = to_onnx(builder.graph, {}).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (found,) = session.run(
        ["result"], {key: np.ascontiguousarray(array).reshape(array.shape) for key, array in sample.arrays.items()}
    )
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=sample.tolerance, atol=sample.tolerance / 10)
    else:
        np.testing.assert_array_equal(found, expected)
