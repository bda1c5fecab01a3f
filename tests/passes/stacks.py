"""Random stacks of layers over sequences of vectors: norms, activations, attention, sums; a loss and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.autodiff import gradients
from dslc.graph import Builder, Graph
from dslc.ops.ir import Value
from dslc.tensor_type import DType, TensorType, evaluate, symbol

B = symbol("B")
STEPS, WIDTH = 3, 6
Array = npt.NDArray[Any]


def stacks(chance: Random) -> Graph:
    """Layers from and to ``[B, 3, 6]``, a loss, and its gradients by the input and all parameters."""
    b = Builder()
    x = start = b.leaf("input", TensorType(DType.F64, (B, STEPS, WIDTH)), name="x")
    known, layers = [x], chance.sample(sorted(_LAYERS), 4)
    for number in range(chance.randint(2, 6)):
        x = _LAYERS[chance.choice(layers)](chance, b, x, f"{number}")
        if chance.random() < 0.4:
            x = b.apply("add", x, chance.choice(known))
        known.append(x)
    loss = _loss(chance, b, x)
    leaves = {"x": start} | {node.attrs.str("key"): node.out for node in b.graph.leaves("param")}
    found = gradients(b, loss, list(leaves.values()))
    b.graph.outputs = {"loss": loss, "inside": chance.choice(known)}
    b.graph.outputs |= {f"d {name}": value for name, value in zip(leaves, found, strict=True)}
    return b.graph


def numbers(graph: Graph, sizes: Mapping[str, int]) -> dict[str, Array]:
    """Standard normal numbers, and class numbers from 0 to 5."""
    generator = np.random.default_rng(3)
    found: dict[str, Array] = {}
    for op, key in (("input", "name"), ("param", "key")):
        for node in graph.leaves(op):
            shape = [evaluate(size, sizes) for size in node.out.shape]
            values = generator.normal(size=shape) if node.out.dtype.is_float else generator.integers(0, WIDTH, shape)
            found[node.attrs.str(key)] = values
    return found


def _loss(chance: Random, b: Builder, x: Value) -> Value:
    if chance.random() < 0.4:
        return b.apply("mean", b.apply("square", x))
    summary = chance.random() < 0.5
    ids = b.leaf("input", TensorType(DType.I64, (B,) if summary else (B, STEPS)), name="ids")
    return b.apply("cross_entropy", b.apply("mean", x, axes=(1,)) if summary else x, ids)


def _param(b: Builder, name: str, *shape: int) -> Value:
    return b.leaf("param", TensorType(DType.F64, shape), key=name)


def _dense(chance: Random, b: Builder, x: Value, name: str) -> Value:
    w, bias = _param(b, f"w{name}", WIDTH, WIDTH), _param(b, f"b{name}", WIDTH)
    return b.apply("add", b.apply("matmul", x, w), bias)


def _layer_norm(chance: Random, b: Builder, x: Value, name: str) -> Value:
    return b.apply("layer_norm", x, _param(b, f"s{name}", WIDTH), _param(b, f"t{name}", WIDTH), eps=0.1)


def _standardize(chance: Random, b: Builder, x: Value, name: str) -> Value:
    return b.apply("standardize", x, axes=chance.choice([(2,), (2,), (1,)]), eps=0.1)


def _spread(chance: Random, b: Builder, x: Value, name: str) -> Value:
    """Scaled by the variance of something."""
    axes = chance.choice([(2,), (0, 1), (1,)])
    variance = b.apply("variance", x, axes=axes, keepdims=axes != (0, 1))
    return b.apply("mul", x, b.apply("tanh", variance))


def _attention(chance: Random, b: Builder, x: Value, name: str) -> Value:
    """Two heads; the three products have one operand."""
    q, k, v = (_heads(b, b.apply("matmul", x, _param(b, f"{part}{name}", WIDTH, WIDTH))) for part in "qkv")
    scores = b.apply("matmul", q, b.apply("transpose", k, axes=(0, 1, 3, 2)))
    weights = b.apply("softmax", b.apply("mul", scores, b.constant(0.5, DType.F64)), axis=-1)
    mixed = b.apply("transpose", b.apply("matmul", weights, v), axes=(0, 2, 1, 3))
    return b.apply("matmul", b.apply("reshape", mixed, sizes=x.shape), _param(b, f"o{name}", WIDTH, WIDTH))


def _heads(b: Builder, x: Value) -> Value:
    split = b.apply("reshape", x, sizes=(B, STEPS, 2, WIDTH // 2))
    return b.apply("transpose", split, axes=(0, 2, 1, 3))


def _common(chance: Random, b: Builder, x: Value, name: str) -> Value:
    """With what some axes have in common."""
    axes = chance.choice([(0,), (1,), (2,), (0, 1), (1, 2)])
    made = b.apply(chance.choice(["sum", "mean"]), x, axes=axes, keepdims=True)
    return b.apply("add", x, b.apply("tanh", made))


def _of_batch(chance: Random, b: Builder, x: Value, name: str) -> Value:
    """A share of the whole batch."""
    return b.apply("divide_by_size", b.apply("mul", x, b.apply("sum", x, axes=(0,))), size=B)


def _elementwise(op: str) -> Callable[[Random, Builder, Value, str], Value]:
    return lambda chance, b, x, name: b.apply(op, x)


_LAYERS: dict[str, Callable[[Random, Builder, Value, str], Value]] = {
    "dense": _dense,
    "layer norm": _layer_norm,
    "standardize": _standardize,
    "spread": _spread,
    "attention": _attention,
    "common": _common,
    "of batch": _of_batch,
    **{op: _elementwise(op) for op in ("gelu", "relu", "sigmoid")},
}
