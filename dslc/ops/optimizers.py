"""The optimizers' names, options and equations: declarations only. `dslc.optim` builds their graphs.

They lie among the operators so that checking a program needs no graph.
"""

from __future__ import annotations

from dslc.ops.opdef import Option
from dslc.record import record


@record
class OptimizerDef:
    """An optimizer.

    Attributes:
        doc: update equations, units and source.
        options: every option with its default.
    """

    name: str
    doc: str
    options: tuple[Option, ...]


SGD = OptimizerDef(
    name="sgd",
    doc="""Stochastic gradient descent, with momentum and weight decay.

    With gradient g, parameter p and velocity b (zero at first):
        g <- g + weight_decay * p
        b <- momentum * b + g
        p <- p - lr * (g + momentum * b  if nesterov, else b)
    Without momentum, p <- p - lr * g. As torch.optim.SGD. Source: Sutskever, Martens, Dahl, Hinton, On the importance of
    initialization and momentum in deep learning, ICML 2013.""",
    options=(
        Option("lr", "float", 0.01),
        Option("momentum", "float", 0.0),
        Option("nesterov", "bool", False),
        Option("weight_decay", "float", 0.0),
    ),
)

ADAM = OptimizerDef(
    name="adam",
    doc="""Adam: steps scaled by running means of the gradient and of its square.

    With gradient g, parameter p and step t counted from 1:
        g <- g + weight_decay * p
        m <- beta1 * m + (1 - beta1) * g
        v <- beta2 * v + (1 - beta2) * g ** 2
        p <- p - lr * (m / (1 - beta1 ** t)) / (sqrt(v / (1 - beta2 ** t)) + eps)
    As torch.optim.Adam: eps is outside the root, and weight decay is added to the gradient. The slots hold m / (1 - beta1)
    and v / (1 - beta2). Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015.""",
    options=(
        Option("lr", "float", 1e-3),
        Option("beta1", "float", 0.9),
        Option("beta2", "float", 0.999),
        Option("eps", "float", 1e-8),
        Option("weight_decay", "float", 0.0),
    ),
)

OPTIMIZERS: dict[str, OptimizerDef] = {optimizer.name: optimizer for optimizer in (SGD, ADAM)}
