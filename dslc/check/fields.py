"""A field's expression -> a body over raw columns, once the columns' types are known.

The expression speaks of one sample. It is elaborated on the types of one row, checked against the field's declared type,
and then batched: the body's inputs are whole columns (or any chunk of their rows), named like the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dslc.check.batching import batched
from dslc.check.columns import Column, check_columns, read_columns
from dslc.check.elaborate import context as new_context
from dslc.check.expressions import evaluate
from dslc.check.near import quoted
from dslc.check.operators import apply_op, as_tensor
from dslc.check.scope import Context, Scope
from dslc.check.typed import Body, FieldSpec, Literal, SourceSpec, TypedData, TypedValue
from dslc.check.values import Failed, FileScope, Namespace, Value
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.ops.ir import Attrs
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import DType, TensorType


def field_body(
    file: FileScope, data: TypedData, field: FieldSpec, column_types: Mapping[str, TensorType], sink: Sink
) -> tuple[Body, TypedValue] | None:
    """The field's value as a computation over its raw columns, or None after a report.

    Args:
        column_types: the type of one row (no rows axis) for every column the field reads.

    Returns:
        A body whose inputs are the columns with the run-time size `rows` in front, and the value in it: the field's
        declared type, also with `rows` in front.
    """
    found = _elaborate(file, field, column_types, sink)
    if found is None:
        return None
    context, value = found
    value = _converted(context, data, field, value)
    return None if isinstance(value, Failed) else batched(context, value)


def _elaborate(
    file: FileScope, field: FieldSpec, column_types: Mapping[str, TensorType], sink: Sink
) -> tuple[Context, TypedValue] | None:
    """The expression's value for one sample."""
    context = new_context(sink, training=False)
    context.true_division = True
    body = context.body
    scope = Scope(file)

    def read(name: str, span: Span) -> Value:
        if name not in body.inputs:
            row = column_types[name]
            body.inputs[name] = TypedValue(row, "input", (), Attrs({"name": name}), span, name, (None,) * row.rank)
            body.values.append(body.inputs[name])
        return body.inputs[name]

    scope.define("source", Namespace("the source", tuple(column_types), read), field.span)
    expr = field.expr
    assert isinstance(expr, tree.Expr)
    value = as_tensor(context, evaluate(context, scope, expr), field.type.dtype, expr.span)
    if body.params:
        message = "a data field has no parameters of its own"
        footers = [Note("layers that learn belong to a model; data is only prepared here")]
        value = context.report("DL3025", message, expr.span, f"holds {quoted(body.params, 'and')}", footers=footers)
    return None if isinstance(value, Failed) else (context, value)


def _converted(context: Context, data: TypedData, field: FieldSpec, value: TypedValue) -> TypedValue | Failed:
    """The value in the field's declared type: numbers are converted, but fractions never become integers."""
    expr = field.expr
    assert isinstance(expr, tree.Expr)
    have, want = value.type.dtype, field.type.dtype
    declared = Label(field.span, f"declared {field.type}")
    notes = list(_column_notes(context.body, data))
    if value.type.shape != field.type.shape:
        message = f"field `{field.name}` is declared {field.type}, but its value is {value.type}"
        notes = [*notes, Note("a field is the type of one sample, without a batch axis")]
        return context.report("DL3019", message, expr.span, f"this is {value.type}", declared, footers=notes)
    if have is want:
        return value
    if have.is_float and not want.is_float:
        message = f"field `{field.name}` is declared {field.type}, but its value holds fractions"
        helps = [Help(f"declare the field as {TensorType(DType.F32, field.type.shape)}, or round and cast")]
        return context.report("DL3020", message, expr.span, f"this is {value.type}", declared, footers=[*helps, *notes])
    if want is DType.BOOL:
        message = f"field `{field.name}` is declared {field.type}, but its value holds numbers"
        helps = [Help("compare them:", code=(f"{expr.span.text} != 0",))]
        return context.report("DL3019", message, expr.span, f"this is {value.type}", declared, footers=[*helps, *notes])
    return apply_op(context, expr.span, "cast", (value,), {"dtype": want})


def _column_notes(body: Body, data: TypedData) -> Iterator[Note]:
    """What the columns hold, and where they come from."""
    source = data.sources["train"]
    for name, value in body.inputs.items():
        stored = source.columns.get(name, name)
        place = f"array `{stored}` of {source.path}" if source.kind == "npz" else f"column `{name}` of the inline data"
        yield Note(f"a row of {place} is {value.type}")


# ---------------------------------------------------------------------------------------------- before a file is opened


def check_field(file: FileScope, data: TypedData, field: FieldSpec, sink: Sink) -> None:
    """Report what can be known of a field's expression without opening a file: everything for inline data, else names."""
    expr = field.expr
    assert isinstance(expr, tree.Expr)
    columns = read_columns(expr, Sink())
    if columns is None or not check_columns(columns, data.sources, Sink()):
        return
    for source in data.sources.values():
        if source.kind == "inline":
            types = _inline_types(source, columns, sink)
            if types is None or field_body(file, data, field, types, sink) is None:
                return
    if all(source.kind != "inline" for source in data.sources.values()):
        _check_names(file, field, sink)


def _check_names(file: FileScope, field: FieldSpec, sink: Sink) -> None:
    """Report unknown names: the only mistakes that do not depend on the types of the columns."""
    trial = Sink()
    _elaborate(file, field, dict.fromkeys(field.columns, field.type), trial)
    for diagnostic in trial:
        if diagnostic.code.startswith("DL1"):
            sink.add(diagnostic)


def _inline_types(source: SourceSpec, columns: tuple[Column, ...], sink: Sink) -> dict[str, TensorType] | None:
    types: dict[str, TensorType] = {}
    for column in columns:
        row = row_type(source.columns[column.name])
        if row is None:
            label = "holds strings"
            sink.report("DL3024", f"column `{column.name}` holds strings, not numbers", column.span, label)
            return None
        types[column.name] = row
    return types


def row_type(rows: Literal) -> TensorType | None:
    """The type of one row of an inline column: i64, f64 where any number is a fraction, bool; None for strings."""
    shape: list[int] = []
    first = rows
    while isinstance(first, tuple):
        shape.append(len(first))
        first = first[0] if first else 0.0
    if isinstance(first, str):
        return None
    if isinstance(first, bool):
        dtype = DType.BOOL
    else:
        dtype = DType.F64 if any(isinstance(value, float) for value in scalars(rows)) else DType.I64
    return TensorType(dtype, tuple(shape[1:]))


def scalars(value: Literal) -> Iterator[Literal]:
    """The scalars of nested rows in order."""
    if not isinstance(value, tuple):
        yield value
        return
    for item in value:
        yield from scalars(item)
