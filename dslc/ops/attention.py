"""Scaled dot-product attention: every query takes a mean of values, weighted by how well the keys fit it.

Masks are added to the scores as a very low number rather than -inf, so a query that may look at no key has finite weights, which
are then set to 0.
"""

from __future__ import annotations

from math import sqrt

from dslc.ops.axes import replaced
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype
from dslc.tensor_type import DType, Shape, TensorType, broadcast

FIT_CODE = "DL2170"
MASK_CODE = "DL2171"

#: What is added to the score of a key that a query may not see: exp of it is 0 beside any other score, sums of three are finite.
_UNSEEN = {DType.F16: -(2.0**13), DType.F32: -(2.0**100), DType.F64: -(2.0**100)}

_OPTIONS = (Option("causal", "bool", False), Option("scale", "float"))


def _normalize(_: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    return attrs if attrs["scale"] is None else replaced(attrs, scale=attrs.float("scale"))


def _scores_shape(name: str, types: tuple[TensorType, ...]) -> Shape:
    """The shape [..., queries, keys] of the scores of queries with keys, the first two operands."""
    q, k = types[:2]
    for operand, x in enumerate((q, k)):
        if x.rank < 2:
            raise OpError(f"`{name}` needs tensors [..., time, features], got {x}", FIT_CODE, operand)
    if q.shape[-1] != k.shape[-1]:
        raise OpError(f"queries and keys of `{name}` have features of one size: {q} and {k}", FIT_CODE, 1)
    batch = broadcast(q.shape[:-2], k.shape[:-2])
    if batch is None:
        raise OpError(f"the leading axes of queries and keys of `{name}` do not fit: {q} and {k}", FIT_CODE, 1)
    return (*batch, q.shape[-2], k.shape[-2])


def _check_mask(name: str, scores: TensorType, mask: TensorType, operand: int) -> None:
    if mask.dtype is not DType.BOOL and mask.dtype is not scores.dtype:
        raise OpError(
            f"the mask of `{name}` is bool (true where a key may be seen) or {scores.dtype.value} (added to the scores), "
            f"not {mask}",
            MASK_CODE,
            operand,
            help="make it one with a comparison, such as `ids != 0`" if mask.dtype.is_integer else "",
        )
    if broadcast(mask.shape, scores.shape) != scores.shape:
        raise OpError(
            f"the mask of `{name}` fits the scores [..., queries, keys]: {mask} and {scores}",
            MASK_CODE,
            operand,
            help="a mask of keys, [batch, keys], needs axes for the heads and the queries: `expand_dims(mask, axis = [1, 2])`"
            if mask.rank == 2 < len(scores.shape)
            else "",
        )


def _weights_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    name = "attention_weights"
    check_kind(name, types[:2], FLOATS)
    scores = TensorType(check_same_dtype(name, types[:2]), _scores_shape(name, types))
    if len(types) == 3:
        _check_mask(name, scores, types[2], 2)
    return scores


def _attention_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    name, v = "attention", types[2]
    check_kind(name, types[:3], FLOATS)
    scores = TensorType(check_same_dtype(name, types[:3]), _scores_shape(name, types))
    if v.rank < 2 or v.shape[-2] != types[1].shape[-2]:
        raise OpError(f"`{name}` needs one value for each key: {types[1]} and {v}", FIT_CODE, 2)
    batch = broadcast(scores.shape[:-2], v.shape[:-2])
    if batch is None:
        raise OpError(f"the leading axes of keys and values of `{name}` do not fit: {types[1]} and {v}", FIT_CODE, 2)
    if len(types) == 4:
        _check_mask(name, scores, types[3], 3)
    return TensorType(v.dtype, (*batch, scores.shape[-2], v.shape[-1]))


def _scaled(b: Builder, q: Value, scale: float | None) -> Value:
    """The queries times the scale, by default 1 / sqrt(features): cheaper than scaling the scores."""
    if scale is not None:
        return b.apply("mul", q, b.constant(scale, q.dtype))
    features = q.shape[-1]
    if isinstance(features, int):
        return b.apply("mul", q, b.constant(1 / sqrt(max(features, 1)), q.dtype))
    return b.apply("mul", q, b.apply("sqrt", b.apply("divide_by_size", b.constant(1.0, q.dtype), size=features)))


def _unseen(b: Builder, scores: TensorType, mask: Value | None, causal: bool) -> list[Value]:
    """What is added to the scores, for each reason not to look at a key."""
    low, terms = _UNSEEN[scores.dtype], list[Value]()
    if mask is not None and mask.dtype is DType.BOOL:
        terms.append(b.apply("where", mask, b.constant(0.0, scores.dtype), b.constant(low, scores.dtype)))
    elif mask is not None:
        terms.append(b.apply("clip", mask, low=low, high=None))
    if causal:
        everywhere = b.apply("full", sizes=scores.shape[-2:], value=low, dtype=scores.dtype)
        terms.append(b.apply("triu", everywhere, diagonal=1))
    return terms


def _weights(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    q, k = inputs[:2]
    mask = inputs[2] if len(inputs) == 3 else None
    turned = b.apply("transpose", k, axes=(*range(k.type.rank - 2), k.type.rank - 1, k.type.rank - 2))
    scale = attrs["scale"]
    scores = b.apply("matmul", _scaled(b, q, None if scale is None else attrs.float("scale")), turned)
    terms = _unseen(b, scores.type, mask, attrs.bool("causal"))
    if not terms:
        return b.apply("softmax", scores)
    added = terms[0] if len(terms) == 1 else b.apply("add", *terms)
    weights = b.apply("softmax", b.apply("add", scores, added))
    return weights if mask is None else b.apply("mul", weights, _sees_any(b, added))


def _sees_any(b: Builder, added: Value) -> Value:
    """1 for queries that may look at some key, 0 for the others."""
    best = b.apply("max", added, axes=-1, keepdims=True)
    return b.apply("cast", b.apply("gt", best, b.constant(_UNSEEN[added.dtype] / 2, added.dtype)), dtype=added.dtype)


def _attention(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    q, k, v = inputs[:3]
    return b.apply("matmul", b.apply("attention_weights", q, k, *inputs[3:], **dict(attrs)), v)


ATTENTION = (
    OpDef(
        name="attention",
        doc="""Scaled dot-product attention: attention_weights(q, k, mask) @ v.

        Queries f32[..., T, d], keys f32[..., U, d] and values f32[..., U, e] give f32[..., T, e]: for each query a mean of the
        values, weighted by softmax(q @ k^T / sqrt(d)). `mask`, `causal` and `scale` are those of `attention_weights`. A query that
        may look at no key gets zeros, as in PyTorch's `scaled_dot_product_attention`. Source: Vaswani and others, Attention is all
        you need, 2017.""",
        example="y = attention(seq, seq, seq, causal = true)",
        infer=_attention_type,
        operands=("q", "k", "v", "mask?"),
        options=_OPTIONS,
        normalize=_normalize,
        decompose=_attention,
    ),
    OpDef(
        name="attention_weights",
        doc="""How much each query looks at each key: softmax(q @ k^T * scale) over the keys.

        Queries f32[..., T, d] and keys f32[..., U, d] give f32[..., T, U]. `scale` is 1 / sqrt(d) unless it is given.
        `mask` broadcasts against the weights. A bool one is true where a query may look at a key; one of floats is added to the
        scores, -inf where it may not. With `causal` query t sees the keys 0 to t, counted from the first of each. Masked weights
        are 0 and get no gradient; where a query may look at no key all its weights are 0.""",
        example="weights = attention_weights(seq, seq)\ny = weights @ seq",
        infer=_weights_type,
        operands=("q", "k", "mask?"),
        options=_OPTIONS,
        normalize=_normalize,
        decompose=_weights,
    ),
)
