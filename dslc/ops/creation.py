"""Operators that make a tensor from nothing: of one value, or of numbers that count up."""

from __future__ import annotations

from dslc.ops.axes import replaced
from dslc.ops.cost import free
from dslc.ops.ir import Attr, Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import DecomposeRule, OpDef, OpError, Option
from dslc.ops.rows import filling, per_element
from dslc.ops.shape import size_list
from dslc.tensor_type import Dim, DType, TensorType


def _normal_full(_: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    dtype, value = attrs.dtype("dtype"), attrs.float("value")
    typed = bool(value) if dtype is DType.BOOL else value if dtype.is_float else int(value)
    if typed != value:
        raise OpError(f"{value:g} is not a value of {dtype.value}")
    return replaced(attrs, value=typed, sizes=_sizes("full", attrs["sizes"]))


def _normal_sizes(_: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    return replaced(attrs, sizes=_sizes("full", attrs["sizes"]))


def _sizes(name: str, given: Attr) -> tuple[Dim, ...]:
    sizes = size_list(name, given)
    if -1 in sizes:
        raise OpError("a size cannot be negative: -1")
    return sizes


def _full_type(_: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    return TensorType(attrs.dtype("dtype"), attrs.shape("sizes"))


def _full_onnx(onnx: OnnxEmitter, node: Node, _: tuple[str, ...]) -> str:
    value = node.attrs["value"]
    assert isinstance(value, bool | int | float)
    return onnx.node("Expand", onnx.constant(value, node.out.dtype), onnx.shape(node.out.shape))


def _filled(value: float) -> DecomposeRule:
    def decompose(b: Builder, _: tuple[Value, ...], attrs: Attrs) -> Value:
        return b.apply("full", sizes=attrs["sizes"], value=value, dtype=attrs["dtype"])

    return decompose


def _normal_arange(_: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    sizes, dtype = _sizes("arange", attrs["size"]), attrs.dtype("dtype")
    if len(sizes) != 1:
        raise OpError(f"`arange` takes one size, not {len(sizes)}")
    if dtype is DType.BOOL:
        raise OpError("`arange` counts in numbers, not in bool", "DL2106")
    return replaced(attrs, size=sizes[0])


def _arange_type(_: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    return TensorType(attrs.dtype("dtype"), (attrs.dim("size"),))


def _arange_onnx(onnx: OnnxEmitter, node: Node, _: tuple[str, ...]) -> str:
    zero, one = (onnx.constant(n, DType.I64) for n in (0, 1))
    numbers = onnx.node("Range", zero, onnx.size(node.attrs.dim("size")), one)
    return onnx.cast(numbers, node.out.dtype)


_SIZES = Option("sizes", "sizes", required=True)
_DTYPE = Option("dtype", "dtype", DType.F32)

CREATION = (
    OpDef(
        name="full",
        doc="""A tensor of one value: ``full([2, 3], value = 0.5)``; f32 unless `dtype` says otherwise.""",
        example="y = x + full([8], value = 0.5)",
        infer=_full_type,
        rows=filling,
        operands=(),
        options=(_SIZES, Option("value", "float", required=True), _DTYPE),
        normalize=_normal_full,
        kernel="full",
        flops=free,
        onnx=_full_onnx,
    ),
    OpDef(
        name="zeros",
        doc="""A tensor of zeros: ``zeros([2, 3])``; f32 unless `dtype` says otherwise.""",
        example="y = concat(x, zeros([B, 2]), axis = -1)",
        infer=_full_type,
        operands=(),
        options=(_SIZES, _DTYPE),
        normalize=_normal_sizes,
        decompose=_filled(0.0),
    ),
    OpDef(
        name="ones",
        doc="""A tensor of ones: ``ones([2, 3])``; f32 unless `dtype` says otherwise.""",
        example="y = concat(x, ones([B, 1]), axis = -1)",
        infer=_full_type,
        operands=(),
        options=(_SIZES, _DTYPE),
        normalize=_normal_sizes,
        decompose=_filled(1.0),
    ),
    OpDef(
        name="arange",
        doc="""The numbers 0, 1, 2 and so on, as many as the size says; f32 unless `dtype` says otherwise.

        The size may be one that is known at run time only: `arange(T)` numbers the steps of a sequence.""",
        example="late = arange(T) / 10",
        infer=_arange_type,
        rows=per_element(),
        operands=(),
        options=(Option("size", "sizes", required=True), _DTYPE),
        normalize=_normal_arange,
        kernel="arange",
        flops=free,
        onnx=_arange_onnx,
    ),
)
