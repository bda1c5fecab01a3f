"""Graphs to plan: whole training steps, and random typed graphs; and how to run them on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.optim import Step, apply_optimizer
from dslc.tensor_type import Dim, DType, TensorType, broadcast, count, evaluate, symbol
from dslc_runtime.program import Program

Array = npt.NDArray[Any]

B = symbol("B")
ADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
SGD = {"lr": 1e-2, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "dampening": 0.0}
OPTIMIZERS = {
    "adam": ("adam", ADAM),
    "adam with decay": ("adam", ADAM | {"weight_decay": 1e-2}),
    "sgd": ("sgd", SGD),
    "sgd with decay": ("sgd", SGD | {"weight_decay": 1e-2}),
    "momentum": ("sgd", SGD | {"momentum": 0.9}),
    "nesterov": ("sgd", SGD | {"momentum": 0.9, "nesterov": True}),
}


def training_step(optimizer: str = "adam", dtype: DType = DType.F32, widths: tuple[int, ...] = (5, 7, 3)) -> Graph:
    """A multilayer perceptron with dropout under cross-entropy, its gradient and an optimizer; batch size symbolic."""
    b = Builder()
    flat = b.leaf("state", TensorType(dtype, (_arena(widths),)), name="params")
    x = b.leaf("input", TensorType(dtype, (B, widths[0])), name="x")
    label = b.leaf("input", TensorType(DType.I64, (B,)), name="label")
    keyed: list[Value] = []
    offset, h = 0, x
    for n, m in pairwise(widths):
        weight = b.apply("segment", flat, offset=offset, sizes=(n, m))
        bias = b.apply("segment", flat, offset=offset + n * m, sizes=(m,))
        keyed += [weight, bias]
        offset += n * m + m
        if h is not x:
            h = b.apply("relu", h)
            mask = b.leaf("draw", h.type, dist="bernoulli", stream=f"drop{offset}", p=0.75, value=1 / 0.75)
            h = b.apply("mul", h, mask)
        h = b.apply("add", b.apply("matmul", h, weight), bias)
    loss = b.apply("cross_entropy", h, label)
    b.graph.outputs = {"loss": loss, "accuracy": b.apply("accuracy", h, label)}
    gradient = b.apply("pack", *gradients(b, loss, keyed))
    lr, number = (b.leaf("input", TensorType(DType.F64), name=name) for name in ("lr", "step"))
    name, options = OPTIMIZERS[optimizer]
    step = Step(b, flat, gradient, lr, number)
    b.graph.updates["params"] = apply_optimizer(step, name, options)
    b.graph.updates |= step.updates
    return b.graph


def _arena(widths: tuple[int, ...]) -> int:
    return sum(n * m + m for n, m in pairwise(widths))


# ---------------------------------------------------------------------------------------------- both engines


def feeds(graph: Graph, sizes: Mapping[str, int], seed: int = 0, weights: float = 1.0) -> dict[str, Array]:
    """Numbers for every leaf; class ids are below 2. `weights` is the spread of parameters and states."""
    generator = np.random.default_rng(seed)
    result: dict[str, Array] = {}
    for op, key in (("input", "name"), ("param", "key"), ("state", "name"), ("draw", "stream")):
        for node in graph.leaves(op):
            shape = [evaluate(dim, sizes) for dim in node.out.shape]
            kind = node.out.dtype
            spread = weights if op in ("param", "state") else 1.0
            values = spread * generator.normal(size=shape) if kind.is_float else generator.integers(0, 2, shape)
            values = np.abs(values) if _is_second_moment(node) else values
            result[node.attrs.str(key)] = values.astype("?" if kind is DType.BOOL else f"{kind.value[0]}{kind.bytes}")
    return result


def _is_second_moment(node: Node) -> bool:
    """Whether a leaf is Adam's `v`, of a group of parameters and a step perhaps: "v", "v/all", "critic.v/d"."""
    name = str(node.attrs.get("name", ""))
    return name.partition("/")[0].rpartition(".")[2] == "v"


def run_both(
    graph: Graph, program: Program, sizes: Mapping[str, int], steps: int = 3, weights: float = 1.0
) -> list[tuple[dict[str, Array], dict[str, Array]]]:
    """Outputs and new states of several steps: (interpreter's, program's). States go on from step to step."""
    found: list[tuple[dict[str, Array], dict[str, Array]]] = []
    given = feeds(graph, sizes, weights=weights)
    for name, value in graph.updates.items():
        given.setdefault(name, np.zeros([evaluate(dim, sizes) for dim in value.shape], np.float32))
    owned = {name: given[name].copy() for name in (*program.params, *program.states)}
    bound = program.bind(sizes, owned)
    for number in range(1, steps + 1):
        fresh = feeds(graph, sizes, seed=number)
        for name in (*program.inputs, *(spec.stream for spec in program.draws)):
            given[name] = fresh[name]
        scalars = {"lr": 0.01, "step": float(number)}
        given |= {name: np.array(value) for name, value in scalars.items()}
        for name, buffer in bound.inputs.items():
            buffer[...] = given[name]
        for spec, buffer in bound.draws:
            buffer[...] = given[spec.stream]
        before = [buffer.copy() for buffer in bound.inputs.values()]
        bound.run(**{name: scalars[name] for name in program.scalars})
        for buffer, copy in zip(bound.inputs.values(), before, strict=True):
            np.testing.assert_array_equal(buffer, copy)
        expected = interpret(graph, given, sizes)
        results = {name: array.copy() for name, array in bound.outputs.items()}
        results |= {f"{name}'": owned[name].copy() for name in graph.updates}
        found.append((expected, results))
        given |= {name: owned[name].copy() for name in program.states}
    return found


def assert_close(pairs: list[tuple[dict[str, Array], dict[str, Array]]], tolerance: float = 1e-5) -> None:
    """|a - b| <= tolerance * (1 + |b|) everywhere, with equal types and shapes."""
    for name, result, value in _same_kinds(pairs):
        np.testing.assert_allclose(result, value, rtol=tolerance, atol=tolerance, err_msg=name)


def assert_close_in_size(pairs: list[tuple[dict[str, Array], dict[str, Array]]], tolerance: float) -> None:
    """|a - b| <= tolerance * (1 + max |b|) everywhere: the order of long sums of large terms shows in small results."""
    for name, result, value in _same_kinds(pairs):
        largest = float(np.abs(value).max(initial=0.0))
        np.testing.assert_allclose(result, value, rtol=0.0, atol=tolerance * (1.0 + largest), err_msg=name)


def _same_kinds(pairs: list[tuple[dict[str, Array], dict[str, Array]]]) -> Iterator[tuple[str, Array, Array]]:
    for expected, results in pairs:
        assert results.keys() == expected.keys()
        for name, value in expected.items():
            assert results[name].dtype == value.dtype, name
            yield name, results[name], value


# ---------------------------------------------------------------------------------------------- random graphs

#: How tests over `random_graphs` run: the same graphs every time.
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

F32 = DType.F32
_SQUASHED: dict[str, Callable[[Builder, Value], Value]] = {
    "square": lambda b, x: b.apply("square", x),
    "neg": lambda b, x: b.apply("neg", x),
    "relu": lambda b, x: b.apply("relu", x),
    "sigmoid": lambda b, x: b.apply("sigmoid", x),
    "gelu": lambda b, x: b.apply("gelu", x),
    "softplus": lambda b, x: b.apply("softplus", x),
    "clip": lambda b, x: b.apply("clip", x, low=-0.5, high=0.75),
    "sum": lambda b, x: b.apply("sum", x),
    "mean": lambda b, x: b.apply("mean", x, axes=(0,)) if x.shape else x,
    "max": lambda b, x: b.apply("max", x),
    "softmax": lambda b, x: b.apply("softmax", x) if x.shape else x,
    "round trip": lambda b, x: b.apply("cast", b.apply("gt", x, b.constant(0, F32)), dtype=F32),
    "to f64": lambda b, x: b.apply("cast", b.apply("tanh", b.apply("cast", x, dtype=DType.F64)), dtype=F32),
    "transpose": lambda b, x: b.apply("transpose", x),
    "flat": lambda b, x: b.apply("reshape", x, sizes=(count(x.shape),)),
    "row": lambda b, x: b.apply("expand_dims", x, axis=(0,)),
    "same": lambda b, x: b.apply("stop_gradient", x),
    "tail": lambda b, x: b.apply("slice", x, starts=(1,), stops=(x.shape[0],)) if x.shape[:1] == (4,) else x,
    "wide": lambda b, x: b.apply("expand", x, sizes=(B, 4)) if broadcast(x.shape, (B, 4)) == (B, 4) else x,
    "square shape": lambda b, x: b.apply("reshape", x, sizes=(4, 4)) if count(x.shape) == 16 else x,
}
_BINARY = ("add", "sub", "mul", "maximum", "minimum")


@st.composite
def random_graphs(draw: st.DrawFn) -> Graph:
    """Well-typed graphs over a batch size: views, views of views, packs, states that swap, values used many times."""
    b = Builder()
    leaf = lambda op, shape, **attrs: b.leaf(op, TensorType(F32, shape), **attrs)  # noqa: E731
    pool: list[Value] = [
        leaf("input", (B, 4), name="x"),
        leaf("input", (4,), name="y"),
        leaf("param", (4, 4), key="w"),
        leaf("state", (4, 4), name="s"),
        leaf("state", (4, 4), name="t"),
        leaf("draw", (B, 4), dist="normal", stream="r", mean=0.0, std=1.0),
        b.constant(0.5, F32),
    ]
    flat = leaf("state", (20,), name="flat")
    pool += [flat, b.apply("segment", flat, offset=4, sizes=(4, 4)), b.apply("segment", flat, offset=0, sizes=(4,))]
    for _ in range(draw(st.integers(2, 16))):
        made = _grow(draw, b, pool)
        pool.append(b.apply("tanh", made) if draw(st.booleans()) else made)
    _finish(draw, b, pool)
    return b.graph


def _grow(draw: st.DrawFn, b: Builder, pool: list[Value]) -> Value:
    x, kind = draw(st.sampled_from(pool)), draw(st.sampled_from(["unary", "binary", "matmul", "where", "pack"]))
    if kind == "pack":
        parts = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
        return b.apply("pack", *parts)
    partner = draw(st.sampled_from(pool))
    if kind == "matmul":
        fits = [v for v in pool if len(v.shape) == 2 and len(x.shape) == 2 and v.shape[0] == x.shape[1]]
        return b.apply("tanh", b.apply("matmul", x, draw(st.sampled_from(fits)))) if fits else x
    if kind == "unary" or broadcast(x.shape, partner.shape) is None:
        name = draw(st.sampled_from(sorted(_SQUASHED)))
        made = _SQUASHED[name](b, x)
        return made if made is x or OPS.get(name) is None else b.apply("tanh", made)
    if kind == "where":
        return b.apply("where", b.apply("gt", x, partner), x, partner)
    return b.apply("tanh", b.apply(draw(st.sampled_from(_BINARY)), x, partner))


def _finish(draw: st.DrawFn, b: Builder, pool: list[Value]) -> None:
    """Choose results; states take any value of their type, other states included."""
    for number in range(draw(st.integers(1, 3))):
        b.graph.outputs[f"out{number}"] = draw(st.sampled_from(pool))
    if draw(st.booleans()):
        b.graph.outputs["loss"] = b.apply("mean", draw(st.sampled_from(pool)))
    shapes: dict[str, tuple[Dim, ...]] = {"s": (4, 4), "t": (4, 4), "flat": (20,), "fresh": (4, 4)}
    for name, shape in shapes.items():
        fits = [value for value in pool if value.shape == shape]
        if draw(st.booleans()):
            b.graph.updates[name] = draw(st.sampled_from(fits))
