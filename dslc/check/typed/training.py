"""A train block's part of what `check` hands on: objectives, optimizers and their rates, what is watched and reported."""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.typed.data import TypedData
from dslc.check.typed.model import Body, ParamSpec, TypedModel, TypedValue
from dslc.record import record
from dslc.source import Span


@record
class Length:
    """A length of time: `200 steps` or `3 epochs`; `unit` is "steps" or "epochs"."""

    amount: float
    unit: str


@record
class Watched:
    """A quantity of the history, and whether less of it is better."""

    on: str
    lower: bool


@record
class Stage:
    """One stage of a schedule, named as in `dslc.ops.schedules`.

    Attributes:
        length: how long it lasts; None for ever.
        every: the period of those that have one.
        start: the value it starts at; None for where the one before ended.
        options: its other numbers; switches are 0 or 1.
        watched: what it looks at, if it looks at anything.
    """

    kind: str
    length: Length | None
    every: Length | None
    start: float | None
    options: Mapping[str, float]
    watched: Watched | None = None


@record
class OptimizerSpec:
    """An optimizer of `dslc.optim` by name with every option resolved; `lr` is a schedule, of one stage where it is a number."""

    name: str
    options: Mapping[str, float | bool]
    lr: tuple[Stage, ...]
    span: Span


@record
class Objective:
    """What one pass over a batch computes; inputs of `body` are the fields it reads, batched, by field name."""

    body: Body
    loss: TypedValue
    metrics: Mapping[str, TypedValue]


@record
class TypedStep:
    """One update of every batch: what it minimises in training mode, and what learns from it.

    Attributes:
        name: of the `step`; "" where the train block has none.
        updates: the keys of the parameters that learn, in the order of the program.
        clip_norm, clip_value: limits of the gradient's norm and of its elements, or None.
    """

    name: str
    updates: tuple[str, ...]
    training: Objective
    optimizer: OptimizerSpec
    clip_norm: float | None
    clip_value: float | None
    span: Span


@record
class Evaluation:
    """The losses and metrics of all steps in inference mode, by their names in the history (`loss`, `critic.loss`)."""

    body: Body
    quantities: Mapping[str, TypedValue]


@record
class EarlyStop:
    """When a training ends early: `on` names a quantity of the history, `patience` counts epochs."""

    on: str
    patience: int
    min_delta: float
    lower: bool
    restore_best: bool


@record
class Start:
    """What a model starts from instead of first values of its own.

    Attributes:
        use: the model's name in its train or test block.
        path: of a run's folder or a safetensors file, as written, relative to the program.
        keys: the model's keys that are read.
        prefix: what stands in front of them in the file.
        whole: whether the file must hold nothing else behind that prefix.
        span: where it is written.
    """

    use: str
    path: str
    keys: tuple[str, ...]
    prefix: str
    whole: bool
    span: Span


@record
class Average:
    """A running mean of the weights, which is used in their place: how much of it an update keeps, and whether less at first."""

    decay: float
    warmup: bool


@record
class TypedTrain:
    """A train block.

    Attributes:
        uses: `use` name -> the model it makes (elaborated for inference), whose parameter keys are prefixed by the `use`
            name only where there are several.
        params: all parameters and buffers of all models by key; every body below has the same.
        steps: run in this order for every batch.
        batch: samples per step, or None for all of them.
        accumulate: how many batches make an update.
        average: the mean of the weights that is used in their place, if any.
        starts: the models that start from the weights of a file.
    """

    name: str
    uses: Mapping[str, TypedModel]
    data: TypedData
    params: Mapping[str, ParamSpec]
    steps: tuple[TypedStep, ...]
    inference: Evaluation
    early_stop: EarlyStop | None
    batch: int | None
    epochs: int
    seed: int
    span: Span
    accumulate: int = 1
    average: Average | None = None
    starts: tuple[Start, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that training reads."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.training.body.inputs))

    def prefix(self, use: str) -> str:
        """What keys, paths and names of values of a model begin with."""
        return f"{use}." if len(self.uses) > 1 else ""

    def called(self, step: TypedStep, quantity: str) -> str:
        """The name of a step's quantity in the history."""
        return f"{step.name}.{quantity}" if step.name else quantity
