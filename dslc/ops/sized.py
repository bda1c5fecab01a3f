"""The operator that holds sizes against others when they are known: what a declared type claims and types cannot prove."""

from __future__ import annotations

from dslc.ops.cost import free
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import claiming
from dslc.tensor_type import TensorType


def _sized_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,), sizes = types, attrs.shape("sizes")
    if len(sizes) != x.rank:
        raise OpError(f"{x} has {x.rank} axes, and {len(sizes)} sizes are claimed")
    return TensorType(x.dtype, sizes)


def _sized_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    return [b.apply("sized", g, sizes=node.inputs[0].shape, claim=node.attrs["claim"])]


def _sized_onnx(onnx: OnnxEmitter, _: Node, names: tuple[str, ...]) -> str:
    return onnx.node("Identity", names[0])


SIZED = (
    OpDef(
        name="sized",
        doc="""The operand, whose sizes are claimed to be `sizes`: a program refuses run-time sizes for which they are not.

        `claim` says who claims it, for the message. A view. Gradient: passes through.""",
        infer=_sized_type,
        rows=claiming,
        options=(Option("sizes", "sizes", required=True), Option("claim", "string", required=True)),
        vjp=_sized_vjp,
        kernel="sized",
        onnx=_sized_onnx,
        view=True,
        flops=free,
        call=False,
    ),
)
