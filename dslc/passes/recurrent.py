"""Scans that compute an LSTM, a GRU or a plain recurrence -> the operator that ONNX has for it.

For graphs that are exported, before work leaves the bodies of scans. A body is compared with the formulas of `recurrent_forms`,
term by term; what says anything else stays a `scan`. So the library's layers are exported as the operators of their names, and
cells of one's own that compute the same too. Only float32: ONNX Runtime's operators compute in nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dslc.graph import Builder, Graph
from dslc.ops.ir import Node, Value
from dslc.ops.recurrent import GIVEN
from dslc.ops.scan import Scan
from dslc.passes.recurrent_forms import ACTIVATIONS, FORMS, Form, Step
from dslc.passes.scans import rebuild
from dslc.tensor_type import DType

#: What the leaves of a formula are in the body of a scan, by name.
_Leaves = Mapping[str, Value]
_COMMUTATIVE = frozenset({"add", "mul"})


def recurrent_operators(graph: Graph) -> Graph:
    """The graph with ONNX's operators in the place of the scans that compute the same."""
    return rebuild(graph, _remade)


def _remade(builder: Builder, scan: Scan, read: list[int]) -> Mapping[int, Value] | None:
    for form in FORMS:
        found = _operands(builder.graph, scan, form)
        if found is not None:
            return _applied(builder, scan, form, found, read)
    return None


def _applied(
    builder: Builder, scan: Scan, form: Form, found: Mapping[str, Value], read: Sequence[int]
) -> dict[int, Value]:
    """What is read of a scan, by the operator of its form."""
    given = tuple(name for name in GIVEN if name in found)
    operands = [found[name] for name in ("x", "weight_ih", "weight_hh", *given)]
    names = {index: ("h", "c")[index] if index < form.states else "y" for index in read}
    return {
        index: builder.apply(
            form.op,
            *operands,
            result=name,
            given=given,
            activations=(ACTIVATIONS[form.activation],) if form.activation else (),
            reset_after=form.reset_after,
            reverse=scan.reverse,
        )
        for index, name in names.items()
    }


def _operands(graph: Graph, scan: Scan, form: Form) -> dict[str, Value] | None:
    """The operands of a form's operator, where the body of a scan is that form; else None."""
    leaves = _leaves(scan, form)
    if leaves is None:
        return None
    operands = {scan.leaves[name]: value for name, value in scan.operands.items()}
    found = {name: operands[leaf] for name, leaf in leaves.items()}
    first = zip(("h0", "c0"), scan.initial, strict=False)
    found |= {name: value for name, value in first if not _is_zero(graph, value)}
    if "real" not in found:
        return found
    lengths = _lengths(graph, found["real"])
    return None if lengths is None else found | {"lengths": lengths}


def _leaves(scan: Scan, form: Form) -> _Leaves | None:
    """The leaves of a form in the body of a scan, where the body says the same; else None."""
    step = _step(scan)
    if step is None or form.states != len(scan.initial):
        return None
    states = form.formula(form, step)
    padded = any(value.dtype is DType.BOOL for value in scan.sequences)
    after = [step.held(index, value) for index, value in enumerate(states)] if padded else states
    leaves: _Leaves | None = {f"state {index}": scan.leaves[f"s{index}"] for index in range(form.states)}
    same = _Comparison(step.b.graph.nodes, {node.id: node for node in scan.body.nodes})
    for pattern, value in zip([*after, *([states[0]] * len(scan.outputs))], scan.body.results, strict=True):
        leaves = None if leaves is None else same.compared(pattern, value, leaves)
    return leaves


def _step(scan: Scan) -> Step | None:
    """The sizes of a step over one sequence of numbers for each sample; None where it is over something else."""
    walked = [value for value in scan.sequences if value.dtype is not DType.BOOL]
    if len(walked) != 1 or not scan.initial or walked[0].type.rank != 3 or scan.initial[0].type.rank != 2:
        return None
    _, batch, features = walked[0].shape
    units = scan.initial[0].shape[1]
    if walked[0].dtype is not DType.F32 or not isinstance(features, int) or not isinstance(units, int):
        return None
    return Step(Builder(), batch, features, units)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The nodes of a formula, and those of the body that is compared with it."""

    wanted: Mapping[int, Node]
    nodes: Mapping[int, Node]

    def compared(self, pattern: Value, value: Value, leaves: _Leaves) -> _Leaves | None:
        """The leaves with those of one more value, where it is what the formula says; else None."""
        wanted, node = self.wanted[pattern.id], self.nodes[value.id]
        if pattern.type != value.type:
            return None
        if wanted.op == "input":
            name = wanted.attrs.str("name")
            known = leaves.get(name, value)
            taken = name not in leaves and value in leaves.values()
            return {**leaves, name: value} if known == value and node.op == "input" and not taken else None
        if wanted.op != node.op or wanted.attrs != node.attrs:
            return None
        found = self._all(wanted.inputs, node.inputs, leaves)
        if found is None and wanted.op in _COMMUTATIVE:
            found = self._all(wanted.inputs, node.inputs[::-1], leaves)
        return found

    def _all(self, patterns: Sequence[Value], values: Sequence[Value], leaves: _Leaves) -> _Leaves | None:
        found: _Leaves | None = leaves
        for pattern, value in zip(patterns, values, strict=True):
            found = None if found is None else self.compared(pattern, value, found)
        return found


# ---------------------------------------------------------------------------------------------- what is around a scan


def _is_zero(graph: Graph, value: Value) -> bool:
    """Whether a first state is 0 everywhere, which the operators start from by themselves."""
    node = graph.producer(value)
    if node.op == "expand":
        node = graph.producer(node.inputs[0])
    return node.op == "constant" and node.attrs["value"] == 0


def _lengths(graph: Graph, real: Value) -> Value | None:
    """The lengths that say which steps are real, where they do: ``arange(T) < maximum(lengths, 1)`` of steps on axis 0.

    At least 1 each: of a sample without steps ONNX Runtime does not give the first states.
    """
    node = graph.producer(real)
    if node.op != "lt":
        return None
    steps, lengths = (graph.producer(value) for value in node.inputs)
    if steps.op != "expand_dims" or graph.producer(steps.inputs[0]).op != "arange" or lengths.op != "maximum":
        return None
    least = [graph.producer(value).attrs.get("value") for value in lengths.inputs]
    return lengths.out if 1 in least and lengths.out.shape == real.shape[1:] else None
