"""What the training goldens are about: programs, first values, batches, and which elements are compared.

Shared by `make_training.py`, which trains with PyTorch and stores what came out, and by the tests, which train with this
project. Needs NumPy alone. Numbers come from Philox, whose bits no version of NumPy changes, so nothing of this is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

STEPS = 20
SAMPLED = 200  # elements compared of each tensor; three random projections stand for the rest


@dataclass(frozen=True, slots=True)
class Net:
    """A network of Dense layers.

    Attributes:
        program: its text; TYPE and OPTIMIZER are filled in.
        shapes: parameters by key, in the order of the program.
    """

    program: str
    shapes: Mapping[str, tuple[int, ...]]
    batch: int


MNIST = Net(
    """
dim B
model MLP {
  input  image: TYPE[B, 28, 28]
  output logits: TYPE[B, 10]
  logits = image |> flatten |> fc1: Dense(128) |> relu |> fc2: Dense(10)
}
data digits {
  source = npz("digits.npz")
  field image: TYPE[28, 28] = source["image"]
  field label: i64[] = source["label"]
}
train net {
  use net   = MLP()
  data      = digits
  loss      = cross_entropy(net.logits, data.label)
  optimizer = OPTIMIZER
}
""",
    {"fc1.weight": (784, 128), "fc1.bias": (128,), "fc2.weight": (128, 10), "fc2.bias": (10,)},
    32,
)

XOR = Net(
    """
dim B
model Xor {
  input  x: TYPE[B, 2]
  output p: TYPE[B, 1]
  p = x |> hidden: Dense(8) |> tanh |> out: Dense(1) |> sigmoid
}
data table {
  source = npz("table.npz")
  field x: TYPE[2] = source["x"]
  field y: TYPE[1] = source["y"]
}
train net {
  use net   = Xor()
  data      = table
  loss      = mse(net.p, data.y)
  optimizer = OPTIMIZER
}
""",
    {"hidden.weight": (2, 8), "hidden.bias": (8,), "out.weight": (8, 1), "out.bias": (1,)},
    4,
)

NETS = {"mnist": MNIST, "xor": XOR}

# Name -> as the language writes it, and PyTorch's class and options (or a class of `make_training.py`, where PyTorch has none).
OPTIMIZERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sgd": ("sgd(lr = 0.1)", "SGD", {"lr": 0.1}),
    "momentum": ("sgd(lr = 0.05, momentum = 0.9)", "SGD", {"lr": 0.05, "momentum": 0.9}),
    "nesterov": (
        "sgd(lr = 0.05, momentum = 0.8, nesterov = true)",
        "SGD",
        {"lr": 0.05, "momentum": 0.8, "nesterov": True},
    ),
    "decay": (
        "sgd(lr = 0.05, momentum = 0.9, weight_decay = 0.01)",
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01},
    ),
    "adam": ("adam()", "Adam", {}),
    "adam_options": (
        "adam(lr = 0.01, beta1 = 0.8, beta2 = 0.95, eps = 1e-6, weight_decay = 0.02)",
        "Adam",
        {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.02},
    ),
    "adamw": ("adamw(lr = 0.02, weight_decay = 0.1)", "AdamW", {"lr": 0.02, "weight_decay": 0.1}),
    "nadam": ("nadam(lr = 0.005)", "NAdam", {"lr": 0.005}),
    "nadam_options": (
        "nadam(lr = 0.01, beta1 = 0.8, beta2 = 0.95, eps = 1e-6, momentum_decay = 0.5, weight_decay = 0.02)",
        "NAdam",
        {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6, "momentum_decay": 0.5, "weight_decay": 0.02},
    ),
    "rmsprop": ("rmsprop(lr = 0.003)", "RMSprop", {"lr": 0.003}),
    "rmsprop_options": (
        "rmsprop(lr = 0.002, alpha = 0.9, eps = 1e-6, momentum = 0.5, centered = true, weight_decay = 0.02)",
        "RMSprop",
        {"lr": 0.002, "alpha": 0.9, "eps": 1e-6, "momentum": 0.5, "centered": True, "weight_decay": 0.02},
    ),
    "rmsprop_inside": (
        "rmsprop(lr = 0.002, alpha = 0.9, eps = 1e-4, eps_inside = true)",
        "RMSpropInside",
        {"lr": 0.002, "alpha": 0.9, "eps": 1e-4},
    ),
    "adagrad": ("adagrad(lr = 0.02)", "Adagrad", {"lr": 0.02}),
    "adagrad_options": (
        "adagrad(lr = 0.05, lr_decay = 0.1, initial = 0.2, eps = 1e-6, weight_decay = 0.02)",
        "Adagrad",
        {"lr": 0.05, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "eps": 1e-6, "weight_decay": 0.02},
    ),
    "adadelta": ("adadelta()", "Adadelta", {"lr": 1.0}),
    "lion": ("lion(lr = 0.001, weight_decay = 0.1)", "Lion", {"lr": 0.001, "weight_decay": 0.1}),
}


def bits(*names: str) -> np.random.Generator:
    """A generator of its own for a path of names."""
    key = int.from_bytes(blake2b("/".join(names).encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))


def uniform(shape: tuple[int, ...], *names: str) -> Array:
    """Float64 numbers in [0, 1) with 24 bits, so that they are the same in float32."""
    raw = bits(*names).bit_generator.random_raw(max(1, int(np.prod(shape))))
    return ((np.asarray(raw) >> np.uint64(40)).astype(np.float64) / (1 << 24)).reshape(shape)


def first_values(net: str) -> dict[str, Array]:
    """Parameters before training: even in +-1 / sqrt(fan-in)."""
    shapes = NETS[net].shapes
    fans = {key.split(".")[0]: shape[0] for key, shape in shapes.items() if key.endswith("weight")}
    return {
        key: ((uniform(shape, net, key) * 2 - 1) / np.sqrt(fans[key.split(".")[0]]))
        .astype(np.float32)
        .astype(np.float64)
        for key, shape in shapes.items()
    }


def batch(net: str, step: int) -> dict[str, Array]:
    """The fields of one batch, floats as float64 (exact in float32)."""
    if net == "xor":
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64)
        return {"x": x, "y": np.array([[0], [1], [1], [0]], np.float64)}
    n = NETS[net].batch
    pixels = np.floor(uniform((n, 28, 28), net, "image", str(step)) * 256) / 256
    dark = uniform((n, 28, 28), net, "dark", str(step)) < 0.8  # most pixels of a digit are 0
    labels = np.floor(uniform((n,), net, "label", str(step)) * 10).astype(np.int64)
    return {"image": np.where(dark, 0.0, pixels), "label": labels}


def summary(tensor: Array, name: str) -> Array:
    """What is stored and compared of a tensor, in float64: some of its elements, and projections on random directions."""
    flat = np.asarray(tensor, np.float64).reshape(-1)
    chosen = np.floor(uniform((min(SAMPLED, flat.size),), "elements", name) * flat.size).astype(np.int64)
    directions = uniform((3, flat.size), "directions", name) - 0.5
    return np.concatenate([flat[chosen], directions @ flat / np.sqrt(flat.size)])
