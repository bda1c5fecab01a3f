"""Operators that join tensors along an axis."""

from __future__ import annotations

from dslc.ops.axes import normal_axis, one_axis, replaced, with_axis
from dslc.ops.cost import free
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import joining
from dslc.ops.rules import check_same_dtype
from dslc.tensor_type import Dim, TensorType

JOIN_CODE = "DL2104"


def _concat_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    first, axis = types[0], attrs.int("axis")
    dtype = check_same_dtype("concat", types)
    total: Dim = 0
    for position, operand in enumerate(types):
        if operand.rank != first.rank:
            raise OpError(
                f"`concat` joins tensors with equally many axes, got {first} and {operand}", JOIN_CODE, position
            )
        for other in range(first.rank):
            if other != axis and operand.shape[other] != first.shape[other]:
                sizes = f"axis {other}: {first.shape[other]} and {operand.shape[other]}"
                raise OpError(
                    f"`concat` along axis {axis} needs equal sizes elsewhere: {first} and {operand} ({sizes})",
                    JOIN_CODE,
                    position,
                )
        total = total + operand.shape[axis]
    return TensorType(dtype, with_axis(first.shape, axis, total))


def _concat_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    axis = node.attrs.int("axis")
    parts: list[Value | None] = []
    start: Dim = 0
    for value in node.inputs:
        stop = start + value.shape[axis]
        starts = tuple(start if i == axis else None for i in range(axis + 1))
        stops = tuple(stop if i == axis else None for i in range(axis + 1))
        parts.append(b.apply("slice", g, starts=starts, stops=stops))
        start = stop
    return parts


def _concat_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    return onnx.node("Concat", *names, axis=node.attrs.int("axis"))


def _normal_stack(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    return replaced(attrs, axis=one_axis("stack", types[0].rank + 1, attrs["axis"], types[0]))


def _stack_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    first, axis = types[0], attrs.int("axis")
    dtype = check_same_dtype("stack", types)
    for position, operand in enumerate(types):
        if operand.shape != first.shape:
            raise OpError(f"`stack` joins tensors of one shape, got {first} and {operand}", JOIN_CODE, position)
    return TensorType(dtype, (*first.shape[:axis], len(types), *first.shape[axis:]))


def _stack(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    axis = attrs.int("axis")
    return b.apply("concat", *(b.apply("expand_dims", x, axis=axis) for x in inputs), axis=axis)


_AXIS = (Option("axis", "axis", required=True),)

JOINING = (
    OpDef(
        name="concat",
        doc="""Tensors one after another along an axis: ``concat(a, b, axis = -1)``.

        One element type, equal sizes on all other axes. Gradient: the slices of g.""",
        example="y = concat(x, 2 * x, axis = -1)",
        infer=_concat_type,
        rows=joining,
        operands=("*tensors",),
        options=_AXIS,
        normalize=normal_axis("concat"),
        vjp=_concat_vjp,
        kernel="concat",
        flops=free,
        onnx=_concat_onnx,
    ),
    OpDef(
        name="stack",
        doc="""Tensors of one shape side by side along a new axis: ``stack(a, b, axis = 0)`` has size 2 there.

        `axis` is the position of the new axis in the result. Gradient: the slices of g.""",
        example="y = stack(x, 2 * x, axis = 1)",
        infer=_stack_type,
        operands=("*tensors",),
        options=_AXIS,
        normalize=_normal_stack,
        decompose=_stack,
    ),
)
