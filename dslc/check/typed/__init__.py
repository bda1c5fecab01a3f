"""The typed model: what `check` hands to `lower`. Every name is resolved, every size known or symbolic, every layer unrolled.

It is plain data: values in the order they are computed, each one operator applied to earlier values. Operators are those of
`dslc.ops.OPS`, composite ones (`mse`) unexpanded. Besides them there are leaves: `input` (attr name), `param` (attr key),
`constant` (attr value: a number, or `Data`), `size` (attr size). A random operator carries its attribute `stream`.

The same text is elaborated once per mode: a `Body` is either of training or of inference. Both have the same parameters.
"""

from dslc.check.typed.data import ColumnRead, Derived, FieldBody, FieldSpec, SourceSpec, TypedData
from dslc.check.typed.model import (
    Body,
    Initializer,
    LayerInfo,
    LayerRun,
    Literal,
    Origin,
    ParamSpec,
    TypedCell,
    TypedModel,
    TypedValue,
)
from dslc.check.typed.tests import Expectation, GoldenSide, LiteralSide, MetricSide, OnnxSide, Side, TypedTest
from dslc.check.typed.training import (
    Average,
    EarlyStop,
    Evaluation,
    Length,
    Objective,
    OptimizerSpec,
    Stage,
    Start,
    TypedStep,
    TypedTrain,
    Watched,
)

__all__ = [
    "Average",
    "Body",
    "ColumnRead",
    "Derived",
    "EarlyStop",
    "Evaluation",
    "Expectation",
    "FieldBody",
    "FieldSpec",
    "GoldenSide",
    "Initializer",
    "LayerInfo",
    "LayerRun",
    "Length",
    "Literal",
    "LiteralSide",
    "MetricSide",
    "Objective",
    "OnnxSide",
    "OptimizerSpec",
    "Origin",
    "ParamSpec",
    "Side",
    "SourceSpec",
    "Stage",
    "Start",
    "TypedCell",
    "TypedData",
    "TypedModel",
    "TypedStep",
    "TypedTest",
    "TypedTrain",
    "TypedValue",
    "Watched",
]
