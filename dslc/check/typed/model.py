"""A model's part of what `check` hands on: values in the order they are computed, parameters, layers, cells."""

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
