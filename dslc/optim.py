"""Optimizers as graph builders: flat gradient, flat parameters and flat slots -> their new values.

All parameters of a training lie in one vector, so an optimizer is about ten operators whatever the model. What depends on
the learning rate and the step count alone is scalar arithmetic in float64. The update equations stand in
`dslc.ops.optimizers`, beside the options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from math import log, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dslc.graph import Builder
from dslc.graph.arrays import constant_data
from dslc.ops.ir import Value
from dslc.ops.optimizers import OPTIMIZERS
from dslc.tensor_type import DType, TensorType


@dataclass(frozen=True, slots=True)
class Step:
    """What an optimizer works with.

    Attributes:
        params, gradient: flat vectors of equal length and type.
        lr, number: float64 scalars: the learning rate of this step, and its number, counted from 1.
        slots: the vectors the optimizer keeps from step to step, made on first use, zero at first.
        updates: the new value of every slot.
        named: from a slot to the name of its state in the graph.
    """

    builder: Builder
    params: Value
    gradient: Value
    lr: Value
    number: Value
    slots: dict[str, Value] = field(default_factory=dict[str, Value])
    updates: dict[str, Value] = field(default_factory=dict[str, Value])
    named: Callable[[str], str] = str

    def slot(self, name: str) -> Value:
        """The old value of a slot."""
        self.slots[name] = self.builder.leaf("state", self.params.type, name=self.named(name))
        return self.slots[name]

    def op(self, name: str, *operands: Value | float) -> Value:
        """An operator on vectors, with numbers as constants of their type and float64 scalars converted to it."""
        return self.builder.apply(name, *(self._vector(operand) for operand in operands))

    def scalar(self, name: str, *operands: Value | float) -> Value:
        """An operator on float64 scalars."""
        made = (self.builder.constant(v, DType.F64) if isinstance(v, int | float) else v for v in operands)
        return self.builder.apply(name, *made)

    def _vector(self, operand: Value | float) -> Value:
        dtype = self.params.dtype
        if isinstance(operand, int | float):
            return self.builder.constant(operand, dtype)
        scalar = operand.type == TensorType(DType.F64) and dtype is not DType.F64
        return self.builder.apply("cast", operand, dtype=dtype) if scalar else operand


Options: TypeAlias = Mapping[str, float | bool]


def apply_optimizer(step: Step, name: str, options: Options) -> Value:
    """The new parameters; `step.slots` and `step.updates` are filled on the way."""
    decay, gradient = options["weight_decay"], step.gradient
    if decay and OPTIMIZERS[name].decoupled:
        kept = step.scalar("sub", 1.0, step.scalar("mul", step.lr, decay))
        step = replace(step, params=step.op("mul", step.params, kept))
    elif decay:
        gradient = step.op("add", gradient, step.op("mul", step.params, decay))
    return _BUILDERS[name](step, gradient, options)


def _moved(step: Step, along: Value, rate: Value) -> Value:
    """The parameters moved against a direction."""
    return step.op("sub", step.params, step.op("mul", along, rate))


def _summed(step: Step, slot: str, keep: float, fresh: Value) -> Value:
    """slot <- keep * slot + fresh, which is a running mean over 1 - keep: a pass over memory fewer than the mean itself."""
    step.updates[slot] = step.op("add", step.op("mul", step.slot(slot), keep), fresh)
    return step.updates[slot]


def _sgd(step: Step, g: Value, options: Options) -> Value:
    momentum = options["momentum"]
    if momentum:
        b = _summed(step, "velocity", momentum, g)
        g = step.op("add", g, step.op("mul", b, momentum)) if options["nesterov"] else b
    return _moved(step, g, step.lr)


# ---------------------------------------------------------------------------------------------- adam and its kin


def _adam(step: Step, g: Value, options: Options) -> Value:
    """The slots hold m / (1 - beta1) and v / (1 - beta2): two passes over memory fewer than with m and v.

    With c = sqrt((1 - beta2) / (1 - beta2^t)) the step is lr (1 - beta1) / ((1 - beta1^t) c) * m' / (sqrt(v') + eps / c).
    """
    beta1 = options["beta1"]
    m = _summed(step, "m", beta1, g)
    root, c = _root_of_second_moment(step, g, options)
    first = step.scalar("div", 1.0 - beta1, _bias_correction(step, beta1))
    rate = step.scalar("mul", step.lr, step.scalar("div", first, c))
    return _moved(step, step.op("div", m, root), rate)


def _nadam(step: Step, g: Value, options: Options) -> Value:
    """As `_adam`, with a rate for the gradient and one for the momentum."""
    beta1, decay = options["beta1"], options["momentum_decay"]
    m = _summed(step, "m", beta1, g)
    root, c = _root_of_second_moment(step, g, options)
    u, after = (_nadam_momentum(step, beta1, decay, ahead) for ahead in (0.0, 1.0))
    product = nadam_product(step, beta1, decay)
    rate = step.scalar("div", step.lr, c)
    now = step.scalar("div", step.scalar("sub", 1.0, u), step.scalar("sub", 1.0, product))
    rest = step.scalar("sub", 1.0, step.scalar("mul", product, after))
    later = step.scalar("div", step.scalar("mul", after, 1.0 - beta1), rest)
    along = step.op(
        "add",
        step.op("mul", g, step.scalar("mul", rate, now)),
        step.op("mul", m, step.scalar("mul", rate, later)),
    )
    return step.op("sub", step.params, step.op("div", along, root))


def _nadam_momentum(step: Step, beta1: float, decay: float, ahead: float) -> Value:
    """u(t + ahead) = beta1 (1 - 0.96^((t + ahead) decay) / 2)."""
    fading = step.scalar("pow", 0.96**decay, step.scalar("add", step.number, ahead))
    return step.scalar("sub", beta1, step.scalar("mul", fading, beta1 / 2))


def nadam_product(step: Step, beta1: float, decay: float) -> Value:
    """u(1) u(2) ... u(t), from t alone: beta1^t (1 - q / 2) (1 - q^2 / 2) ... (1 - q^t / 2) with q = 0.96^decay.

    The logarithm of the product is minus the sum over k of 0.5^k / k * (q^k + q^2k + ... + q^tk), whose inner sum is
    (1 - q^tk) / (q^-k - 1). Fifty terms leave less than float64 shows.
    """
    power = step.scalar("pow", beta1 if decay else beta1 / 2, step.number)
    if not decay:
        return power
    k = np.arange(1.0, 51.0)
    weights, slopes = 0.5**k / k / np.expm1(-k * decay * log(0.96)), k * decay * log(0.96)
    faded = step.builder.apply("exp", step.builder.apply("mul", _row(step, slopes), step.number))
    parts = step.builder.apply("mul", _row(step, weights), step.scalar("sub", faded, 1.0))
    return step.scalar("mul", power, step.scalar("exp", step.builder.apply("sum", parts)))


def _row(step: Step, numbers: npt.NDArray[np.float64]) -> Value:
    """Float64 constants side by side."""
    return step.builder.leaf("constant", TensorType(DType.F64, numbers.shape), value=constant_data(numbers))


def _root_of_second_moment(step: Step, g: Value, options: Options) -> tuple[Value, Value]:
    """sqrt(v') + eps / c, and c."""
    beta2 = options["beta2"]
    v = _summed(step, "v", beta2, step.op("square", g))
    c = step.scalar("sqrt", step.scalar("div", 1.0 - beta2, _bias_correction(step, beta2)))
    return step.op("add", step.op("sqrt", v), step.scalar("div", options["eps"], c)), c


def _bias_correction(step: Step, beta: float) -> Value:
    """1 - beta^t."""
    return step.scalar("sub", 1.0, step.scalar("pow", beta, step.number))


# ---------------------------------------------------------------------------------------------- scaled by the gradient's size


def _rmsprop(step: Step, g: Value, options: Options) -> Value:
    """With c = sqrt(1 - alpha), s = c^2 s' and sqrt(s) + eps = c (sqrt(s') + eps / c): c goes into the rate."""
    alpha, eps, momentum = options["alpha"], options["eps"], options["momentum"]
    s = _summed(step, "v", alpha, step.op("square", g))
    if options["centered"]:
        mean = _summed(step, "a", alpha, g)
        # Never negative, but for rounding.
        s = step.op("maximum", step.op("sub", s, step.op("mul", step.op("square", mean), 1.0 - alpha)), 0.0)
    c = sqrt(1.0 - alpha)
    if options["eps_inside"]:
        along = step.op("div", g, step.op("sqrt", step.op("add", s, eps / c**2)))
    else:
        along = step.op("div", g, step.op("add", step.op("sqrt", s), eps / c))
    along = _summed(step, "velocity", momentum, along) if momentum else along
    return _moved(step, along, step.scalar("div", step.lr, c))


def _adagrad(step: Step, g: Value, options: Options) -> Value:
    s = _summed(step, "s", 1.0, step.op("square", g))
    s = step.op("add", s, options["initial"]) if options["initial"] else s
    rate = step.lr
    if options["lr_decay"]:
        before = step.scalar("sub", step.number, 1.0)
        rate = step.scalar("div", rate, step.scalar("add", step.scalar("mul", before, options["lr_decay"]), 1.0))
    return _moved(step, step.op("div", g, step.op("add", step.op("sqrt", s), options["eps"])), rate)


def _adadelta(step: Step, g: Value, options: Options) -> Value:
    """Both roots have the factor sqrt(1 - rho), which cancels: d = g sqrt(u' + e) / sqrt(v' + e) with e = eps / (1 - rho)."""
    rho = options["rho"]
    eps = options["eps"] / (1.0 - rho)
    v = _summed(step, "v", rho, step.op("square", g))
    ratio = step.op("div", step.op("add", step.slot("u"), eps), step.op("add", v, eps))
    d = step.op("mul", g, step.op("sqrt", ratio))
    _summed(step, "u", rho, step.op("square", d))
    return _moved(step, d, step.lr)


def _lion(step: Step, g: Value, options: Options) -> Value:
    """The slot holds m / (1 - beta2), and a positive factor changes no sign."""
    beta1, beta2 = options["beta1"], options["beta2"]
    leading = step.op("mul", step.slot("m"), beta1 * (1.0 - beta2) / (1.0 - beta1))
    _summed(step, "m", beta2, g)
    return _moved(step, step.op("sign", step.op("add", leading, g)), step.lr)


_BUILDERS: Mapping[str, Callable[[Step, Value, Options], Value]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adam,
    "nadam": _nadam,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "lion": _lion,
}


# ---------------------------------------------------------------------------------------------- clipping


def clip_by_norm(builder: Builder, gradients: Sequence[Value], limit: float) -> list[Value]:
    """Gradients scaled together so that their norm is at most `limit`: g min(1, limit / (|g| + 1e-6)).

    `|g|` is the Euclidean norm over all of them. As torch.nn.utils.clip_grad_norm_. Source: Pascanu, Mikolov, Bengio, On the
    difficulty of training recurrent neural networks, ICML 2013.
    """
    dtype = gradients[0].dtype
    squares = [builder.apply("sum", builder.apply("square", g)) for g in gradients]
    total = reduce(lambda a, b: builder.apply("add", a, b), squares)
    norm = builder.apply("add", builder.apply("sqrt", total), builder.constant(1e-6, dtype))
    scale = builder.apply("div", builder.constant(limit, dtype), norm)
    scale = builder.apply("minimum", scale, builder.constant(1.0, dtype))
    return [builder.apply("mul", g, scale) for g in gradients]


def clip_by_value(builder: Builder, gradients: Sequence[Value], limit: float) -> list[Value]:
    """Every element of the gradients kept between -limit and limit. As torch.nn.utils.clip_grad_value_."""
    return [builder.apply("clip", g, low=-limit, high=limit) for g in gradients]
