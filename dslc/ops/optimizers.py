"""Optimizers as the language sees them: names, options, update equations. `dslc.optim` builds them, under equal names.

Throughout, `p` is the vector of all trained parameters, `g` the gradient of the loss, `lr` the learning rate and `t` the number of the
step, counted from 1. Every right-hand side reads the values from before the step unless an equation above it has set them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dslc.ops.opdef import Option


@dataclass(frozen=True, slots=True)
class OptimizerDef:
    """An optimizer: what a program may write in ``optimizer = name(options)``.

    Attributes:
        doc: what it is in one sentence; then update equations and source.
        options: in the order in which they may be given by position. `lr` is the first of each.
    """

    name: str
    doc: str
    options: tuple[Option, ...]


_WEIGHT_DECAY = Option("weight_decay", "float", 0.0)

_TABLE = (
    OptimizerDef(
        "sgd",
        """Gradient descent on batches, with momentum if asked for. Equal to PyTorch's SGD.

        g = g + weight_decay * p
        b = g                                      (t = 1)
        b = momentum * b + (1 - dampening) * g     (t > 1)
        p = p - lr * b

        With ``nesterov`` the last line is ``p = p - lr * (g + momentum * b)``. Without momentum there is no `b`: p = p - lr * g.
        Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013.""",
        (
            Option("lr", "float", 0.01),
            Option("momentum", "float", 0.0),
            Option("nesterov", "bool", False),
            _WEIGHT_DECAY,
            Option("dampening", "float", 0.0),
        ),
    ),
    OptimizerDef(
        "adam",
        """Steps scaled by running means of the gradient and of its square. Equal to PyTorch's Adam.

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

        `m` and `v` start at 0; they are kept as m / (1 - beta1) and v / (1 - beta2), which changes no result and saves two passes.
        Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.""",
        (
            Option("lr", "float", 1e-3),
            Option("beta1", "float", 0.9),
            Option("beta2", "float", 0.999),
            Option("eps", "float", 1e-8),
            _WEIGHT_DECAY,
        ),
    ),
)

OPTIMIZERS: Mapping[str, OptimizerDef] = {entry.name: entry for entry in _TABLE}
