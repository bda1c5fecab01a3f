"""What the goldens of training Transformer layers are about: programs, first values and batches.

Shared by `make_transformer_training.py`, which trains with PyTorch, and by the test, which trains with this project.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from training_cases import uniform

Array = npt.NDArray[np.float64]

STEPS = 20
SHAPE = (8, 5, 8)  # batch, time, features
CLASSES = 3

PROGRAM = """
dim B
model Reader {
  input  x: f64[B, 5, 8]
  output logits: f64[B, 3]
  logits = x |> enc: TransformerEncoderLayer(2, 16, dropout = 0, OPTIONS) |> mean(axis = 1) |> head: Dense(3)
}
data sequences {
  source = npz("sequences.npz")
  field x: f64[5, 8] = source["x"]
  field label: i64[] = source["label"]
}
train net {
  use net   = Reader()
  data      = sequences
  loss      = cross_entropy(net.logits, data.label)
  optimizer = OPTIMIZER
}
"""

#: Options of the layer, and the optimizer, as the language writes them.
CASES = {
    "adam": ("activation = relu", "adam(lr = 0.01)"),
    "norm-first": ("activation = gelu, norm_first = true", "adam(lr = 0.01)"),
    "causal": ("causal = true", "sgd(lr = 0.1, momentum = 0.9)"),
}

_ATTENTION = {
    f"enc.attend.{part}.{kind}": (8, 8) if kind == "weight" else (8,)
    for part in ("query", "key", "value", "out")
    for kind in ("weight", "bias")
}
SHAPES: dict[str, tuple[int, ...]] = {
    **_ATTENTION,
    "enc.up.weight": (8, 16), "enc.up.bias": (16,), "enc.down.weight": (16, 8), "enc.down.bias": (8,),
    "enc.norm1.weight": (8,), "enc.norm1.bias": (8,), "enc.norm2.weight": (8,), "enc.norm2.bias": (8,),
    "head.weight": (8, 3), "head.bias": (3,),
}  # fmt: skip


def first_values() -> dict[str, Array]:
    """Parameters before training: even in +-1/2, weights of norms around 1."""
    values = {key: uniform(shape, "transformer", key) - 0.5 for key, shape in SHAPES.items()}
    return {key: value + 1 if "norm" in key and key.endswith("weight") else value for key, value in values.items()}


def batch(step: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """The sequences and labels of one batch."""
    x = uniform(SHAPE, "transformer", "x", str(step)) * 4 - 2
    return x, np.floor(uniform(SHAPE[:1], "transformer", "label", str(step)) * CLASSES).astype(np.int64)
