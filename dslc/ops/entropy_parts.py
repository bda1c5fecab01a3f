"""The cross entropy of a softmax in parts, as the NumPy engine runs it where there are few classes.

A pass puts these operators in the place of `softmax_cross_entropy` and its gradient; no program calls them, and no export
sees them. Both directions read the same exponentials, which are worked out once.
"""

from __future__ import annotations

from dslc.ops.axes import normal_axis, without
from dslc.ops.cost import per_operand, per_result
from dslc.ops.index import check_picking
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.tensor_type import Dim, TensorType


def axis_first(b: Builder, x: Value, axis: int) -> Value:
    """A view with one axis before all others."""
    return b.apply("transpose", x, axes=(axis, *(other for other in range(x.type.rank) if other != axis)))


def _rows(b: Builder, parts: Value, first: Dim, last: Dim) -> Value:
    return b.apply("slice", parts, starts=(first,), stops=(last,), steps=())


def exponentials(b: Builder, parts: Value) -> Value:
    """exp(logits - max(logits)), with the classes first."""
    return _rows(b, parts, 0, parts.shape[0] - 2)


def sums(b: Builder, parts: Value) -> Value:
    """The sums of the exponentials over the classes."""
    return b.apply("squeeze", _rows(b, parts, parts.shape[0] - 2, parts.shape[0] - 1), axis=0)


def losses(b: Builder, parts: Value) -> Value:
    """What `softmax_cross_entropy` is."""
    return b.apply("squeeze", _rows(b, parts, parts.shape[0] - 1, parts.shape[0]), axis=0)


def _parts_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (logits, ids), axis = types, attrs.int("axis")
    check_picking("entropy_parts", logits, ids, axis)
    return TensorType(logits.dtype, (logits.shape[axis] + 2, *without(logits.shape, (axis,))))


def _parts(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (logits, ids), axis = inputs, attrs.int("axis")
    first = axis_first(b, logits, axis)
    e = b.apply("exp", b.apply("sub", first, b.apply("max", first, axes=0, keepdims=True)))
    entropy = b.apply("softmax_cross_entropy", logits, ids, axis=axis)
    return b.apply(
        "concat", e, b.apply("sum", e, axes=0, keepdims=True), b.apply("expand_dims", entropy, axis=0), axis=0
    )


def _grad_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    parts, ids, g = types
    rows, axis = parts.shape[1:], attrs.int("axis")
    if not (rows == ids.shape == g.shape and 0 <= axis <= len(rows)):
        raise OpError(f"`entropy_parts_grad` needs one id and one cotangent per row of {parts}, got {ids} and {g}")
    return TensorType(parts.dtype, (*rows[:axis], parts.shape[0] - 2, *rows[axis:]))


def _grad(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (parts, ids, g), axis = inputs, attrs.int("axis")
    p = b.apply("div", exponentials(b, parts), sums(b, parts))
    code = b.apply("one_hot", ids, classes=parts.shape[0] - 2, dtype=parts.dtype)
    first = b.apply("mul", b.apply("sub", p, axis_first(b, code, ids.type.rank)), g)
    return b.apply("transpose", first, axes=(*range(1, axis + 1), 0, *range(axis + 1, first.type.rank)))


ENTROPY_PARTS = (
    OpDef(
        name="entropy_parts",
        doc="""e = exp(logits - max(logits)) with the classes along axis 0, then sum(e), then log(sum(e)) - log(e[id]).

        All in one array, [classes + 2, ...], of which `entropy_parts_grad` reads the first two parts.""",
        infer=_parts_type,
        operands=("logits", "ids"),
        options=(Option("axis", "axis", -1),),
        normalize=normal_axis("entropy_parts"),
        decompose=_parts,
        kernel="entropy_parts",
        flops=per_operand(5),
        call=False,
    ),
    OpDef(
        name="entropy_parts_grad",
        doc="""(e / sum(e) - one_hot(ids)) * g with the classes along `axis`: the gradient of the cross entropy, from its parts.""",
        infer=_grad_type,
        operands=("parts", "ids", "g"),
        options=(Option("axis", "axis", required=True),),
        decompose=_grad,
        kernel="entropy_parts_grad",
        flops=per_result(2),
        call=False,
    ),
)
