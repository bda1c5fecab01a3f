"""Functions that only data fields know: they read text, or learn from all rows of the training part.

Input: the arguments of a call in a field. Output: a value of the field's body: an input of its own, which is made before the
rest of the expression is applied. What the runtime does for each is `dslc_runtime.data.learning`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from dslc.check.arguments import failed, match, options
from dslc.check.batching import batched
from dslc.check.scope import Argument, CallSite, Context
from dslc.check.typed import ColumnRead, Derived, FieldBody, FieldSpec, Literal, TypedValue
from dslc.check.values import FAILED, LocalFunction, TextColumn, Value, describe
from dslc.diagnostics import Help
from dslc.ops.ir import Attrs
from dslc.ops.opdef import Option
from dslc.record import field, record
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import DType, TensorType


@record(frozen=False)
class Making:
    """A field whose expression is being elaborated.

    Attributes:
        spec: the field.
        reads: what it reads, by the place where that is written.
        types: the type of one row of each column of numbers, by the name of the read.
        derived: the inputs that functions of fields made so far, by name.
    """

    context: Context
    spec: FieldSpec
    types: Mapping[str, TensorType]
    reads: Mapping[Span, ColumnRead]
    derived: dict[str, Derived] = field(factory=dict[str, Derived])

    def column(self, index: tree.Index) -> Value:
        """What `source[...]` is: text for a function to read, or a value."""
        read = self.reads[index.span]
        if read.content != "numbers":
            return TextColumn(read)
        return self.input(read.name, self.types[read.name], index.span)

    def input(self, name: str, row: TensorType, span: Span) -> TypedValue:
        """The input of a name; made when it is asked for first."""
        body = self.context.body
        if name not in body.inputs:
            body.inputs[name] = TypedValue(row, "input", (), Attrs({"name": name}), span, name, (None,) * row.rank)
            body.values.append(body.inputs[name])
        return body.inputs[name]

    def derive(self, name: str, derived: Derived) -> TypedValue:
        """The input that a function makes; equal calls share one."""
        self.derived.setdefault(name, derived)
        return self.input(name, derived.type, derived.span)


def body_of(making: Making, value: TypedValue) -> FieldBody | None:
    """A value of the field's body as a computation over many rows, with no more inputs than it needs; None after a report."""
    found = batched(making.context, value)
    if found is None:
        return None
    needed = _ancestors(value)
    names = [name for name, leaf in making.context.body.inputs.items() if leaf in needed]
    reads = {read.name: read for read in making.reads.values()}
    return FieldBody(
        *found,
        {name: reads[name] for name in names if name in reads},
        {name: making.derived[name] for name in names if name in making.derived},
    )


def _ancestors(value: TypedValue) -> set[TypedValue]:
    """A value and all it is computed from."""
    found: set[TypedValue] = set()
    stack = [value]
    while stack:
        value = stack.pop()
        if value not in found:
            found.add(value)
            stack += value.inputs
    return found


Function: TypeAlias = Callable[[Making, Sequence[Argument], CallSite], Value]


def field_functions(making: Making) -> list[LocalFunction]:
    """The functions as names of a field's scope."""

    def bind(name: str, function: Function) -> LocalFunction:
        def call(args: Sequence[Argument], site: CallSite) -> Value:
            return FAILED if failed(args) else function(making, args, site)

        return LocalFunction(name, call)

    return [bind(name, function) for name, function in FIELD_FUNCTIONS.items()]


def _given(
    making: Making, name: str, declared: Sequence[Option], args: Sequence[Argument], site: CallSite
) -> tuple[Argument, dict[str, Literal]] | None:
    """The operand and all options of a call, or None after a report."""
    if not args or args[0].name is not None:
        text = f"`{name}` needs something to be applied to"
        making.context.report("DL1013", text, site.callee, "its first argument is missing")
        return None
    what = f"`{name}`"
    found = match(making.context, what, [option.name for option in declared], args[1:])
    attrs = None if found is None else options(making.context, what, declared, found, site)
    if attrs is None:
        return None
    values: dict[str, Literal] = {option.name: option.default for option in declared}  # pyright: ignore[reportAssignmentType]
    values.update(attrs)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return args[0], values


def _text(making: Making, name: str, operand: Argument) -> ColumnRead | None:
    """The column that a function of text reads, or None after a report."""
    if isinstance(operand.value, TextColumn):
        return operand.value.read
    mend = Help("apply it to a column:", code=(f'{name}(source["name"])',))
    text = f"`{name}` reads a column, not {describe(operand.value)}"
    making.context.report("DL3130", text, operand.span, "not a column", footers=[mend])
    return None


# ---------------------------------------------------------------------------------------------- classes


def _classes(making: Making, args: Sequence[Argument], site: CallSite) -> Value:
    given = _given(making, "classes", (), args, site)
    read = _text(making, "classes", given[0]) if given is not None else None
    if read is None:
        return FAILED
    name = f"classes({read.name})"
    return making.derive(name, Derived("classes", read, {}, name, TensorType(DType.I64), site.span))


FIELD_FUNCTIONS: Mapping[str, Function] = {
    "classes": _classes,
}
