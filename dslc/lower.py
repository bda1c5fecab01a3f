"""Typed model -> forward graph, value by value. It cannot fail: what `check` accepted has a graph.

Random operators become `draw` leaves, which the runtime fills before each run; everything else is applied through the
builder, which expands composite operators and shares equal values.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.typed import Body, TypedValue
from dslc.graph import Builder, Graph
from dslc.ops import OPS
from dslc.ops.ir import Value

_LEAVES = ("input", "param", "constant", "size")


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
    known = params or {}
    values: dict[TypedValue, Value] = {}
    for typed in body.values:
        with builder.at(typed.span):
            key = typed.attrs["key"] if typed.op == "param" else None
            value = known[key] if isinstance(key, str) and key in known else _lower(builder, typed, values)
            values[typed] = builder.named(value, typed.name)
    return values


def _lower(builder: Builder, typed: TypedValue, values: Mapping[TypedValue, Value]) -> Value:
    if typed.op in _LEAVES:
        return builder.leaf(typed.op, typed.type, **typed.attrs)
    if OPS[typed.op].random:
        dist = typed.op.removeprefix("random_")
        return builder.leaf("draw", typed.type, dist=dist, **typed.attrs)
    return builder.apply(typed.op, *(values[operand] for operand in typed.inputs), **typed.attrs)
