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
        decoupled: whether `weight_decay` shrinks the parameters beside the step, and is not added to the gradient.
    """

    name: str
    doc: str
    options: tuple[Option, ...]
    decoupled: bool = False


def _betas(beta1: float, beta2: float) -> tuple[Option, Option]:
    return Option("beta1", "float", beta1), Option("beta2", "float", beta2)


def _eps(default: float) -> Option:
    return Option("eps", "float", default)


def _decay(default: float = 0.0) -> Option:
    return Option("weight_decay", "float", default)


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
        _decay(),
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
    options=(Option("lr", "float", 1e-3), *_betas(0.9, 0.999), _eps(1e-8), _decay()),
)

ADAMW = OptimizerDef(
    name="adamw",
    doc="""Adam whose weight decay shrinks the parameters themselves, so that it is not scaled by the moments.

        p <- p * (1 - lr * weight_decay), then as `adam` without decay
    As torch.optim.AdamW. Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.""",
    options=(Option("lr", "float", 1e-3), *_betas(0.9, 0.999), _eps(1e-8), _decay(0.01)),
    decoupled=True,
)

NADAM = OptimizerDef(
    name="nadam",
    doc="""Adam with Nesterov's look ahead: the step takes part of the next step's momentum.

    With m and v as in `adam`, step t counted from 1, and u(t) = beta1 * (1 - 0.96 ** (t * momentum_decay) / 2):
        P <- P * u(t)                                      (1 at first)
        p <- p - lr * ((1 - u(t)) / (1 - P) * g + u(t + 1) / (1 - P * u(t + 1)) * m) / (sqrt(v / (1 - beta2 ** t)) + eps)
    As torch.optim.NAdam. P is worked out from t, not kept. Source: Dozat, Incorporating Nesterov momentum into Adam, 2016.""",
    options=(
        Option("lr", "float", 2e-3),
        *_betas(0.9, 0.999),
        _eps(1e-8),
        Option("momentum_decay", "float", 4e-3),
        _decay(),
    ),
)

RMSPROP = OptimizerDef(
    name="rmsprop",
    doc="""Steps scaled by a running mean of the squared gradient.

    With gradient g, parameter p, and v, a and b zero at first:
        g <- g + weight_decay * p
        v <- alpha * v + (1 - alpha) * g ** 2
        s  = v                                             (centered: a <- alpha * a + (1 - alpha) * g; s = v - a ** 2)
        b <- momentum * b + g / (sqrt(s) + eps)            (eps_inside: g / sqrt(s + eps))
        p <- p - lr * b
    As torch.optim.RMSprop; with ``eps_inside = true`` as Keras and TensorFlow. The slots hold v / (1 - alpha) and
    a / (1 - alpha). Source: Hinton, Neural networks for machine learning, lecture 6e, 2012; centered: Graves, Generating
    sequences with recurrent neural networks, 2013.""",
    options=(
        Option("lr", "float", 0.01),
        Option("alpha", "float", 0.99),
        _eps(1e-8),
        Option("eps_inside", "bool", False),
        Option("momentum", "float", 0.0),
        Option("centered", "bool", False),
        _decay(),
    ),
)

ADAGRAD = OptimizerDef(
    name="adagrad",
    doc="""Steps scaled by the root of the sum of all squared gradients so far.

    With gradient g, parameter p, step t counted from 1, and s zero at first:
        g <- g + weight_decay * p
        s <- s + g ** 2
        p <- p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(initial + s) + eps)
    As torch.optim.Adagrad, whose `initial_accumulator_value` is `initial`. Source: Duchi, Hazan and Singer, Adaptive
    subgradient methods for online learning and stochastic optimization, JMLR 2011.""",
    options=(
        Option("lr", "float", 0.01),
        Option("lr_decay", "float", 0.0),
        Option("initial", "float", 0.0),
        _eps(1e-10),
        _decay(),
    ),
)

ADADELTA = OptimizerDef(
    name="adadelta",
    doc="""Steps as large as recent steps were, for each parameter: they have its unit, whatever that of the loss.

    With gradient g, parameter p, and v and u zero at first:
        g <- g + weight_decay * p
        v <- rho * v + (1 - rho) * g ** 2
        d  = g * sqrt(u + eps) / sqrt(v + eps)
        u <- rho * u + (1 - rho) * d ** 2
        p <- p - lr * d
    As torch.optim.Adadelta. The slots hold v / (1 - rho) and u / (1 - rho). Source: Zeiler, ADADELTA: an adaptive learning
    rate method, 2012.""",
    options=(Option("lr", "float", 1.0), Option("rho", "float", 0.9), _eps(1e-6), _decay()),
)

LION = OptimizerDef(
    name="lion",
    doc="""Steps of equal size in every parameter: the sign of a momentum, with decoupled weight decay.

    With gradient g, parameter p and m zero at first:
        p <- p * (1 - lr * weight_decay) - lr * sign(beta1 * m + (1 - beta1) * g)
        m <- beta2 * m + (1 - beta2) * g
    sign(0) is 0. The slot holds m / (1 - beta2). Source: Chen and others, Symbolic discovery of optimization algorithms,
    NeurIPS 2023.""",
    options=(Option("lr", "float", 1e-4), *_betas(0.9, 0.99), _decay()),
    decoupled=True,
)

_ALL = (SGD, ADAM, ADAMW, NADAM, RMSPROP, ADAGRAD, ADADELTA, LION)

OPTIMIZERS: dict[str, OptimizerDef] = {optimizer.name: optimizer for optimizer in _ALL}
