"""The layers around attention that are compared with PyTorch: how a program makes and applies them, and to tensors of what shapes.

`mask` is bool, all others are floats.
"""

from __future__ import annotations

from dataclasses import dataclass

Shapes = dict[str, tuple[int, ...]]

SEQUENCE: Shapes = {"x": (3, 5, 8)}
PADDED: Shapes = {"x": (3, 5, 8), "mask": (3, 5)}
CROSS: Shapes = {"x": (3, 4, 8), "memory": (3, 6, 8)}
CROSS_PADDED: Shapes = {**CROSS, "mask": (3, 6)}
HEADS: Shapes = {"x": (2, 3, 4, 6), "k": (2, 3, 5, 6), "v": (2, 3, 5, 7)}


@dataclass(frozen=True, slots=True)
class Case:
    """One application.

    Attributes:
        value: what `y` is; `it` is the layer.
        shapes: of the inputs, by name.
        layer: the layer, "" for a function.
    """

    value: str
    shapes: Shapes
    layer: str = ""


CASES: dict[str, Case] = {
    "function": Case("attention(x, k, v)", HEADS),
    "function-causal": Case("attention(x, k, v, causal = true)", HEADS),
    "function-masked": Case("attention(x, k, v, mask)", {**HEADS, "mask": (2, 1, 1, 5)}),
    "function-added": Case("attention(x, k, v, bias, scale = 0.3)", {**HEADS, "bias": (4, 5)}),
    "function-blind": Case("attention(x, k, v, mask)", {**HEADS, "mask": (4, 5)}),
    "self": Case("it(x)", SEQUENCE, "MultiHeadAttention(2)"),
    "self-one-step": Case("it(x)", {"x": (2, 1, 8)}, "MultiHeadAttention(4)"),
    "self-without-bias": Case("it(x)", SEQUENCE, "MultiHeadAttention(4, bias = false)"),
    "self-causal": Case("it(x)", SEQUENCE, "MultiHeadAttention(2, causal = true)"),
    "self-padded": Case("it(x, mask = mask)", PADDED, "MultiHeadAttention(2)"),
    "self-causal-padded": Case("it(x, mask = mask)", PADDED, "MultiHeadAttention(2, causal = true)"),
    "cross": Case("it(x, memory)", CROSS, "MultiHeadAttention(2)"),
    "cross-padded": Case("it(x, memory, mask)", CROSS_PADDED, "MultiHeadAttention(2)"),
    "cross-of-another-width": Case("it(x, memory)", {"x": (3, 4, 8), "memory": (3, 6, 5)}, "MultiHeadAttention(2)"),
    "encoder": Case("it(x)", SEQUENCE, "TransformerEncoderLayer(2, 16, dropout = 0)"),
    "encoder-gelu": Case("it(x)", SEQUENCE, "TransformerEncoderLayer(2, 16, dropout = 0, activation = gelu)"),
    "encoder-norm-first": Case(
        "it(x)", SEQUENCE, "TransformerEncoderLayer(4, 16, dropout = 0, activation = gelu, norm_first = true)"
    ),
    "encoder-padded": Case("it(x, mask)", PADDED, "TransformerEncoderLayer(2, 16, dropout = 0)"),
    "encoder-causal": Case("it(x)", SEQUENCE, "TransformerEncoderLayer(2, 16, dropout = 0, causal = true)"),
    "decoder": Case("it(x, memory)", CROSS, "TransformerDecoderLayer(2, 16, dropout = 0)"),
    "decoder-norm-first": Case(
        "it(x, memory)", CROSS, "TransformerDecoderLayer(2, 16, dropout = 0, norm_first = true, causal = false)"
    ),
    "decoder-padded": Case(
        "it(x, memory, memory_mask = mask)", CROSS_PADDED, "TransformerDecoderLayer(2, 16, dropout = 0)"
    ),
    "sinusoids": Case("it(x)", {"x": (2, 9, 6)}, "SinusoidalPositions()"),
    "learned-positions": Case("it(x)", SEQUENCE, "LearnedPositions(7)"),
    "highway": Case("it(x)", SEQUENCE, "Highway(activation = tanh)"),
    "glu": Case("it(x)", SEQUENCE, "GLU(3)"),
    "swiglu": Case("it(x)", SEQUENCE, "GLU(3, activation = silu, bias = false)"),
    "residual": Case("it(x)", SEQUENCE, "Residual(Dense(8))"),
}
