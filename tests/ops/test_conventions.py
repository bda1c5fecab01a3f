"""What operators do where mathematics leaves a choice: ties, kinks, zeros, overflow. Where PyTorch has made it, it is PyTorch's."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Builder
from dslc.ops import FAMILIES, OPS
from dslc.ops.ir import Attr
from dslc.tensor_type import DType, TensorType
from dslc_runtime.kernels import KERNELS


def apply(
    op: str, *operands: npt.ArrayLike, dtype: DType = DType.F64, **attrs: Attr
) -> tuple[list[float], list[list[float]]]:
    """The values of an operator on vectors, and the gradient of their sum by each operand."""
    builder = Builder()
    numpy_dtype = {DType.F64: np.float64, DType.F32: np.float32}[dtype]
    arrays = {f"x{i}": np.asarray(operand, numpy_dtype) for i, operand in enumerate(operands)}
    leaves = [builder.leaf("input", TensorType(dtype, array.shape), name=name) for name, array in arrays.items()]
    result = builder.apply(op, *leaves, **attrs)
    found = gradients(builder, builder.apply("sum", result), leaves) if result.dtype.is_float else []
    builder.graph.outputs = {"y": result} | {f"g{i}": g for i, g in enumerate(found)}
    values = interpret(builder.graph, arrays)
    return values["y"].tolist(), [values[f"g{i}"].tolist() for i in range(len(found))]


def test_relu_has_no_slope_at_zero():
    assert apply("relu", [-1.0, 0.0, 2.0]) == ([0.0, 0.0, 2.0], [[0.0, 0.0, 1.0]])


def test_leaky_relu_has_its_slope_at_zero():
    assert apply("leaky_relu", [-1.0, 0.0, 2.0], slope=0.25) == ([-0.25, 0.0, 2.0], [[0.25, 0.25, 1.0]])


def test_abs_has_no_slope_at_zero():
    assert apply("abs", [-1.0, 0.0, 2.0]) == ([1.0, 0.0, 2.0], [[-1.0, 0.0, 1.0]])


def test_hard_activations_have_no_slope_on_their_bounds():
    assert apply("hard_tanh", [-1.0, 0.0, 1.0])[1] == [[0.0, 1.0, 0.0]]
    assert apply("hard_sigmoid", [-3.0, 0.0, 3.0]) == ([0.0, 0.5, 1.0], [[0.0, 1 / 6, 0.0]])


def test_clip_passes_the_gradient_on_its_bounds():
    assert apply("clip", [-2.0, -1.0, 0.0, 1.0, 2.0], low=-1, high=1)[1] == [[0.0, 1.0, 1.0, 1.0, 0.0]]


@pytest.mark.parametrize("op", ["minimum", "maximum"])
def test_a_tie_shares_the_gradient_evenly(op: str):
    assert apply(op, [1.0, 2.0], [1.0, 2.0])[1] == [[0.5, 0.5], [0.5, 0.5]]


def test_the_power_rule_holds_at_zero():
    value, (gx, gy) = apply("pow", [0.0, 0.0, 0.0, 2.0], [0.0, 1.0, 2.0, 0.0])
    assert value == [1.0, 0.0, 0.0, 1.0]
    assert gx == [0.0, 1.0, 0.0, 0.0]
    assert gy == [0.0, 0.0, 0.0, pytest.approx(math.log(2))]


def test_sqrt_is_infinitely_steep_at_zero():
    assert apply("sqrt", [0.0, 4.0]) == ([0.0, 2.0], [[math.inf, 0.25]])


def test_log_of_zero_is_minus_infinity():
    assert apply("log", [0.0, 1.0]) == ([-math.inf, 0.0], [[math.inf, 1.0]])


def test_step_is_one_at_zero():
    assert apply("step", [-1.0, -0.0, 0.0, 0.5]) == ([0.0, 1.0, 1.0, 1.0], [[0.0, 0.0, 0.0, 0.0]])


def test_round_goes_to_the_even_neighbour():
    assert apply("round", [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])[0] == [-2.0, -2.0, 0.0, 0.0, 2.0, 2.0]


def test_the_remainder_has_the_sign_of_the_divisor():
    assert apply("mod", [5.0, -5.0, 5.0, -5.0], [3.0, 3.0, -3.0, -3.0])[0] == [2.0, 1.0, -1.0, -2.0]


def test_no_gradient_flows_through_stop_gradient():
    assert apply("stop_gradient", [1.0, 2.0]) == ([1.0, 2.0], [[0.0, 0.0]])


def test_where_keeps_out_the_nan_that_it_did_not_choose():
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F64, (2,)), name="x")
    one = builder.constant(1.0, DType.F64)
    positive = builder.apply("gt", x, builder.constant(0.0, DType.F64))
    builder.graph.outputs["y"] = builder.apply("where", positive, builder.apply("log", x), one)
    assert interpret(builder.graph, {"x": np.array([-1.0, math.e])})["y"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", [DType.F32, DType.F64])
def test_sigmoid_is_exact_in_both_tails(dtype: DType):
    numbers = [-800.0, -80.0, -20.0, -1.0, 0.0, 1.0, 20.0, 80.0, 800.0]
    exact = [0.0 if x < -700 else 1 / (1 + math.exp(-x)) for x in numbers]
    assert apply("sigmoid", numbers, dtype=dtype)[0] == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.parametrize("dtype", [DType.F32, DType.F64])
def test_softplus_neither_overflows_nor_loses_its_small_tail(dtype: DType):
    numbers = [-80.0, -20.0, 0.0, 20.0, 800.0]
    exact = [math.exp(-80), math.log1p(math.exp(-20)), math.log(2), 20 + math.exp(-20), 800.0]
    assert apply("softplus", numbers, dtype=dtype)[0] == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("op", "attrs", "exact"),
    [
        ("gelu", {}, lambda x: x / 2 * math.erfc(-x / math.sqrt(2))),
        (
            "gelu",
            {"approximate": "tanh"},
            lambda x: x / (1 + math.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        ),
        ("silu", {}, lambda x: x / (1 + math.exp(-x))),
        ("elu", {"alpha": 0.5}, lambda x: x if x > 0 else 0.5 * math.expm1(x)),
        ("tanh", {}, math.tanh),
        ("erf", {}, math.erf),
        ("normal_cdf", {}, lambda x: math.erfc(-x / math.sqrt(2)) / 2),
        ("normal_pdf", {}, lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)),
    ],
)
def test_an_activation_is_its_formula(op, attrs, exact):
    numbers = np.linspace(-5, 5, 41)
    found, _ = apply(op, numbers, **attrs)
    assert found == pytest.approx([exact(float(x)) for x in numbers], rel=1e-12, abs=1e-14)


def test_erf_is_right_to_the_last_places():
    generator = np.random.default_rng(0)
    numbers = np.concatenate(
        [generator.uniform(-7, 7, 20_000), 10.0 ** generator.uniform(-30, 0, 1000), [0.84375, 1.25, 1 / 0.35, 6.0]]
    )
    for dtype, places in ((np.float64, 2), (np.float32, 4)):
        x = numbers.astype(dtype)
        exact = np.array([math.erf(float(v)) for v in x])
        error = np.abs(KERNELS["erf"].obvious(x) - exact) / np.spacing(np.abs(exact).astype(dtype))
        assert error.max() <= places


def test_integers_to_a_negative_power_are_cut_to_integers():
    x, y = np.array([1, -1, -1, 2, 0, 3]), np.array([-3, -3, -2, -1, -1, 2])
    assert KERNELS["pow"].obvious(x, y).tolist() == [1, -1, 1, 0, 0, 9]


def test_top_k_counts_a_tie_for_the_label_and_nan_against_it():
    def share(k: int) -> float:
        builder = Builder()
        logits = builder.leaf("input", TensorType(DType.F64, (4, 3)), name="x")
        label = builder.leaf("input", TensorType(DType.I64, (4,)), name="label")
        builder.graph.outputs["y"] = builder.apply("top_k", logits, label, k=k)
        rows = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [2.0, 2.0, 2.0], [math.nan, 0.0, 0.0]])
        return float(interpret(builder.graph, {"x": rows, "label": np.array([0, 1, 2, 0])})["y"])

    assert (share(1), share(2)) == (0.5, 0.75)


@pytest.mark.parametrize("name", [opdef.name for opdef in FAMILIES["metric"] if opdef.call])
def test_a_metric_says_whether_a_gradient_flows_through_it(name: str):
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F64, (4, 3)), name="x")
    target = builder.leaf("input", TensorType(DType.F64, (4, 3)), name="t")
    value = builder.apply("cast", builder.apply(name, x, target), dtype=DType.F64)
    (slope,) = gradients(builder, builder.apply("sum", value), [x])
    builder.graph.outputs["slope"] = slope
    draw = np.random.default_rng(0)
    labels = np.eye(3)[[0, 1, 2, 0]]
    found = interpret(builder.graph, {"x": draw.normal(size=(4, 3)), "t": labels})["slope"]
    assert bool(np.any(found != 0)) == OPS[name].differentiable
