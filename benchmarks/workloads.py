"""The workloads: a train block of a program, and what one batch of it holds. Plain data; the same for every stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Make: TypeAlias = Callable[[np.random.Generator, int], Array]

PROGRAMS = Path(__file__).parent / "programs"

# So small that thousands of steps on one batch leave the loss where it is. A batch learnt by heart has gradients that are
# subnormal numbers, on which a processor is twenty times slower.
RATE = 1e-6


@dataclass(frozen=True, slots=True)
class Workload:
    """One training step.

    Attributes:
        title: what is trained, for the table.
        program, train: a file in `programs/` without its ending, and the train block in it.
        optimizer: that of the train block, for the other stacks: "sgd", "momentum" or "adam".
        rows: samples per step.
        batch: what makes the array of each field.
        goal: the ratio against PyTorch's default eager step that is asked for.
        dropout: the setting that switches dropout, for comparing gradients; "" where there is none.
    """

    title: str
    program: str
    train: str
    optimizer: str
    rows: int
    batch: Mapping[str, Make]
    goal: float
    dropout: str = ""

    def data(self) -> dict[str, Array]:
        """One batch by field."""
        return {
            name: make(np.random.Generator(np.random.Philox(number)), self.rows)
            for number, (name, make) in enumerate(self.batch.items())
        }


def normal(*shape: int) -> Make:
    """Standard normal numbers."""
    return lambda generator, rows: generator.standard_normal((rows, *shape), np.float32)


def pixels(*shape: int) -> Make:
    """Grey values of which four fifths are background, as in MNIST."""

    def make(generator: np.random.Generator, rows: int) -> Array:
        image = generator.random((rows, *shape), np.float32)
        return image * (generator.random(image.shape) < 0.2)

    return make


def ids(below: int, *shape: int) -> Make:
    """Whole numbers from 0."""
    return lambda generator, rows: generator.integers(0, below, (rows, *shape))


def truth_table(field: str) -> Make:
    """The four rows of exclusive or."""
    columns = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]}
    return lambda _generator, _rows: np.array(columns[field], np.float32)


_DIGITS = {"image": pixels(1, 28, 28), "label": ids(10)}
_PHOTOS = {"image": normal(3, 32, 32), "label": ids(10)}
_VECTORS = {"image": pixels(784), "label": ids(10)}
_WIDE = {"x": normal(1024), "label": ids(10)}
_P = "train.adam.net.p"

WORKLOADS = {
    "xor": Workload(
        "XOR 2-8-1, batch 4, SGD", "xor", "sgd", "sgd", 4, {"x": truth_table("x"), "y": truth_table("y")}, 10.0
    ),
    "mlp32": Workload("MNIST MLP 784-128-10, dropout, b32, Adam", "mnist_mlp", "adam", "adam", 32, _VECTORS, 1.7, _P),
    "mlp256": Workload(
        "MNIST MLP 784-128-10, dropout, b256, Adam", "mnist_mlp", "adam", "adam", 256, _VECTORS, 1.8, _P
    ),
    "cnn32": Workload("MNIST CNN 32-64-64-10, b32, Adam", "mnist_cnn", "adam", "adam", 32, _DIGITS, 1.4),
    "cnn128": Workload("MNIST CNN 32-64-64-10, b128, Adam", "mnist_cnn", "adam", "adam", 128, _DIGITS, 1.0),
    "cifar4": Workload("CIFAR LeNet-like, b4, momentum", "cifar", "momentum", "momentum", 4, _PHOTOS, 1.6),
    "cifar64": Workload("CIFAR LeNet-like, b64, momentum", "cifar", "momentum", "momentum", 64, _PHOTOS, 0.7),
    "lstm28": Workload(
        "LSTM 64-64, 28 steps, b32, Adam", "lstm", "short", "adam", 32, {"x": normal(28, 28), "label": ids(10)}, 1.25
    ),
    "lstm100": Workload(
        "LSTM 64-64, 100 steps, b32, Adam", "lstm", "long", "adam", 32, {"x": normal(100, 32), "label": ids(10)}, 0.85
    ),
    "transformer": Workload(
        "Transformer layer, 64 steps, d 128, b16, Adam",
        "transformer",
        "adam",
        "adam",
        16,
        {"x": normal(64, 128), "target": normal(64, 128)},
        0.95,
    ),
    "wide_sgd": Workload("MLP 1024-4096-4096-10, b256, SGD", "wide_mlp", "sgd", "sgd", 256, _WIDE, 0.95),
    "wide_adam": Workload("MLP 1024-4096-4096-10, b256, Adam", "wide_mlp", "adam", "adam", 256, _WIDE, 0.95),
    "text": Workload(
        "embedding + LSTM, 50 words, b32, Adam",
        "text",
        "adam",
        "adam",
        32,
        {"tokens": ids(10_000, 50), "label": ids(5)},
        1.2,
    ),
    "mgu": Workload(
        "a cell of one's own (MGU), 100 steps, b32, Adam",
        "mgu",
        "adam",
        "adam",
        32,
        {"x": normal(100, 40), "label": ids(12)},
        2.0,
    ),
}
