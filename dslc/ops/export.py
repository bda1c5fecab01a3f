"""ONNX rules that operators share: one node of opset 18 per operator, with the casts that ONNX Runtime's kernels need."""

from __future__ import annotations

from dslc.ops.ir import Node, OnnxEmitter
from dslc.ops.opdef import OnnxRule
from dslc.tensor_type import DType

_NARROW = (DType.I8, DType.U8)


def single(op_type: str, **options: str) -> OnnxRule:
    """One ONNX node; ``single("LeakyRelu", alpha="slope")`` passes the attribute `slope` as `alpha`."""

    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        return onnx.node(op_type, *names, **{theirs: node.attrs.float(ours) for theirs, ours in options.items()})

    return emit


def widened(rule: OnnxRule) -> OnnxRule:
    """`rule` with 8-bit integers computed as i32: ONNX Runtime has no 8-bit kernels for arithmetic.

    The result is cast back, and wraps around as NumPy's does.
    """

    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        narrow = [value.dtype in _NARROW for value in node.inputs]
        if not any(narrow):
            return rule(onnx, node, names)
        wide = tuple(
            onnx.cast(name, DType.I32) if is_narrow else name for name, is_narrow in zip(names, narrow, strict=True)
        )
        result = rule(onnx, node, wide)
        return onnx.cast(result, node.out.dtype) if node.out.dtype in _NARROW else result

    return emit
