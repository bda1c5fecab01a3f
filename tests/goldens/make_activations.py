"""Makes `activations.npz`: what PyTorch computes for every activation, in value and gradient, in float64 and float32.

Run it by hand (``python tests/goldens/make_activations.py``, with PyTorch installed); the tests read the file only. `x` are the
operands; each case leaves `case/y` and `case/gx`, the gradient of the sum; names of float32 results end in ``32``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

CASES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "leaky_relu.slope": lambda x: F.leaky_relu(x, 0.2),
    "prelu": lambda x: F.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
    "elu": F.elu,
    "elu.alpha": lambda x: F.elu(x, 0.5),
    "selu": F.selu,
    "softplus": F.softplus,
    "gelu": F.gelu,
    "gelu.tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softsign": F.softsign,
    "hard_sigmoid": F.hardsigmoid,
    "hard_tanh": F.hardtanh,
    "hard_tanh.bounds": lambda x: F.hardtanh(x, -2.0, 3.0),
}


def main() -> None:
    """Write the file beside this script."""
    kinks = [0.0, 1.0, -1.0, 3.0, -3.0, -2.0]
    x = np.array([*kinks, *np.linspace(-19.0, 19.0, 39) + 0.013, *np.linspace(-1.0, 1.0, 20)])
    arrays = {"x": x}
    for name, function in CASES.items():
        for dtype, ending in ((torch.float64, ""), (torch.float32, "32")):
            operand = torch.tensor(x, dtype=dtype, requires_grad=True)
            y = function(operand)
            y.sum().backward()
            assert operand.grad is not None
            arrays |= {f"{name}/y{ending}": y.detach().numpy(), f"{name}/gx{ending}": operand.grad.numpy()}
    path = Path(__file__).with_name("activations.npz")
    np.savez_compressed(path, torch=np.array(torch.__version__), **arrays)
    sys.stdout.write(f"{path.name}: {len(arrays)} arrays from PyTorch {torch.__version__}\n")


if __name__ == "__main__":
    main()
