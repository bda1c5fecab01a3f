"""Operators on the triangles of matrices, and the mask of attention made of one.

A matrix is the last two axes; the axes before them are a batch. The diagonal is that of the upper left corner.
"""

from __future__ import annotations

from math import inf

from dslc.ops.cost import free
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import InferRule, OnnxRule, OpDef, OpError, Option, VjpRule
from dslc.ops.rows import matrices
from dslc.ops.rules import FLOATS, NUMBERS, check_kind
from dslc.tensor_type import DType, TensorType

_DIAGONAL = (Option("diagonal", "int", 0),)


def _matrices(name: str, allowed: frozenset[DType]) -> InferRule:
    """The operand's own type; it has at least two axes."""

    def infer(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
        check_kind(name, types, allowed)
        if types[0].rank < 2:
            raise OpError(f"`{name}` needs a matrix, or a batch of them, got {types[0]}", operand=0)
        return types[0]

    return infer


def _same_triangle(name: str) -> VjpRule:
    """The gradient of what is kept; of the zeros there is none."""

    def vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
        return (b.apply(name, g, diagonal=node.attrs["diagonal"]),)

    return vjp


def _trilu(upper: int) -> OnnxRule:
    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        # ONNX Runtime has it for f32, f64 and i64.
        wide = {DType.F16: DType.F32, DType.I8: DType.I64, DType.U8: DType.I64, DType.I32: DType.I64}.get(
            node.out.dtype
        )
        x = names[0] if wide is None else onnx.cast(names[0], wide)
        cut = onnx.node("Trilu", x, onnx.constant(node.attrs.int("diagonal"), DType.I64), upper=upper)
        return cut if wide is None else onnx.cast(cut, node.out.dtype)

    return emit


def _causal_mask(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    (scores,) = inputs
    ones = b.apply("full", sizes=scores.shape[-2:], value=1.0, dtype=scores.dtype)
    later = b.apply("gt", b.apply("triu", ones, diagonal=1), b.constant(0.0, scores.dtype))
    return b.apply("where", later, b.constant(-inf, scores.dtype), scores)


TRIANGLE = (
    OpDef(
        name="tril",
        doc="""The lower triangle of a matrix: elements above the diagonal are 0.

        `diagonal` moves the border: 1 keeps one more diagonal, -1 one less. As in PyTorch; NumPy calls it `k`.
        Gradient: the lower triangle of g.""",
        example="y = tril(x, diagonal = -1)",
        infer=_matrices("tril", NUMBERS),
        rows=matrices,
        options=_DIAGONAL,
        vjp=_same_triangle("tril"),
        kernel="tril",
        flops=free,
        onnx=_trilu(upper=0),
        inplace=(0,),
    ),
    OpDef(
        name="triu",
        doc="""The upper triangle of a matrix: elements below the diagonal are 0.

        `diagonal` moves the border: 1 keeps one diagonal less, -1 one more. As in PyTorch; NumPy calls it `k`.
        Gradient: the upper triangle of g.""",
        example="y = triu(x, diagonal = 1)",
        infer=_matrices("triu", NUMBERS),
        rows=matrices,
        options=_DIAGONAL,
        vjp=_same_triangle("triu"),
        kernel="triu",
        flops=free,
        onnx=_trilu(upper=1),
        inplace=(0,),
    ),
    OpDef(
        name="causal_mask",
        doc="""Attention scores with -inf above the diagonal, so that no step attends to a later one.

        Scores are f32[..., queries, keys]: key u of query t is kept where u <= t, counted from the first of each, so a
        softmax over the keys never meets a row of -inf alone. Gradient: g where the score is kept, 0 elsewhere.""",
        example="y = softmax(causal_mask(seq @ transpose(seq, [0, 2, 1])), axis = -1)",
        infer=_matrices("causal_mask", FLOATS),
        operands=("scores",),
        decompose=_causal_mask,
    ),
)
