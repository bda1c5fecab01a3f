"""The computation graph: nodes in a networkx multigraph, and the builder that makes them.

`Node.inputs` is the truth; the `MultiDiGraph` mirrors it, keyed by input position, because ``x * x`` has two edges between
one pair of nodes. Ids count up as nodes are made and fix the order of a graph, so the same program gives the same bytes
everywhere.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import networkx as nx

from dslc.diagnostics import InternalError
from dslc.ops import OPS
from dslc.ops.ir import Attr, Attrs, Node, Region, StepRule, Value
from dslc.ops.opdef import OpError
from dslc.ops.scan import scan_of
from dslc.record import replace
from dslc.source import Span
from dslc.tensor_type import Dim, DType, TensorType

LEAVES = ("input", "param", "state", "constant", "draw", "size")


def _network() -> nx.MultiDiGraph[int]:
    return nx.MultiDiGraph()


@dataclass(slots=True)
class Graph:
    """Nodes by id, what is computed (`outputs`) and what is stored afterwards (`updates`: state name -> new value).

    Attributes:
        net: an edge for every input, from the id of what is read to that of its reader, keyed by position.
    """

    nodes: dict[int, Node] = field(default_factory=dict[int, Node])
    outputs: dict[str, Value] = field(default_factory=dict[str, Value])
    updates: dict[str, Value] = field(default_factory=dict[str, Value])
    net: nx.MultiDiGraph[int] = field(init=False, default_factory=_network)

    def __post_init__(self) -> None:
        for node in self.order():
            self.add(node)

    def add(self, node: Node) -> None:
        """Add a node whose inputs are already there."""
        self.nodes[node.id] = node
        self.net.add_node(node.id)
        for position, value in enumerate(node.inputs):
            self.net.add_edge(value.id, node.id, key=position)

    def producer(self, value: Value) -> Node:
        """The node that makes a value."""
        return self.nodes[value.id]

    def order(self) -> list[Node]:
        """All nodes, inputs before users, smaller ids first.

        Ids count up, so that inputs have smaller ids than users (`verify` proves it). The order by id is therefore
        topological, and of all such orders the lexicographically smallest.
        """
        return [self.nodes[i] for i in sorted(self.nodes)]

    def ancestors(self, values: Iterable[Value]) -> set[int]:
        """The ids of all that some values need, themselves included."""
        found: set[int] = set()
        stack = [value.id for value in values]
        while stack:
            number = stack.pop()
            if number not in found:
                found.add(number)
                stack += [value.id for value in self.nodes[number].inputs]
        return found

    def uses(self, value: Value) -> list[tuple[Node, int]]:
        """The (node, input position) pairs that read a value, in id order."""
        edges = self.net.out_edges(value.id, keys=True)
        return [(self.nodes[i], position) for i, position in sorted((i, position) for _, i, position in edges)]

    def results(self) -> tuple[Value, ...]:
        """Everything the graph is for: outputs, then updates."""
        return (*self.outputs.values(), *self.updates.values())

    def leaves(self, op: str) -> list[Node]:
        """The leaves of one kind in id order."""
        return [node for _, node in sorted(self.nodes.items()) if node.op == op]


class Builder:
    """The only maker of nodes: normalises attributes, infers types, shares equal nodes, stamps spans.

    An operator without a kernel is expanded by its decomposition on the spot.
    """

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = graph if graph is not None else Graph()
        self._next = max(self.graph.nodes, default=-1) + 1
        self._known: dict[tuple[object, ...], Value] = {}
        self._span: Span | None = None
        self._layer: str | None = None
        for node in self.graph.nodes.values():
            if not _is_fresh(node.op):
                self._known[_key(node.op, node.inputs, node.attrs, node.out.type)] = node.out

    @contextmanager
    def at(self, span: Span | None, layer: str | None = None) -> Generator[None]:
        """Nodes made inside carry this span and this layer."""
        before = self._span, self._layer
        self._span, self._layer = span, layer
        try:
            yield
        finally:
            self._span, self._layer = before

    def named(self, value: Value, name: str) -> Value:
        """The value, which has the user's name from now on, unless it has one or `name` is ""."""
        node = self.graph.producer(value)
        if name and not node.name:
            self.graph.nodes[node.id] = replace(node, name=name)
        return value

    def apply(self, op: str, *inputs: Value, **attrs: Attr) -> Value:
        """The value of an operator; an equal node that exists already is used again.

        Raises:
            InternalError: the operands do not fit. `check` has accepted the program, so this is a defect.
        """
        opdef = OPS[op]
        types = tuple(value.type for value in inputs)
        given = Attrs({option.name: option.default for option in opdef.options} | attrs)
        try:
            given = opdef.normalize(types, given) if opdef.normalize is not None else given
            inferred = opdef.infer(types, given)
        except OpError as error:
            text = ", ".join(map(str, types))
            raise InternalError("graph", f"{op}({text})", str(error), self._span) from error
        if opdef.kernel is None and opdef.decompose is not None:
            return opdef.decompose(self, inputs, given)
        return self._make(op, inputs, given, inferred, self._span, self._layer)

    def copy(self, node: Node, inputs: Sequence[Value]) -> Value:
        """A node of another graph applied to inputs of the same types, with its span, its layer and its name."""
        made = self._make(node.op, tuple(inputs), node.attrs, node.out.type, node.span, node.layer)
        return self.named(made, node.name)

    def constant(self, value: float, dtype: DType) -> Value:
        """A scalar constant; `value` is converted to the Python type of `dtype`."""
        typed = bool(value) if dtype is DType.BOOL else float(value) if dtype.is_float else int(value)
        return self.leaf("constant", TensorType(dtype), value=typed)

    def size(self, size: Dim, dtype: DType) -> Value:
        """A size as a scalar; a constant where it is known."""
        return self.constant(size, dtype) if isinstance(size, int) else self.leaf("size", TensorType(dtype), size=size)

    def scan(
        self, step: StepRule, initial: Sequence[Value], sequences: Sequence[Value], shared: Sequence[Value] = ()
    ) -> list[Value]:
        """A step applied along axis 0 of sequences: the final states, then the outputs of all steps stacked along axis 0."""
        inside = Builder()
        elements = [TensorType(value.dtype, value.shape[1:]) for value in sequences]
        kinds = (("s", [v.type for v in initial]), ("x", elements), ("c", [v.type for v in shared]))
        leaves = [[inside.leaf("input", t, name=f"{k}{i}") for i, t in enumerate(types)] for k, types in kinds]
        after, outputs = step(inside, *leaves)
        body = Region(tuple(inside.graph.order()), (*after, *outputs))
        return self.loop(body, initial, sequences, shared, reverse=False)

    def loop(
        self,
        body: Region,
        initial: Sequence[Value],
        sequences: Sequence[Value],
        shared: Sequence[Value],
        reverse: bool,
    ) -> list[Value]:
        """The results of a `scan` node: the final states, then the outputs of all steps."""
        counts = {"states": len(initial), "sequences": len(sequences)}
        token = self.apply("scan", *initial, *sequences, *shared, body=body, reverse=reverse, **counts)
        scan = scan_of(self.graph.producer(token))
        types = [scan.result_type(index) for index in range(len(body.results))]
        return [self.apply("item", token, index=i, dtype=t.dtype, sizes=t.shape) for i, t in enumerate(types)]

    def leaf(self, op: str, out: TensorType, **attrs: Attr) -> Value:
        """A node without inputs: `input`, `param`, `state`, `constant`, `draw` or `size`."""
        return self._make(op, (), Attrs(attrs), out, self._span, self._layer)

    def _make(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        out: TensorType,
        span: Span | None,
        layer: str | None,
    ) -> Value:
        key = _key(op, inputs, attrs, out)
        found = self._known.get(key)
        if found is not None:
            return found
        value = Value(self._next, out)
        self._next += 1
        self.graph.add(Node(op, inputs, attrs, (value,), span, layer=layer))
        if not _is_fresh(op):
            self._known[key] = value
        return value


def _is_fresh(op: str) -> bool:
    return op in OPS and OPS[op].random


def _key(op: str, inputs: tuple[Value, ...], attrs: Attrs, out: TensorType) -> tuple[object, ...]:
    """Equal for nodes that compute the same. The type matters for leaves: that of others follows."""
    return (op, attrs, *(value.id for value in inputs)) if inputs else (op, attrs, out)
