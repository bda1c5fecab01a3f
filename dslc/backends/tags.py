"""Tags: the elements of all values of a graph, told apart. What `plan_check` expects to find in memory.

A tag is a number for one element of one value. Equal computations have equal tags, and so have views and their operands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc.graph.arrays import kernel_attrs
from dslc.graph.ir import LEAVES
from dslc.ops import OPS
from dslc.ops.ir import Node
from dslc.tensor_type import DType, Size, evaluate
from dslc_runtime.kernels import KERNELS

Tags: TypeAlias = npt.NDArray[np.int64]

REARRANGING = frozenset({"pack"})  # operators besides views whose result is made of the operands' elements


@dataclass(slots=True)
class Expected:
    """The tags of every value of the graph, and the nodes by what they read."""

    sizes: dict[str, int]
    tags: dict[int, Tags] = field(default_factory=dict[int, Tags])
    results: dict[object, Tags] = field(default_factory=dict[object, Tags])
    pointwise: list[tuple[str, list[Tags], Tags]] = field(default_factory=list[tuple[str, list[Tags], Tags]])
    scans: list[tuple[Node, list[Tags]]] = field(default_factory=list[tuple[Node, list[Tags]]])
    items: dict[int, dict[int, Tags]] = field(default_factory=dict[int, dict[int, Tags]])
    used: int = 0

    def add(self, node: Node) -> None:
        """Give a node's value its tags."""
        shape = tuple(evaluate(dim, self.sizes) for dim in node.out.shape)
        if node.op == "scan":
            self.scans.append((node, [self.tags[value.id] for value in node.inputs]))
        if node.op == "item":
            index = node.attrs.int("index")
            self.tags[node.id] = self._tags(("item", node.inputs[0].id, index), shape)
            self.items.setdefault(node.inputs[0].id, {})[index] = self.tags[node.id]
            return
        self.tags[node.id] = self._leaf(node, shape) if node.op in LEAVES else self._result(node, shape)

    def number(self, value: float | bool) -> Tags:
        """The tag of a number: the same wherever it comes from."""
        return self._tags(("number", repr(float(value))), ())

    def scalar(self, name: str) -> Tags:
        """The tag of a scalar input."""
        return self._tags(("scalar", name), ())

    def call(self, kernel: str, attrs: Mapping[str, object], operands: Sequence[Tags]) -> Tags | None:
        """The tags of what a kernel computes from operands that hold these tags, or None where no node does that."""
        whole = self.results.get(_key(kernel, attrs, operands))
        return self._piece(kernel, operands) if whole is None and _is_pointwise(kernel) else whole

    def scan(self, operands: Sequence[Tags]) -> list[Node]:
        """The scans over operands that hold these tags."""
        return [
            node
            for node, known in self.scans
            if len(known) == len(operands) and all(map(np.array_equal, known, operands))
        ]

    def _piece(self, kernel: str, operands: Sequence[Tags]) -> Tags | None:
        """The elements, in order, that a pointwise kernel computes from these elements of its operands."""
        length = max(len(tags) if tags.ndim == 1 else 0 for tags in operands)
        for name, wholes, result in self.pointwise:
            if name != kernel or len(wholes) != len(operands) or not 0 < length <= len(result):
                continue
            first = next(i for i, tags in enumerate(wholes) if tags.ndim)
            starts = np.flatnonzero(wholes[first] == operands[first].flat[0])
            for start in starts.tolist():
                parts = [tags[start : start + length] if tags.ndim else tags for tags in wholes]
                if all(np.array_equal(a, b) for a, b in zip(parts, operands, strict=True)):
                    return result[start : start + length]
        return None

    def _leaf(self, node: Node, shape: tuple[int, ...]) -> Tags:
        if node.op == "size":
            size = node.attrs["size"]
            assert isinstance(size, int | Size)
            return self.number(evaluate(size, self.sizes))
        value = node.attrs.get("value")
        if node.op == "constant" and isinstance(value, int | float):
            return self.number(value)
        if node.op == "input" and not shape and node.out.dtype is DType.F64:
            return self.scalar(node.attrs.str("name"))
        return self._tags(("leaf", node.id), shape)

    def _result(self, node: Node, shape: tuple[int, ...]) -> Tags:
        operands = [self.tags[value.id] for value in node.inputs]
        attrs = kernel_attrs(node.attrs, self.sizes)
        if OPS[node.op].view or node.op in REARRANGING:
            return np.ascontiguousarray(_kernel(node).obvious(*operands, **attrs)).reshape(shape)
        narrow = bool(node.inputs) and node.inputs[0].dtype not in (DType.F64, DType.I64)
        if only_converts(node.op, operands, narrow):
            return operands[0]
        kernel = OPS[node.op].kernel or node.op
        result = self._tags(_key(kernel, attrs, operands), shape)
        if _is_pointwise(kernel) and shape and all(tags.shape in ((), shape) for tags in operands):
            flat = [tags.reshape(-1) if tags.shape else tags for tags in operands]
            self.pointwise.append((kernel, flat, result.reshape(-1)))
        return result

    def _tags(self, key: object, shape: tuple[int, ...]) -> Tags:
        if key not in self.results:
            count = int(np.prod(shape, dtype=np.int64))
            self.results[key] = (self.used + np.arange(count)).reshape(shape)
            self.used += count
        return self.results[key]


def _kernel(node: Node) -> Any:
    return KERNELS[OPS[node.op].kernel or node.op]


def _is_pointwise(kernel: str) -> bool:
    return kernel in KERNELS and KERNELS[kernel].pointwise


def only_converts(op: str, operands: Sequence[Tags], narrow: bool) -> bool:
    """A scalar float64 or int64 converted to another type keeps its tag: whether a host number or an array does it is free."""
    return op == "cast" and not operands[0].shape and not narrow


def _key(kernel: str, attrs: Mapping[str, object], operands: Sequence[Tags]) -> object:
    facts = tuple((tags.shape, tags.tobytes()) for tags in operands)
    return kernel, tuple((name, repr(value)) for name, value in sorted(attrs.items())), facts
