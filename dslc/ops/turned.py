"""A matrix product whose axes come in another order, as the NumPy engine runs it.

BLAS writes rows that lie apart as fast as rows that do not. So a product whose axes would be exchanged by a copy, as those of the
heads of an attention are, is computed where the copy would have been. A pass puts it there; no program calls it, and no export
sees it.
"""

from __future__ import annotations

from dslc.ops.cost import product
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.linalg import matmul_type
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.tensor_type import TensorType


def _turned_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    made, axes = matmul_type(types, attrs), attrs.ints("axes")
    if sorted(axes) != list(range(made.rank)):
        raise OpError(f"`matmul_turned` needs every axis of {made} once, got {list(axes)}")
    return TensorType(made.dtype, tuple(made.shape[axis] for axis in axes))


def _turned(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    return b.apply("transpose", b.apply("matmul", *inputs), axes=attrs.ints("axes"))


TURNED = (
    OpDef(
        name="matmul_turned",
        doc="""`matmul` with its axes in another order: axis i of the result is axis ``axes[i]`` of the product.""",
        infer=_turned_type,
        operands=("a", "b"),
        options=(Option("axes", "axes", required=True),),
        decompose=_turned,
        kernel="matmul_turned",
        flops=product,
        call=False,
    ),
)
