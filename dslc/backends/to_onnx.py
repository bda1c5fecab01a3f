"""Graph -> ONNX model at opset 18, IR 10, with the program's names kept.

Inputs, outputs and parameters carry the names the program gave them; run-time sizes become named dynamic axes. How an
operator is written in ONNX is stated by its `OpDef`; here is only what is around it. The bytes are deterministic. It does
not run or compare anything: that is `prove_onnx`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from dslc.diagnostics import InternalError
from dslc.graph import Graph
from dslc.graph.arrays import constant_array, numpy_dtype
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.tensor_type import Dim, DType, FloorDiv, Shape, TensorType, symbol

OPSET = 18
IR_VERSION = 10

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


def to_onnx(
    graph: Graph,
    params: Mapping[str, npt.NDArray[Any]] | None = None,
    *,
    name: str = "model",
    doc: str = "",
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """The ONNX model of an inference graph.

    Args:
        graph: leaves are inputs, params, constants and sizes; a graph with draws or states has no ONNX form.
        params: the value of every `param` leaf by key; written as initializers of that name.
        name: the name of the ONNX graph.
        doc: the model's `doc_string`.
        metadata: entries of `metadata_props`, written in alphabetical order.
    """
    emitter = _Emitter(graph, params or {})
    for node in graph.order():
        emitter.visit(node)
    outputs = [emitter.output(output, value) for output, value in graph.outputs.items()]
    proto = helper.make_graph(
        emitter.nodes, name, emitter.inputs, outputs, initializer=[*emitter.initializers, *emitter.constants]
    )
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="dslc"
    )
    model.doc_string = doc
    for key, text in sorted((metadata or {}).items()):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, text
    return model


def _value_info(name: str, type_: TensorType) -> onnx.ValueInfoProto:
    shape = [dim if isinstance(dim, int) else str(dim) for dim in type_.shape]
    return helper.make_tensor_value_info(name, _ELEMENT[type_.dtype], shape)


@dataclass(slots=True)
class _Emitter:
    """Implements `dslc.ops.ir.OnnxEmitter` and keeps which ONNX name each value of the graph has."""

    graph: Graph
    params: Mapping[str, npt.NDArray[Any]]
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list[onnx.ValueInfoProto])
    initializers: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])
    constants: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])
    _names: dict[int, str] = field(default_factory=dict[int, str])
    _taken: set[str] = field(default_factory=set[str])
    _known: dict[object, str] = field(default_factory=dict[object, str])

    def __post_init__(self) -> None:
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
        if node.op in OPS:
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
            self.inputs.append(_value_info(name, node.out.type))
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

    def output(self, name: str, value: Value) -> onnx.ValueInfoProto:
        """Declare a result; a leaf, or a value that is an output already, gets an Identity."""
        if self._names[value.id] != name:
            self._append("Identity", (self._names[value.id],), name, {})
        return _value_info(name, value.type)

    # ------------------------------------------------------------------------------------------ OnnxEmitter

    def node(
        self, op_type: str, *inputs: str, **attributes: int | float | str | Sequence[int] | Sequence[float]
    ) -> str:
        return self._append(op_type, inputs, self._fresh(op_type), attributes)

    def constant(self, value: float | Sequence[int] | Sequence[float], dtype: DType) -> str:
        return self._tensor(np.array(value, numpy_dtype(dtype)))

    def size(self, dim: Dim) -> str:
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
        self.nodes.append(helper.make_node(op_type, list(inputs), [output], **attributes))
        return output
