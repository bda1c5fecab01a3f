"""Functions that only data fields know: they read text, or learn from all rows of the training part.

Input: the arguments of a call in a field. Output: a value of the field's body: an input of its own, which is made before the
rest of the expression is applied. What the runtime does for each is `dslc_runtime.data.learning`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from dslc.check.arguments import failed, match, options
from dslc.check.batching import batched
from dslc.check.field_windows import windows_of
from dslc.check.operators import apply_op, literal_tensor
from dslc.check.scope import Argument, CallSite, Context
from dslc.check.typed import ColumnRead, Derived, FieldBody, FieldSpec, Literal, TypedValue
from dslc.check.values import FAILED, LocalFunction, TextColumn, Value, describe
from dslc.diagnostics import Help, Note
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
        stored: values that were widened before arithmetic, and what they are in the file.
    """

    context: Context
    spec: FieldSpec
    types: Mapping[str, TensorType]
    reads: Mapping[Span, ColumnRead]
    derived: dict[str, Derived] = field(factory=dict[str, Derived])
    stored: dict[TypedValue, TypedValue] = field(factory=dict[TypedValue, TypedValue])

    def column(self, index: tree.Index) -> Value:
        """What `source[...]` is: text for a function to read, or a value."""
        read = self.reads[index.span]
        if read.content != "numbers":
            return TextColumn(read)
        return self.widened(self.input(read.name, self.types[read.name], index.span))

    def widened(self, stored: TypedValue) -> TypedValue:
        """What a file stores in the type that it is reckoned with: a file's narrow integers would wrap."""
        dtype = _reckoned(stored.type.dtype, self.spec.type.dtype)
        if dtype is stored.type.dtype:
            return stored
        value = apply_op(self.context, stored.span, "cast", (stored,), {"dtype": dtype})
        self.stored[value] = stored
        return value

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


def _reckoned(dtype: DType, declared: DType) -> DType:
    """The type in which a field reckons with a column: i64, or floats of the declared precision and f32 at least."""
    if dtype.is_integer:
        return DType.I64
    if not dtype.is_float:
        return dtype
    return max((dtype, DType.F32, *((declared,) if declared.is_float else ())), key=lambda each: each.bytes)


def body_of(making: Making, value: TypedValue) -> FieldBody | None:
    """A value of the field's body as a computation over many rows, with no more inputs than it needs; None after a report."""
    found = batched(making.context, value)
    if found is None:
        return None
    names = found[0].inputs
    reads = {read.name: read for read in making.reads.values()}
    return FieldBody(
        *found,
        {name: reads[name] for name in names if name in reads},
        {name: making.derived[name] for name in names if name in making.derived},
    )


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


# ---------------------------------------------------------------------------------------------- tokens

_TOKENIZE = (
    Option("vocab", "int", required=True),
    Option("length", "int", None),
    Option("unit", "string", "words", choices=("words", "characters")),
    Option("lower", "bool", None),
)


def _tokenize(making: Making, args: Sequence[Argument], site: CallSite) -> Value:
    given = _given(making, "tokenize", _TOKENIZE, args, site)
    read = _text(making, "tokenize", given[0]) if given is not None else None
    if given is None or read is None:
        return FAILED
    chosen = given[1]
    if not (
        _at_least(making, "tokenize", chosen, "vocab", 3, site)
        and _at_least(making, "tokenize", chosen, "length", 1, site)
    ):
        return FAILED
    length = chosen["length"]
    if chosen["lower"] is None:
        chosen["lower"] = length is not None and chosen["unit"] == "words"
    unit = "texts" if length is None else chosen["unit"]
    learned = f"tokenize({read.name}, vocab = {chosen['vocab']}, unit = {unit}, lower = {chosen['lower']})"
    row = TensorType(DType.I64, (length,) if isinstance(length, int) else ())
    return making.derive(f"{learned}, {length}", Derived("tokenize", read, chosen, learned, row, site.span))


def _at_least(making: Making, name: str, given: Mapping[str, Literal], option: str, least: int, site: CallSite) -> bool:
    """Whether an option that is given is not too small; reports it."""
    value = given[option]
    if not isinstance(value, int) or value >= least:
        return True
    notes = [Note("id 0 is padding and 1 an unknown token; words follow")] if option == "vocab" else []
    text = f"`{option}` of `{name}` must be at least {least}"
    making.context.report("DL3133", text, site.span, f"this is {value}", footers=notes)
    return False


def _lengths(making: Making, args: Sequence[Argument], site: CallSite) -> Value:
    """How many ids of a row are not padding: ``sum(cast(ids != 0, i64), axis = -1)``."""
    given = _given(making, "lengths", (), args, site)
    if given is None:
        return FAILED
    ids = given[0].value
    if not isinstance(ids, TypedValue) or not ids.type.dtype.is_integer or ids.type.rank == 0:
        mend = Help("apply it to tokens:", code=('lengths(tokenize(source["text"], vocab = 1000, length = 20))',))
        text = f"`lengths` counts ids in a row of them, not {describe(ids)}"
        return making.context.report("DL3134", text, given[0].span, "not a row of ids", footers=[mend])
    zero = literal_tensor(making.context, 0, TensorType(ids.type.dtype), site.span)
    if not isinstance(zero, TypedValue):
        return FAILED
    filled = apply_op(making.context, site.span, "ne", (ids, zero), {})
    counted = apply_op(making.context, site.span, "cast", (filled,), {"dtype": DType.I64})
    return apply_op(making.context, site.span, "sum", (counted,), {"axes": (-1,)})


# ---------------------------------------------------------------------------------------------- numbers


def _numbers(making: Making, name: str, operand: Argument) -> TypedValue | None:
    """The numbers that a function is applied to, or None after a report."""
    value = operand.value
    if isinstance(value, TypedValue) and value.type.dtype is not DType.BOOL:
        return value
    text = f"`{name}` needs numbers, not {describe(value)}"
    making.context.report("DL3134", text, operand.span, "not numbers")
    return None


def _of_value(
    making: Making, kind: str, value: TypedValue, options: Mapping[str, Literal], row: TensorType, site: CallSite
) -> Value:
    """The input that a function of numbers makes."""
    operand = body_of(making, value)
    if operand is None:
        return FAILED
    if kind == "window" and any(windows_of(operand)):
        return making.context.report("DL3136", "a window of windows", site.span, "it is cut of windows already")
    name = f"{making.spec.name}.{kind}.{len(making.derived)}"
    learned = name if kind == "standardize" else ""
    return making.derive(name, Derived(kind, operand, options, learned, row, site.span))


def _standardize(making: Making, args: Sequence[Argument], site: CallSite) -> Value:
    given = _given(making, "standardize", (), args, site)
    value = _numbers(making, "standardize", given[0]) if given is not None else None
    if value is None:
        return FAILED
    if not value.type.dtype.is_float:
        value = apply_op(making.context, site.span, "cast", (value,), {"dtype": DType.F64})
    return _of_value(making, "standardize", value, {}, value.type, site)


_WINDOW = (Option("length", "int", required=True), Option("stride", "int", 1), Option("offset", "int", 0))


def _window(making: Making, args: Sequence[Argument], site: CallSite) -> Value:
    given = _given(making, "window", _WINDOW, args, site)
    value = _numbers(making, "window", given[0]) if given is not None else None
    if given is None or value is None:
        return FAILED
    chosen = given[1]
    if not all(
        _at_least(making, "window", chosen, *least, site) for least in (("length", 1), ("stride", 1), ("offset", 0))
    ):
        return FAILED
    length = chosen["length"]
    assert isinstance(length, int)
    stored = making.stored.get(value, value)  # rows are held as the file has them
    row = TensorType(stored.type.dtype, (length, *stored.type.shape))
    made = _of_value(making, "window", stored, chosen, row, site)
    return making.widened(made) if isinstance(made, TypedValue) and stored is not value else made


FIELD_FUNCTIONS: Mapping[str, Function] = {
    "classes": _classes,
    "tokenize": _tokenize,
    "lengths": _lengths,
    "standardize": _standardize,
    "window": _window,
}
