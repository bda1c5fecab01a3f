"""Graph + arrays -> the value of every node, by the obvious form of every kernel.

Slow on purpose: one new array per node, nothing in place, every result held against its inferred type. It is the oracle of every
plan and of the ONNX export, and finds the first value that went wrong after a run. It does not optimise, and shares no
code with the planner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.diagnostics import InternalError
from dslc.graph import Graph
from dslc.graph.arrays import constant_array, kernel_attrs, numpy_dtype, size_number
from dslc.graph.region import graph_of
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan, scan_of
from dslc.tensor_type import Dim, Size
from dslc_runtime.kernels import KERNELS

Array = npt.NDArray[Any]

# The attribute by which a leaf is fed.
_FEED = {"input": "name", "param": "key", "state": "name", "draw": "stream"}


def interpret(graph: Graph, feeds: Mapping[str, Array], sizes: Mapping[str, int] | None = None) -> dict[str, Array]:
    """The outputs of a graph by name, and the new values of its states as ``"state'"`` (the name with a prime).

    Args:
        graph: what to compute.
        feeds: inputs and states by name, parameters by key, draws by stream; element types as in the graph.
        sizes: run-time sizes that no leaf states as an axis of its own.

    Raises:
        InternalError: a feed is missing or does not fit its leaf, or a kernel breaks its operator's type rule.
    """
    values = evaluate(graph, feeds, sizes)
    outputs = {name: values[value.id] for name, value in graph.outputs.items()}
    return outputs | {f"{name}'": values[value.id] for name, value in graph.updates.items()}


def evaluate(graph: Graph, feeds: Mapping[str, Array], sizes: Mapping[str, int] | None = None) -> dict[int, Array]:
    """Every value of a graph by its id; arguments as for `interpret`."""
    order = graph.order()
    bound = {**_sizes(order, feeds), **(sizes or {})}
    values: dict[int, Array] = {}
    results: dict[int, list[Array]] = {}  # of scans
    with np.errstate(all="ignore"):
        for node in order:
            if node.op == "scan":
                results[node.id] = _scan(scan_of(node), values, bound)
                values[node.id] = np.array(True)
                continue
            if node.op == "item":
                result = results[node.inputs[0].id][node.attrs.int("index")]
            else:
                result = np.asarray(_compute(node, values, feeds, bound))
            _check(node, result, bound)
            values[node.id] = result
    return values


def _scan(scan: Scan, values: Mapping[int, Array], sizes: Mapping[str, int]) -> list[Array]:
    """The final states, then the outputs of all steps."""
    body = graph_of(scan.body)
    operands = {name: values[value.id] for name, value in scan.operands.items()}
    states = [values[value.id] for value in scan.initial]
    steps = range(len(values[scan.sequences[0].id]))
    rows: dict[int, list[Array]] = {}
    for t in reversed(steps) if scan.reverse else steps:
        feeds = {name: array[t] if name[0] == "x" else array for name, array in operands.items()}
        feeds |= {f"s{i}": state for i, state in enumerate(states)}
        found = list(interpret(body, feeds, sizes).values())
        states, rows[t] = found[: len(states)], found[len(states) :]
    return states + [_stacked([rows[t][i] for t in steps], out, sizes) for i, out in enumerate(scan.outputs)]


def _stacked(rows: list[Array], out: Value, sizes: Mapping[str, int]) -> Array:
    if rows:
        return np.stack(rows)
    return np.empty((0, *(size_number(dim, sizes) for dim in out.shape)), numpy_dtype(out.dtype))


def _compute(node: Node, values: Mapping[int, Array], feeds: Mapping[str, Array], sizes: Mapping[str, int]) -> Any:
    if node.op == "constant":
        return constant_array(node)
    if node.op == "size":
        return np.array(kernel_attrs(node.attrs, sizes)["size"], numpy_dtype(node.out.dtype))
    if node.op in _FEED:
        return _feed(node, feeds)
    name = OPS[node.op].kernel
    if name is None:
        raise InternalError("interpret", _where(node), "the operator has no kernel", node.span)
    attrs = kernel_attrs(node.attrs, sizes)
    return KERNELS[name].obvious(*(values[value.id] for value in node.inputs), **attrs)


def _feed(node: Node, feeds: Mapping[str, Array]) -> Array:
    name = node.attrs.str(_FEED[node.op])
    if name not in feeds:
        raise InternalError("interpret", _where(node), f"nothing was fed for {name!r}", node.span)
    return np.asarray(feeds[name])


def _sizes(order: list[Node], feeds: Mapping[str, Array]) -> dict[str, int]:
    """The run-time sizes that are the whole size of some axis of a leaf."""
    found: dict[str, int] = {}
    for node in order:
        if node.op not in _FEED:
            continue
        array = _feed(node, feeds)
        if array.ndim != node.out.type.rank:
            raise InternalError("interpret", _where(node), f"was fed rank {array.ndim}, not {node.out.type}", node.span)
        for dim, size in zip(node.out.shape, array.shape, strict=True):
            name = _bare(dim)
            if name:
                found.setdefault(name, size)
    return found


def _bare(dim: Dim) -> str:
    """The name of a size that is one symbol and nothing else, else ""."""
    return str(dim) if isinstance(dim, Size) and dim.symbols() == frozenset((str(dim),)) else ""


def _check(node: Node, result: Array, sizes: Mapping[str, int]) -> None:
    """Hold a computed array against the inferred type."""
    shape = tuple(size_number(dim, sizes) for dim in node.out.shape)
    if result.shape != shape or result.dtype != numpy_dtype(node.out.dtype):
        found = f"{result.dtype}{list(result.shape)}"
        raise InternalError("interpret", _where(node), f"gave {found}, its type is {node.out.type}", node.span)


def _where(node: Node) -> str:
    return f"{node.op} %{node.id}"
