"""What the goldens of trained word vectors are about: a large table of which every batch reads few rows, some of them often.

Shared by `make_sparse_rows.py`, which trains with PyTorch, and by the tests, which train with this project. Needs NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from training_cases import uniform

Array = npt.NDArray[Any]

STEPS = 20
BATCH, WORDS, ROWS, COLUMNS, CLASSES = 6, 5, 13_000, 8, 3
READ = np.arange(40) * 317 % ROWS  # the rows that batches read

PROGRAM = """
dim B
model Words {
  input  words: i64[B, 5]
  output scores: f64[B, 3]
  param table: f64[13_000, 8] = normal()
  scores = mean(gather(table, words), axes = 1) |> head: Dense(3)
}
data texts {
  source = npz("unused.npz")
  field words: i64[5]  = source["words"]
  field label: i64[]   = source["label"]
}
train words {
  use net   = Words()
  data      = texts
  loss      = cross_entropy(net.scores, data.label)
  optimizer = OPTIMIZER
  batch     = 6
}
"""

#: Optimizers as programs write them.
OPTIMIZERS = {
    "sgd": "sgd(lr = 0.5)",
    "adagrad": "adagrad(lr = 0.1)",
    "adagrad slowing": "adagrad(lr = 0.1, lr_decay = 0.1, initial = 0.01)",
    "momentum": "sgd(lr = 0.5, momentum = 0.9)",
    "adam": "adam(lr = 0.01)",
}
#: Those that leave rows alone that a batch does not read.
FEW_ROWS = ("sgd", "adagrad", "adagrad slowing")
SHAPES = {"table": (ROWS, COLUMNS), "head.weight": (COLUMNS, CLASSES), "head.bias": (CLASSES,)}


def first_values() -> dict[str, Array]:
    """The parameters before the first step."""
    return {key: uniform(shape, "words", key) - 0.5 for key, shape in SHAPES.items()}


def batch(step: int) -> dict[str, Array]:
    """Words, of which a few are frequent, and labels."""
    generator = np.random.default_rng(step)
    words = READ[generator.zipf(1.3, (BATCH, WORDS)) % READ.size]
    return {"words": words, "label": words[:, 0] % CLASSES}
