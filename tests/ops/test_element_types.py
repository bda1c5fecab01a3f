"""Every operator that programs name, with every element type: it computes what its type says, or is refused with a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sample import Array, Sample, type_of
from samples import SAMPLES

from dslc.backends.interpret import interpret
from dslc.diagnostics import InternalError
from dslc.graph import Builder
from dslc.ops import OPS
from dslc.ops.ir import Value
from dslc.ops.opdef import OpError
from dslc.tensor_type import DType

TYPES = ("bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64")
NAMED = [name for name in SAMPLES if OPS[name].call]
SAMPLED = 3  # of each operator: their shapes are the business of other tests


def retyped(sample: Sample, dtype: str) -> Sample:
    """The sample with all its arrays in one element type."""
    operands: Sequence[Array | float | int] = [
        o.astype(dtype) if isinstance(o, np.ndarray) else o for o in sample.operands
    ]
    return replace(sample, operands=tuple(operands))


def applied(name: str, sample: Sample, builder: Builder) -> Value | OpError:
    """The operator's result, or why its rule refuses these types."""
    try:
        return builder.apply(name, *sample.build(builder), **sample.attrs)
    except InternalError as error:
        if isinstance(error.__cause__, OpError):
            return error.__cause__
        raise


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", NAMED)
def test_an_element_type_is_computed_as_inferred_or_refused_with_a_code(name: str, dtype: str):
    for sample in SAMPLES[name][:SAMPLED]:
        typed, builder = retyped(sample, dtype), Builder()
        result = applied(name, typed, builder)
        if isinstance(result, OpError):
            assert result.code.startswith("DL2")
            assert str(result)
            continue
        builder.graph.outputs["result"] = result
        with np.errstate(all="ignore"):
            found = interpret(builder.graph, typed.arrays)["result"]
        assert type_of(found).dtype is result.dtype


@pytest.mark.parametrize("dtype", [DType.F32, DType.F64])
def test_no_operator_that_computes_with_floats_refuses_one_of_the_two_widths(dtype: DType):
    refused: list[str] = []
    for name in NAMED:
        for sample in SAMPLES[name][:SAMPLED]:
            narrowed = sample.narrow() if dtype is DType.F32 else sample
            refused += [name] if isinstance(applied(name, narrowed, Builder()), OpError) else []
    assert refused == []
