"""Field expressions -> compiled programs over the columns of an open table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.to_numpy import compile_numpy
from dslc.check.field_windows import check_windows, windows_reach
from dslc.check.fields import field_body
from dslc.check.typed import ColumnRead, Derived, FieldBody, FieldSpec, SourceSpec, TypedData
from dslc.diagnostics import Sink
from dslc.driver.frontend import Checked
from dslc.graph.arrays import numpy_dtype
from dslc.lower import lower
from dslc.passes import optimize
from dslc.record import replace
from dslc.tensor_type import DType, TensorType
from dslc_runtime.data.fields import DerivedColumn, FieldProgram
from dslc_runtime.data.table import Column, Table
from dslc_runtime.data.transforms import TRANSFORMS
from dslc_runtime.program import Program

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class CompiledField:
    """A field over a table.

    Attributes:
        labels: where its values are the ids of labels, the key under which these are learned; else "".
        windows: whether its rows are windows over those of the table.
    """

    program: FieldProgram
    labels: str
    windows: bool


def compile_fields(
    checked: Checked, data: TypedData, fields: Sequence[FieldSpec], table: Table, source: SourceSpec
) -> list[CompiledField]:
    """The programs of some fields.

    Args:
        table: an open table of all that the fields read.
        source: where the table's columns come from; messages name it.

    Raises:
        DslcError: an expression does not fit the columns that are there.
    """
    sink = Sink()
    data = replace(data, sources={"train": source})
    found: dict[str, FieldBody] = {}
    for field in fields:
        types = {read.name: _row_type(table.columns[read.name]) for read in field.reads if read.content == "numbers"}
        body = field_body(checked.file.scopes[data.span.source], data, field, types, sink)
        if body is not None:
            found[field.name] = body
    check_windows(found, sink)
    sink.raise_errors()
    reach = windows_reach(found.values())
    declared = {field.name: field.type.dtype for field in fields}
    return [
        CompiledField(_program(name, body, declared[name], reach), _labels(body), reach > 0)
        for name, body in found.items()
    ]


def _program(name: str, found: FieldBody, dtype: DType, reach: int) -> FieldProgram:
    """A field, or the operand of one of its functions, compiled; `dtype` is that of what it gives."""
    program = compile_numpy(optimize(lower(found.body, {name: found.value})))
    shape = tuple(dim for dim in found.value.type.shape[1:] if isinstance(dim, int))
    columns = (*found.reads, *found.derived)
    derived = {key: _derived(name, each, reach) for key, each in found.derived.items()}
    return FieldProgram(name, numpy_dtype(dtype), shape, columns, _applied(name, program), derived)


def _derived(field: str, derived: Derived, reach: int) -> DerivedColumn:
    operand = derived.operand
    about = operand.columns[0] if isinstance(operand, ColumnRead) else field
    options = {**derived.options, "reach": reach} if derived.kind == "window" else derived.options
    transform = TRANSFORMS[derived.kind](about, **options)
    if isinstance(operand, ColumnRead):
        return DerivedColumn(transform, operand.name, derived.learned)
    return DerivedColumn(transform, _program(field, operand, operand.value.type.dtype, reach), derived.learned)


def _applied(name: str, program: Program) -> Callable[[Mapping[str, Array]], Array]:
    def apply(chunk: Mapping[str, Array]) -> Array:
        bound = program.bind(program.sizes_of({column: array.shape for column, array in chunk.items()}), {})
        for column, array in chunk.items():
            np.copyto(bound.inputs[column], array)
        with np.errstate(all="ignore"):
            bound.run()
        return bound.outputs[name]

    return apply


def _labels(found: FieldBody) -> str:
    value = found.value
    while value.op == "cast":
        (value,) = value.inputs
    derived = found.derived.get(value.attrs.str("name")) if value.op == "input" else None
    return derived.learned if derived is not None and derived.kind == "classes" else ""


_DTYPES = {numpy_dtype(t): t for t in DType}


def _row_type(column: Column) -> TensorType:
    """The type of one row of a raw column."""
    return TensorType(_DTYPES[column.dtype], column.shape)
