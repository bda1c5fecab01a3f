"""`given x = ...` in tests: concrete values for the inputs of the models in use.

Input: the statements and the models. Output: for each given its value and its concrete type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.literals import Array, array, is_literal
from dslc.check.near import near, proposed, quoted
from dslc.check.operators import literal_tensor
from dslc.check.scope import Context
from dslc.check.settings import literal_number, not_yet
from dslc.check.typed import Literal, TypedValue
from dslc.check.uses import Use
from dslc.check.values import Failed
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import DType, TensorType, count

MAX_ELEMENTS = 1 << 24
_FILLS = {"zeros": 0, "ones": 1}


@record
class Given:
    """A value for an input: written out, or a `constant` where a function made it; `type` is concrete."""

    value: Literal | TypedValue
    type: TensorType
    span: Span


def check_givens(context: Context, body: Sequence[tree.Stmt], uses: Mapping[str, Use]) -> dict[str, Given] | None:
    """The givens of a test by input, or None after a report."""
    found: dict[str, Given] = {}
    good = True
    sink = context.sink
    for statement in body:
        if not isinstance(statement, tree.GivenStmt):
            continue
        name = statement.name
        if name.text in found:
            first = Label(found[name.text].span, "first here")
            sink.report("DL3003", f"`{name.text}` is given twice", name.span, "given again here", first)
            good = False
            continue
        wanted = _input(name, uses, sink)
        given = None if wanted is None else _given(context, statement, wanted)
        good = good and given is not None
        if given is not None:
            found[name.text] = given
    return found if good else None


def _input(name: tree.Ident, uses: Mapping[str, Use], sink: Sink) -> TypedValue | None:
    """The input a given is for: of the first model that has one of this name."""
    inputs = {key: value for use in uses.values() for key, value in reversed(use.model.body.inputs.items())}
    if name.text in inputs:
        return inputs[name.text]
    footers = proposed(near(name.text, inputs), name.span)
    footers.append(
        Note(f"inputs of the models in use: {quoted(inputs, 'and')}" if inputs else "the test uses no model")
    )
    sink.report("DL3060", f"no model here has an input `{name.text}`", name.span, "not an input", footers=footers)
    return None


def _given(context: Context, statement: tree.GivenStmt, wanted: TypedValue) -> Given | None:
    expr = statement.value
    if is_literal(expr):
        made = array(expr, context.sink)
        if made is None or not _fits(context, statement, made.shape, wanted) or not _holds(context, made, wanted):
            return None
        return Given(made.value, TensorType(wanted.type.dtype, made.shape), statement.name.span)
    match expr:
        case tree.Call(callee=tree.Name(id=function), args=(tree.Arg(name=None, value=sizes),)) if function in _FILLS:
            return _filled(context, statement, sizes, _FILLS[function], wanted)
        case tree.Call(callee=tree.Name()):
            not_yet("computing a given", expr, context.sink)
        case _:
            label = "neither a list nor a call"
            mend = Help("write the value out, or fill a shape:", code=("zeros([2, 3])",))
            context.report("DL3062", "a `given` takes a value written out", expr.span, label, footers=[mend])
    return None


def _filled(
    context: Context, statement: tree.GivenStmt, sizes: tree.Expr, value: int, wanted: TypedValue
) -> Given | None:
    """`zeros([2, 3])`: a constant of the input's element type."""
    items = sizes.items if isinstance(sizes, tree.List) else ()
    shape = tuple(size for item in items if isinstance(size := literal_number(item), int) and size >= 0)
    if not isinstance(sizes, tree.List) or len(shape) != len(items):
        context.report("DL3062", "a shape is a list of whole numbers", sizes.span, "not a shape")
        return None
    filled = TensorType(wanted.type.dtype, shape)
    total = count(shape)
    if not isinstance(total, int) or total > MAX_ELEMENTS:
        message = f"a given has at most {MAX_ELEMENTS:_} elements"
        context.report("DL3062", message, sizes.span, f"{total} elements")
        return None
    if not _fits(context, statement, shape, wanted):
        return None
    fill = bool(value) if filled.dtype is DType.BOOL else value
    made = literal_tensor(context, fill, filled, statement.value.span)
    return None if isinstance(made, Failed) else Given(made, filled, statement.name.span)


def _fits(context: Context, statement: tree.GivenStmt, shape: tuple[int, ...], wanted: TypedValue) -> bool:
    """Whether a value has the rank of the input and the sizes that are fixed."""
    sizes = wanted.type.shape
    if len(shape) == len(sizes) and all(
        not isinstance(want, int) or have == want for have, want in zip(shape, sizes, strict=True)
    ):
        return True
    have = TensorType(wanted.type.dtype, shape)
    footers: list[Note | Help] = []
    if len(shape) == len(sizes) - 1:
        expr = statement.value
        edits = (Edit(expr.span, f"[{expr.span.text}]"),) if isinstance(expr, tree.List) else ()
        footers.append(Help("the batch axis is missing: put the sample into a list", edits))
    name = statement.name.text
    message = f"`{name}` is given as {have}, but the input is {wanted.type}"
    declared = Label(wanted.span, f"declared {wanted.type}")
    context.report("DL3062", message, statement.value.span, f"this is {have}", declared, footers=footers)
    return False


def _holds(context: Context, made: Array, wanted: TypedValue) -> bool:
    """Whether the input's element type can hold the written values."""
    dtype = wanted.type.dtype
    holds = {
        "": True,
        "int": dtype is not DType.BOOL,
        "float": dtype.is_float,
        "bool": dtype is DType.BOOL,
        "string": False,
    }
    if holds[made.kind]:
        return True
    words = {"float": "fractions", "int": "numbers", "bool": "truth values", "string": "strings"}[made.kind]
    declared = Label(wanted.span, f"declared {wanted.type}")
    message = f"the input holds {dtype.value} values, but it is given {words}"
    context.report("DL3062", message, made.span, words, declared)
    return False
