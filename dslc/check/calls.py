"""Calls of functions: operators by name, and the few functions that exist at compile time only.

Input: a function, evaluated arguments, the place. Output: a value. Layers are `layers`' business.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check import constants
from dslc.check.arguments import Wrong, failed, is_tensor_like, match, options, unknown, whole
from dslc.check.binary import broadcast_clash
from dslc.check.einsum import einsum
from dslc.check.operators import apply_op, as_tensor, inferred
from dslc.check.rearrange import rearrange
from dslc.check.scans import not_a_cell
from dslc.check.scope import Argument, CallSite, Context, Scope, origin_notes
from dslc.check.typed import TypedValue
from dslc.check.values import FAILED, Const, Failed, FunctionRef, ListValue, Value, describe, is_number
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops import OPS
from dslc.ops.ir import Attr
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.slicing import split_slices
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import DType

#: Functions that are no operators: they look at tensors or numbers while the program is checked.
COMPILE_TIME = frozenset(
    {"shape", "rank", "dtype", "per_axis", "split", "scan", "einsum", "rearrange", *constants.FUNCTIONS}
)
_SPLIT = (Option("parts", "sizes", required=True), Option("axis", "axis", -1))


def is_function(name: str) -> bool:
    """Whether a program may call this name."""
    return name in COMPILE_TIME or (name in OPS and OPS[name].call)


def function_names() -> list[str]:
    """All names that a program may call."""
    return sorted(COMPILE_TIME | {name for name, opdef in OPS.items() if opdef.call})


def call_function(e: Context, scope: Scope, ref: FunctionRef, args: Sequence[Argument], site: CallSite) -> Value:
    """The value of a function applied to arguments; with options alone, the function with them bound."""
    if failed(args):
        return FAILED
    if ref.name == "scan":
        return not_a_cell(e, site.span, "no cell")
    if ref.name in ("shape", "rank", "dtype"):
        return _type_of(e, ref.name, args, site)
    if ref.name == "per_axis":
        return _per_axis(e, args, site)
    if ref.name == "split":
        return _split_tensor(e, args, site)
    if ref.name == "einsum":
        return einsum(e, args, site)
    if ref.name == "rearrange":
        return rearrange(e, args, site)
    if ref.name in constants.FUNCTIONS:
        folded = _fold(e, ref.name, args, site)
        if folded is not None:
            return folded
    if ref.name not in OPS:
        got = f"got {', '.join(describe(arg.value) for arg in args)}"
        return e.report("DL2014", f"`{ref.name}` takes compile-time numbers", site.span, got)
    opdef = OPS[ref.name]
    args = _canonical(opdef, args)
    if _compares(opdef, args):
        return _report_comparison(e, opdef, args, site)
    if _only_options(opdef, args):
        return _bind_options(e, opdef, args, site)
    return _apply(e, scope, opdef, ref, args, site)


def _type_of(e: Context, name: str, args: Sequence[Argument], site: CallSite) -> Value:
    """The list of a tensor's sizes, the number of its axes, or its element type."""
    value = args[0].value if len(args) == 1 else FAILED
    if len(args) != 1 or args[0].name is not None:
        return e.report("DL1013", f"`{name}` takes one tensor", site.span, f"got {len(args)} arguments")
    if not isinstance(value, TypedValue):
        return e.report("DL2015", f"`{name}` needs a tensor, not {describe(value)}", args[0].span, "not a tensor")
    if name == "dtype":
        return Const(value.type.dtype)
    if name == "rank":
        return Const(value.type.rank)
    sizes = (Const(size, origin) for size, origin in zip(value.type.shape, value.origins, strict=True))
    return ListValue(tuple(sizes), site.span)


def _per_axis(e: Context, args: Sequence[Argument], site: CallSite) -> Value:
    """A number for each of several axes, given as one for all or as a list: ``per_axis(3, 2)`` is ``[3, 3]``."""
    if len(args) != 2 or any(arg.name is not None for arg in args):
        return e.report(
            "DL1013", "`per_axis` takes a value and the number of axes", site.span, f"got {len(args)} arguments"
        )
    given, axes = args[0].value, whole(args[1].value)
    if isinstance(axes, Wrong):
        return e.report("DL2004", "the number of axes must be a whole number", args[1].span, "not a whole number")
    if isinstance(given, Const):
        return ListValue((given,) * axes, args[0].span)
    if isinstance(given, ListValue) and len(given.items) == axes:
        return given
    got = f"got {len(given.items)}" if isinstance(given, ListValue) else f"got {describe(given)}"
    return e.report("DL2004", f"one number, or a list of {axes}, is needed here", args[0].span, got)


def _split_tensor(e: Context, args: Sequence[Argument], site: CallSite) -> Value:
    """Several slices of one tensor: ``a, b = split(x, 2, axis = -1)``, or with a list of sizes."""
    if not args or args[0].name is not None or not isinstance(args[0].value, TypedValue):
        return e.report(
            "DL2015", "`split` needs a tensor, then the number of parts or their sizes", site.span, "no tensor"
        )
    x = args[0].value
    found = match(e, "`split`", [option.name for option in _SPLIT], args[1:])
    attrs = None if found is None else options(e, "`split`", _SPLIT, found, site)
    if attrs is None or found is None:
        return FAILED
    parts = attrs["parts"]
    if not isinstance(found["parts"].value, ListValue) and isinstance(parts, tuple):
        parts = parts[0]
    try:
        slices = split_slices(x.type, parts, attrs.get("axis", -1))
        return ListValue(tuple(apply_op(e, site.span, "slice", (x,), each) for each in slices), site.span)
    except OpError as error:
        return e.report(error.code, str(error), site.callee, "", Label(args[0].span, str(x.type)))


def _fold(e: Context, name: str, args: Sequence[Argument], site: CallSite) -> Value | None:
    """The number a compile-time function gives, or None where it has to be computed by an operator."""
    values = [arg.value for arg in args if arg.name is None]
    numbers = [value.value for value in values if isinstance(value, Const) and is_number(value.value)]
    if len(numbers) != len(args):
        return None
    try:
        by_mode = any(isinstance(value, Const) and value.by_mode for value in values)
        return Const(constants.call(name, numbers), by_mode=by_mode)
    except constants.FoldError as error:
        return e.report(error.code, str(error), site.span)
    except constants.NotConstantError:
        return None


def _canonical(opdef: OpDef, args: Sequence[Argument]) -> list[Argument]:
    """The arguments with options under their first names: ``sum(x, axis = 1)`` is ``sum(x, axes = 1)``."""
    names = {option.alias: option.name for option in opdef.options if option.alias}
    if not names:
        return list(args)
    return [
        Argument(tree.Ident(names[arg.name.text], arg.name.span), arg.value, arg.span)
        if arg.name is not None and arg.name.text in names
        else arg
        for arg in args
    ]


#: Reductions that other languages use to compare two values, and the operator that does that here.
_ELEMENTWISE = {"max": "maximum", "min": "minimum"}


def _compares(opdef: OpDef, args: Sequence[Argument]) -> bool:
    """Whether ``max(x, 0)`` is written, which reads as a comparison and would be a reduction along axis 0."""
    return opdef.name in _ELEMENTWISE and len(args) == 2 and all(arg.name is None for arg in args)


def _report_comparison(e: Context, opdef: OpDef, args: Sequence[Argument], site: CallSite) -> Failed:
    name, meant = opdef.name, _ELEMENTWISE[opdef.name]
    other = args[1]
    footers: list[Note | Help] = [Help(f"to compare element by element, use `{meant}`:", (Edit(site.callee, meant),))]
    if isinstance(other.value, Const) and not isinstance(other.value.value, float):
        start = Span(other.span.source, other.span.start, other.span.start)
        footers.append(Help("to reduce along an axis, name the option:", (Edit(start, "axis = "),)))
    text = f"`{name}` reduces a tensor along axes; it does not compare two values"
    return e.report("DL2060", text, other.span, "an axis, or a value to compare with?", footers=footers)


def _required(opdef: OpDef) -> int:
    return sum(not name.endswith("?") for name in opdef.operands)


def _only_options(opdef: OpDef, args: Sequence[Argument]) -> bool:
    """Whether a call binds options of a function and applies it to nothing: ``leaky_relu(0.1)``."""
    if not opdef.operands or any(is_tensor_like(arg.value) for arg in args):
        return False
    if opdef.operands[0] == "ids" and any(arg.name is None for arg in args):
        return False
    names = {option.name for option in opdef.options}
    positional = sum(arg.name is None for arg in args)
    return bool(args) and positional <= len(names) and all(arg.name is None or arg.name.text in names for arg in args)


def _bind_options(e: Context, opdef: OpDef, args: Sequence[Argument], site: CallSite) -> Value:
    what = f"`{opdef.name}`"
    found = match(e, what, [option.name for option in opdef.options], args)
    if found is None or options(e, what, [o for o in opdef.options if o.name in found], found, site) is None:
        return FAILED
    bound = tuple((name, arg.value) for name, arg in found.items() if isinstance(arg.value, Const | ListValue))
    return FunctionRef(opdef.name, bound)


def _apply(e: Context, scope: Scope, opdef: OpDef, ref: FunctionRef, args: Sequence[Argument], site: CallSite) -> Value:
    what = f"`{opdef.name}`"
    split = _split(e, opdef, args, site)
    if split is None:
        return FAILED
    operands, rest = split
    bound = [Argument(None, value, site.span) for _, value in ref.options]
    named = {name: arg for (name, _), arg in zip(ref.options, bound, strict=True)}
    free = [option.name for option in opdef.options if option.name not in named]
    found = match(e, what, free, rest)
    attrs = None if found is None else options(e, what, opdef.options, named | found, site)
    tensors = _tensors(e, opdef, operands)
    if attrs is None or tensors is None:
        return FAILED
    if opdef.random:
        attrs["stream"] = stream(scope, opdef.name)
    return _infer(e, opdef, operands, tensors, attrs, site)


def stream(scope: Scope, name: str) -> str:
    """The name of a random stream: instance and call, statement, which call of that function in the statement."""
    statement = scope.statement
    place = statement.name if statement is not None else ""
    ordinal = statement.ordinal(name) if statement is not None else 0
    return f"{scope.site}/{place}/{name}{ordinal}"


def _split(
    e: Context, opdef: OpDef, args: Sequence[Argument], site: CallSite
) -> tuple[list[Argument], list[Argument]] | None:
    """Arguments that are tensors, in the operator's order, and those that are options."""
    names = [name.rstrip("?") for name in opdef.operands]
    if names and names[0].startswith("*"):
        return _variadic(e, opdef, args, site)
    slots: dict[str, Argument] = {}
    rest: list[Argument] = []
    waiting = list(names)
    for arg in args:
        if arg.name is None and waiting:
            slots[waiting.pop(0)] = arg
        elif arg.name is not None and arg.name.text in waiting:
            waiting.remove(arg.name.text)
            slots[arg.name.text] = arg
        elif arg.name is not None and arg.name.text in slots:
            first = Label(slots[arg.name.text].span, "first here")
            e.report("DL1014", f"`{arg.name.text}` is given twice", arg.name.span, "again here", first)
            return None
        elif arg.name is not None and arg.name.text not in {option.name for option in opdef.options}:
            unknown(e, f"`{opdef.name}`", arg.name, [*names, *(o.name for o in opdef.options)], "argument")
            return None
        else:
            rest.append(arg)
    missing = [
        name for name, raw in zip(names, opdef.operands, strict=True) if name in waiting and not raw.endswith("?")
    ]
    if missing:
        return _too_few(e, opdef, missing, len(slots), site)
    return [slots[name] for name in names if name in slots], rest


def _variadic(
    e: Context, opdef: OpDef, args: Sequence[Argument], site: CallSite
) -> tuple[list[Argument], list[Argument]] | None:
    operands: list[Argument] = []
    for arg in args:
        if arg.name is not None:
            continue
        if isinstance(arg.value, ListValue) and is_tensor_like(arg.value):
            operands += [Argument(None, item, arg.span) for item in arg.value.items]
        else:
            operands.append(arg)
    if not operands:
        return _too_few(e, opdef, [opdef.operands[0].lstrip("*")], 0, site)
    return operands, [arg for arg in args if arg.name is not None]


def _too_few(e: Context, opdef: OpDef, missing: Sequence[str], given: int, site: CallSite) -> None:
    names = ", ".join(f"`{name}`" for name in missing)
    example = ", ".join(name.rstrip("?") for name in opdef.operands).replace("*tensors", "a, b")
    e.report(
        "DL1013",
        f"`{opdef.name}` needs {'a tensor' if given == 0 else 'another tensor'}: {names}",
        site.span,
        "applied to nothing" if given == 0 else f"got {given} of {_required(opdef)}",
        footers=[Help(f"write `{opdef.name}({example})`, or pipe the first one in: `x |> {opdef.name}`")],
    )


def _tensors(e: Context, opdef: OpDef, operands: Sequence[Argument]) -> list[TypedValue] | None:
    """Operands as tensors; literals take the element type of the first tensor that is not a condition, ids are i64."""
    types = [arg.value.type.dtype for arg in operands if isinstance(arg.value, TypedValue)]
    dtype = next((t for t in types if t is not DType.BOOL), None)
    found: list[TypedValue] = []
    for number, arg in enumerate(operands):
        ids = opdef.operands[min(number, len(opdef.operands) - 1)] == "ids"
        wanted = None if _is_truth(arg.value) else DType.I64 if ids else dtype
        value = as_tensor(e, arg.value, wanted, arg.span)
        if isinstance(value, Failed):
            return None
        found.append(value)
    return found


def _is_truth(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, bool)


def _infer(
    e: Context,
    opdef: OpDef,
    operands: Sequence[Argument],
    tensors: Sequence[TypedValue],
    attrs: dict[str, Attr],
    site: CallSite,
) -> Value:
    try:
        return apply_op(e, site.span, opdef.name, tensors, attrs)
    except OpError as error:
        more = [Label(arg.span, str(tensor.type)) for arg, tensor in zip(operands, tensors, strict=True)]
        primary, label = site.callee, ""
        if error.operand is not None and error.operand < len(more):
            more.pop(error.operand)
            primary, label = operands[error.operand].span, str(tensors[error.operand].type)
            found = tensors[error.operand]
            if error.code == "DL2010" and found.op == "input" and found.span != primary:
                more.append(Label(found.span, f"`{found.name}` is declared {found.type.dtype.value} here"))
        clash = broadcast_clash(*tensors) if len(tensors) == 2 and error.code == "DL2002" else None
        footers: list[Note | Help] = list(origin_notes(e, clash, site.span)) if clash else []
        other_way = _swapped(opdef, operands, tensors, attrs)
        footers += [other_way] if other_way is not None else [Help(error.help)] if error.help else []
        return e.report(error.code, str(error), primary, label, *more, footers=footers)


def _swapped(
    opdef: OpDef, operands: Sequence[Argument], tensors: Sequence[TypedValue], attrs: dict[str, Attr]
) -> Help | None:
    """A mend where the first two tensors fit the other way round: ``cross_entropy(label, logits)``."""
    if len(tensors) < 2 or tensors[0].type.dtype is tensors[1].type.dtype or opdef.operands[0].startswith("*"):
        return None
    types = [tensor.type for tensor in tensors]
    try:
        inferred(opdef.name, [types[1], types[0], *types[2:]], attrs)
    except OpError:
        return None
    first, second = operands[:2]
    written = all(arg.name is None and not arg.piped and arg.span.text for arg in (first, second))
    edits = (Edit(first.span, second.span.text), Edit(second.span, first.span.text)) if written else ()
    names = [name.rstrip("?") for name in opdef.operands[:2]]
    return Help(f"they fit the other way round: `{names[0]}` comes first, then `{names[1]}`" + ":" * bool(edits), edits)
