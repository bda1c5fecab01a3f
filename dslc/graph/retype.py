"""A graph -> the same computation with other element types: float32 -> float64 to check gradients, for one.

Types of leaves and element types among attributes are replaced; all other types are inferred anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.graph.arrays import constant_array, constant_data, numpy_dtype
from dslc.graph.ir import LEAVES, Builder, Graph
from dslc.graph.region import graph_of, region_of
from dslc.ops.ir import Attr, Data, Node, Value
from dslc.ops.scan import scan_of
from dslc.tensor_type import DType, TensorType


def retype(graph: Graph, types: Mapping[DType, DType]) -> Graph:
    """A copy in which every element type that is a key of `types` is replaced by its value.

    Raises:
        InternalError: an operator does not exist in the new types.
    """
    builder = Builder()
    values: dict[int, Value] = {}
    for node in graph.order():
        with builder.at(node.span, node.layer):
            made = _retyped(builder, node, [values[value.id] for value in node.inputs], types)
            values[node.id] = builder.named(made, node.name)
    builder.graph.outputs |= {name: values[value.id] for name, value in graph.outputs.items()}
    builder.graph.updates |= {name: values[value.id] for name, value in graph.updates.items()}
    return builder.graph


def _retyped(builder: Builder, node: Node, inputs: list[Value], types: Mapping[DType, DType]) -> Value:
    attrs = {name: _replaced(value, types) for name, value in node.attrs.items()}
    if node.op == "scan":
        attrs["body"] = region_of(retype(graph_of(scan_of(node).body), types))
    if node.op not in LEAVES:
        return builder.apply(node.op, *inputs, **attrs)
    out = TensorType(types.get(node.out.dtype, node.out.dtype), node.out.shape)
    if isinstance(attrs.get("value"), Data):
        attrs["value"] = constant_data(constant_array(node).astype(numpy_dtype(out.dtype)))
    return builder.leaf(node.op, out, **attrs)


def _replaced(value: Attr, types: Mapping[DType, DType]) -> Attr:
    if isinstance(value, tuple):
        return tuple(_replaced(item, types) for item in value)
    return types.get(value, value) if isinstance(value, DType) else value
