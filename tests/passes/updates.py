"""Random training steps with the gradients given: products, rows of tables and others, packed for one of the optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.graph import Builder, Graph
from dslc.ops.ir import Value
from dslc.ops.optimizers import OPTIMIZERS
from dslc.optim import Step, apply_optimizer
from dslc.tensor_type import DType, TensorType, evaluate, symbol

B = symbol("B")
IDS = 3  # rows of a table
Array = npt.NDArray[Any]


def updates(chance: Random) -> Graph:
    """One to five gradients, of which something else may read one; parameters that the batch is scaled by; an optimizer."""
    b = Builder()
    gradients = [chance.choice(_GRADIENTS)(chance, b, f"{number}") for number in range(chance.randint(1, 5))]
    gradient = b.apply("pack", *gradients)
    params = b.leaf("state", gradient.type, name="params")
    if chance.random() < 0.3:
        b.graph.outputs["inside"] = b.apply("square", chance.choice((*gradients, gradient)))
    b.graph.outputs["loss"] = b.apply("sum", b.apply("mul", params, params))
    numbers = (b.leaf("input", TensorType(DType.F64), name=name) for name in ("lr", "step"))
    step = Step(b, params, gradient, *numbers)
    name = chance.choice(("sgd", "adagrad", *OPTIMIZERS))
    options = {option.name: option.default for option in OPTIMIZERS[name].options} | _changed(chance, name)
    b.graph.updates["params"] = apply_optimizer(step, name, options)  # type: ignore[arg-type]
    b.graph.updates |= step.updates
    return b.graph


def numbers(graph: Graph, sizes: Mapping[str, int]) -> dict[str, Array]:
    """Numbers from 0.1 to 1, and ids."""
    generator = np.random.default_rng(3)
    found: dict[str, Array] = {}
    for op in ("input", "state"):
        for node in graph.leaves(op):
            shape = [evaluate(size, sizes) for size in node.out.shape]
            floats = node.out.dtype.is_float
            values = generator.uniform(0.1, 1.0, shape) if floats else generator.integers(0, IDS, shape)
            found[node.attrs.str("name")] = np.asarray(values)
    return found | {"step": np.array(2.0)}


def _changed(chance: Random, name: str) -> dict[str, float | bool]:
    """Options that are not the default."""
    known = {option.name for option in OPTIMIZERS[name].options}
    rare = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "initial": 0.1, "lr_decay": 0.1, "centered": True}
    return {option: value for option, value in rare.items() if option in known and chance.random() < 0.3}


def _product(chance: Random, b: Builder, name: str) -> Value:
    m, n = chance.randint(1, 4), chance.randint(1, 4)
    x, dy = _leaf(b, f"x{name}", B, m), _leaf(b, f"dy{name}", B, n)
    return b.apply("matmul", b.apply("transpose", x, axes=(1, 0)), dy)


def _rows(_: Random, b: Builder, name: str) -> Value:
    ids = b.leaf("input", TensorType(DType.I64, (B,)), name=f"ids{name}")
    return b.apply("scatter_add", _leaf(b, f"rows{name}", B, 2), ids, rows=IDS)


def _bias(_: Random, b: Builder, name: str) -> Value:
    return _leaf(b, f"bias{name}", 3)


def _leaf(b: Builder, name: str, *shape: Any) -> Value:
    return b.leaf("input", TensorType(DType.F64, shape), name=name)


_GRADIENTS = (_product, _rows, _bias)
