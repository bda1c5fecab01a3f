"""The nodes of an ONNX graph, made from those of a graph one after another; bodies of scans are graphs in it.

How an operator is written in ONNX is stated by its `OpDef`; here is what is around it: names, constants, sizes, leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from dslc.diagnostics import InternalError
from dslc.graph import Graph
from dslc.graph.arrays import constant_array, numpy_dtype
from dslc.graph.region import graph_of
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan, scan_of
from dslc.tensor_type import Dim, DType, FloorDiv, Shape, TensorType, symbol

_ELEMENT = {
    DType.F16: TensorProto.FLOAT16,
    DType.F32: TensorProto.FLOAT,
    DType.F64: TensorProto.DOUBLE,
    DType.I8: TensorProto.INT8,
    DType.U8: TensorProto.UINT8,
    DType.I32: TensorProto.INT32,
    DType.I64: TensorProto.INT64,
    DType.BOOL: TensorProto.BOOL,
}


def value_info(name: str, type_: TensorType) -> onnx.ValueInfoProto:
    shape = [dim if isinstance(dim, int) else str(dim) for dim in type_.shape]
    return helper.make_tensor_value_info(name, _ELEMENT[type_.dtype], shape)


@dataclass(slots=True)
class Emitter:
    """Implements `dslc.ops.ir.OnnxEmitter` and keeps which ONNX name each value of a graph has.

    The body of a `scan` has an emitter of its own. It reads constants, sizes and what all steps share by their names in the
    graph around it, so that these are made once and keep their names.
    """

    graph: Graph
    params: Mapping[str, npt.NDArray[Any]]
    around: Emitter | None = None
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list[onnx.ValueInfoProto])
    initializers: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])
    constants: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])
    _names: dict[int, str] = field(default_factory=dict[int, str])
    _scans: dict[int, list[str]] = field(default_factory=dict[int, list[str]])  # the names of their results
    _taken: set[str] = field(default_factory=set[str])
    _known: dict[object, str] = field(default_factory=dict[object, str])
    _shared: dict[object, tuple[str, ...]] = field(default_factory=dict[object, "tuple[str, ...]"])

    def __post_init__(self) -> None:
        if self.around is not None:
            self._taken = self.around._taken
            return
        leaves = (*self.graph.leaves("input"), *self.graph.leaves("param"))
        names = [node.attrs.str("name" if node.op == "input" else "key") for node in leaves] + list(self.graph.outputs)
        self._taken = set(names)
        if len(self._taken) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InternalError("to_onnx", repr(twice), "two of the inputs, outputs and parameters have this name")
        # A value that is an output is made under the output's name straight away, once.
        for output, value in self.graph.outputs.items():
            if value.id not in self._names and self.graph.producer(value).op in OPS:
                self._names[value.id] = output

    # ------------------------------------------------------------------------------------------ the graph's nodes

    def visit(self, node: Node) -> None:
        """Emit one node."""
        if node.op == "scan":
            self._scans[node.id] = self._scan(node)
        elif node.op == "item":
            self._names[node.id] = self._scans[node.inputs[0].id][node.attrs.int("index")]
        elif node.op in OPS:
            rule = OPS[node.op].onnx
            if rule is None:
                raise InternalError("to_onnx", f"{node.op} %{node.id}", "the operator has no ONNX form", node.span)
            made = rule(self, node, tuple(self._names[value.id] for value in node.inputs))
            self._names[node.id] = self._settle(node, made)
        else:
            self._names[node.id] = self._leaf(node)

    def _settle(self, node: Node, made: str) -> str:
        """The name the node's value gets: the output's, else the user's where that is free, else the one it was made by."""
        wish = self._names.get(node.id, node.name)
        is_output = node.id in self._names
        if not wish or wish == made or (wish in self._taken and not is_output):
            return made
        last = self.nodes[-1] if self.nodes else None
        if last is not None and last.output[0] == made and made not in self._known.values():
            last.output[0] = wish
        elif is_output:
            self._append("Identity", (made,), wish, {})
        else:
            return made
        self._taken.add(wish)
        return wish

    def _leaf(self, node: Node) -> str:
        if node.op == "input":
            name = node.attrs.str("name")
            self.inputs.append(value_info(name, node.out.type))
            return name
        if node.op == "param":
            key = node.attrs.str("key")
            array = np.asarray(self.params[key], numpy_dtype(node.out.dtype), order="C")
            self.initializers.append(numpy_helper.from_array(array, key))
            return key
        if node.op == "constant":
            return self._tensor(constant_array(node))
        if node.op == "size":
            return self.cast(self.size(node.attrs["size"]), node.out.dtype)  # type: ignore[arg-type]
        raise InternalError("to_onnx", f"{node.op} %{node.id}", "a training graph has no ONNX form", node.span)

    # ------------------------------------------------------------------------------------------ recurrence

    def _scan(self, node: Node) -> list[str]:
        """Emit a `Scan`; the names of its results."""
        scan = scan_of(node)
        body = self._body(scan)
        items = {item.attrs.int("index"): item for item, _ in self.graph.uses(node.out)}
        names = [self._result_name(items.get(index)) for index in range(len(scan.body.results))]
        operands = [self._names[value.id] for value in (*scan.initial, *scan.sequences)]
        made = helper.make_node("Scan", operands, names, body=body, num_scan_inputs=len(scan.sequences))
        if scan.reverse:
            for kind, count in (("input", len(scan.sequences)), ("output", len(scan.outputs))):
                directions = helper.make_attribute(
                    f"scan_{kind}_directions", [1] * count, attr_type=AttributeProto.INTS
                )
                made.attribute.append(directions)
        self.nodes.append(made)
        return names

    def _result_name(self, item: Node | None) -> str:
        """The output's name, else the user's where that is free."""
        if item is not None and item.id in self._names:
            return self._names[item.id]
        if item is None or not item.name or item.name in self._taken:
            return self._fresh("scan")
        self._taken.add(item.name)
        return item.name

    def _body(self, scan: Scan) -> onnx.GraphProto:
        inner = Emitter(graph_of(scan.body), {}, around=self)
        for name, operand in scan.operands.items():
            leaf = scan.leaves[name]
            inner._names[leaf.id] = self._names[operand.id] if name[0] == "c" else self._fresh(name)
            if name[0] != "c":
                inner.inputs.append(value_info(inner._names[leaf.id], leaf.type))
        for node in inner.graph.order():
            if node.id not in inner._names:
                inner.visit(node)
        outputs = inner._step_results(scan.body.results)
        return helper.make_graph(inner.nodes, self._fresh("step"), inner.inputs, outputs)

    def _step_results(self, values: Sequence[Value]) -> list[onnx.ValueInfoProto]:
        """Declare the results of a body: names that its nodes make, no two the same."""
        free = {name for node in self.nodes for name in node.output}
        declared: list[onnx.ValueInfoProto] = []
        for value in values:
            name = self._names[value.id]
            name = name if name in free else self.node("Identity", name)
            free.discard(name)
            declared.append(value_info(name, value.type))
        return declared

    # ------------------------------------------------------------------------------------------ results

    def output(self, name: str, value: Value) -> onnx.ValueInfoProto:
        """Declare a result; a leaf, or a value that is an output already, gets an Identity."""
        if self._names[value.id] != name:
            self._append("Identity", (self._names[value.id],), name, {})
        return value_info(name, value.type)

    # ------------------------------------------------------------------------------------------ OnnxEmitter

    def node(
        self, op_type: str, *inputs: str, **attributes: int | float | str | Sequence[int] | Sequence[float]
    ) -> str:
        return self._append(op_type, inputs, self._fresh(op_type), attributes)

    def several(
        self, op_type: str, outputs: int, *inputs: str, **attributes: int | float | str | Sequence[str]
    ) -> tuple[str, ...]:
        names = tuple(self._fresh(op_type) for _ in range(outputs))
        self._make(op_type, inputs, names, attributes)
        return names

    def once(self, key: object, make: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def constant(self, value: float | Sequence[int] | Sequence[float], dtype: DType) -> str:
        return self._tensor(np.array(value, numpy_dtype(dtype)))

    def size(self, dim: Dim) -> str:
        if self.around is not None:
            return self.around.size(dim)
        if dim in self._known:
            return self._known[dim]
        if isinstance(dim, int):
            made = self.constant(dim, DType.I64)
        elif len(dim.symbols()) == 1 and dim == symbol(min(dim.symbols())):
            made = self._axis(dim)
        else:
            made = self._polynomial(dim)
        self._known[dim] = made
        return made

    def shape(self, shape: Shape) -> str:
        if self.around is not None:
            return self.around.shape(shape)
        if all(isinstance(dim, int) for dim in shape):
            return self.constant([dim for dim in shape if isinstance(dim, int)], DType.I64)
        zero = self.constant([0], DType.I64)
        parts = [
            self.constant([dim], DType.I64) if isinstance(dim, int) else self.node("Unsqueeze", self.size(dim), zero)
            for dim in shape
        ]
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0)

    def cast(self, name: str, dtype: DType) -> str:
        return self.node("Cast", name, to=_ELEMENT[dtype])

    # ------------------------------------------------------------------------------------------ inside

    def _axis(self, dim: Dim) -> str:
        """A run-time size read off the first input that has it as an axis."""
        for node in self.graph.leaves("input"):
            if dim in node.out.shape:
                axis = node.out.shape.index(dim)
                shape = self.node("Shape", node.attrs.str("name"), start=axis, end=axis + 1)
                return self.node("Squeeze", shape, self.constant([0], DType.I64))
        raise InternalError("to_onnx", f"size {dim}", "no input has an axis of this size")

    def _polynomial(self, dim: Dim) -> str:
        assert not isinstance(dim, int)
        total = ""
        for monomial, coefficient in dim.terms:
            term = self.constant(coefficient, DType.I64)
            for atom, power in monomial:
                factor = self._quotient(atom) if isinstance(atom, FloorDiv) else self.size(symbol(atom))
                for _ in range(power):
                    term = self.node("Mul", term, factor)
            total = self.node("Add", total, term) if total else term
        return total if dim.den == 1 else self.node("Div", total, self.constant(dim.den, DType.I64))

    def _quotient(self, atom: FloorDiv) -> str:
        # Div truncates toward zero; sizes are not negative, so that is the floor.
        return self.node("Div", self.size(atom.numerator), self.size(atom.denominator))

    def _tensor(self, array: npt.NDArray[Any]) -> str:
        if self.around is not None:
            return self.around._tensor(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self._fresh("constant")
            self.constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def _fresh(self, stem: str) -> str:
        """A name nobody has."""
        number = len(self._taken)
        while (name := f"{stem.lower()}_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name

    def _append(self, op_type: str, inputs: Sequence[str], output: str, attributes: Mapping[str, Any]) -> str:
        self._make(op_type, inputs, (output,), attributes)
        return output

    def _make(self, op_type: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Mapping[str, Any]) -> None:
        self.nodes.append(helper.make_node(op_type, list(inputs), list(outputs), **attributes))
