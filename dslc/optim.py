"""Optimizers as graph builders: flat gradient, flat parameters and flat slots -> their new values.

All parameters of a training lie in one vector, so an optimizer is about ten operators whatever the model. What depends on
the learning rate and the step count alone is scalar arithmetic in float64. The update equations stand in
`dslc.ops.optimizers`, beside the options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

from dslc.graph import Builder
from dslc.ops.ir import Value
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
    decay = options["weight_decay"]
    gradient = step.op("add", step.gradient, step.op("mul", step.params, decay)) if decay else step.gradient
    return _BUILDERS[name](step, gradient, options)


def _sgd(step: Step, g: Value, options: Options) -> Value:
    momentum = options["momentum"]
    if momentum:
        b = step.op("add", step.op("mul", step.slot("velocity"), momentum), g)
        step.updates["velocity"] = b
        g = step.op("add", g, step.op("mul", b, momentum)) if options["nesterov"] else b
    return step.op("sub", step.params, step.op("mul", g, step.lr))


def _adam(step: Step, g: Value, options: Options) -> Value:
    """The slots hold m / (1 - beta1) and v / (1 - beta2): two passes over memory fewer than with m and v.

    With c = sqrt((1 - beta2) / (1 - beta2^t)) the step is lr (1 - beta1) / ((1 - beta1^t) c) * m' / (sqrt(v') + eps / c).
    """
    beta1, beta2 = options["beta1"], options["beta2"]
    m = step.op("add", step.op("mul", step.slot("m"), beta1), g)
    v = step.op("add", step.op("mul", step.slot("v"), beta2), step.op("square", g))
    step.updates.update({"m": m, "v": v})
    c = step.scalar("sqrt", step.scalar("div", 1.0 - beta2, _bias_correction(step, beta2)))
    first = step.scalar("div", 1.0 - beta1, _bias_correction(step, beta1))
    rate = step.scalar("mul", step.lr, step.scalar("div", first, c))
    root = step.op("add", step.op("sqrt", v), step.scalar("div", options["eps"], c))
    return step.op("sub", step.params, step.op("mul", step.op("div", m, root), rate))


def _bias_correction(step: Step, beta: float) -> Value:
    """1 - beta^t."""
    return step.scalar("sub", 1.0, step.scalar("pow", beta, step.number))


_BUILDERS: Mapping[str, Callable[[Step, Value, Options], Value]] = {"sgd": _sgd, "adam": _adam}


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
