"""What the goldens of trainings with several objectives, clipping, penalties and frozen parameters are about.

Shared by `make_steps.py`, which trains with PyTorch, and by the tests, which train with this project. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from training_cases import uniform

Array = npt.NDArray[Any]

STEPS = 20
BATCH = 16

GAN = """
dim B
model Generator {
  input  z: f64[B, 4]
  output x: f64[B, 2]
  x = z |> fc1: Dense(8) |> tanh |> fc2: Dense(2)
}
model Critic {
  input  x: f64[B, 2]
  output score: f64[B, 1]
  score = x |> fc1: Dense(8) |> leaky_relu(0.2) |> fc2: Dense(1)
}
data ring {
  source = npz("ring.npz")
  field x: f64[2] = source["x"]
  field z: f64[4] = source["z"]
}
train gan {
  use g = Generator()
  use d = Critic()
  data  = ring
  batch = 16
  step critic {
    update d
    loss      = bce_logits(d(data.x), 1) + bce_logits(d(g(data.z)), 0)
    optimizer = adam(lr = 0.01, beta1 = 0.5)
  }
  step generator {
    update g
    loss      = bce_logits(d(g(data.z)), 1)
    optimizer = sgd(lr = 0.05, momentum = 0.9)
  }
}
"""

# Both networks learn in both steps: one group for each set of steps, and slots of their own for each step.
SHARED = GAN.replace("update d\n", "update d, g\n").replace(
    "    update g\n", '    update g\n    freeze = ["g.fc2.*"]\n'
)

SHAPES: Mapping[str, tuple[int, ...]] = {
    "g.fc1.weight": (4, 8),
    "g.fc1.bias": (8,),
    "g.fc2.weight": (8, 2),
    "g.fc2.bias": (2,),
    "d.fc1.weight": (2, 8),
    "d.fc1.bias": (8,),
    "d.fc2.weight": (8, 1),
    "d.fc2.bias": (1,),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One network and one objective.

    Attributes:
        settings: what is written beside the data and the model.
        penalty: what is added to the loss.
        options: the same for PyTorch: "clip_norm", "clip_value", "l1" and "l2" as (factor, ending of the keys), "frozen",
            "accumulate", "ema" and "warmup".
    """

    settings: str
    penalty: str
    options: Mapping[str, Any]


NET = """
dim B
model Net {
  input  x: f64[B, 2]
  output y: f64[B, 1]
  y = x |> fc1: Dense(8) |> tanh |> fc2: Dense(1)
}
data points {
  source = npz("points.npz")
  field x: f64[2] = source["x"]
  field t: f64[1] = source["t"]
}
train net {
  use net   = Net()
  data      = points
  batch     = 16
  loss      = mse(net.y, data.t)PENALTY
  optimizer = sgd(lr = 0.2, momentum = 0.9)
SETTINGS
}
"""

NET_SHAPES: Mapping[str, tuple[int, ...]] = {
    "fc1.weight": (2, 8),
    "fc1.bias": (8,),
    "fc2.weight": (8, 1),
    "fc2.bias": (1,),
}

LINES: Mapping[str, Line] = {
    "clip_norm": Line("  clip_norm = 0.05", "", {"clip_norm": 0.05}),
    "clip_value": Line("  clip_value = 0.01", "", {"clip_value": 0.01}),
    "l2": Line("", ' + l2(0.01, on = "*.weight")', {"l2": (0.01, ".weight")}),
    "l1_and_l2": Line("", ' + l1(0.002) + l2(0.01, on = "fc2.*")', {"l1": (0.002, ""), "l2": (0.01, "fc2.")}),
    "accumulate": Line("  accumulate = 3\n  clip_norm = 0.05", "", {"accumulate": 3, "clip_norm": 0.05}),
    "ema": Line("  ema = 0.8", "", {"ema": 0.8}),
    "ema_warmup": Line("  ema = { decay: 0.6, warmup: true }", "", {"ema": 0.6, "warmup": True}),
    "ema_of_accumulated": Line("  ema = 0.8\n  accumulate = 4", "", {"ema": 0.8, "accumulate": 4}),
    "freeze": Line('  freeze = ["fc1.*"]', " + l2(0.01)", {"l2": (0.01, "fc2."), "frozen": "fc1."}),
}


def first_values(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Parameters before training."""
    return {key: uniform(shape, "steps", key) - 0.5 for key, shape in shapes.items()}


def batch(step: int) -> dict[str, Array]:
    """Every field of one batch."""
    angle = uniform((BATCH,), "angle", str(step)) * 2 * np.pi
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return {"x": x, "z": uniform((BATCH, 4), "z", str(step)) - 0.5, "t": x[:, :1] * x[:, 1:]}
