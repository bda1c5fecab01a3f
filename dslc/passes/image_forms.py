"""Convolutions and sums, means and maxima of whole images, elements repeated -> the operators that ONNX has for them.

For graphs that are exported, after all other passes. A bias becomes an operand of the convolution that nothing else reads. In
float32, where ONNX Runtime has no other type, a mean or maximum of images over all their axes becomes a global pool, and
images whose elements are repeated become resized ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.graph import Builder, Graph
from dslc.ops.axes import with_axis
from dslc.ops.image_export import BIASED, GLOBAL, REPEATED
from dslc.ops.ir import Attr, Node, Value
from dslc.passes.dead import remove_dead
from dslc.tensor_type import DType

#: An operator, its operands and its options.
_Applied = tuple[str, tuple[Value, ...], Mapping[str, Attr]]


def image_operators(graph: Graph) -> Graph:
    """The graph with ONNX's operators on images."""
    builder = Builder()
    values: dict[int, Value] = {}
    for node in graph.order():
        op, inputs, attrs = (
            _biased(graph, node) or _pooled(node) or _resized(graph, node) or (node.op, node.inputs, node.attrs)
        )
        operands = [values[value.id] for value in inputs]
        with builder.at(node.span, node.layer):
            made = builder.copy(node, operands) if op == node.op else builder.apply(op, *operands, **attrs)
            values[node.id] = builder.named(made, node.name)
    builder.graph.outputs |= {name: values[value.id] for name, value in graph.outputs.items()}
    builder.graph.updates |= {name: values[value.id] for name, value in graph.updates.items()}
    return remove_dead(builder.graph)


def _biased(graph: Graph, node: Node) -> _Applied | None:
    """conv(x, w) + reshape(bias, [channels, 1, ...]) -> the convolution with a bias."""
    if node.op != "add":
        return None
    for convolved, added in (node.inputs, node.inputs[::-1]):
        conv, bias = graph.producer(convolved), _of_channels(graph, added, node)
        if conv.op in BIASED and bias is not None and _is_read_once(graph, convolved):
            return BIASED[conv.op], (*conv.inputs, bias), conv.attrs
    return None


def _of_channels(graph: Graph, value: Value, result: Node) -> Value | None:
    """The vector with a number for each channel that a value is, with axes of size 1 behind the channels."""
    shape = result.out.shape
    spread = graph.producer(value)
    is_spread = spread.op == "reshape" and value.shape == (shape[1], *(1,) * (len(shape) - 2))
    return spread.inputs[0] if is_spread and spread.inputs[0].shape == shape[1:2] else None


def _is_read_once(graph: Graph, value: Value) -> bool:
    return len(graph.uses(value)) == 1 and value not in graph.results()


def _resized(graph: Graph, node: Node) -> _Applied | None:
    """Images in which the elements of one axis are repeated, and then perhaps those of another -> the larger images."""
    scale, found = [1] * node.out.type.rank, _repeated(graph, node)
    source = node
    while found is not None:
        x, axis, times = found
        scale[axis] *= times
        source = graph.producer(x)
        found = _repeated(graph, source)
    return None if source is node else (REPEATED.name, (source.out,), {"scale": tuple(scale)})


def _repeated(graph: Graph, node: Node) -> tuple[Value, int, int] | None:
    """reshape(expand(expand_dims(x))), which is x with the elements of an axis behind the channels repeated: x, axis, times."""
    if node.op != "reshape" or node.out.dtype is not DType.F32:
        return None
    wide = graph.producer(node.inputs[0])
    apart = graph.producer(wide.inputs[0]) if wide.op == "expand" else None
    if apart is None or apart.op != "expand_dims" or len(apart.attrs.ints("axis")) != 1:
        return None
    x, (new,) = apart.inputs[0], apart.attrs.ints("axis")
    times = wide.out.shape[new]
    if not isinstance(times, int) or new < 3 or wide.out.shape != with_axis(apart.out.shape, new, times):
        return None
    return (x, new - 1, times) if node.out.shape == with_axis(x.shape, new - 1, x.shape[new - 1] * times) else None


def _pooled(node: Node) -> _Applied | None:
    """mean(x) or max(x) over all axes of images behind the channels -> the pool."""
    if node.op not in GLOBAL or node.attrs.bool("keepdims"):
        return None
    (x,) = node.inputs
    is_whole = x.type.rank > 3 and node.attrs.ints("axes") == tuple(range(2, x.type.rank))
    return (GLOBAL[node.op], node.inputs, {}) if is_whole and x.dtype is DType.F32 else None
