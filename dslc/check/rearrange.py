"""`rearrange(x, "b t (h d) -> b h t d", h = 4)`: the same elements with axes split, merged and in another order.

Input: evaluated arguments. Output: `reshape` and `transpose` of the tensor, or a report inside the string. The rules are
those of einops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.arranging import Named, merged, ordered, split
from dslc.check.near import near, proposed
from dslc.check.notation import DOTS, Axis, Formula, Group, Term, Text, each_once, fits_rank, listed, parse
from dslc.check.operators import as_tensor
from dslc.check.scope import Argument, CallSite, Context, origin_notes
from dslc.check.typed import Origin, TypedValue
from dslc.check.values import FAILED, Const, Failed, Value, describe
from dslc.diagnostics import Help, Label, Note
from dslc.ops.opdef import OpError
from dslc.record import record
from dslc.source import Span
from dslc.tensor_type import Dim, Size, count, divide

_ONCE = "each side of `rearrange` names every axis once"


@record
class _Given:
    """A size given by name, where it was written."""

    size: Dim
    span: Span


def rearrange(e: Context, args: Sequence[Argument], site: CallSite) -> Value:
    """The value of a call of `rearrange`."""
    tensors = [arg for arg in args if arg.name is None and not _is_text(arg)]
    texts = [arg for arg in args if arg.name is None and _is_text(arg)]
    if len(tensors) != 1 or len(texts) != 1:
        return _wrong_arguments(e, len(tensors), len(texts), site)
    x = as_tensor(e, tensors[0].value, None, tensors[0].span)
    if isinstance(x, Failed):
        return FAILED
    formula = parse(e, Text(str(_text(texts[0])), texts[0].span), groups=True)
    if formula is None:
        return FAILED
    operand = Label(tensors[0].span, str(x.type))
    given = _given(e, formula, [arg for arg in args if arg.name is not None])
    if given is None or not fits_rank(e, formula, formula.inputs[0], x.type.rank, operand) or not _sound(e, formula):
        return FAILED
    axes = _axes(e, formula.inputs[0], x, given, operand)
    if axes is None:
        return FAILED
    dots = [axis.name for axis in axes if axis.name.startswith(DOTS)]
    groups = [names for group in formula.output.groups for names in _places(group, dots)]
    try:
        arranged = ordered(e, site.span, split(e, site.span, x, axes), [name for names in groups for name in names])
        return merged(e, site.span, arranged, groups)
    except OpError as error:
        return e.report(error.code, str(error), site.callee, "", operand)


def _is_text(arg: Argument) -> bool:
    return isinstance(_text(arg), str)


def _text(arg: Argument) -> object:
    return arg.value.value if isinstance(arg.value, Const) else None


def _wrong_arguments(e: Context, tensors: int, texts: int, site: CallSite) -> Failed:
    help_ = Help('write `rearrange(x, "b t (h d) -> b h t d", h = 4)`')
    if texts != 1:
        missing = "no string of axes" if not texts else f"{texts} strings"
        text = "`rearrange` needs one string that says how the axes lie"
        return e.report("DL1013", text, site.span, missing, footers=[help_])
    label = "applied to nothing" if not tensors else f"got {tensors}; sizes are given by name"
    return e.report("DL1013", "`rearrange` needs one tensor", site.span, label, footers=[help_])


def _places(group: Group, dots: Sequence[str]) -> list[list[str]]:
    """The axes of the result that a group makes; `...` alone makes as many as it stands for."""
    names = [name for axis in group.axes for name in (dots if axis.name == DOTS else (axis.name,))]
    return [names] if group.joined or not group.axes else [[name] for name in names]


# ---------------------------------------------------------------------------------------------- the text alone


def _sound(e: Context, formula: Formula) -> bool:
    """Whether both sides name the same axes, each once."""
    left, right = formula.inputs[0], formula.output
    if not each_once(e, left, _ONCE) or not each_once(e, right, _ONCE):
        return False
    for group in left.groups:
        if group.joined and any(axis.name == DOTS for axis in group.axes):
            text = "`...` in parentheses has no meaning on the left"
            e.report("DL2300", text, group.span, "stands for several axes already")
            return False
    unknown = [axis for axis in right.axes if axis.name not in left.names]
    if unknown:
        _report_unknown(e, unknown[0], left)
        return False
    lost = [axis for axis in left.axes if axis.name not in right.names]
    if lost:
        name = lost[0].name
        footers = [Help(f"to leave `{name}` out, reduce it before: `mean(x, axis = ...)`, `sum`, `max`")]
        message = f"axis `{name}` is missing on the right"
        place = Label(right.span, f"no `{name}` here")
        e.report("DL2302", message, lost[0].span, "`rearrange` keeps every axis", place, footers=footers)
        return False
    return True


def _report_unknown(e: Context, axis: Axis, left: Term) -> None:
    mends = proposed(near(axis.name, left.names), axis.span)
    notes: list[Note | Help] = [*mends, Note(listed(left.names))]
    place = Label(left.span, f"no `{axis.name}` here")
    e.report("DL2301", f"axis `{axis.name}` is not on the left", axis.span, "not found", place, footers=notes)


def _given(e: Context, formula: Formula, args: Sequence[Argument]) -> Mapping[str, _Given] | None:
    """Sizes given by name, or None after a report."""
    names = [name for name in formula.inputs[0].names if name != DOTS]
    found: dict[str, _Given] = {}
    for arg in args:
        assert arg.name is not None
        name, value = arg.name.text, arg.value
        if name not in names:
            footers = proposed(near(name, names), arg.name.span)
            message = f"`{name}` is not an axis on the left"
            e.report("DL2301", message, arg.name.span, "not found", footers=[*footers, Note(listed(names))])
            return None
        if name in found:
            e.report(
                "DL1014", f"`{name}` is given twice", arg.name.span, "again here", Label(found[name].span, "first here")
            )
            return None
        size = value.value if isinstance(value, Const) else None
        if isinstance(size, bool) or not isinstance(size, int | Size) or (isinstance(size, int) and size < 1):
            message = f"`{name}` must be the size of an axis, not {describe(value)}"
            e.report("DL2308", message, arg.span, "must be a whole number, at least 1")
            return None
        found[name] = _Given(size, arg.name.span.to(arg.span))
    return found


# ---------------------------------------------------------------------------------------------- with a tensor


def _axes(e: Context, term: Term, x: TypedValue, given: Mapping[str, _Given], operand: Label) -> list[Named] | None:
    """The tensor's axes, those in parentheses taken apart; None after a report."""
    extra = x.type.rank - len(term.groups)
    found: list[Named] = []
    position = 0
    for group in term.groups:
        if DOTS in (axis.name for axis in group.axes):
            for number in range(extra + 1):
                found.append(Named(f"{DOTS}{number}", x.type.shape[position], x.origins[position]))
                position += 1
            continue
        parts = _part(e, group, x.type.shape[position], x.origins[position], given, operand)
        if parts is None:
            return None
        found += parts
        position += 1
    return found


def _part(
    e: Context, group: Group, size: Dim, origin: Origin | None, given: Mapping[str, _Given], operand: Label
) -> list[Named] | None:
    """What one axis of the tensor is made of, or None after a report."""
    unknown = [axis for axis in group.axes if axis.name not in given]
    known = count(tuple(given[axis.name].size for axis in group.axes if axis.name in given))
    if len(group.axes) == 1 and unknown:
        return [Named(unknown[0].name, size, origin)]
    if len(unknown) > 1:
        names = " and ".join(f"`{axis.name}`" for axis in unknown)
        message = f"the sizes of {names} cannot be told from {size}"
        label = f"together {size}"
        code = ", ".join(f"{axis.name} = ..." for axis in unknown[:-1])
        footers = [Help(f"give {'one' if len(unknown) == 2 else 'all but one'} of them by name: `{code}`")]
        e.report("DL2307", message, group.span, label, operand, footers=footers)
        return None
    rest = divide(size, known)
    if rest is None or (not unknown and rest != 1):
        _report_size(e, group, size, origin, given, operand)
        return None
    sizes = {axis.name: given[axis.name].size if axis.name in given else rest for axis in group.axes}
    return [Named(axis.name, sizes[axis.name], _origin(axis, given, group)) for axis in group.axes]


def _origin(axis: Axis, given: Mapping[str, _Given], group: Group) -> Origin:
    if axis.name in given:
        return Origin(f"`{given[axis.name].span.text}`", given[axis.name].span)
    return Origin(f"`{group.span.text}`", group.span)


def _report_size(
    e: Context, group: Group, size: Dim, origin: Origin | None, given: Mapping[str, _Given], operand: Label
) -> None:
    sizes = [given[axis.name] for axis in group.axes if axis.name in given]
    labels = [
        Label(given[axis.name].span, f"`{axis.name}` is {given[axis.name].size}")
        for axis in group.axes
        if axis.name in given
    ]
    notes = origin_notes(e, [(size, origin)], group.span)
    product = " * ".join(str(each.size) for each in sizes) or "1"
    if len(sizes) < len(group.axes):
        message, label = f"an axis of size {size} cannot be split by {product}", f"{size} does not divide by {product}"
        e.report("DL2306", message, group.span, label, *labels, operand, footers=notes)
        return
    message = f"this axis has size {size}, not {product}"
    e.report("DL2305", message, group.span, f"has size {size}", *labels, operand, footers=notes)
