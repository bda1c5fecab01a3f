"""Planning, second part: which values are only views of others' memory.

Whether a view is possible depends on the order of the elements in memory alone, never on run-time sizes; what cannot be
seen in place (a reshaped transpose) is computed by the operator's kernel like anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dslc.ops import OPS
from dslc.ops.ir import Node
from dslc.tensor_type import Dim

# Operators whose result has the operand's elements in the operand's order.
_SAME_ORDER = frozenset({"reshape", "flatten", "squeeze", "expand_dims", "stop_gradient"})
# Of those, the ones that NumPy can only do in place where the operand's elements lie without gaps, in order.
_NEEDS_DENSE = frozenset({"reshape", "flatten"})


@dataclass(frozen=True, slots=True)
class Alias:
    """A value as a view of `base`, the value (itself perhaps) that has memory of its own.

    Attributes:
        whole: it has all elements of the base, in order.
        start: where its elements lie without gaps, in order, how many of the base's lie before them.
    """

    base: int
    whole: bool = True
    start: Dim | None = 0

    @property
    def dense(self) -> bool:
        """Whether its elements lie without gaps, in order."""
        return self.start is not None


def aliases(order: Iterable[Node]) -> dict[int, Alias]:
    """What each value is a view of; operands come before users in `order`."""
    nodes = list(order)
    scanned = {value.id for node in nodes if node.op == "scan" for value in node.inputs}
    found: dict[int, Alias] = {}
    for node in nodes:
        alias = _alias(node, found)
        # The steps of a scan take elements of its operands where they lie.
        found[node.id] = Alias(node.id) if node.id in scanned and not alias.dense else alias
    return found


def _alias(node: Node, known: dict[int, Alias]) -> Alias:
    if node.op not in OPS or not OPS[node.op].view:
        return Alias(node.id)
    operand = known[node.inputs[0].id]
    if node.op in _NEEDS_DENSE and not operand.dense:
        return Alias(node.id)
    if node.op in _SAME_ORDER:
        return operand
    if node.op == "segment" and operand.start is not None:
        return Alias(operand.base, whole=False, start=operand.start + node.attrs.dim("offset"))
    return Alias(operand.base, whole=False, start=None)
