"""Numbers at the ends: huge, tiny, equal, zero. Values and gradients against 60 digits, on every engine and in both precisions.

The gradient is that of the sum of the results, each times a weight of its own. Where a limit is finite there is no nan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.to_numpy import compile_numpy
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder, Graph
from dslc.ops.ir import Attr
from dslc.passes import optimize
from dslc.tensor_type import DType, TensorType

Array = npt.NDArray[Any]
Numbers = Sequence[Decimal]
#: (x, weights of the results) -> the results, and the gradient by x.
Oracle = Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]

ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)


def exp(x: Decimal) -> Decimal:
    return ZERO if x < -(10**6) else x.exp()


def shares(x: Numbers) -> list[Decimal]:
    """softmax"""
    raised = [exp(v - max(x)) for v in x]
    return [v / sum(raised) for v in raised]


def logistic(x: Decimal) -> Decimal:
    return ONE / (ONE + exp(-x)) if x > 0 else exp(x) / (ONE + exp(x))


def log1p_exp(x: Decimal) -> Decimal:
    return max(x, ZERO) + (ONE + exp(-abs(x))).ln()


def tanh(x: Decimal) -> Decimal:
    return TWO * logistic(TWO * x) - ONE


def mish(x: Decimal) -> Decimal:
    return x * tanh(log1p_exp(x))


def mish_slope(x: Decimal) -> Decimal:
    y = tanh(log1p_exp(x))
    return y + x * (1 - y * y) * logistic(x)


def steps(x: Decimal) -> Decimal:
    """1 far above 0, 0 far below, a half at it."""
    return ONE / 2 if abs(x) < 1 else ONE if x > 0 else ZERO


def each(value: Callable[[Decimal], Decimal], slope: Callable[[Decimal], Decimal]) -> Oracle:
    """A function of one number."""
    return lambda x, w: ([value(v) for v in x], [u * slope(v) for v, u in zip(x, w, strict=True)])


def softmax(x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    p = shares(x)
    mean = sum(u * v for u, v in zip(p, w, strict=True))
    return p, [u * (v - mean) for u, v in zip(p, w, strict=True)]


def log_softmax(x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    total = sum((exp(v - max(x)) for v in x), ZERO).ln()
    return [v - max(x) - total for v in x], [u - p * sum(w) for u, p in zip(w, shares(x), strict=True)]


def logsumexp(x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    total = max(x) + sum((exp(v - max(x)) for v in x), ZERO).ln()
    return [total], [w[0] * p for p in shares(x)]


def of_class(x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    """cross_entropy with the class 0"""
    logs, _ = log_softmax(x, [ONE] * len(x))
    return [-logs[0]], [w[0] * (p - (i == 0)) for i, p in enumerate(shares(x))]


def norm(x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    length = sum(v * v for v in x).sqrt()
    return [length], [w[0] * v / length if length else ZERO for v in x]


def standardized(eps: str) -> Oracle:
    def oracle(x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
        n = len(x)
        mean = sum(x) / n
        scale = (sum((v - mean) ** 2 for v in x) / n + Decimal(eps)).sqrt()
        y = [(v - mean) / scale for v in x]
        along = sum(u * v for u, v in zip(w, y, strict=True)) / n
        return y, [(u - sum(w) / n - v * along) / scale for u, v in zip(w, y, strict=True)]

    return oracle


@dataclass(frozen=True)
class Case:
    """An operator on one vector.

    Attributes:
        atol: absolute error allowed, in units of the last place of 1.
        onnx64: ONNX Runtime computes it in float64.
    """

    op: str
    x: list[float]
    oracle: Oracle
    attrs: dict[str, Attr] = field(default_factory=dict)
    more: tuple[Any, ...] = ()
    atol: float = 4.0
    onnx64: bool = True

    def __str__(self) -> str:
        return f"{self.op}-{','.join(map('{:g}'.format, self.x))}"


FAR = [1e30, -1e30, 1e4, -1e4, 100.0, -100.0, 30.0, -30.0, 1e-30, -1e-30, 0.0]
SPREAD = [
    [1e30, 0.0, -1e30],
    [1e30, 1e30, 1e30],
    [-1e30, -1e30],
    [1e-30, 0.0],
    [1000.0, 999.0, -1000.0],
    [-200.0, -201.0],
]

SIGMOID = each(logistic, lambda x: logistic(x) * logistic(-x))
CASES = [
    *(Case("softmax", x, softmax) for x in SPREAD),
    *(Case("log_softmax", x, log_softmax) for x in SPREAD),
    *(Case("logsumexp", x, logsumexp, {"axis": 0}) for x in SPREAD),
    *(Case("cross_entropy", x, of_class, more=(np.int64(0),)) for x in SPREAD),
    Case("sigmoid", FAR, SIGMOID),
    Case("tanh", FAR, each(tanh, lambda x: 4 * logistic(2 * x) * logistic(-2 * x))),
    Case("softplus", FAR, each(log1p_exp, logistic)),
    # ONNX Runtime's Sigmoid of f64 is exact relative to 1 alone.
    Case("silu", FAR, each(lambda x: x * logistic(x), lambda x: logistic(x) * (1 + x * logistic(-x))), atol=128.0),
    Case("mish", FAR, each(mish, mish_slope), atol=128.0),
    # Far away the tail is below any number here; near 0 the slope is a half.
    Case("gelu", FAR, each(lambda x: x / 2 if abs(x) < 1 else max(x, ZERO), steps), onnx64=False),
    Case("gelu", FAR, each(lambda x: x / 2 if abs(x) < 1 else max(x, ZERO), steps), {"approximate": "tanh"}),
    Case("hard_sigmoid", FAR, each(steps, lambda x: ONE / 6 if abs(x) < 1 else ZERO)),
    *(
        Case(
            "bce_logits",
            FAR,
            each(lambda x, t=t: log1p_exp(x) - t * x, lambda x, t=t: logistic(x) - t),
            {"reduction": "none"},
            (t,),
        )
        for t in (0, 1)
    ),
    Case(
        "log_cosh",
        FAR,
        each(lambda x: abs(x) + (1 + exp(-2 * abs(x))).ln() - TWO.ln(), tanh),
        {"reduction": "none"},
        (0,),
    ),
    Case("elu", FAR, each(lambda x: x if x > 0 else exp(x) - 1, lambda x: ONE if x > 0 else exp(x))),
    Case("softsign", FAR, each(lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2)),
    *(Case("norm", x, norm) for x in ([0.0, 0.0], [3e30, -4e30], [3e-30, 4e-30], [1e30, 1e-30], [-5.0])),
    *(
        Case("standardize", x, standardized("1e-5"), {"axes": 0}, atol=atol)
        for x, atol in (
            ([7.0, 7.0, 7.0], 4.0),
            ([0.0, 0.0], 4.0),
            ([1e-30, -1e-30, 0.0], 4.0),
            ([1048576.0, 1048578.0, 1048582.0], 1e6),  # the mean is rounded, and stands for all digits of x
            ([1e8, 1e8, 1e8], 64.0),
        )
    ),
]


def exact(case: Case, weights: Array, dtype: npt.DTypeLike) -> tuple[Array, Array]:
    """The results and gradients of the numbers as they are in a precision, rounded once."""
    with localcontext(Context(prec=60)):
        x = [Decimal(float(v)) for v in np.array(case.x, dtype)]
        y, gx = case.oracle(x, [Decimal(float(w)) for w in weights])
        return np.array([float(v) for v in y]), np.array([float(v) for v in gx])


def graph(case: Case, dtype: DType) -> tuple[Graph, int]:
    """The results `y` and the gradient `gx` by x, of so many results."""
    builder = Builder()
    x = builder.leaf("input", TensorType(dtype, (len(case.x),)), name="x")
    more = [
        builder.constant(v, dtype)
        if isinstance(v, int | float)
        else builder.leaf("input", TensorType(DType.I64), name="label")
        for v in case.more
    ]
    y = builder.apply(case.op, x, *more, **case.attrs)
    y = builder.apply("reshape", y, sizes=(-1,))
    number = int(str(y.shape[0]))
    weights = builder.leaf("input", TensorType(dtype, (number,)), name="w")
    (gx,) = gradients(builder, builder.apply("sum", builder.apply("mul", y, weights)), [x])
    builder.graph.outputs = {"y": y, "gx": gx}
    return builder.graph, number


def slowly(graph: Graph, feeds: dict[str, Array]) -> dict[str, Array]:
    return interpret(graph, feeds)


def compiled(graph: Graph, feeds: dict[str, Array]) -> dict[str, Array]:
    bound = compile_numpy(optimize(graph)).bind({}, {})
    for name in bound.inputs:
        np.copyto(bound.inputs[name], feeds[name])
    bound.run()
    return dict(bound.outputs)


def onnx_runtime(graph: Graph, feeds: dict[str, Array]) -> dict[str, Array]:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = to_onnx(optimize(graph), {}).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    wanted = {value.name for value in session.get_inputs()}
    return dict(
        zip(("y", "gx"), session.run(["y", "gx"], {k: v for k, v in feeds.items() if k in wanted}), strict=True)
    )


@pytest.mark.parametrize("run", [slowly, compiled, onnx_runtime])
@pytest.mark.parametrize("dtype", [DType.F32, DType.F64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_numbers_at_the_ends_are_exact(
    case: Case, dtype: DType, run: Callable[[Graph, dict[str, Array]], dict[str, Array]]
):
    if run is onnx_runtime and dtype is DType.F64 and not case.onnx64:
        pytest.skip("ONNX Runtime has no Erf of float64")
    made, number = graph(case, dtype)
    kind = np.float32 if dtype is DType.F32 else np.float64
    weights = np.arange(1.0, number + 1, dtype=kind)
    feeds: dict[str, Array] = {"x": np.array(case.x, kind), "w": weights, "label": np.array(0)}
    found = run(made, feeds)
    eps = float(np.finfo(kind).eps)
    for name, wanted in zip(("y", "gx"), exact(case, weights, kind), strict=True):
        with np.errstate(over="ignore", under="ignore"):
            wanted = wanted.astype(kind)
        np.testing.assert_allclose(found[name], wanted, rtol=16 * eps, atol=case.atol * eps, err_msg=name)


TWO_ROWS = [[0.0, 0.0], [1e30, -1e30]]
SAFE: dict[str, tuple[str, list[Any], dict[str, Attr]]] = {
    "the mean of squares near the largest number": ("standardize", [[1e30, -1e30, 0.0]], {"axes": 0}),
    "a variance of equal numbers": ("variance", [[1e30, 1e30]], {}),
    "huber far away": ("huber", [[1e30, -1e30, 0.0], [0.0, 0.0, 0.0]], {}),
    "hinge far away": ("hinge", [[1e30, -1e30], [1.0, 1.0]], {}),
    "a divergence of nothing": ("kl_div", [[-1e30, 0.0], [0.0, 0.0]], {}),
    "a certain and wrong probability": ("bce", [[0.0, 1.0], [1.0, 0.0]], {}),
    "an error of nothing": ("rmse", [[0.0, 0.0], [0.0, 0.0]], {}),
    "an error far away": ("rmse", [[1e30, 0.0], [0.0, 0.0]], {}),
    "a share of no variance": ("r2", [[1.0, 2.0], [3.0, 3.0]], {}),
    "angles of nothing and far away": ("cosine_distance", [TWO_ROWS, TWO_ROWS], {}),
    "angles of tiny vectors": ("cosine_distance", [[[1e-30, 0.0]], [[1e-30, 1e-30]]], {}),
    "distances of nothing and far away": ("contrastive", [TWO_ROWS, [[0.0, 0.0], [1e30, -1e30]], [0.0, 1.0]], {}),
    "triplets of nothing and far away": ("triplet", [TWO_ROWS, [[0.0, 0.0], [1e30, 0.0]], TWO_ROWS], {}),
    "an entropy of nothing": ("xlogy", [[0.0, 0.0, 1.0], [0.0, -1.0, 1e30]], {}),
    "slopes far away": ("prelu", [[1e30, -1e30, 0.0], [0.0]], {}),
    "selu far away": ("selu", [FAR], {}),
}


@pytest.mark.parametrize("run", [slowly, compiled, onnx_runtime])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", SAFE)
def test_finite_numbers_give_finite_numbers_and_slopes(name: str, kind: type, run: Callable[..., dict[str, Array]]):
    op, operands, attrs = SAFE[name]
    dtype = DType.F32 if kind is np.float32 else DType.F64
    builder = Builder()
    feeds = {f"x{i}": np.array(operand, kind) for i, operand in enumerate(operands)}
    leaves = [builder.leaf("input", TensorType(dtype, array.shape), name=key) for key, array in feeds.items()]
    y = builder.apply(op, *leaves, **attrs)
    found = gradients(builder, builder.apply("sum", y), leaves[:2])
    builder.graph.outputs = {"y": y, "gx": found[0], **({"gt": found[1]} if len(found) > 1 else {})}
    for output, value in run(builder.graph, feeds).items():
        assert np.isfinite(value).all(), output


def test_what_has_no_finite_limit_is_infinite_and_no_nan():
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F64, (1,)), name="x")
    outputs = {"log": builder.apply("log", x), "root": builder.apply("sqrt", x)}
    slopes = {f"{name} slope": gradients(builder, builder.apply("sum", y), [x])[0] for name, y in outputs.items()}
    builder.graph.outputs = outputs | slopes
    found = {name: float(value[0]) for name, value in interpret(builder.graph, {"x": np.zeros(1)}).items()}
    assert found == {"log": -np.inf, "root": 0.0, "log slope": np.inf, "root slope": np.inf}
