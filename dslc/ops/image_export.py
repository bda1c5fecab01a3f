"""What ONNX has one operator for and a graph has several: biased convolutions, pools of whole images, images made larger.

`passes.image_forms` puts them into graphs to be exported. Source: the ONNX operators Conv-11, ConvTranspose-11,
GlobalAveragePool-1, GlobalMaxPool-1 and Resize-18.
"""

from __future__ import annotations

from dslc.ops.axes import without
from dslc.ops.conv import CONV
from dslc.ops.ir import Attrs, Node, OnnxEmitter
from dslc.ops.opdef import OpDef, Option
from dslc.tensor_type import DType, TensorType

_CONVOLUTIONS = {opdef.name: opdef for opdef in CONV}
#: Convolutions -> the same with a number added to each channel of the result, the third operand.
BIASED = {"conv": "conv_bias", "conv_input_grad": "conv_input_grad_bias"}
#: Reductions over all axes behind the channels -> the pool.
GLOBAL = {"mean": "global_mean", "max": "global_max"}


def _biased(name: str) -> OpDef:
    plain = _CONVOLUTIONS[name]
    assert plain.onnx is not None
    return OpDef(
        name=BIASED[name],
        doc=f"""`{name}` and then a number added to each channel, as ONNX's operator has it.""",
        infer=lambda types, attrs: plain.infer(types[:2], attrs),
        operands=(*plain.operands, "bias"),
        options=plain.options,
        onnx=plain.onnx,
        export_only=True,
        call=False,
    )


def _global(name: str, op_type: str) -> OpDef:
    def infer(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
        return TensorType(types[0].dtype, without(types[0].shape, tuple(range(2, types[0].rank))))

    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        pooled = onnx.node(op_type, names[0])
        return onnx.node("Squeeze", pooled, onnx.constant(range(2, node.inputs[0].type.rank), DType.I64))

    return OpDef(
        name=GLOBAL[name],
        doc=f"""`{name}` of every channel, ONNX's {op_type}: what a pool of whole images is in an exported graph.""",
        infer=infer,
        onnx=emit,
        export_only=True,
        call=False,
    )


def _repeated_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    shape = types[0].shape
    return TensorType(
        types[0].dtype, tuple(size * times for size, times in zip(shape, attrs.ints("scale"), strict=True))
    )


def _emit_repeated(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    scales = onnx.constant([float(times) for times in node.attrs.ints("scale")], DType.F32)
    form = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return onnx.node("Resize", names[0], "", scales, **form)


REPEATED = OpDef(
    name="repeated",
    doc="""Every element several times along each axis, `scale` times: ONNX's Resize to the nearest.""",
    infer=_repeated_type,
    options=(Option("scale", "counts", required=True),),
    onnx=_emit_repeated,
    export_only=True,
    call=False,
)

IMAGE_EXPORT = (
    REPEATED,
    _biased("conv"),
    _biased("conv_input_grad"),
    _global("mean", "GlobalAveragePool"),
    _global("max", "GlobalMaxPool"),
)
