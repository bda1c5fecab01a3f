"""Objective and optimizer -> the graph of a whole training step, and its variant that gives gradients by key.

A training step is just another graph: outputs `loss` and the metrics, updates of the flat state vectors (`params` and the
optimizer's slots), scalar inputs `lr` and `step` (counted from 1). Every update reads old values. It holds no loop, no
data and no numbers of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dslc.autodiff import gradients
from dslc.check.typed import Objective, OptimizerSpec, ParamSpec
from dslc.graph import Builder, Graph
from dslc.lower import lower_into
from dslc.ops.ir import Value
from dslc.optim import Step, apply_optimizer
from dslc.tensor_type import DType, TensorType
from dslc_runtime.arena import Layout

PARAMS = "params"
GRADIENT = "gradient:"  # outputs of `gradient_graph` are named so, with the key behind it


@dataclass(frozen=True, slots=True)
class TrainingGraph:
    """A training step.

    Attributes:
        layout: where each trained parameter lies in the flat vectors.
        dtype: the element type of the flat vectors.
        slots: the optimizer's vectors, zero before the first step.
    """

    graph: Graph
    layout: Layout
    dtype: DType
    slots: tuple[str, ...]


def training_graph(objective: Objective, optimizer: OptimizerSpec) -> TrainingGraph:
    """The graph of one update."""
    builder = Builder()
    layout, dtype = _layout(objective.body.params)
    params = builder.leaf("state", TensorType(dtype, (layout.size,)), name=PARAMS)
    keyed = {s.key: builder.apply("segment", params, offset=s.offset, sizes=s.shape) for s in layout.segments}
    loss = _outputs(builder, objective, keyed)
    gradient = builder.apply("pack", *gradients(builder, loss, list(keyed.values())))
    scalar = TensorType(DType.F64)
    lr, number = (builder.leaf("input", scalar, name=name) for name in ("lr", "step"))
    step = Step(builder, params, gradient, lr, number)
    builder.graph.updates[PARAMS] = apply_optimizer(step, optimizer.name, optimizer.options)
    builder.graph.updates |= step.updates
    return TrainingGraph(builder.graph, layout, dtype, tuple(step.slots))


def gradient_graph(objective: Objective) -> Graph:
    """Loss, metrics and ``gradient:KEY`` for every trained parameter; parameters are `param` leaves."""
    builder = Builder()
    trained = {key: spec for key, spec in objective.body.params.items() if spec.trainable}
    keyed = {key: builder.leaf("param", spec.type, key=key) for key, spec in trained.items()}
    loss = _outputs(builder, objective, keyed)
    found = gradients(builder, loss, list(keyed.values()))
    builder.graph.outputs |= {f"{GRADIENT}{key}": g for key, g in zip(keyed, found, strict=True)}
    return builder.graph


def _outputs(builder: Builder, objective: Objective, keyed: Mapping[str, Value]) -> Value:
    """Lower an objective; its loss."""
    values = lower_into(builder, objective.body, keyed)
    named = {"loss": objective.loss, **objective.metrics}
    builder.graph.outputs |= {name: values[typed] for name, typed in named.items()}
    return values[objective.loss]


def _layout(params: Mapping[str, ParamSpec]) -> tuple[Layout, DType]:
    """The layout of the trained parameters, in the order they are declared."""
    trained = {key: spec.type for key, spec in params.items() if spec.trainable}
    shapes = {key: tuple(dim for dim in t.shape if isinstance(dim, int)) for key, t in trained.items()}
    dtypes = {t.dtype for t in trained.values()} or {DType.F32}
    (dtype,) = dtypes
    return Layout.of(shapes), dtype
