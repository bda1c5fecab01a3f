"""A training step by hand, whole and cut: a line through noisy points, whose gradient the shards add up.

The cut is what a compiler has to find: `part` gives a loss, a gradient and rows, `rest` weighs what comes of the shards by their
parts of the rows, and updates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dslc.autodiff import gradients
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder
from dslc.ops.ir import Value
from dslc.tensor_type import DType, TensorType, symbol
from dslc_runtime.arena import Layout
from dslc_runtime.program import Program
from dslc_runtime.sharded import Sharded
from dslc_runtime.shards import Cut
from dslc_runtime.state import Group, State

B = symbol("B")
F32 = DType.F32
WIDTH = 5
LAYOUT = Layout.of({"w": (WIDTH,), "b": (1,)})
TABLE = 3  # rows of a table that nobody trains


def first_state() -> State:
    """Weights and an optimizer's slot, in shared memory."""
    params = {
        "w": np.zeros(WIDTH, np.float32),
        "b": np.zeros(1, np.float32),
        "table": np.arange(TABLE, dtype=np.float32),
        "seen": np.zeros((), np.float32),
    }
    return State.of(params, [Group("all", LAYOUT, "f4", ("momentum",))], ["seen"]).shared()


def data(rows: int) -> dict[str, np.ndarray]:
    source = np.random.default_rng(0)
    x = source.standard_normal((rows, WIDTH)).astype(np.float32)
    kind = source.integers(0, TABLE, rows)
    y = x @ np.arange(WIDTH, dtype=np.float32) + kind.astype(np.float32)
    return {"x": x, "y": y, "kind": kind}


def whole() -> Program:
    """The step as one program."""
    b = Builder()
    loss, error, gradient = _forward(b)
    b.graph.outputs = {"loss": loss, "error": error}
    _update(b, gradient, b.apply("sum", error, axes=(0,)))
    return compile_numpy(b.graph)


def part() -> Program:
    """What a shard computes."""
    b = Builder()
    loss, error, gradient = _forward(b)
    b.graph.outputs = {
        "loss": loss,
        "error": error,
        "gradient/all": gradient,
        "sum": b.apply("sum", error, axes=(0,)),
        "unordered": b.apply("transpose", b.apply("exp", b.apply("reshape", gradient, sizes=(2, 3))), axes=(1, 0)),
    }
    return compile_numpy(b.graph)


def rest(shards: int) -> Program:
    """What comes after."""
    b = Builder()
    gradient = _weighed(b, "gradient/all", shards, TensorType(F32, (LAYOUT.size,)))
    b.graph.outputs = {
        "loss": _weighed(b, "loss", shards, TensorType(F32)),
        "error": b.leaf("input", TensorType(F32, (B,)), name="error"),
        "unordered": b.leaf("input", TensorType(F32, (3, 2)), name=f"unordered.{shards - 1}"),
    }
    _update(b, gradient, _added(b, [_result(b, "sum", i, TensorType(F32)) for i in range(shards)]))
    return compile_numpy(b.graph)


def cut_step(shards: int = 2, least: int = 2) -> Sharded:
    """The step for several processes."""
    cut = Cut("B", shards, {"x": 0, "y": 0, "kind": 0}, {"mask": 0, "noise": 1}, ("error",), least)
    return Sharded(part(), rest(shards), cut, whole)


def in_turn(program: Sharded, given: Mapping[str, np.ndarray], state: State, numbers: Mapping[str, float]) -> None:
    """The same step with all shards in this process, one after the other.

    Args:
        given: inputs by name and random tensors by stream.
    """
    rows = len(given["x"])
    shards = program.cut.of(rows)
    fed: dict[str, np.ndarray] = {}
    errors: list[np.ndarray] = []
    for number, shard in enumerate(shards):
        bound = program.part.bind({"B": shard.stop - shard.start}, state.for_training)
        some = slice(shard.start, shard.stop)
        for name, buffer in bound.inputs.items():
            buffer[...] = given[name][some] if buffer.ndim else numbers[name]
        for spec, buffer in bound.draws:
            buffer[...] = given[spec.stream][some] if spec.stream == "mask" else given[spec.stream][:, some]
        bound.run()
        fed |= {f"{name}.{number}": value.copy() for name, value in bound.outputs.items()}
        errors.append(bound.outputs["error"].copy())
    bound = program.rest.bind({"B": rows}, state.for_training)
    for name, buffer in bound.inputs.items():
        buffer[...] = np.concatenate(errors) if name == "error" else fed[name]
    shares = {f"share.{i}": (shard.stop - shard.start) / rows for i, shard in enumerate(shards)}
    known = {**numbers, **shares}
    bound.run(**{name: known[name] for name in bound.scalars})


def _forward(b: Builder) -> tuple[Value, Value, Value]:
    flat = b.leaf("state", TensorType(F32, (LAYOUT.size,)), name="params/all")
    w = b.apply("segment", flat, offset=0, sizes=(WIDTH,))
    bias = b.apply("segment", flat, offset=WIDTH, sizes=(1,))
    table = b.leaf("param", TensorType(F32, (TABLE,)), key="table")
    x = b.leaf("input", TensorType(F32, (B, WIDTH)), name="x")
    y = b.leaf("input", TensorType(F32, (B,)), name="y")
    kind = b.leaf("input", TensorType(DType.I64, (B,)), name="kind")
    mask = b.leaf("draw", x.type, dist="bernoulli", stream="mask", p=0.75, value=4 / 3)
    noise = b.leaf("draw", TensorType(F32, (2, B)), dist="normal", stream="noise", mean=0.0, std=0.01)
    scale = b.apply("cast", b.leaf("input", TensorType(DType.F64), name="step"), dtype=F32)
    noise = b.apply("div", b.apply("sum", noise, axes=(0,)), scale)
    line = b.apply("add", b.apply("matmul", b.apply("mul", x, mask), w), bias)
    line = b.apply("add", b.apply("add", line, noise), b.apply("gather", table, kind))
    error = b.apply("sub", line, y)
    loss = b.apply("mean", b.apply("mul", error, error))
    return loss, error, b.apply("pack", *gradients(b, loss, [w, bias]))


def _update(b: Builder, gradient: Value, seen: Value) -> None:
    flat, momentum = (b.leaf("state", gradient.type, name=f"{name}/all") for name in ("params", "momentum"))
    rate = b.apply("cast", b.leaf("input", TensorType(DType.F64), name="lr"), dtype=F32)
    momentum = b.apply("add", b.apply("mul", momentum, b.constant(0.5, F32)), gradient)
    b.graph.updates = {
        "params/all": b.apply("sub", flat, b.apply("mul", rate, momentum)),
        "momentum/all": momentum,
        "seen": b.apply("add", b.leaf("state", TensorType(F32), name="seen"), seen),
    }


def _result(b: Builder, name: str, shard: int, type_: TensorType) -> Value:
    return b.leaf("input", type_, name=f"{name}.{shard}")


def _weighed(b: Builder, name: str, shards: int, type_: TensorType) -> Value:
    shares = [b.leaf("input", TensorType(DType.F64), name=f"share.{shard}") for shard in range(shards)]
    weights = [b.apply("cast", share, dtype=F32) for share in shares]
    return _added(b, [b.apply("mul", _result(b, name, i, type_), weight) for i, weight in enumerate(weights)])


def _added(b: Builder, values: list[Value]) -> Value:
    total = values[0]
    for value in values[1:]:
        total = b.apply("add", total, value)
    return total
