"""The steps of the recurrences that ONNX has operators for, as formulas: what a scan has to compute to be one of them.

Input: a builder and sizes. Output: the states after a step, over leaves that are named by what they are: ``x``, ``state 0``,
``weight_ih``... Sources are those of the operators (`ops.recurrent`); weights and gates are laid out as the library has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dslc.graph import Builder
from dslc.ops.ir import Value
from dslc.tensor_type import Dim, DType, TensorType

#: Functions of one tensor that ONNX knows as activations.
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "softsign": "Softsign", "softplus": "Softplus"}


@dataclass(frozen=True, slots=True)
class Form:
    """A recurrence: the formula of its step, and how the operator is called that computes it.

    Attributes:
        biases: the biases it has, of those that it can have.
        formula: the states after a step, the hidden one first.
        reset_after: of a `gru`, whether the reset gate acts behind the product.
    """

    op: str
    states: int
    gates: int
    biases: tuple[str, ...]
    formula: Callable[[Form, Step], tuple[Value, ...]]
    activation: str = ""
    reset_after: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step under construction, for `batch` samples of `features` numbers and states of `units` numbers."""

    b: Builder
    batch: Dim
    features: int
    units: int

    def leaf(self, name: str, *shape: Dim) -> Value:
        """Something the formula is over."""
        return self.b.leaf("input", TensorType(DType.F32, shape), name=name)

    def state(self, index: int) -> Value:
        """A state before the step."""
        return self.leaf(f"state {index}", self.batch, self.units)

    def weight(self, gates: int) -> Value:
        """What states are multiplied by."""
        return self.leaf("weight_hh", self.units, gates * self.units)

    def fed(self, form: Form) -> Value:
        """x @ weight_ih."""
        weight = self.leaf("weight_ih", self.features, form.gates * self.units)
        return self.b.apply("matmul", self.leaf("x", self.batch, self.features), weight)

    def shifted(self, value: Value, form: Form, bias: str) -> Value:
        """A value with a bias, where the form has it."""
        return self.b.apply("add", value, self.leaf(bias, value.shape[-1])) if bias in form.biases else value

    def columns(self, value: Value, start: int, stop: int) -> Value:
        """The columns of some gates, counted in gates."""
        starts, stops = (0, start * self.units), (value.shape[0], stop * self.units)
        return self.b.apply("slice", value, starts=starts, stops=stops, steps=(1, 1))

    def gates(self, value: Value, count: int) -> list[Value]:
        """The columns of each gate."""
        return [self.columns(value, gate, gate + 1) for gate in range(count)]

    def held(self, index: int, after: Value) -> Value:
        """A state after a step that only some samples have."""
        real = self.b.leaf("input", TensorType(DType.BOOL, (self.batch,)), name="real")
        return self.b.apply("where", self.b.apply("expand_dims", real, axis=(1,)), after, self.state(index))


def _lstm(form: Form, step: Step) -> tuple[Value, ...]:
    b, h, c = step.b, step.state(0), step.state(1)
    z = b.apply("add", step.fed(form), b.apply("matmul", h, step.weight(4)))
    i, f, g, o = step.gates(step.shifted(z, form, "bias"), 4)
    kept = b.apply("mul", b.apply("sigmoid", f), c)
    memory = b.apply("add", kept, b.apply("mul", b.apply("sigmoid", i), b.apply("tanh", g)))
    return b.apply("mul", b.apply("sigmoid", o), b.apply("tanh", memory)), memory


def _gru(form: Form, step: Step) -> tuple[Value, ...]:
    b, h, weight = step.b, step.state(0), step.weight(3)
    fed = step.shifted(step.fed(form), form, "bias")
    if form.reset_after:
        known = step.shifted(b.apply("matmul", h, weight), form, "bias_hh")
        (reset_x, renewal_x, new_x), (reset_h, renewal_h, new_h) = step.gates(fed, 3), step.gates(known, 3)
        reset = b.apply("sigmoid", b.apply("add", reset_x, reset_h))
        new = b.apply("add", new_x, b.apply("mul", reset, new_h))
    else:
        reset_x, renewal_x, new_x = step.gates(step.shifted(fed, form, "bias_hh"), 3)
        reset_h, renewal_h = step.gates(b.apply("matmul", h, step.columns(weight, 0, 2)), 2)
        reset = b.apply("sigmoid", b.apply("add", reset_x, reset_h))
        new = b.apply("add", new_x, b.apply("matmul", b.apply("mul", reset, h), step.columns(weight, 2, 3)))
    renewal = b.apply("sigmoid", b.apply("add", renewal_x, renewal_h))
    rest = b.apply("sub", b.constant(1.0, DType.F32), renewal)
    return (b.apply("add", b.apply("mul", rest, b.apply("tanh", new)), b.apply("mul", renewal, h)),)


def _rnn(form: Form, step: Step) -> tuple[Value, ...]:
    z = step.b.apply("add", step.fed(form), step.b.apply("matmul", step.state(0), step.weight(1)))
    return (step.b.apply(form.activation, step.shifted(z, form, "bias")),)


FORMS = (
    *(Form("lstm", 2, 4, biases, _lstm) for biases in (("bias",), ())),
    *(
        Form("gru", 1, 3, biases, _gru, reset_after=after)
        for after in (True, False)
        for biases in (("bias", "bias_hh"), ())
    ),
    *(Form("rnn", 1, 1, biases, _rnn, activation=name) for name in ACTIVATIONS for biases in (("bias",), ())),
)
