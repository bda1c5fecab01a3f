"""Steps of a train block -> the graph of each whole update, and its variant that gives gradients by key.

A training step is just another graph: outputs `loss` and the metrics, updates of the flat state vectors (parameters and the
optimizer's slots) and of buffers, scalar inputs `lr` and `step` (counted from 1). Every update reads old values. It holds no
loop, no data and no numbers of a run.

Parameters that the same steps update form a group, which is one vector; a step's graph holds the vectors of its groups, runs
its optimizer once for each, and reads all other parameters as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dslc.autodiff import gradients
from dslc.check.typed import Objective, TypedStep, TypedTrain, TypedValue
from dslc.figures import LOSS, Figured, put_out
from dslc.graph import Builder, Graph
from dslc.graph.arrays import numpy_dtype
from dslc.lower import lower_into
from dslc.ops.ir import Value
from dslc.optim import Step, apply_optimizer, clip_by_norm, clip_by_value
from dslc.tensor_type import DType, TensorType
from dslc_runtime.arena import Layout
from dslc_runtime.state import Group, vector_name

GRADIENT = "gradient:"  # outputs of `gradient_graph` are named so, with the key behind it


@dataclass(frozen=True, slots=True)
class TrainingGraphs:
    """A train block as graphs.

    Attributes:
        groups: the vectors that parameters and slots live in.
        buffers: keys of what the graphs write beside vectors.
        steps: one graph for each step, in their order.
        figures: how losses and metrics come of what a step's graph puts out, in the same order.
    """

    groups: tuple[Group, ...]
    buffers: tuple[str, ...]
    steps: tuple[Graph, ...]
    figures: tuple[Figured, ...]


def training_graphs(train: TypedTrain) -> TrainingGraphs:
    """The graph of each step of a train block."""
    groups = _groups(train)
    graphs: list[Graph] = []
    figures: list[Figured] = []
    for step in train.steps:
        graph, slots, figured = _step_graph(train, step, groups)
        graphs.append(graph)
        figures.append(figured)
        groups = [replace(group, slots=(*group.slots, *slots.get(group.name, ()))) for group in groups]
    buffers = dict.fromkeys(key for step in train.steps for key in step.training.body.updates)
    return TrainingGraphs(tuple(groups), tuple(buffers), tuple(graphs), tuple(figures))


def gradient_graph(train: TypedTrain, step: TypedStep) -> Graph:
    """Loss, metrics and ``gradient:KEY`` for every parameter a step updates; parameters are `param` leaves."""
    builder = Builder()
    keyed = {key: builder.leaf("param", train.params[key].type, key=key) for key in step.updates}
    loss = _outputs(builder, step.training, keyed)[0]
    found = gradients(builder, loss, list(keyed.values()))
    builder.graph.outputs |= {f"{GRADIENT}{key}": g for key, g in zip(keyed, found, strict=True)}
    return builder.graph


def _groups(train: TypedTrain) -> list[Group]:
    """The trained parameters by the steps that update them, in the order they are declared."""
    members: dict[str, dict[str, TensorType]] = {}
    for key, spec in train.params.items():
        steps = [step.name for step in train.steps if key in step.updates]
        if steps:
            members.setdefault("+".join(steps) or "all", {})[key] = spec.type
    found: list[Group] = []
    for name, types in members.items():
        (dtype,) = {type_.dtype for type_ in types.values()}
        shapes = {key: tuple(dim for dim in t.shape if isinstance(dim, int)) for key, t in types.items()}
        found.append(Group(name, Layout.of(shapes), numpy_dtype(dtype)))
    return found


def _step_graph(
    train: TypedTrain, step: TypedStep, groups: Sequence[Group]
) -> tuple[Graph, dict[str, tuple[str, ...]], Figured]:
    """A step's graph, the slots its optimizer keeps for each group, and its figures."""
    builder = Builder()
    learning = set(step.updates)
    mine = [group for group in groups if any(segment.key in learning for segment in group.layout.segments)]
    vectors = [builder.leaf("state", _vector_type(train, group), name=group.params) for group in mine]
    keyed: dict[str, Value] = {}
    for group, vector in zip(mine, vectors, strict=True):
        keyed |= {
            s.key: builder.apply("segment", vector, offset=s.offset, sizes=s.shape) for s in group.layout.segments
        }
    buffers = {key: builder.leaf("state", train.params[key].type, name=key) for key in step.training.body.updates}
    loss, values, figured = _outputs(builder, step.training, keyed | buffers)
    builder.graph.updates |= {key: values[value] for key, value in step.training.body.updates.items()}
    packed = _packed(builder, dict(zip(keyed, gradients(builder, loss, list(keyed.values())), strict=True)), mine)
    if step.clip_norm is not None:
        packed = clip_by_norm(builder, packed, step.clip_norm)
    if step.clip_value is not None:
        packed = clip_by_value(builder, packed, step.clip_value)
    lr, number = (builder.leaf("input", TensorType(DType.F64), name=name) for name in ("lr", "step"))
    slots: dict[str, tuple[str, ...]] = {}
    for group, vector, gradient in zip(mine, vectors, packed, strict=True):
        update = Step(builder, vector, gradient, lr, number, named=_slot_names(train, step, group))
        builder.graph.updates[group.params] = apply_optimizer(update, step.optimizer.name, step.optimizer.options)
        builder.graph.updates |= {update.named(name): value for name, value in update.updates.items()}
        slots[group.name] = tuple(train.called(step, name) for name in update.slots)
    return builder.graph, slots, figured


def _slot_names(train: TypedTrain, step: TypedStep, group: Group) -> Callable[[str], str]:
    return lambda slot: vector_name(train.called(step, slot), group.name)


def _vector_type(train: TypedTrain, group: Group) -> TensorType:
    return TensorType(train.params[group.layout.segments[0].key].type.dtype, (group.layout.size,))


def _packed(builder: Builder, found: Mapping[str, Value], groups: Sequence[Group]) -> list[Value]:
    """The gradients of each group's parameters as one vector."""
    return [builder.apply("pack", *(found[s.key] for s in group.layout.segments)) for group in groups]


def _outputs(
    builder: Builder, objective: Objective, keyed: Mapping[str, Value]
) -> tuple[Value, Mapping[TypedValue, Value], Figured]:
    """Lower an objective; its loss, every value, and its figures."""
    values = lower_into(builder, objective.body, keyed)
    figured = put_out(builder, objective.body, {LOSS: objective.loss, **objective.metrics}, values)
    return values[objective.loss], values, figured
