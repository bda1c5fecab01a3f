"""Reductions: many elements along some axes -> one.

All but `argmax` and `argmin` take `axes` (a list of axes, one axis, or `none` for all; `axis` means the same) and
`keepdims` (keep them, at size 1).
"""

from __future__ import annotations

from dslc.ops.axes import one_axis, ones_at, replaced, several_axes, without
from dslc.ops.cost import per_operand
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import InferRule, NormalizeRule, OnnxRule, OpDef, OpError, Option
from dslc.ops.rows import Fate, divided_rows, reducing
from dslc.ops.rules import FLOATS, NUMBERS, check_kind
from dslc.tensor_type import Dim, DType, Shape, TensorType, count

OVER_AXES = (Option("axes", "axes", alias="axis"), Option("keepdims", "bool", False))
_ARG_OPTIONS = (Option("axis", "axis"), Option("keepdims", "bool", False))


def normal_axes(name: str) -> NormalizeRule:
    """Brings the option `axes` into its canonical form: ascending, counted from 0."""

    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        return replaced(attrs, axes=several_axes(name, types[0].rank, attrs["axes"], types[0]))

    return normalize


def _reduced(x: TensorType, attrs: Attrs) -> Shape:
    axes = attrs.ints("axes")
    return ones_at(x.shape, axes) if attrs.bool("keepdims") else without(x.shape, axes)


def _sum_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,) = types
    return TensorType(x.dtype if x.dtype.is_float else DType.I64, _reduced(x, attrs))


def _mean_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("mean", types, FLOATS)
    return TensorType(types[0].dtype, _reduced(types[0], attrs))


def _extreme_type(name: str) -> InferRule:
    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        check_kind(name, types, NUMBERS)
        (x,) = types
        _refuse_nothing(name, x, count(tuple(x.shape[axis] for axis in attrs.ints("axes"))))
        return TensorType(x.dtype, _reduced(x, attrs))

    return infer


def _refuse_nothing(name: str, x: TensorType, elements: Dim) -> None:
    if elements == 0:
        raise OpError(f"`{name}` of no elements does not exist: {x}", operand=0)


# ---------------------------------------------------------------------------------------------- gradients


def _restored(b: Builder, node: Node, value: Value) -> Value:
    """A value of the result's shape with the reduced axes put back at size 1."""
    axes = node.attrs.ints("axes")
    if node.attrs.bool("keepdims") or not axes:
        return value
    return b.apply("expand_dims", value, axis=axes)


def _sum_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    return [b.apply("expand", _restored(b, node, g), sizes=x.shape)]


def _mean_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    n = count(tuple(x.shape[axis] for axis in node.attrs.ints("axes")))
    return [b.apply("expand", _restored(b, node, b.apply("divide_by_size", g, size=n)), sizes=x.shape)]


def _extreme_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    chosen = b.apply("cast", b.apply("eq", x, _restored(b, node, node.out)), dtype=x.dtype)
    ties = b.apply("sum", chosen, axes=node.attrs.ints("axes"), keepdims=True)
    return [b.apply("mul", b.apply("div", chosen, ties), _restored(b, node, g))]


def _divide_by_size_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    return [b.apply("divide_by_size", g, size=node.attrs["size"])]


# ---------------------------------------------------------------------------------------------- export


def _reduce_onnx(op_type: str) -> OnnxRule:
    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        axes, (x,) = node.attrs.ints("axes"), node.inputs
        # ONNX Runtime sums no bools and no small integers.
        name = names[0] if node.out.dtype is x.dtype else onnx.cast(names[0], node.out.dtype)
        narrow = node.out.dtype in (DType.I8, DType.U8)
        if not axes:  # an empty list means "all" to ONNX
            return onnx.node("Identity", name)
        name = onnx.cast(name, DType.I32) if narrow else name
        keepdims = int(node.attrs.bool("keepdims"))
        made = onnx.node(op_type, name, onnx.constant(axes, DType.I64), keepdims=keepdims)
        return onnx.cast(made, node.out.dtype) if narrow else made

    return emit


def _divide_by_size_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    size = node.attrs.dim("size")
    return onnx.node("Div", names[0], onnx.cast(onnx.size(size), node.out.dtype))


def _arg_onnx(op_type: str) -> OnnxRule:
    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        (x,), (name,) = node.inputs, names
        axis, keepdims = node.attrs["axis"], int(node.attrs.bool("keepdims"))
        name = onnx.cast(name, DType.F32) if x.dtype is DType.F16 else name  # ONNX Runtime has no kernel for f16
        if isinstance(axis, int):
            return onnx.node(op_type, name, axis=axis, keepdims=keepdims)
        flat = onnx.node("Reshape", name, onnx.constant([-1], DType.I64))
        made = onnx.node(op_type, flat, axis=0, keepdims=0)
        return onnx.node("Reshape", made, onnx.constant([1] * x.type.rank, DType.I64)) if keepdims else made

    return emit


# ---------------------------------------------------------------------------------------------- positions of extremes


def _normal_arg(name: str) -> NormalizeRule:
    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        axis = attrs["axis"]
        return attrs if axis is None else replaced(attrs, axis=one_axis(name, types[0].rank, axis, types[0]))

    return normalize


def _arg_type(name: str) -> InferRule:
    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        check_kind(name, types, NUMBERS)
        (x,) = types
        axis = attrs["axis"]
        axes = (axis,) if isinstance(axis, int) else tuple(range(x.rank))
        _refuse_nothing(name, x, count(tuple(x.shape[axis] for axis in axes)))
        return TensorType(DType.I64, ones_at(x.shape, axes) if attrs.bool("keepdims") else without(x.shape, axes))

    return infer


# ---------------------------------------------------------------------------------------------- sums to a shape


def _sum_to_axes(x: TensorType, target: Shape) -> tuple[int, ...] | None:
    """The axes to sum over, which are those that broadcasting added or stretched; None where it could not have."""
    added = x.rank - len(target)
    if added < 0:
        return None
    stretched: list[int] = []
    for axis, size in enumerate(target, added):
        if x.shape[axis] == size:
            continue
        if size != 1:
            return None
        stretched.append(axis)
    return (*range(added), *stretched)


def _sum_to_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("sum_to", types, FLOATS)
    (x,), target = types, attrs.shape("sizes")
    if _sum_to_axes(x, target) is None:
        raise OpError(f"{TensorType(x.dtype, target)} does not broadcast to {x}", operand=0)
    return TensorType(x.dtype, target)


def _sum_to(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (x,), target = inputs, attrs.shape("sizes")
    axes = _sum_to_axes(x.type, target)
    if not axes:
        return x
    summed = b.apply("sum", x, axes=axes)
    return summed if summed.shape == target else b.apply("reshape", summed, sizes=target)


REDUCTION = (
    OpDef(
        name="sum",
        doc="""The sum of the elements along axes.

        Floats keep their type; integers and bools give i64, as in NumPy and PyTorch. The sum of nothing is 0.
        Gradient: every element gets the g of the sum it went into.""",
        example="y = sum(x, axes = 1)",
        infer=_sum_type,
        rows=reducing("axes", 1, Fate.SUMMED),
        options=OVER_AXES,
        normalize=normal_axes("sum"),
        vjp=_sum_vjp,
        kernel="sum",
        flops=per_operand(),
        onnx=_reduce_onnx("ReduceSum"),
    ),
    OpDef(
        name="mean",
        doc="""The mean of the elements along axes: their sum divided by their number `n`.

        Floats only. The mean of nothing is nan, as in NumPy and PyTorch. Gradient: every element gets g / n.""",
        example="y = mean(image, axes = [1, 2])",
        infer=_mean_type,
        rows=reducing("axes", 1, Fate.SUMMED, mean=True),
        options=OVER_AXES,
        normalize=normal_axes("mean"),
        vjp=_mean_vjp,
        kernel="mean",
        flops=per_operand(),
        onnx=_reduce_onnx("ReduceMean"),
    ),
    OpDef(
        name="max",
        doc="""The largest element along axes.

        Keeps the type; nan wins. Of no elements it does not exist. Gradient: goes to the largest element, in equal shares
        where several are largest (PyTorch's `amax`).""",
        example="y = max(x, axes = -1, keepdims = true)",
        infer=_extreme_type("max"),
        rows=reducing("axes", 0),
        options=OVER_AXES,
        normalize=normal_axes("max"),
        vjp=_extreme_vjp,
        kernel="max",
        flops=per_operand(),
        onnx=_reduce_onnx("ReduceMax"),
    ),
    OpDef(
        name="min",
        doc="""The smallest element along axes.

        Keeps the type; nan wins. Of no elements it does not exist. Gradient: goes to the smallest element, in equal shares
        where several are smallest (PyTorch's `amin`).""",
        example="y = min(x, axes = -1)",
        infer=_extreme_type("min"),
        rows=reducing("axes", 0),
        options=OVER_AXES,
        normalize=normal_axes("min"),
        vjp=_extreme_vjp,
        kernel="min",
        flops=per_operand(),
        onnx=_reduce_onnx("ReduceMin"),
    ),
    OpDef(
        name="argmax",
        doc="""The position of the largest element along an axis, as i64; the first one where several are largest.

        Without `axis`, the position in the flattened tensor. No gradient.""",
        example="y = argmax(x, axis = -1)",
        infer=_arg_type("argmax"),
        rows=reducing("axis", 0),
        options=_ARG_OPTIONS,
        normalize=_normal_arg("argmax"),
        kernel="argmax",
        flops=per_operand(),
        onnx=_arg_onnx("ArgMax"),
    ),
    OpDef(
        name="argmin",
        doc="""The position of the smallest element along an axis, as i64; the first one where several are smallest.

        Without `axis`, the position in the flattened tensor. No gradient.""",
        example="y = argmin(x, axis = -1)",
        infer=_arg_type("argmin"),
        rows=reducing("axis", 0),
        options=_ARG_OPTIONS,
        normalize=_normal_arg("argmin"),
        kernel="argmin",
        flops=per_operand(),
        onnx=_arg_onnx("ArgMin"),
    ),
    OpDef(
        name="divide_by_size",
        doc="""x / size for a size that may be known at run time only. Floats; the gradient is divided likewise.""",
        infer=lambda types, _: types[0],
        rows=divided_rows,
        options=(Option("size", "sizes", required=True),),
        vjp=_divide_by_size_vjp,
        kernel="divide_by_size",
        onnx=_divide_by_size_onnx,
        inplace=(0,),
        call=False,
    ),
    OpDef(
        name="sum_to",
        doc="""The sum over the axes that broadcasting added or stretched, which brings a cotangent to its input's shape.""",
        infer=_sum_to_type,
        options=(Option("sizes", "sizes", required=True),),
        decompose=_sum_to,
        call=False,
    ),
)
