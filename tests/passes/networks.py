"""Random networks over images, with a loss of everything and its gradients; and their numbers."""

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


def networks(chance: Random) -> Graph:
    """A few layers over images, a loss of everything, and its gradients by the image and all parameters."""
    b = Builder()
    x = image = b.leaf("input", TensorType(DType.F64, (B, chance.randint(1, 3), 9, 8)), name="image")
    known, layers = [image], chance.choices(sorted(_LAYERS), k=4)
    for number in range(chance.randint(2, 7)):
        name = chance.choice([*layers, "block", "conv"])
        x = _LAYERS[name](chance, b, x, known, f"{number}")
        known.append(x)
    loss = b.apply("sum", b.apply("mul", x, b.leaf("draw", x.type, dist="normal", stream="weights", mean=0.0, std=1.0)))
    leaves = {"image": image} | {node.attrs.str("key"): node.out for node in b.graph.leaves("param")}
    found = gradients(b, loss, list(leaves.values()))
    b.graph.outputs["loss"] = loss
    b.graph.outputs |= {f"d {name}": value for name, value in zip(leaves, found, strict=True)}
    if chance.random() < 0.5:
        b.graph.outputs["inside"] = chance.choice(known)
    return b.graph


_Layer = Callable[[Random, Builder, Value, list[Value], str], Value]


def _param(b: Builder, name: str, *shape: int) -> Value:
    return b.leaf("param", TensorType(DType.F64, shape), key=name)


def _sizes(x: Value) -> tuple[int, int, int]:
    channels, height, width = (int(str(size)) for size in x.shape[1:])
    return channels, height, width


def _conv(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    channels, height, width = _sizes(x)
    kernel = chance.choice([(1, 1), (3, 3), (2, 3)])
    groups = chance.choice([1, 1, 1, channels])
    if height < 3 or width < 3:
        return x
    w = _param(b, f"w{name}", groups * chance.randint(1, 3), channels // groups, *kernel)
    pad, stride = chance.choice([0, 1, "same"]), chance.choice([1, 1, 2])
    return b.apply("conv", x, w, pad=pad, stride=stride, groups=groups)


def _bias(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    return b.apply("add", x, _param(b, f"b{name}", _sizes(x)[0], 1, 1))


def _max_pool(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    return _pooled(chance, b, "max_pool", x)


def _avg_pool(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    return _pooled(chance, b, "avg_pool", x)


def _pooled(chance: Random, b: Builder, op: str, x: Value) -> Value:
    if min(_sizes(x)[1:]) < 2:
        return x
    stride = chance.choice([None, None, 1])
    return b.apply(op, x, window=chance.choice([(2, 2), (2, 1)]), stride=stride)


def _block(chance: Random, b: Builder, x: Value, known: list[Value], name: str) -> Value:
    """What most networks are made of, or some of it."""
    x = _conv(chance, b, x, known, name)
    for layer in chance.choice([(_bias, _relu), (_bias,), (_relu,), (_relu, _bias)]):
        x = layer(chance, b, x, known, name)
    return _max_pool(chance, b, x, known, name)


def _norm(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    channels, _height, _width = _sizes(x)
    mean, variance = b.apply("channel_mean", x), b.apply("channel_variance", x)
    scale, shift = _param(b, f"s{name}", channels), _param(b, f"t{name}", channels)
    return b.apply("batch_norm", x, scale, shift, mean, variance, eps=0.1)


def _group_norm(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    return b.apply("standardize", x, axes=chance.choice([(1, 2, 3), (2, 3)]), eps=0.1)


def _reduced(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    """Each image without what some of its axes have in common."""
    op = chance.choice(["mean", "max", "min"])
    return b.apply("sub", x, b.apply(op, x, axes=chance.choice([(1,), (2, 3), (3,)]), keepdims=True))


def _skip(chance: Random, b: Builder, x: Value, known: list[Value], name: str) -> Value:
    return b.apply("add", x, chance.choice([value for value in known if value.type == x.type]))


def _join(chance: Random, b: Builder, x: Value, known: list[Value], name: str) -> Value:
    beside = [value for value in known if value.shape[2:] == x.shape[2:]]
    return b.apply("concat", x, chance.choice(beside), axis=1)


def _turn(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    return b.apply("transpose", x, axes=(0, 1, 3, 2))


def _relu(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    return b.apply("relu", x)


def _tanh(chance: Random, b: Builder, x: Value, _: list[Value], name: str) -> Value:
    return b.apply("tanh", x)


_LAYERS: dict[str, _Layer] = {
    "conv": _conv,
    "bias": _bias,
    "max pool": _max_pool,
    "average pool": _avg_pool,
    "block": _block,
    "norm": _norm,
    "group norm": _group_norm,
    "reduced": _reduced,
    "skip": _skip,
    "join": _join,
    "turn": _turn,
    "relu": _relu,
    "tanh": _tanh,
}


def whole_numbers(graph: Graph, sizes: Mapping[str, int]) -> dict[str, npt.NDArray[Any]]:
    """Small whole numbers for every leaf, so that elements of a window are often equal and sums exact."""
    generator = np.random.default_rng(5)
    found: dict[str, npt.NDArray[Any]] = {}
    for op, key in (("input", "name"), ("param", "key"), ("draw", "stream")):
        for node in graph.leaves(op):
            shape = [evaluate(size, sizes) for size in node.out.shape]
            found[node.attrs.str(key)] = generator.integers(-2, 3, shape).astype(float)
    return found
