"""A field's expression -> a body over raw columns, once the columns' types are known.

The expression speaks of one sample. It is elaborated on the types of one row, checked against the field's declared type,
and then batched: the body's inputs are whole columns (or any chunk of their rows), named like the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dslc.check.columns import selected
from dslc.check.elaborate import context as new_context
from dslc.check.expressions import evaluate
from dslc.check.field_functions import Making, body_of, field_functions
from dslc.check.near import quoted
from dslc.check.operators import apply_op, as_tensor
from dslc.check.scope import Scope
from dslc.check.typed import Body, ColumnRead, FieldBody, FieldSpec, Literal, SourceSpec, TypedData, TypedValue
from dslc.check.values import Failed, FileScope, SourceColumns
from dslc.diagnostics import Diagnostic, Help, Label, Note, Sink
from dslc.record import replace
from dslc.syntax import tree
from dslc.tensor_type import DType, TensorType


def field_body(
    file: FileScope, data: TypedData, field: FieldSpec, column_types: Mapping[str, TensorType], sink: Sink
) -> FieldBody | None:
    """The field's value as a computation over its columns, or None after a report.

    Args:
        column_types: the type of one row (no rows axis) for every read of numbers, by its name.

    Returns:
        The field's declared type, with the run-time size `rows` in front, from inputs that have it too. Where that is of narrower
        integers than the value, the value as it is: only the numbers can tell whether they fit.
    """
    found = Sink()
    making = Making(new_context(found, training=False), field, column_types, {read.span: read for read in field.reads})
    value = _elaborate(file, making)
    if value is not None:
        value = _converted(making, data, value)
    body = None if value is None or isinstance(value, Failed) else body_of(making, value)
    for diagnostic in found:
        sink.add(_with_columns(diagnostic, making.context.body, data, field))
    return body


def _elaborate(file: FileScope, making: Making) -> TypedValue | None:
    """The expression's value for one sample, or None after a report."""
    context, field = making.context, making.spec
    context.true_division = True
    scope = Scope(file)
    scope.define("source", SourceColumns(making.column), field.span)
    for function in field_functions(making):
        scope.define(function.name, function, field.span)
    expr = field.expr
    assert isinstance(expr, tree.Expr)
    value = as_tensor(context, evaluate(context, scope, expr), field.type.dtype, expr.span)
    if context.body.params:
        message = "a data field has no parameters of its own"
        footers = [Note("layers that learn belong to a model; data is only prepared here")]
        label = f"holds {quoted(context.body.params, 'and')}"
        value = context.report("DL3025", message, expr.span, label, footers=footers)
    return None if isinstance(value, Failed) else value


def _converted(making: Making, data: TypedData, value: TypedValue) -> TypedValue | Failed:
    """The value in the field's declared type: numbers are converted, but fractions never become integers."""
    context, field, expr = making.context, making.spec, making.spec.expr
    assert isinstance(expr, tree.Expr)
    have, want = value.type.dtype, field.type.dtype
    declared = Label(field.span, f"declared {field.type}")
    notes = list(_column_notes(context.body, data, field))
    if value.type.shape != field.type.shape:
        message = f"field `{field.name}` is declared {field.type}, but its value is {value.type}"
        notes = [*notes, Note("a field is the type of one sample, without a batch axis")]
        return context.report("DL3019", message, expr.span, f"this is {value.type}", declared, footers=notes)
    if have is want:
        return value
    if value in making.stored and making.stored[value].type.dtype is want:
        return making.stored[value]
    if have.is_float and not want.is_float:
        message = f"field `{field.name}` is declared {field.type}, but its value holds fractions"
        helps = [Help(f"declare the field as {TensorType(DType.F32, field.type.shape)}, or round and cast")]
        return context.report("DL3020", message, expr.span, f"this is {value.type}", declared, footers=[*helps, *notes])
    if want is DType.BOOL:
        message = f"field `{field.name}` is declared {field.type}, but its value holds numbers"
        helps = [Help("compare them:", code=(f"{expr.span.text} != 0",))]
        return context.report("DL3019", message, expr.span, f"this is {value.type}", declared, footers=[*helps, *notes])
    if have.is_integer and want.is_integer and want.bytes < have.bytes:
        return value
    return apply_op(context, expr.span, "cast", (value,), {"dtype": want})


def _with_columns(diagnostic: Diagnostic, body: Body, data: TypedData, field: FieldSpec) -> Diagnostic:
    """A message about types with what the columns hold, which is not to be seen in the program."""
    if not diagnostic.code.startswith("DL2"):
        return diagnostic
    return replace(diagnostic, footers=(*_column_notes(body, data, field), *diagnostic.footers))


def _column_notes(body: Body, data: TypedData, field: FieldSpec) -> Iterator[Note]:
    """What the columns hold, and where they come from."""
    source = data.sources["train"]
    columns = {read.name for read in field.reads}
    for name, value in body.inputs.items():
        if name not in columns:
            continue
        stored = source.columns.get(name, name)
        places = {
            "npz": f"array `{stored}` of {source.path}",
            "idx": str(stored),
            "inline": f"column `{name}` of the inline data",
        }
        yield Note(f"a row of {places.get(source.kind, f'column `{name}` of {source.path}')} is {value.type}")


# ---------------------------------------------------------------------------------------------- before a file is opened


def check_field(file: FileScope, data: TypedData, field: FieldSpec, sink: Sink) -> FieldBody | None:
    """Report what can be known of a field's expression without opening a file: everything for inline data, else names.

    Returns:
        The field's value where that can be said; its types may be others once a file is open.
    """
    if not field.reads:  # something was wrong with them
        return None
    found = None
    for source in data.sources.values():
        if source.kind == "text_lines" and not all(_is_text(read, read.columns[0], sink) for read in field.reads):
            return None
        if source.kind == "inline":
            types = _inline_types(source, field.reads, sink)
            found = None if types is None else field_body(file, data, field, types, sink)
            if found is None:
                return None
    return found or _check_unopened(file, data, field, sink)


def _check_unopened(file: FileScope, data: TypedData, field: FieldSpec, sink: Sink) -> FieldBody | None:
    """Report what does not depend on the types of columns in a file: everything where all columns are text, else names."""
    numbers = {read.name: field.type for read in field.reads if read.content == "numbers"}
    if not numbers:
        return field_body(file, data, field, {}, sink)
    trial = Sink()
    making = Making(new_context(trial, training=False), field, numbers, {read.span: read for read in field.reads})
    value = _elaborate(file, making)
    for diagnostic in trial:
        if diagnostic.code.startswith(("DL1", "DL313")):
            sink.add(diagnostic)
    return None if value is None else body_of(making, value)


def _inline_types(source: SourceSpec, reads: Sequence[ColumnRead], sink: Sink) -> dict[str, TensorType] | None:
    """The type of one row of every read of numbers; None after a report of a column that is not what it is read as."""
    types: dict[str, TensorType] = {}
    for read in reads:
        rows = [row_type(source.columns[name]) for name in selected(read, list(source.columns))]
        if read.content != "numbers":
            if not _readable(read, rows[0], sink):
                return None
            continue
        numbers = [row for row in rows if row is not None]
        if len(numbers) < len(rows):
            _is_text(read, selected(read, list(source.columns))[rows.index(None)], sink)
            return None
        found = _stacked(read, numbers, sink) if read.range or len(read.columns) > 1 else numbers[0]
        if found is None:
            return None
        types[read.name] = found
    return types


def _is_text(read: ColumnRead, column: str, sink: Sink) -> bool:
    """Whether a column that holds text is read as text."""
    if read.content != "numbers":
        return True
    mend = Help(f'a function makes numbers of text: `classes(source["{column}"])`, `tokenize(...)`')
    sink.report("DL3024", f"column `{column}` holds strings, not numbers", read.span, "holds strings", footers=[mend])
    return False


def _readable(read: ColumnRead, row: TensorType | None, sink: Sink) -> bool:
    """Whether a column of inline data holds what a function of text reads."""
    if row is None or (read.content == "labels" and row == TensorType(DType.I64)):
        return True
    wanted = "strings" if read.content == "text" else "labels: strings or whole numbers"
    message = f"column `{read.columns[0]}` holds {row} values, not {wanted}"
    sink.report("DL3130", message, read.span, f"a row is {row}")
    return False


def _stacked(read: ColumnRead, rows: Sequence[TensorType], sink: Sink) -> TensorType | None:
    """The type of a row of several columns, or None after a report."""
    first = rows[0]
    if any(row.shape != first.shape or (row.dtype is DType.BOOL) != (first.dtype is DType.BOOL) for row in rows):
        labels = ", ".join(str(row) for row in dict.fromkeys(rows))
        message = "columns that are stacked hold rows of one type"
        sink.report("DL3132", message, read.span, f"these are {labels}")
        return None
    dtype = first.dtype if all(row.dtype is first.dtype for row in rows) else DType.F64
    return TensorType(dtype, (len(rows), *first.shape))


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
