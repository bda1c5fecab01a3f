"""Steps of a train block -> the graph of each whole update, and its variant that gives gradients by key.

A training step is just another graph: outputs `loss` and the metrics, updates of the flat state vectors (parameters and the
optimizer's slots) and of buffers, scalar inputs `lr` and `step` (counted from 1). Every update reads old values. It holds no
loop, no data and no numbers of a run.

Parameters that the same steps update form a group, which is one vector; a step's graph holds the vectors of its groups, runs
its optimizer once for each, and reads all other parameters as they are. Where an update takes the gradient of several batches, a
step has two graphs: one adds a batch's gradient, times its rows, to a sum; the other, of no data, updates from the sum's mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
from dslc_runtime.state import AVERAGE, Group, vector_name

GRADIENT = "gradient:"  # outputs of `gradient_graph` are named so, with the key behind it


@dataclass(frozen=True, slots=True)
class TrainingGraphs:
    """A train block as graphs.

    Attributes:
        groups: the vectors that parameters and slots live in.
        buffers: keys of what the graphs write beside vectors.
        steps: one graph for each step, in their order: what is done with every batch.
        figures: how losses and metrics come of what a step's graph puts out, in the same order.
        applied: where batches are accumulated, the graph of each step that updates from their sum; else none.
    """

    groups: tuple[Group, ...]
    buffers: tuple[str, ...]
    steps: tuple[Graph, ...]
    figures: tuple[Figured, ...]
    applied: tuple[Graph, ...] = ()


def training_graphs(train: TypedTrain) -> TrainingGraphs:
    """The graphs of each step of a train block."""
    groups = _groups(train)
    steps: list[Graph] = []
    applied: list[Graph] = []
    figures: list[Figured] = []
    for step in train.steps:
        mine = [group for group in groups if any(segment.key in step.updates for segment in group.layout.segments)]
        draft = _Draft(train, step, mine)
        figured = _step_graph(draft)
        steps.append(draft.builder.graph)
        figures.append(figured)
        if train.accumulate > 1:
            updating = _Draft(train, step, mine)
            _update(updating, _mean_gradients(updating))
            applied.append(updating.builder.graph)
            draft = replace(draft, slots=updating.slots)
        groups = [draft.extended(group) for group in groups]
    buffers = dict.fromkeys(key for step in train.steps for key in step.training.body.updates)
    return TrainingGraphs(tuple(groups), tuple(buffers), tuple(steps), tuple(figures), tuple(applied))


@dataclass(slots=True)
class _Draft:
    """A graph of a step under construction.

    Attributes:
        groups: what the step updates.
        vectors: their parameters, by the group's name.
        slots: the slots that are kept for each group, by its name.
    """

    train: TypedTrain
    step: TypedStep
    groups: Sequence[Group]
    builder: Builder = field(default_factory=Builder)
    vectors: dict[str, Value] = field(default_factory=dict[str, Value])
    slots: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def __post_init__(self) -> None:
        self.vectors |= {group.name: self.state(group, group.params) for group in self.groups}

    def state(self, group: Group, name: str) -> Value:
        """A vector of a group."""
        return self.builder.leaf("state", _vector_type(self.train, group), name=name)

    def number(self, name: str) -> Value:
        """A number that each run is given."""
        return self.builder.leaf("input", TensorType(DType.F64), name=name)

    def named(self, group: Group) -> Callable[[str], str]:
        """From a slot of the step's to the name of its vector."""
        return lambda slot: vector_name(self.train.called(self.step, slot), group.name)

    @property
    def sums(self) -> str:
        """The slot that gradients are summed up in."""
        return self.train.called(self.step, "gradient")

    def extended(self, group: Group) -> Group:
        """A group with what this step keeps for it."""
        if group.name not in self.vectors:
            return group
        sums = (self.sums,) if self.train.accumulate > 1 else ()
        return replace(group, slots=(*group.slots, *self.slots.get(group.name, ())), sums=(*group.sums, *sums))


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


def _step_graph(draft: _Draft) -> Figured:
    """What is done with every batch; its figures."""
    builder, step = draft.builder, draft.step
    keyed: dict[str, Value] = {}
    for group in draft.groups:
        vector = draft.vectors[group.name]
        keyed |= {
            s.key: builder.apply("segment", vector, offset=s.offset, sizes=s.shape) for s in group.layout.segments
        }
    params = draft.train.params
    buffers = {key: builder.leaf("state", params[key].type, name=key) for key in step.training.body.updates}
    loss, values, figured = _outputs(builder, step.training, keyed | buffers)
    builder.graph.updates |= {key: values[value] for key, value in step.training.body.updates.items()}
    found = dict(zip(keyed, gradients(builder, loss, list(keyed.values())), strict=True))
    packed = _packed(builder, found, draft.groups)
    if draft.train.accumulate > 1:
        _sum_up(draft, packed)
    else:
        _update(draft, packed)
    return figured


def _sum_up(draft: _Draft, packed: Sequence[Value]) -> None:
    """sum <- sum + rows * gradient, so that batches of unequal size count as if they were one."""
    builder, rows = draft.builder, draft.number("rows")
    for group, gradient in zip(draft.groups, packed, strict=True):
        name = vector_name(draft.sums, group.name)
        weighted = builder.apply("mul", gradient, builder.apply("cast", rows, dtype=gradient.dtype))
        builder.graph.updates[name] = builder.apply("add", draft.state(group, name), weighted)


def _mean_gradients(draft: _Draft) -> list[Value]:
    """sum / rows, and sum <- 0."""
    builder, rows = draft.builder, draft.number("rows")
    found: list[Value] = []
    for group in draft.groups:
        name = vector_name(draft.sums, group.name)
        total = draft.state(group, name)
        found.append(builder.apply("div", total, builder.apply("cast", rows, dtype=total.dtype)))
        builder.graph.updates[name] = builder.apply(
            "expand", builder.constant(0.0, total.dtype), sizes=total.type.shape
        )
    return found


def _update(draft: _Draft, packed: Sequence[Value]) -> None:
    """The optimizer's step on the vectors of every group, and their running mean where there is one."""
    builder, step, train = draft.builder, draft.step, draft.train
    if step.clip_norm is not None:
        packed = clip_by_norm(builder, packed, step.clip_norm)
    if step.clip_value is not None:
        packed = clip_by_value(builder, packed, step.clip_value)
    lr, number = draft.number("lr"), draft.number("step")
    for group, gradient in zip(draft.groups, packed, strict=True):
        update = Step(builder, draft.vectors[group.name], gradient, lr, number, named=draft.named(group))
        after = apply_optimizer(update, step.optimizer.name, step.optimizer.options)
        builder.graph.updates[group.params] = after
        builder.graph.updates |= {update.named(name): value for name, value in update.updates.items()}
        draft.slots[group.name] = [train.called(step, name) for name in update.slots]
        if train.average is not None and _is_last(train, step, group):
            _average(draft, group, after)


def _is_last(train: TypedTrain, step: TypedStep, group: Group) -> bool:
    """Whether no later step updates a group."""
    first = group.layout.segments[0].key
    return [other for other in train.steps if first in other.updates][-1] is step


def _average(draft: _Draft, group: Group, after: Value) -> None:
    """mean <- kept * mean + (1 - kept) * parameters, after their update. As torch.optim.swa_utils.AveragedModel."""
    builder, kept = draft.builder, draft.number("kept")
    rest = builder.apply("sub", builder.constant(1.0, DType.F64), kept)
    old = draft.state(group, vector_name(AVERAGE, group.name))
    parts = [
        builder.apply("mul", value, builder.apply("cast", share, dtype=value.dtype))
        for value, share in ((old, kept), (after, rest))
    ]
    builder.graph.updates[vector_name(AVERAGE, group.name)] = builder.apply("add", *parts)
    draft.slots[group.name].append(AVERAGE)


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
