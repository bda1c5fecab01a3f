"""Losses and metrics of many batches: what a batch's graph puts out for them, and the graph that works them out from all of it.

Input: the quantities of a body and their values in a graph under construction. Output: outputs of that graph, and `Figured`.
A quantity that is a mean over rows is an output of its own name; one that is not has outputs called ``name:0``, ``name:1``. Losses
are means: they are what a step minimises. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dslc.check.contributions import cuts, is_joined, over_whole
from dslc.check.typed import Body, TypedValue
from dslc.graph import Builder, Graph
from dslc.ops import OPS
from dslc.ops.ir import Value
from dslc.ops.opdef import OverPart
from dslc.tensor_type import DType, TensorType, symbol

LOSS = "loss"  # a step's loss is called so, behind the name of the step


@dataclass(frozen=True, slots=True)
class Figured:
    """How outputs of batches become figures.

    Attributes:
        names: the figures, in order.
        joined: how the outputs that are no means become one: "sum" or "rows".
        graph: figures from the joined outputs, by name; those that it does not have are means.
    """

    names: tuple[str, ...]
    joined: Mapping[str, str]
    graph: Graph


def is_loss(name: str) -> bool:
    """Whether an output of this name is the loss of a step."""
    return name.rpartition(".")[2] == LOSS


def put_out(
    builder: Builder, body: Body, quantities: Mapping[str, TypedValue], values: Mapping[TypedValue, Value]
) -> Figured:
    """Make what a batch contributes to quantities outputs of its graph.

    Args:
        values: the values of the body in the graph.
    """
    whole = over_whole(body.values)
    joined: dict[str, str] = {}
    after = Builder()
    for name, quantity in quantities.items():
        if quantity not in whole or is_loss(name):
            builder.graph.outputs[name] = values[quantity]
            continue
        known: dict[TypedValue, Value] = {}
        for number, cut in enumerate(cuts(quantity, whole)):
            output = f"{name}:{number}"
            over = _over(cut)
            operands = tuple(values[operand] for operand in cut.inputs)
            part = values[cut] if over is None else over.parts(builder, operands, cut.attrs)
            builder.graph.outputs[output] = part
            shape = part.shape
            if over is not None:
                joined[output] = over.joined
                shape = (symbol(f"rows{len(joined)}"), *shape[1:]) if over.joined == "rows" else shape
            leaf = after.leaf("input", TensorType(DType.F64, shape), name=output)
            known[cut] = leaf if over is None else over.finish(after, leaf, cut.attrs)
        found = known if quantity in known else _worked_out(after, body, whole, known)
        after.graph.outputs[name] = found[quantity]
    return Figured(tuple(quantities), joined, after.graph)


def _over(value: TypedValue) -> OverPart | None:
    return OPS[value.op].over_part if is_joined(value) else None


def _worked_out(
    builder: Builder, body: Body, whole: frozenset[TypedValue], known: Mapping[TypedValue, Value]
) -> dict[TypedValue, Value]:
    """What is computed once from cuts, of which the wide values are known."""
    values = {cut: builder.apply("cast", value, dtype=cut.type.dtype) for cut, value in known.items()}
    for value in body.values:
        if value in whole and value not in values and all(_is_ready(operand, values) for operand in value.inputs):
            operands = [
                values[operand] if operand in values else builder.leaf("constant", operand.type, **operand.attrs)
                for operand in value.inputs
            ]
            values[value] = builder.apply(value.op, *operands, **value.attrs)
    return values


def _is_ready(operand: TypedValue, values: Mapping[TypedValue, Value]) -> bool:
    return operand in values or operand.op == "constant"
