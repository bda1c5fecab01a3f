"""Type rules that operators share: operand types and attributes -> the result's type, or `OpError` in plain words.

Every rule is made for one operator by name (``elementwise("add")``), so that its message can say which one complains. Rules know
nothing of spans, graphs or kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dslc.ops.ir import Attr, Attrs
from dslc.ops.opdef import InferRule, NormalizeRule, OpError
from dslc.tensor_type import DType, Shape, TensorType, broadcast

FLOATS = frozenset(dtype for dtype in DType if dtype.is_float)
INTEGERS = frozenset(dtype for dtype in DType if dtype.is_integer)
NUMBERS = FLOATS | INTEGERS
SIGNED = NUMBERS - {DType.U8}
BOOLS = frozenset({DType.BOOL})
ANY = frozenset(DType)

MIX_CODE = "DL2003"
KIND_CODE = "DL2106"
RANGE_CODE = "DL2107"

_WORDS = {
    FLOATS: "floating-point values",
    INTEGERS: "integers",
    NUMBERS: "numbers",
    SIGNED: "signed numbers",
    BOOLS: "bool values",
}


def check_kind(name: str, operands: Sequence[TensorType], allowed: frozenset[DType]) -> None:
    """Refuse an operand whose element type the operator does not work on.

    Raises:
        OpError: it names the operand's type and, where a cast would do, how to write it.
    """
    for position, operand in enumerate(operands):
        if operand.dtype in allowed:
            continue
        words = _WORDS.get(allowed, " or ".join(dtype.value for dtype in DType if dtype in allowed))
        castable = (operand.dtype.is_integer or operand.dtype is DType.BOOL) and allowed == FLOATS
        raise OpError(
            f"`{name}` needs {words}, got {operand}",
            KIND_CODE,
            position,
            help="convert it with `cast(..., f32)`" if castable else "",
        )


def check_same_dtype(name: str, operands: Sequence[TensorType]) -> DType:
    """The element type all operands share; types never mix silently.

    Raises:
        OpError: two of them differ; both types are named.
    """
    first = operands[0]
    for position, operand in enumerate(operands):
        if operand.dtype is first.dtype:
            continue
        target = first.dtype if first.dtype.is_float or not operand.dtype.is_float else operand.dtype
        raise OpError(
            f"`{name}` does not mix element types: {first} and {operand}",
            MIX_CODE,
            position,
            # For operators written as symbols `check` shows the mended expression.
            help=f"convert one of them with `cast(..., {target.value})`" if name.isidentifier() else "",
        )
    return first.dtype


def broadcast_shape(name: str, operands: Sequence[TensorType]) -> Shape:
    """The shape NumPy's broadcasting gives.

    Raises:
        OpError: two sizes of one axis are neither equal nor 1; both operands and the sizes are named.
    """
    shape: Shape = ()
    for position, operand in enumerate(operands):
        joined = broadcast(shape, operand.shape)
        if joined is None:
            first = operands[0] if position == 1 else TensorType(operand.dtype, shape)
            raise OpError(
                f"shapes do not fit `{name}`: {first} and {operand}{_clash(shape, operand.shape)}", operand=position
            )
        shape = joined
    return shape


def _clash(left: Shape, right: Shape) -> str:
    """Which axis keeps two shapes from broadcasting, counted from the end because that is how they are aligned."""
    for axis in range(-1, -min(len(left), len(right)) - 1, -1):
        a, b = left[axis], right[axis]
        if broadcast((a,), (b,)) is None:
            return f" (axis {axis}: {a} and {b})"
    return ""


def elementwise(name: str, allowed: frozenset[DType] = NUMBERS, result: DType | None = None) -> InferRule:
    """Operands of one element type, broadcast together; the result has that type, or `result` (comparisons)."""

    def infer(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
        check_kind(name, types, allowed)
        dtype = check_same_dtype(name, types)
        return TensorType(result or dtype, broadcast_shape(name, types))

    return infer


def same_float(name: str) -> InferRule:
    """`elementwise` for operators that exist on floating-point values only (`exp`, `tanh`)."""
    return elementwise(name, FLOATS)


def float_options(*names: str, check: Callable[[Attrs], str] | None = None) -> NormalizeRule:
    """Options that are real numbers: an integer given for one becomes a float, so that equal nodes are equal.

    `check` says what is wrong with the values, or "".
    """

    def normalize(_: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        items: dict[str, Attr] = dict(attrs)
        for name in names:
            items[name] = attrs.float(name)
        result = Attrs(items)
        problem = check(result) if check is not None else ""
        if problem:
            raise OpError(problem, RANGE_CODE)
        return result

    return normalize
