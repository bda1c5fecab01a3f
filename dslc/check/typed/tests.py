"""A test's part of what `check` hands on: what is given and what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from dslc.check.typed.model import Body, Literal, TypedModel, TypedValue
from dslc.check.typed.training import Start
from dslc.record import record
from dslc.source import Span


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
