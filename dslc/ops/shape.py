"""Operators that arrange the same elements in another shape; most of them are views.

Sizes may be symbolic; two shapes have equally many elements when the normal forms of the products of their sizes are equal.
"""

from __future__ import annotations

from dslc.ops.axes import one_axis, replaced, several_axes, without
from dslc.ops.cost import free
from dslc.ops.ir import Attr, Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OnnxRule, OpDef, OpError, Option
from dslc.ops.rows import filling, reshaping, transposing
from dslc.tensor_type import Dim, DType, Shape, Size, TensorType, broadcast, count, divide

_SIZES = (Option("sizes", "sizes", required=True),)
COUNT_CODE = "DL2103"


def size_list(name: str, sizes: Attr) -> Shape:
    """A list of sizes; -1 stands for itself.

    Raises:
        OpError: something in it is no size.
    """
    items = sizes if isinstance(sizes, tuple) else (sizes,)
    shape: list[Dim] = []
    for size in items:
        if isinstance(size, bool) or not isinstance(size, int | Size):
            raise OpError(f"`{name}` takes a list of sizes, not {size!r}")
        if isinstance(size, int) and size < -1:
            raise OpError(f"a size cannot be negative: {size}")
        shape.append(size)
    return tuple(shape)


# ---------------------------------------------------------------------------------------------- reshape, flatten


def _normal_reshape(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,), sizes = types, size_list("reshape", attrs["sizes"])
    unknown = [axis for axis, size in enumerate(sizes) if size == -1]
    if not unknown:
        return replaced(attrs, sizes=sizes)
    if len(unknown) > 1:
        raise OpError("`reshape` works out one size, not several: -1 is given twice", COUNT_CODE)
    axis = unknown[0]
    rest = count((*sizes[:axis], *sizes[axis + 1 :]))
    size = divide(count(x.shape), rest)
    if size is None:
        raise OpError(f"{x} has {count(x.shape)} elements, which are not a multiple of {rest}", COUNT_CODE, 0)
    return replaced(attrs, sizes=(*sizes[:axis], size, *sizes[axis + 1 :]))


def _reshape_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,), sizes = types, attrs.shape("sizes")
    if count(x.shape) != count(sizes):
        text = f"[{', '.join(map(str, sizes))}]"
        raise OpError(f"{x} has {count(x.shape)} elements, and {text} holds {count(sizes)}", COUNT_CODE, 0)
    return TensorType(x.dtype, sizes)


def _back_to_input(b: Builder, node: Node, g: Value) -> list[Value | None]:
    return [b.apply("reshape", g, sizes=node.inputs[0].shape)]


def _reshape_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    shape = node.out.shape
    known = tuple(dim for dim in shape if isinstance(dim, int))
    if len(known) == len(shape) - 1 and all(known):
        # One size that changes at run time: ONNX works it out, as people write it.
        return onnx.node(
            "Reshape", names[0], onnx.constant([d if isinstance(d, int) else -1 for d in shape], DType.I64)
        )
    # Without `allowzero` a 0 would mean "as in the input".
    return onnx.node(
        "Reshape", names[0], onnx.shape(shape), **({} if all(known) and len(known) == len(shape) else {"allowzero": 1})
    )


def _normal_flatten(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,), start = types, attrs["start"]
    return attrs if start == x.rank else replaced(attrs, start=one_axis("flatten", x.rank, start, x))


def _flatten_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,), start = types, attrs.int("start")
    return TensorType(x.dtype, (*x.shape[:start], count(x.shape[start:])))


def _flatten(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (x,), start = inputs, attrs.int("start")
    return b.apply("reshape", x, sizes=(*x.shape[:start], count(x.shape[start:])))


# ---------------------------------------------------------------------------------------------- transpose


def _normal_transpose(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,), axes = types, attrs["axes"]
    if axes is None:
        return replaced(attrs, axes=tuple(reversed(range(x.rank))))
    written = axes if isinstance(axes, tuple) else (axes,)
    order = tuple(one_axis("transpose", x.rank, axis, x) for axis in written)
    if sorted(order) != list(range(x.rank)):
        raise OpError(f"`transpose` needs every axis of {x} once, got {list(order)}", operand=0)
    return replaced(attrs, axes=order)


def _transpose_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    return TensorType(types[0].dtype, tuple(types[0].shape[axis] for axis in attrs.ints("axes")))


def _transpose_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    axes = node.attrs.ints("axes")
    return [b.apply("transpose", g, axes=tuple(axes.index(axis) for axis in range(len(axes))))]


def _transpose_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    axes = node.attrs.ints("axes")
    return onnx.node("Transpose", names[0], perm=axes) if axes else onnx.node("Identity", names[0])


# ---------------------------------------------------------------------------------------------- axes of size 1


def _normal_squeeze(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,), axis = types, attrs["axis"]
    if axis is None:
        return replaced(attrs, axis=tuple(i for i, size in enumerate(x.shape) if size == 1))
    return replaced(attrs, axis=several_axes("squeeze", x.rank, axis, x))


def _squeeze_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,), axes = types, attrs.ints("axis")
    for axis in axes:
        if x.shape[axis] != 1:
            raise OpError(
                f"`squeeze` takes out axes of size 1, and axis {axis} of {x} has size {x.shape[axis]}", operand=0
            )
    return TensorType(x.dtype, without(x.shape, axes))


def _normal_expand_dims(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,), axis = types, attrs["axis"]
    new = len(axis) if isinstance(axis, tuple) else 1
    if axis is None:
        raise OpError("`expand_dims` needs the position of the new axis")
    return replaced(attrs, axis=several_axes("expand_dims", x.rank + new, axis, x))


def _expand_dims_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    shape = list(types[0].shape)
    for axis in attrs.ints("axis"):
        shape.insert(axis, 1)
    return TensorType(types[0].dtype, tuple(shape))


def _axes_onnx(op_type: str) -> OnnxRule:
    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        axes = node.attrs.ints("axis")
        if not axes:
            return onnx.node("Identity", names[0])
        return onnx.node(op_type, names[0], onnx.constant(axes, DType.I64))

    return emit


# ---------------------------------------------------------------------------------------------- expand


def _normal_expand(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,), sizes = types, size_list("expand", attrs["sizes"])
    added = len(sizes) - x.rank
    kept: list[Dim] = []
    for axis, size in enumerate(sizes):
        if size == -1 and axis < added:
            raise OpError(f"`expand` keeps a size with -1, and axis {axis} is new: {x}", operand=0)
        kept.append(x.shape[axis - added] if size == -1 else size)
    return replaced(attrs, sizes=tuple(kept))


def _expand_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,), sizes = types, attrs.shape("sizes")
    if broadcast(x.shape, sizes) != sizes:
        raise OpError(f"{x} does not expand to {TensorType(x.dtype, sizes)}", operand=0)
    return TensorType(x.dtype, sizes)


def _expand_vjp(_b: Builder, _node: Node, g: Value) -> list[Value | None]:
    return [g]


def _expand_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    return onnx.node("Expand", names[0], onnx.shape(node.out.shape))


SHAPE = (
    OpDef(
        name="reshape",
        doc="""The same elements, in the same order, in another shape: ``reshape(x, sizes = [B, 28 * 28])``.

        Both shapes have equally many elements; one size may be -1, which is worked out from the others. A view where the
        elements lie in order. Gradient: reshaped back.""",
        example="y = reshape(image, [B, 28 * 28])",
        infer=_reshape_type,
        rows=reshaping,
        options=_SIZES,
        normalize=_normal_reshape,
        vjp=_back_to_input,
        kernel="reshape",
        flops=free,
        onnx=_reshape_onnx,
        view=True,
    ),
    OpDef(
        name="flatten",
        doc="""All axes from `start` on made one: f32[B, 28, 28] -> f32[B, 784].

        The batch axis is kept by default, as in Keras and PyTorch's layer; f32[B] gives f32[B, 1], as in ONNX.""",
        example="y = flatten(image)",
        infer=_flatten_type,
        options=(Option("start", "axis", 1),),
        normalize=_normal_flatten,
        decompose=_flatten,
    ),
    OpDef(
        name="transpose",
        doc="""Axes in another order: axis i of the result is axis ``axes[i]`` of the operand.

        Without `axes` the order is reversed, as in NumPy: a matrix is transposed. A view. Gradient: the order undone.""",
        example="y = transpose(seq, [0, 2, 1])",
        infer=_transpose_type,
        rows=transposing,
        options=(Option("axes", "axes"),),
        normalize=_normal_transpose,
        vjp=_transpose_vjp,
        kernel="transpose",
        flops=free,
        onnx=_transpose_onnx,
        view=True,
    ),
    OpDef(
        name="squeeze",
        doc="""Takes out axes of size 1: those of `axis` (one or a list), or all whose size is known to be 1.

        An axis of any other size is an error. A view. Gradient: the axes put back.""",
        example="y = squeeze(x[:, :1], axis = -1)",
        infer=_squeeze_type,
        rows=reshaping,
        options=(Option("axis", "axes"),),
        normalize=_normal_squeeze,
        vjp=_back_to_input,
        kernel="squeeze",
        flops=free,
        onnx=_axes_onnx("Squeeze"),
        view=True,
    ),
    OpDef(
        name="expand_dims",
        doc="""Puts in an axis of size 1 at the position `axis` of the result (or several, for a list), as in NumPy.

        A view. Gradient: the axes taken out.""",
        example="y = expand_dims(x, axis = 1)",
        infer=_expand_dims_type,
        rows=reshaping,
        options=(Option("axis", "axes", required=True),),
        normalize=_normal_expand_dims,
        vjp=_back_to_input,
        kernel="expand_dims",
        flops=free,
        onnx=_axes_onnx("Unsqueeze"),
        view=True,
    ),
    OpDef(
        name="expand",
        doc="""Repeats elements along axes of size 1 and along new leading axes: ``expand(b, sizes = [B, 10])``.

        NumPy's `broadcast_to`; -1 keeps the size an axis has. A view whose elements share memory. Gradient: the sum over
        the repeated elements.""",
        example="y = expand(expand_dims(x, axis = 1), [B, 4, 8])",
        infer=_expand_type,
        rows=filling,
        options=_SIZES,
        normalize=_normal_expand,
        vjp=_expand_vjp,
        kernel="expand",
        flops=free,
        onnx=_expand_onnx,
        view=True,
    ),
)
