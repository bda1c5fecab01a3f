"""A matrix product added to a matrix, in the memory of that matrix, as the NumPy engine updates weights.

BLAS adds products to what memory holds. So a weight from which only a multiple of its gradient is taken, where that is a product,
needs no memory for the gradient and one pass over the weight. A pass puts it there; no program calls it, and no export sees it.
"""

from __future__ import annotations

from dslc.ops.cost import added_product
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, OpError
from dslc.ops.rules import check_kind, check_same_dtype
from dslc.tensor_type import DType, TensorType

_TYPES = frozenset({DType.F32, DType.F64})


def _gemm_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    c, a, b, alpha, beta = types
    check_kind("gemm", types, _TYPES)
    check_same_dtype("gemm", types)
    if not a.rank == b.rank == 2 or a.shape[1] != b.shape[0] or c.shape != (a.shape[0], b.shape[1]):
        raise OpError(f"`gemm` needs matrices c[m, n], a[m, k] and b[k, n], got {c}, {a} and {b}")
    if alpha.rank or beta.rank:
        raise OpError(f"`gemm` needs scalars alpha and beta, got {alpha} and {beta}")
    return c


def _gemm(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    c, left, right, alpha, beta = inputs
    product = b.apply("mul", alpha, b.apply("matmul", left, right))
    return b.apply("add", b.apply("mul", beta, c), product)


GEMM = (
    OpDef(
        name="gemm",
        doc="""beta * c + alpha * (a @ b) for matrices c[m, n], a[m, k] and b[k, n] and scalars alpha and beta, all f32 or all f64.

        A nan or an infinity in an operand is in the result even where alpha or beta is 0, as the formula has it; BLAS would not
        look. The name and the order of the letters are those of the standard: Dongarra et al., "A set of level 3 basic linear
        algebra subprograms", 1990.""",
        infer=_gemm_type,
        operands=("c", "a", "b", "alpha", "beta"),
        decompose=_gemm,
        kernel="gemm",
        inplace=(0,),
        flops=added_product,
        call=False,
    ),
)
