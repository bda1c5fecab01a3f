"""Sums over the steps of a `scan`, taken outside of it where that is cheaper.

What all steps read (a weight) gets a contribution from each of them. Where the contribution of a step is a matrix product,
its factors are handed out for all steps and multiplied once, with the steps among the rows: sum of a_t^T b_t over t -> A^T B.
Where it is a sum over a batch, or rows added to a table, the elements are handed out and summed once. What is none of these is
added up in a state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from dslc.graph import Builder
from dslc.graph.region import ScanBody
from dslc.ops.ir import Node, Value

# f(u + v) = f(u) + f(v), for operators with one operand.
_LINEAR = frozenset(
    {"neg", "transpose", "reshape", "squeeze", "expand_dims", "expand", "slice", "pad_slice", "divide_by_size"}
)
_SUMS = frozenset({"sum", "sum_to"})


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a `scan`, in the graph outside."""

    builder: Builder
    values: Sequence[Value]
    states: int

    def final(self, state: int) -> Value:
        return self.values[state]

    def stacked(self, output: int) -> Value:
        return self.values[self.states + output]


Outside: TypeAlias = Callable[[Results], Value]


@dataclass(slots=True)
class Totals:
    """The results of a `scan` under construction.

    Attributes:
        body: one step.
        outer: the graph the `scan` will be in.
        after: the states after the step; sums that are taken inside are added behind them.
    """

    body: ScanBody
    outer: Builder
    after: list[Value]
    _outputs: dict[Value, int] = field(default_factory=dict[Value, int])

    def output(self, value: Value) -> int:
        """Hand out a value of all steps; its index among the outputs."""
        return self._outputs.setdefault(value, len(self._outputs))

    def total(self, value: Value) -> Outside:
        """The sum of a value over all steps."""
        found = self._outside(value)
        return self._state(value) if found is None else found

    def finish(self, reverse: bool) -> Results:
        """Make the node."""
        return Results(
            self.outer, self.body.finish(self.outer, self.after, list(self._outputs), reverse), len(self.after)
        )

    def _state(self, value: Value) -> Outside:
        """sum of v_t -> the last of the states s_t = s_(t-1) + v_t."""
        zero = self.outer.constant(0.0, value.dtype)
        before = self.body.state(self.outer.apply("expand", zero, sizes=value.shape))
        self.after.append(self.body.builder.apply("add", before, value))
        position = len(self.after) - 1
        return lambda results: results.final(position)

    def _outside(self, value: Value) -> Outside | None:
        """The sum taken outside, or None where that would cost more memory than it saves time."""
        node = self.body.builder.graph.producer(value)
        if node.op == "matmul" and all(operand.type.rank == 2 for operand in node.inputs):
            return self._product(node)
        if node.op == "scatter_add":
            return self._rows_added(node)
        if node.op in _LINEAR | _SUMS:
            (operand,) = node.inputs
            inner = self._outside(operand)
            if inner is None and node.op in _SUMS and not self._is_product(operand):
                inner = self._sum(operand)
            return None if inner is None else _applied(node, inner)
        if node.op in ("add", "sub") and all(operand.shape == value.shape for operand in node.inputs):
            found = [self._outside(operand) for operand in node.inputs]
            if any(part is not None for part in found):
                parts = zip(node.inputs, found, strict=True)
                return _applied(node, *(self._state(x) if part is None else part for x, part in parts))
        return None

    def _is_product(self, value: Value) -> bool:
        return self.body.builder.graph.producer(value).op == "matmul"

    def _product(self, node: Node) -> Outside:
        """sum of p_t q_t -> [p_1 p_2 ...] [q_1; q_2; ...]."""
        p, q = node.inputs
        left = self.output(self.body.builder.apply("transpose", p, axes=(1, 0)))
        right = self.output(q)

        def outside(results: Results) -> Value:
            b = results.builder
            a, c = (_rows(b, results.stacked(output)) for output in (left, right))
            return b.apply("matmul", b.apply("transpose", a, axes=(1, 0)), c)

        return outside

    def _rows_added(self, node: Node) -> Outside:
        """sum of the rows v_t added at i_t -> the rows V added at I."""
        values, ids = (self.output(operand) for operand in node.inputs)
        return lambda results: results.builder.apply(
            "scatter_add", results.stacked(values), results.stacked(ids), **node.attrs
        )

    def _sum(self, value: Value) -> Outside:
        """sum of v_t -> the sum of V over its axis 0."""
        output = self.output(value)
        return lambda results: results.builder.apply("sum", results.stacked(output), axes=(0,), keepdims=False)


def _applied(node: Node, *operands: Outside) -> Outside:
    """A node applied outside to sums of its operands."""
    return lambda results: results.builder.apply(node.op, *(x(results) for x in operands), **node.attrs)


def _rows(b: Builder, x: Value) -> Value:
    """The matrices of all steps, one below the other."""
    steps, rows, columns = x.shape
    return b.apply("reshape", x, sizes=(steps * rows, columns))
