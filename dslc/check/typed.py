"""The typed model: what `check` hands to `lower`. Every name is resolved, every size known or symbolic, every layer unrolled.

It is plain data: values in the order they are computed, each one operator applied to earlier values. Operators are those of
`dslc.ops.OPS`, composite ones (`mse`) unexpanded. Besides them there are leaves: `input` (attr name), `param` (attr key),
`constant` (attr value: a number, or `Data`), `size` (attr size). A random operator carries its attribute `stream`.

The same text is elaborated once per mode: a `Body` is either of training or of inference. Both have the same parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from dslc.ops.ir import Attrs
from dslc.record import field, record
from dslc.source import Span
from dslc.tensor_type import TensorType


@record
class Origin:
    """Where a size came from: ``Origin("`code = 32`", span)`` is printed as "comes from `code = 32` (line 3)"."""

    text: str
    span: Span


@record(eq=False)
class TypedValue:
    """One value of a body; compared by identity.

    Attributes:
        op, inputs, attrs: how it is computed (see the module).
        span: the expression that made it.
        name: the user's name for it (`logits`, `enc.z` inside the instance `enc`), or "".
        origins: per axis, where the size came from, if known.
    """

    type: TensorType
    op: str
    inputs: tuple[TypedValue, ...]
    attrs: Attrs
    span: Span
    name: str = ""
    origins: tuple[Origin | None, ...] = ()
    cell: TypedCell | None = None


@record(eq=False)
class TypedCell:
    """What a `scan` runs at every step. The value `scan` has the operands (*initial states, *sequences), time on axis 0.

    `item` values with the attribute `index` read its results: the final states, then the outputs of all steps (time on
    axis 0, aligned with the sequences). Parameters the body reads are `param` leaves with the keys of the model's; random
    operators in it draw afresh at every step.

    Attributes:
        body: one step; its `inputs` are the states and the step's elements of the sequences, by name.
        states, sequences: the names of those inputs, in the order of the operands.
        next: the states after the step.
        outputs: the outputs of the step.
        reverse: whether steps run from the last element to the first.
    """

    body: Body
    states: tuple[str, ...]
    sequences: tuple[str, ...]
    next: tuple[TypedValue, ...]
    outputs: tuple[TypedValue, ...]
    reverse: bool


Literal: TypeAlias = "None | bool | int | float | str | tuple[Literal, ...]"


@record
class Initializer:
    """How a parameter starts: a name of the runtime's table of initialisers with its options, or `literal` with `value`.

    `fan_in` and `fan_out` are the runtime's business, from shape and layer convention given in `options["layout"]` when it
    is not `[in, out]`.
    """

    name: str
    options: Mapping[str, Literal] = field(factory=dict[str, Literal])
    value: Literal = None


@record
class ParamSpec:
    """A parameter: its key (checkpoint, ONNX initializer, patterns), static type and first values."""

    key: str
    type: TensorType
    init: Initializer
    span: Span
    trainable: bool = True


@record
class LayerInfo:
    """One layer instance for `dslc info`: its path of labels ("fc1", "" for the model itself), what it is, its types."""

    path: str
    kind: str  # "Dense(128)"
    input: TensorType | None
    output: TensorType | None
    params: tuple[str, ...]  # keys it holds itself
    span: Span


@record
class LayerRun:
    """One use of a layer: it made ``values[start:stop]`` of the body. Runs nest; the ones inside come first."""

    path: str
    start: int
    stop: int


@record(frozen=False)
class Body:
    """A straight line of values, with the parameters they read.

    Attributes:
        updates: the new values of buffers by key, in the body of training only; everything else reads the old ones.
        runs: which layer made which values.
    """

    training: bool
    values: list[TypedValue] = field(factory=list[TypedValue])
    inputs: dict[str, TypedValue] = field(factory=dict[str, TypedValue])
    params: dict[str, ParamSpec] = field(factory=dict[str, ParamSpec])
    layers: list[LayerInfo] = field(factory=list[LayerInfo])
    updates: dict[str, TypedValue] = field(factory=dict[str, TypedValue])
    runs: list[LayerRun] = field(factory=list[LayerRun])


@record
class TypedModel:
    """A model with its hyper-parameters fixed.

    Attributes:
        name: the model's name in the source.
        hypers: the resolved hyper-parameters, printable.
        body: values in the mode it was elaborated for; `body.inputs` are the model's inputs by name.
        outputs: the declared outputs by name, in order.
        readable: every value that `net.name` may read, inner values and parameters included.
    """

    name: str
    hypers: Mapping[str, Literal]
    body: Body
    outputs: Mapping[str, TypedValue]
    readable: Mapping[str, TypedValue]
    doc: str
    span: Span


# ---------------------------------------------------------------------------------------------- data


@record
class SourceSpec:
    """Where one part of the data is read from.

    Attributes:
        kind: "inline", "npz", "csv", "text_lines" or "idx".
        path: as written, relative to the file; "" for inline and idx.
        columns: column name in the program -> name in the file, the file (idx) or the literal rows (inline). Empty where the file alone
            knows its columns.
        options: how the file is written: the `delimiter` of csv, the `unit` of text_lines.
    """

    kind: str
    path: str
    columns: Mapping[str, Literal]
    span: Span
    options: Mapping[str, Literal] = field(factory=dict[str, Literal])


@record
class ColumnRead:
    """What a field takes from one row of the source, where it is written.

    Attributes:
        columns: one column, several that are stacked, or the two ends of a range of neighbouring ones.
        range: whether they are the ends of a range.
        content: "numbers", "text", or "labels", which may be integers or text.
    """

    columns: tuple[str, ...]
    span: Span
    range: bool = False
    content: str = "numbers"

    @property
    def name(self) -> str:
        """What bodies and tables call it: a column of numbers by its own name, all else as it is written."""
        if self.content == "numbers" and len(self.columns) == 1:
            return self.columns[0]
        written = (":" if self.range else ", ").join(f'"{column}"' for column in self.columns)
        return written if self.content == "numbers" else f"{self.content} {written}"


@record
class FieldSpec:
    """One field: the type of one sample, what it reads, and its expression.

    The types of the columns are known only when the file is opened, so that the expression is elaborated then, against the
    real dtypes and shapes (`fields.field_body`).
    """

    name: str
    type: TensorType
    reads: tuple[ColumnRead, ...]
    expr: object  # the syntax tree's expression
    span: Span


@record(eq=False)
class FieldBody:
    """A field's expression, or a part of it, over many rows.

    Attributes:
        body: its inputs have the run-time size `rows` in front; they are named like the reads and the derived columns.
        value: the result in it.
        reads: the columns of numbers that it reads, by name.
        derived: its other inputs, by name.
    """

    body: Body
    value: TypedValue
    reads: Mapping[str, ColumnRead]
    derived: Mapping[str, Derived]


@record(eq=False)
class Derived:
    """An input of a field's body that is made from others by a function that no operator is: it reads text, or all rows.

    Attributes:
        kind: the function, as `dslc_runtime.data.transforms` names it.
        operand: the column of text, or the value, that it is applied to.
        options: its options, all of them.
        learned: what is learned from the training part is saved under this key; "" where nothing is.
        type: of one row of the result.
    """

    kind: str
    operand: ColumnRead | FieldBody
    options: Mapping[str, Literal]
    learned: str
    type: TensorType
    span: Span


@record
class TypedData:
    """A data block. `sources` has the key "train", and "val", "test" where they are written; `split` has shares of train."""

    name: str
    sources: Mapping[str, SourceSpec]
    fields: Mapping[str, FieldSpec]
    split: Mapping[str, float]
    shuffle_seed: int
    stratify: str  # a field, or ""
    doc: str
    span: Span


# ---------------------------------------------------------------------------------------------- training


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

    def called(self, step: TypedStep, quantity: str) -> str:
        """The name of a step's quantity in the history."""
        return f"{step.name}.{quantity}" if step.name else quantity


# ---------------------------------------------------------------------------------------------- tests


@record
class GoldenSide:
    """`golden("path")`: the path as written."""

    path: str
    span: Span


@record
class OnnxSide:
    """`onnx(value)`: the value computed by ONNX Runtime."""

    value: TypedValue


@record
class MetricSide:
    """`train.loss`, `val.accuracy`, `test.accuracy` after `train name`: the part and the quantity."""

    part: str
    metric: str


@record
class LiteralSide:
    """A number, a list of numbers, or a fact known at compile time (`shape(...)`, `params(...)`)."""

    value: Literal


Side: TypeAlias = "TypedValue | GoldenSide | OnnxSide | MetricSide | LiteralSide"


@record
class Expectation:
    """`left op right within tolerance`."""

    left: Side
    op: str
    right: Side
    within: float
    span: Span


@record
class TypedTest:
    """A test block.

    Attributes:
        uses: models by name, in inference mode; empty where `trains` names a train block.
        body: the values of all expectations; givens are its inputs, concrete in shape, by name.
        given: the given's values: a `Literal`, or a `TypedValue` without inputs (`ones([2, 784])`), by name.
        seed: of the initial parameters.
        trains: name of the train block to run first, or "".
        error: the code of `expect error CODE`, or ""; `found` says whether the mistake was made.
        starts: the models that start from the weights of a file.
    """

    name: str
    uses: Mapping[str, TypedModel]
    body: Body
    given: Mapping[str, Literal | TypedValue]
    expectations: tuple[Expectation, ...]
    seed: int
    trains: str
    span: Span
    error: str = ""
    found: bool = False
    starts: tuple[Start, ...] = ()
