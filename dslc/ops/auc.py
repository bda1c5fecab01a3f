"""Area under the ROC curve: how often a true row is scored above a false one."""

from __future__ import annotations

from dslc.ops.cost import per_operand
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.metric import check_truths, is_true
from dslc.ops.opdef import OpDef, OverPart, at_once
from dslc.ops.rows import meeting
from dslc.tensor_type import DType, TensorType


def _auc_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    check_truths("auc", types)
    return TensorType(DType.F32)


def _parts(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    """A row for every score: itself, and 1 or 0."""
    scores, label = inputs
    columns = (b.apply("cast", value, dtype=DType.F64) for value in (scores, is_true(b, label)))
    return b.apply("stack", *(b.apply("reshape", column, sizes=(-1,)) for column in columns), axis=1)


def _finish(b: Builder, rows: Value, _: Attrs) -> Value:
    return b.apply("roc_area", rows)


def _area_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    return TensorType(types[0].dtype)


def _area_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (rows,), dtype = names, node.out.dtype
    scores, truth = (onnx.node("Gather", rows, onnx.constant([i], DType.I64), axis=1) for i in range(2))
    across = onnx.node("Transpose", scores, perm=[1, 0])
    above, level = (onnx.cast(onnx.node(op, scores, across), dtype) for op in ("Greater", "Equal"))
    wins = onnx.node("Add", above, onnx.node("Mul", level, onnx.constant(0.5, dtype)))
    false = onnx.node("Sub", onnx.constant(1.0, dtype), truth)
    won = onnx.node("Mul", truth, onnx.node("MatMul", wins, false))
    total, trues, falses = (onnx.node("ReduceSum", x, keepdims=0) for x in (won, truth, false))
    area = onnx.node("Div", total, onnx.node("Mul", trues, falses))
    lost = onnx.node(
        "ReduceSum", onnx.node("Where", onnx.node("IsNaN", scores), scores, onnx.constant(0.0, dtype)), keepdims=0
    )
    return onnx.node("Add", area, lost)


_OVER = OverPart(_parts, _finish, joined="rows")

AUC = (
    OpDef(
        name="auc",
        doc="""Area under the ROC curve: the share of pairs of a true and a false row in which the true one scores higher, as f32.

        A pair of equal scores counts half. The label has the scores' shape and is bool, 0 or 1 (at least 0.5 counts as 1 among
        floats); logits and probabilities give the same. nan where all labels are equal, as there is no pair, and where a score
        is nan. Over a part of the data all its pairs count. scikit-learn: `roc_auc_score`. No gradient.""",
        example="metrics = { auc: auc(net.logits[:, 0], data.yes) }",
        infer=_auc_type,
        operands=("scores", "label"),
        decompose=at_once(_OVER, _auc_type),
        differentiable=False,
        over_part=_OVER,
    ),
    OpDef(
        name="roc_area",
        doc="""`auc` of rows of a score and 1 or 0: f64[N, 2] -> f64[].

        By sorting; ONNX compares every pair.""",
        infer=_area_type,
        rows=meeting(0),
        operands=("rows",),
        kernel="roc_area",
        flops=per_operand(),
        onnx=_area_onnx,
        call=False,
    ),
)
