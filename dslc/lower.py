"""Typed model -> forward graph, value by value. It cannot fail: what `check` accepted has a graph.

Random operators become `draw` leaves, which the runtime fills before each run; everything else is applied through the
builder, which expands composite operators and shares equal values. What the body of a `scan` reads besides its states and
sequences is handed in from outside: parameters as they are, draws as sequences of one draw per step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dslc.check.typed import Body, TypedCell, TypedValue
from dslc.graph import Builder, Graph
from dslc.graph.region import ScanBody
from dslc.ops import OPS
from dslc.ops.ir import Attrs, Value
from dslc.tensor_type import Dim, TensorType

_LEAVES = ("input", "constant", "size")


def lower(body: Body, outputs: Mapping[str, TypedValue]) -> Graph:
    """The graph that computes some values of a body; parameters are `param` leaves."""
    builder = Builder()
    values = lower_into(builder, body)
    builder.graph.outputs |= {name: values[value] for name, value in outputs.items()}
    return builder.graph


def lower_into(builder: Builder, body: Body, params: Mapping[str, Value] | None = None) -> dict[TypedValue, Value]:
    """Every value of a body in a graph under construction.

    Args:
        params: values that stand for parameters, by key; the others become `param` leaves.
    """
    return _lower_body(_Whole(builder, params or {}), body, {})


class _Place(Protocol):
    """A graph under construction, and where it gets parameters and draws from."""

    @property
    def builder(self) -> Builder: ...

    def param(self, type_: TensorType, attrs: Attrs) -> Value: ...

    def draw(self, type_: TensorType, attrs: Attrs) -> Value: ...


@dataclass(frozen=True, slots=True)
class _Whole:
    """The graph of a model."""

    builder: Builder
    params: Mapping[str, Value]

    def param(self, type_: TensorType, attrs: Attrs) -> Value:
        known = self.params.get(attrs.str("key"))
        return known if known is not None else self.builder.leaf("param", type_, **attrs)

    def draw(self, type_: TensorType, attrs: Attrs) -> Value:
        return self.builder.leaf("draw", type_, **attrs)


@dataclass(frozen=True, slots=True)
class _Inside:
    """The body of a `scan`: parameters and draws come from the place around it."""

    around: _Place
    length: Dim
    step: ScanBody = field(default_factory=ScanBody)

    @property
    def builder(self) -> Builder:
        return self.step.builder

    def param(self, type_: TensorType, attrs: Attrs) -> Value:
        return self.step.constant(self.around.param(type_, attrs))

    def draw(self, type_: TensorType, attrs: Attrs) -> Value:
        whole = TensorType(type_.dtype, (self.length, *type_.shape))
        return self.step.element(self.around.draw(whole, attrs))


def _lower_body(
    place: _Place, body: Body, inputs: Mapping[TypedValue, Value], layer: str | None = None
) -> dict[TypedValue, Value]:
    """Every value of a body; `inputs` are those that are known, `layer` is whose body it is."""
    values = dict(inputs)
    scans: dict[TypedValue, list[Value]] = {}
    for typed, owner in zip(body.values, _owners(body, layer), strict=True):
        if typed in values:
            continue
        with place.builder.at(typed.span, owner):
            if typed.cell is not None:
                scans[typed] = _lower_scan(place, typed.cell, [values[operand] for operand in typed.inputs], owner)
            elif typed.op == "item":
                values[typed] = scans[typed.inputs[0]][typed.attrs.int("index")]
            else:
                values[typed] = _lower_value(place, typed, values)
            if typed in values:
                place.builder.named(values[typed], typed.name)
    return values


def _owners(body: Body, layer: str | None) -> list[str | None]:
    """The layer that made each value of a body: the innermost one."""
    found = [layer] * len(body.values)
    for run in reversed(body.runs):
        found[run.start : run.stop] = [run.path] * (run.stop - run.start)
    return found


def _lower_value(place: _Place, typed: TypedValue, values: Mapping[TypedValue, Value]) -> Value:
    if typed.op == "param":
        return place.param(typed.type, typed.attrs)
    if typed.op in _LEAVES:
        return place.builder.leaf(typed.op, typed.type, **typed.attrs)
    if OPS[typed.op].random:
        dist = typed.op.removeprefix("random_")
        return place.draw(typed.type, Attrs({"dist": dist, **typed.attrs}))
    return place.builder.apply(typed.op, *(values[operand] for operand in typed.inputs), **typed.attrs)


def _lower_scan(place: _Place, cell: TypedCell, operands: list[Value], layer: str | None) -> list[Value]:
    """The results of a `scan`: its final states, then the outputs of all steps."""
    initial, sequences = operands[: len(cell.states)], operands[len(cell.states) :]
    inside = _Inside(place, sequences[0].shape[0])
    known = {cell.body.inputs[name]: inside.step.state(value) for name, value in zip(cell.states, initial, strict=True)}
    for name, value in zip(cell.sequences, sequences, strict=True):
        known[cell.body.inputs[name]] = inside.step.element(value)
    values = _lower_body(inside, cell.body, known, layer)
    after, outputs = ([values[value] for value in group] for group in (cell.next, cell.outputs))
    return inside.step.finish(place.builder, after, outputs, cell.reverse)
