"""Operators on flat vectors that hold many tensors one after another: parameters, gradients, an optimizer's slots.

Programs cannot call them; training graphs are made of them.
"""

from __future__ import annotations

from dslc.ops.cost import free
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import meeting, packing
from dslc.ops.rules import check_same_dtype
from dslc.tensor_type import Dim, DType, TensorType, count


def _segment_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (flat,), sizes = types, attrs.shape("sizes")
    if flat.rank != 1:
        raise OpError(f"`segment` reads from a vector, got {flat}", operand=0)
    end, length = attrs.int("offset") + count(sizes), flat.shape[0]
    if isinstance(end, int) and isinstance(length, int) and end > length:
        raise OpError(f"`segment` ends at {end}, outside {flat}", operand=0)
    return TensorType(flat.dtype, sizes)


def _segment_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (flat,) = node.inputs
    offset, size = node.attrs.int("offset"), count(node.out.shape)
    vector = b.apply("reshape", g, sizes=(size,))
    return [b.apply("pad_slice", vector, sizes=flat.shape, starts=(offset,), steps=(1,))]


def _segment_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    offset = node.attrs.int("offset")
    stop = onnx.shape((offset + count(node.out.shape),))
    part = onnx.node("Slice", names[0], onnx.constant([offset], DType.I64), stop, onnx.constant([0], DType.I64))
    return onnx.node("Reshape", part, onnx.shape(node.out.shape), allowzero=1)


def _pack_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    total: Dim = 0
    for operand in types:
        total = total + count(operand.shape)
    return TensorType(check_same_dtype("pack", types), (total,))


def _pack_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    parts: list[Value | None] = []
    start: Dim = 0
    for value in node.inputs:
        stop = start + count(value.shape)
        parts.append(b.apply("reshape", b.apply("slice", g, starts=(start,), stops=(stop,)), sizes=value.shape))
        start = stop
    return parts


def _pack_onnx(onnx: OnnxEmitter, _: Node, names: tuple[str, ...]) -> str:
    flat = [onnx.node("Reshape", name, onnx.constant([-1], DType.I64)) for name in names]
    return onnx.node("Concat", *flat, axis=0)


ARENA = (
    OpDef(
        name="segment",
        doc="""The elements from `offset` on of a vector, in the shape `sizes`: one tensor of an arena.

        A view. Gradient: g between zeros.""",
        infer=_segment_type,
        rows=meeting(1),
        operands=("flat",),
        options=(Option("offset", "int", required=True), Option("sizes", "sizes", required=True)),
        vjp=_segment_vjp,
        kernel="segment",
        flops=free,
        onnx=_segment_onnx,
        view=True,
        call=False,
    ),
    OpDef(
        name="pack",
        doc="""All elements of all operands, each in C order, one operand after another, as one vector.

        Gradient: the segments of g.""",
        infer=_pack_type,
        rows=packing,
        operands=("*tensors",),
        vjp=_pack_vjp,
        kernel="pack",
        flops=free,
        onnx=_pack_onnx,
        call=False,
    ),
)
