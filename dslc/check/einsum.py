"""`einsum("b h t d, b h u d -> b h t u", q, k)`: sums of products over named axes.

Input: evaluated arguments. Output: transposes, matrix products and sums, or a report inside the string. Operands are
combined from left to right; a pair becomes one matrix product where axes are summed over, else a product that broadcasts.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.arranging import Arranged, Named, merged, ordered, reshaped, split, summed
from dslc.check.near import near, proposed
from dslc.check.notation import DOTS, Axis, Formula, Text, each_once, fits_rank, listed, parse
from dslc.check.operators import apply_op, as_tensor
from dslc.check.scope import Argument, CallSite, Context, origin_notes
from dslc.check.typed import TypedValue
from dslc.check.values import FAILED, Const, Failed, Value
from dslc.diagnostics import Help, Label, Note
from dslc.ops.opdef import OpError
from dslc.ops.rules import FLOATS, KIND_CODE, check_same_dtype
from dslc.record import record
from dslc.source import Span
from dslc.tensor_type import DType

_TYPES = FLOATS | {DType.I32, DType.I64}
_ONCE = "an axis named twice in one tensor would be its diagonal, which `einsum` does not take"
_RESULT_ONCE = "the result has every axis once"


def einsum(e: Context, args: Sequence[Argument], site: CallSite) -> Value:
    """The value of a call of `einsum`."""
    named = next((arg.name for arg in args if arg.name is not None), None)
    if named is not None:
        return e.report("DL1010", f"`einsum` has no option `{named.text}`", named.span, "not known here")
    texts = [
        (arg, arg.value.value) for arg in args if isinstance(arg.value, Const) and isinstance(arg.value.value, str)
    ]
    operands = [arg for arg in args if all(arg is not text for text, _ in texts)]
    if len(texts) != 1 or not operands:
        missing = "needs one string of axes" if len(texts) != 1 else "needs a tensor"
        footers = [Help('write `einsum("b i, i j -> b j", x, w)`')]
        return e.report("DL1013", f"`einsum` {missing}", site.span, "", footers=footers)
    ((text, value),) = texts
    formula = parse(e, Text(value, text.span), groups=False)
    tensors = _tensors(e, operands)
    if formula is None or tensors is None or not _counted(e, formula, tensors):
        return FAILED
    parts = zip(formula.inputs, tensors, strict=True)
    if not all(fits_rank(e, formula, term, tensor.value.type.rank, tensor.label) for term, tensor in parts):
        return FAILED
    if not _sound(e, formula) or not _typed(e, tensors, site):
        return FAILED
    arranged = _named(e, formula, tensors, site)
    if arranged is None:
        return FAILED
    try:
        return _contracted(e, site.span, arranged, _result(formula, arranged))
    except OpError as error:
        return e.report(error.code, str(error), site.callee, "", *(tensor.label for tensor in tensors))


@record
class _Operand:
    """A tensor, and where it was written."""

    value: TypedValue
    span: Span

    @property
    def label(self) -> Label:
        return Label(self.span, str(self.value.type))


def _tensors(e: Context, operands: Sequence[Argument]) -> list[_Operand] | None:
    dtype = next((arg.value.type.dtype for arg in operands if isinstance(arg.value, TypedValue)), None)
    found: list[_Operand] = []
    for arg in operands:
        value = as_tensor(e, arg.value, dtype, arg.span)
        if isinstance(value, Failed):
            return None
        found.append(_Operand(value, arg.span))
    return found


# ---------------------------------------------------------------------------------------------- what can be wrong


def _counted(e: Context, formula: Formula, tensors: Sequence[_Operand]) -> bool:
    """Whether there are as many tensors as the string has parts; reports it where there are not."""
    wanted, got = len(formula.inputs), len(tensors)
    if wanted == got:
        return True
    parts = formula.inputs[0].span.to(formula.inputs[-1].span)
    label = f"{wanted} part{'s' * (wanted != 1)}, separated by commas"
    message = f"the string names the axes of {wanted} tensor{'s' * (wanted != 1)}, and {got} {'is' if got == 1 else 'are'} given"
    e.report("DL2309", message, parts, label, *(tensor.label for tensor in tensors))
    return False


def _sound(e: Context, formula: Formula) -> bool:
    """Whether no tensor names an axis twice, and the result names axes of the tensors; reports what is wrong."""
    if not all(each_once(e, term, _ONCE) for term in formula.inputs) or not each_once(e, formula.output, _RESULT_ONCE):
        return False
    known = list(dict.fromkeys(name for term in formula.inputs for name in term.names))
    for axis in formula.output.axes:
        if axis.name not in known:
            footers = proposed(near(axis.name, known), axis.span)
            message = f"axis `{axis.name}` of the result is in no tensor"
            e.report("DL2301", message, axis.span, "not found", footers=[*footers, Note(listed(known))])
            return False
    if DOTS in known and DOTS not in formula.output.names:
        dots = next(axis for term in formula.inputs for axis in term.axes if axis.name == DOTS)
        message = "`...` is missing in the result"
        footers = [Help("write `...` on the right too; axes to sum over have names")]
        e.report(
            "DL2302",
            message,
            dots.span,
            "stands for axes here",
            Label(formula.output.span, "not here"),
            footers=footers,
        )
        return False
    return True


def _typed(e: Context, tensors: Sequence[_Operand], site: CallSite) -> bool:
    """Whether the element types are one that can be multiplied; reports it where they are not."""
    labels = [tensor.label for tensor in tensors]
    try:
        dtype = check_same_dtype("einsum", [tensor.value.type for tensor in tensors])
    except OpError as error:
        e.report(error.code, str(error), site.callee, "", *labels, footers=[Help(error.help)] if error.help else ())
        return False
    if dtype not in _TYPES:
        e.report(KIND_CODE, f"`einsum` needs floats, i32 or i64, not {dtype.value}", site.callee, "", *labels)
        return False
    return True


# ---------------------------------------------------------------------------------------------- axes with sizes


def _named(e: Context, formula: Formula, tensors: Sequence[_Operand], site: CallSite) -> list[Arranged] | None:
    """The tensors with their axes named; None after a report of a size that does not fit."""
    dots = max(_under_dots(formula, position, tensors) for position in range(len(tensors)))
    first: dict[str, tuple[Axis, Named, _Operand]] = {}
    found: list[Arranged] = []
    for position, (term, tensor) in enumerate(zip(formula.inputs, tensors, strict=True)):
        own = _under_dots(formula, position, tensors)
        sizes = zip(tensor.value.type.shape, tensor.value.origins, strict=True)
        axes: list[Named] = []
        for written in term.axes:
            names = [f"{DOTS}{n}" for n in range(dots - own, dots)] if written.name == DOTS else [written.name]
            for name in names:
                axis = Named(name, *next(sizes))
                known, before, other = first.setdefault(name, (written, axis, tensor))
                if before.size == 1 and written.name == DOTS:
                    first[name] = (written, axis, tensor)
                elif before.size != axis.size and not (written.name == DOTS and axis.size == 1):
                    _report_sizes(e, written, (known, before, other), axis, tensor)
                    return None
                axes.append(axis)
        found.append(Arranged(tensor.value, tuple(axes)))
    widest = {name: axis.size for name, (_, axis, _) in first.items()}
    return [_narrowed(e, site.span, x, {n for n, size in widest.items() if size != 1}) for x in found]


def _under_dots(formula: Formula, position: int, tensors: Sequence[_Operand]) -> int:
    """How many axes `...` stands for in an operand."""
    term = formula.inputs[position]
    return tensors[position].value.type.rank - len(term.axes) + 1 if DOTS in term.names else 0


def _narrowed(e: Context, span: Span, x: Arranged, wide: set[str]) -> Arranged:
    """A tensor without the axes of size 1 that broadcast against larger ones under `...`."""
    kept = [axis for axis in x.axes if axis.size != 1 or axis.name not in wide]
    return x if len(kept) == len(x.axes) else split(e, span, x.value, kept)


def _report_sizes(e: Context, axis: Axis, first: tuple[Axis, Named, _Operand], second: Named, tensor: _Operand) -> None:
    written, before, other = first
    notes = origin_notes(e, [(before.size, before.origin), (second.size, second.origin)], axis.span)
    labels = [Label(written.span, f"{before.size} here"), other.label]
    if tensor.span != other.span:
        labels.append(tensor.label)
    message = f"axis `{axis.name}` has two sizes: {before.size} and {second.size}"
    e.report("DL2305", message, axis.span, f"{second.size} here", *labels, footers=notes)


def _result(formula: Formula, operands: Sequence[Arranged]) -> list[str]:
    """The axes of the result in order."""
    under = sorted(
        {name for x in operands for name in x.names if name.startswith(DOTS)}, key=lambda name: int(name[3:])
    )
    return [name for axis in formula.output.axes for name in (under if axis.name == DOTS else [axis.name])]


# ---------------------------------------------------------------------------------------------- products and sums


def _contracted(e: Context, span: Span, operands: Sequence[Arranged], result: Sequence[str]) -> TypedValue:
    """The tensors multiplied from left to right; an axis is summed over as soon as nothing needs it."""
    total = operands[0]
    for position, operand in enumerate(operands[1:], start=2):
        later = {name for x in operands[position:] for name in x.names}
        total = _product(e, span, total, operand, [*result, *sorted(later - set(result))])
    total = summed(e, span, total, [name for name in total.names if name not in result])
    return ordered(e, span, total, result).value


def _product(e: Context, span: Span, a: Arranged, b: Arranged, kept: Sequence[str]) -> Arranged:
    """The product of two tensors, summed over the axes that are not kept."""
    a = summed(e, span, a, [name for name in a.names if name not in b.names and name not in kept])
    b = summed(e, span, b, [name for name in b.names if name not in a.names and name not in kept])
    batch = [name for name in kept if name in a.names and name in b.names]
    inner = [name for name in a.names if name in b.names and name not in kept]
    left = [name for name in a.names if name not in b.names]
    right = [name for name in b.names if name not in a.names]
    if left and right and kept.index(right[0]) < kept.index(left[0]):
        return _product(e, span, b, a, kept)
    if not inner or (batch and not left and not right):
        return summed(e, span, _broadcast(e, span, a, b, [*batch, *inner, *left], right), inner)
    return _matrices(e, span, a, b, (batch, left, inner, right))


def _broadcast(e: Context, span: Span, a: Arranged, b: Arranged, own: Sequence[str], right: Sequence[str]) -> Arranged:
    """The elements of `a`, of the axes `own`, times those of `b`, which lacks some of them and has the axes `right`."""
    shared = [name for name in own if name in b.names]
    left_side = merged(e, span, ordered(e, span, a, own), [*([name] for name in own), *([] for _ in right)])
    groups = [[name] if name in b.names else [] for name in (*own, *right)]
    right_side = merged(e, span, ordered(e, span, b, [*shared, *right]), groups)
    axes = (*(a.axis(name) for name in own), *(b.axis(name) for name in right))
    origins = tuple(axis.origin for axis in axes)
    return Arranged(apply_op(e, span, "mul", (left_side, right_side), {}, origins=origins), axes)


def _matrices(
    e: Context, span: Span, a: Arranged, b: Arranged, parts: tuple[list[str], list[str], list[str], list[str]]
) -> Arranged:
    """One matrix product: rows are the axes of `a` alone, columns those of `b` alone, `inner` is summed over."""
    batch, left, inner, right = parts
    each = [[name] for name in batch]
    # A vector stays one where there is no batch; with a batch it is a matrix of one row or column.
    rows = [left] if left or batch else []
    columns = [right] if right or batch else []
    matrix_a = merged(e, span, ordered(e, span, a, [*batch, *left, *inner]), [*each, *rows, inner])
    matrix_b = merged(e, span, ordered(e, span, b, [*batch, *inner, *right]), [*each, inner, *columns])
    product = apply_op(e, span, "matmul", (matrix_a, matrix_b), {})
    axes = [*(a.axis(name) for name in (*batch, *left)), *(b.axis(name) for name in right)]
    value = reshaped(e, span, product, [axis.size for axis in axes], [axis.origin for axis in axes])
    return Arranged(value, tuple(axes))
