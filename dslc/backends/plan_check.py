"""Proof that a compiled program reads and writes the right memory. It shares no code with the planner and trusts nothing of it.

The generated source is run with every number replaced by a *tag* that says which element of which value of the graph it is.
Memory remembers the tag of each byte. A kernel call is looked up among the nodes of the graph by the tags its operands
hold; if some operand was overwritten too early, read before it was written, or seen through the wrong view, no node fits.
So for one choice of sizes this proves: every read sees the value written for it; no two live values overlap; inputs,
parameters, draws and constants are never written; an output overlaps an operand only where the operator allows it, element on
element; states hold the new values at the end, computed from old ones, and none is written before `loss` was looked at.

It says nothing about what kernels compute, which is the business of the tests of operators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc.backends.bodies import step_graph, wiring
from dslc.backends.numpy_forms import specialise
from dslc.backends.tags import REARRANGING, Expected, Tags, only_converts
from dslc.diagnostics import InternalError
from dslc.graph import Graph
from dslc.graph.arrays import numpy_dtype
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.ops.scan import scan_of
from dslc_runtime.generated import namespace
from dslc_runtime.kernels import KERNELS
from dslc_runtime.memory import in_a_row, shared
from dslc_runtime.program import Program
from dslc_runtime.recurrence import Wiring

Array: TypeAlias = npt.NDArray[Any]

_GARBAGE = -1
_BYTES = 16  # tags are apart by this, so that a byte's tag says which byte of the element it is


def check_program(graph: Graph, program: Program, sizes: Mapping[str, int]) -> None:
    """Prove that a program uses its memory rightly for given run-time sizes.

    Args:
        graph: what was planned: the program's graph in NumPy's operators (`specialise`).
        program: what was compiled from it.
        sizes: a choice of run-time sizes.

    Raises:
        InternalError: it does not.
    """
    expected = Expected(dict(sizes))
    for node in graph.order():
        expected.add(node)
    _Trace(graph, program, expected).check()


def _fail(message: str) -> InternalError:
    return InternalError("plan", "memory", message)


@dataclass(frozen=True, slots=True)
class _Region:
    """A stretch of memory with the tag of each byte."""

    name: str
    start: int
    tags: Tags
    writable: bool


@dataclass(frozen=True, slots=True)
class _Number:
    """A host number while tracing: only its tag."""

    tag: Tags
    tracer: _Trace

    def __add__(self, other: object) -> _Number:
        return self.tracer.host("add", self, other)

    def __radd__(self, other: object) -> _Number:
        return self.tracer.host("add", other, self)

    def __sub__(self, other: object) -> _Number:
        return self.tracer.host("sub", self, other)

    def __rsub__(self, other: object) -> _Number:
        return self.tracer.host("sub", other, self)

    def __mul__(self, other: object) -> _Number:
        if other is self:
            return self.tracer.square(self)
        return self.tracer.host("mul", self, other)

    def __rmul__(self, other: object) -> _Number:
        return self.tracer.host("mul", other, self)

    def __neg__(self) -> _Number:
        return self.tracer.host("neg", self)


@dataclass(slots=True)
class _Trace:
    """One program run on tags."""

    graph: Graph
    program: Program
    expected: Expected
    regions: list[_Region] = field(default_factory=list[_Region])
    states: list[tuple[_Region, Tags]] = field(default_factory=list[tuple[_Region, Tags]])
    looked: int = 0

    def check(self) -> None:
        """Bind and run twice, and look at everything."""
        module = self._module()
        exec(compile(self.program.source, "<traced program>", "exec"), module)
        sizes = module["sizes"](*(self.expected.sizes[name] for name in self.program.face.sizes))
        lives, kept = module["memory"](sizes)
        at, scratch_bytes = shared(lives)
        kept_at, kept_bytes = in_a_row(kept)
        scratch_memory = self._region("scratch", np.empty(scratch_bytes, np.uint8), None, writable=True)
        kept_memory = self._region("kept", np.empty(kept_bytes, np.uint8), None, writable=True)
        leaves = {op: self._leaves(op) for op in ("input", "draw", "param", "state", "constant")}
        self.states = [(region, region.tags.copy()) for region in self.regions if region.name.startswith("state")]
        run, outputs = module["bind"](
            sizes,
            scratch_memory,
            at,
            kept_memory,
            kept_at,
            *(list(leaves[op].values()) for op in leaves),
            self._scan,
            None,
        )
        for _ in range(2):
            for region, tags in self.states:
                region.tags[:] = tags
            self.regions[0].tags.fill(_GARBAGE)
            self.looked = 0
            run(*(_Number(self.expected.scalar(name), self) for name in self.program.scalars))
            self._check_results(leaves["state"], dict(zip(self.graph.outputs, outputs, strict=True)))

    # ------------------------------------------------------------------------------------------ set-up

    def _module(self) -> dict[str, Any]:
        names = namespace()
        for name in KERNELS:
            names[name] = self._recorder(name)
            names[f"{name}_bind"] = partial(self._bind, name)
        names["dot"] = names["matmul"]
        names["add_reduce"] = self._add_reduce
        names["ndarray"] = self._ndarray
        names["poison"] = self._poison
        names["isfinite"] = self._look
        names["float"] = self._number
        for op in ("div", "pow", "sqrt"):
            names[f"host_{op}"] = partial(self.host, op)
        return names

    def _ndarray(self, *arguments: Any) -> _Traced:
        return _traced(np.ndarray(*arguments), self)

    def _leaves(self, op: str) -> dict[str, _Traced]:
        """Memory for the leaves of a kind, in the program's order, each element tagged as what the graph calls it."""
        key = "key" if op == "param" else "name"
        known = [node for node in self.graph.leaves(op) if node.id in self.expected.tags]
        if op == "input":
            known = [node for node in known if node.attrs["name"] not in self.program.scalars]
        if op in ("draw", "constant"):
            known = [node for node in known if self._is_live(node)]
            return {str(node.id): self._leaf(node.out, op) for node in known}
        found = {node.attrs.str(key): self._leaf(node.out, op) for node in known}
        if op == "state":
            for name, value in self.graph.updates.items():
                if name not in found:
                    array = np.empty(self.expected.tags[value.id].shape, numpy_dtype(value.dtype))
                    found[name] = self._region(f"state {name}", array, None, writable=True)
        return found

    def _is_live(self, node: Node) -> bool:
        found, stack = set[int](), [value.id for value in self.graph.results()]
        while stack:
            i = stack.pop()
            if i not in found:
                found.add(i)
                stack.extend(value.id for value in self.graph.nodes[i].inputs)
        return node.id in found

    def _leaf(self, value: Value, op: str) -> _Traced:
        tags = self.expected.tags[value.id]
        array = np.empty(tags.shape, numpy_dtype(value.dtype))
        return self._region(f"{op} %{value.id}", array, tags, writable=op == "state")

    def _region(self, name: str, array: Array, tags: Tags | None, *, writable: bool) -> _Traced:
        shadow = np.full(array.nbytes, _GARBAGE)
        self.regions.append(_Region(name, _address(array), shadow, writable))
        if tags is not None:
            shadow[:] = (tags.reshape(-1, 1) * _BYTES + _bytes_of(array)).reshape(-1)
        return _traced(array, self)

    # ------------------------------------------------------------------------------------------ what source does

    def _recorder(self, name: str) -> Callable[..., None]:
        allowed = {position for opdef in OPS.values() if opdef.kernel == name for position in opdef.inplace}
        rearranges = name in REARRANGING or any(opdef.view for opdef in OPS.values() if opdef.kernel == name)

        def record(*operands: Any, out: Array, **attrs: Any) -> None:
            tags = [self._read(operand) for operand in operands]
            for position, operand in enumerate(operands):
                self._check_overlap(name, operand, out, position in allowed)
            if rearranges:
                result = KERNELS[name].obvious(*tags, **attrs)
            elif only_converts(name, tags, bool(operands) and operands[0].dtype.char not in "dlq"):
                result = tags[0]
            else:
                result = self.expected.call(name, attrs, tags)
            if result is None:
                raise _fail(f"{name} reads memory that does not hold the operands of any node")
            self._write(name, out, result)

        return record

    def _bind(self, name: str, *operands: Any, **given: Any) -> Callable[[], None]:
        """A kernel bound to arrays, which it reads and writes whenever it is called; the memory it works in is its own."""
        return partial(self._recorder(name), *operands, **{key: value for key, value in given.items() if key != "work"})

    def _add_reduce(self, x: Array, *, axis: tuple[int, ...], keepdims: bool = False, out: Array) -> None:
        self._recorder("sum")(x, out=out, axes=axis, keepdims=keepdims)

    def _scan(
        self, number: int, sizes: Mapping[str, int], operands: Sequence[Array], targets: Sequence[Array | None]
    ) -> Callable[[], None]:
        """A scan reads its operands and writes its results; its body is a program to be proved on its own."""

        def run() -> None:
            found = self.expected.scan([self._read(operand) for operand in operands])
            scan = next((node for node in found if _is_body(node, self.program.bodies[number], sizes)), None)
            if scan is None:
                raise _fail("a scan reads memory that does not hold its operands, or runs the body of another")
            for index, target in enumerate(targets):
                if target is None:
                    continue
                if any(np.shares_memory(operand, target) for operand in operands):
                    raise _fail("a scan writes over an operand")
                self._write("scan", target, self.expected.items[scan.id][index])

        return run

    def _poison(self, array: Array) -> None:
        self._write("poison", array, np.full(array.shape, _GARBAGE))

    def _check_overlap(self, name: str, operand: Array, out: Array, allowed: bool) -> None:
        if not np.shares_memory(operand, out):
            return
        same = _address(operand) == _address(out) and operand.strides == out.strides and operand.shape == out.shape
        if not allowed or not same or operand.dtype != out.dtype:
            raise _fail(f"{name} writes over an operand it still reads")

    def assign(self, target: Array, value: Any) -> None:
        """``target[...] = value``, for an array or a host number."""
        if isinstance(value, int | float | _Number):
            self._write("fill", target, self._number(value).tag)
            return
        source: Array = value
        if source.shape != target.shape or source.dtype != target.dtype or np.shares_memory(source, target):
            raise _fail("a copy between arrays of different types, or of an array to itself")
        self._write("copy", target, self._read(source))

    def host(self, op: str, *operands: object) -> _Number:
        """Arithmetic on host numbers."""
        tags = [self._number(operand).tag for operand in operands]
        result = self.expected.call(OPS[op].kernel or op, {}, tags)
        if result is None:
            raise _fail(f"{op} on host numbers that are the operands of no node")
        return _Number(result, self)

    def square(self, operand: _Number) -> _Number:
        """``h * h``, which is how a square is written, and perhaps a product."""
        for op, count in (("square", 1), ("mul", 2)):
            result = self.expected.call(OPS[op].kernel or op, {}, [operand.tag] * count)
            if result is not None:
                return _Number(result, self)
        raise _fail("a square of a host number that no node has")

    def _number(self, value: object) -> _Number:
        if isinstance(value, _Number):
            return value
        assert isinstance(value, int | float)
        return _Number(self.expected.number(value), self)

    def _look(self, value: object) -> bool:
        """The check of the loss: it must look at the loss, before any state changes."""
        tags = value.tag if isinstance(value, _Number) else self._read(value)
        if not np.array_equal(tags, self.expected.tags[self.graph.outputs["loss"].id]):
            raise _fail("the check of the loss looks at something else")
        if not all(np.array_equal(region.tags, tags) for region, tags in self.states):
            raise _fail("a state is written before the loss is checked")
        self.looked += 1
        return True

    # ------------------------------------------------------------------------------------------ memory

    def _find(self, array: Array) -> tuple[_Region, int]:
        """The region an array lies in, and where it starts there."""
        for region in self.regions:
            offset = _address(array) - region.start
            if 0 <= offset < max(len(region.tags), 1):
                return region, offset
        raise _fail("an array lies in no known memory")

    def _cells(self, array: Array) -> tuple[_Region, Tags]:
        """The bytes of each element: an index array with one more axis."""
        region, offset = self._find(array)
        cells: Tags = np.full(array.shape, offset, np.int64)
        for axis, (size, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
            steps: Tags = np.array(range(size), np.int64) * stride
            cells += np.reshape(steps, [-1 if i == axis else 1 for i in range(array.ndim)])
        cells = cells[..., np.newaxis] + _bytes_of(array)
        if cells.size and (cells.min() < 0 or cells.max() >= len(region.tags)):
            raise _fail(f"an array reaches past the end of {region.name}")
        return region, cells

    def _read(self, array: Any) -> Tags:
        region, cells = self._cells(array)
        tags = region.tags[cells]
        first = tags[..., 0] // _BYTES
        if not np.array_equal(tags, first[..., np.newaxis] * _BYTES + _bytes_of(array)):
            raise _fail(f"an element in {region.name} is made of pieces of others, or was never written")
        return np.ascontiguousarray(first).reshape(array.shape)

    def _write(self, what: str, array: Array, tags: Tags) -> None:
        region, cells = self._cells(array)
        if not region.writable:
            raise _fail(f"{what} writes to {region.name}")
        if array.shape != tags.shape:
            raise _fail(f"{what} writes shape {tags.shape} into {array.shape}")
        region.tags[cells] = tags[..., np.newaxis] * _BYTES + _bytes_of(array)

    def _check_results(self, states: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
        for name, value in self.graph.outputs.items():
            if not np.array_equal(self._read(outputs[name]), self.expected.tags[value.id]):
                raise _fail("an output does not hold its value after the run")
            if self._find(outputs[name])[0].name != "kept":
                raise _fail("an output is not apart from other memory")
        for name, array in states.items():
            node = next((node for node in self.graph.leaves("state") if node.attrs["name"] == name), None)
            value = self.graph.updates.get(name, node.out if node is not None else None)
            if value is None or not np.array_equal(self._read(array), self.expected.tags[value.id]):
                raise _fail("a state does not hold its new value after the run")
        loss = self.graph.outputs.get("loss")
        changed = not all(np.array_equal(region.tags, tags) for region, tags in self.states)
        if loss is not None and changed and not loss.shape and loss.dtype.is_float and self.looked != 1:
            raise _fail("states change without a check of the loss")


def _is_body(node: Node, body: tuple[Program, Wiring], sizes: Mapping[str, int]) -> bool:
    """Whether a program computes one step of a scan, and uses its own memory rightly."""
    (program, connected), scan = body, scan_of(node)
    try:
        check_program(specialise(step_graph(scan)), program, sizes)
    except InternalError:
        return False
    return wiring(scan) == connected


class _Traced(np.ndarray[Any, Any]):
    """An array whose assignments are seen by a trace; its own content means nothing."""

    tracer: _Trace | None = None

    def __array_finalize__(self, other: object) -> None:
        self.tracer = getattr(other, "tracer", None)

    def __setitem__(self, key: object, value: object) -> None:
        assert self.tracer is not None
        assert key in ((), ...)
        self.tracer.assign(self, value)


def _traced(array: Array, trace: _Trace) -> _Traced:
    found = array.view(_Traced)
    found.tracer = trace
    return found


def _bytes_of(array: Array) -> Tags:
    """The bytes of an element, counted."""
    return np.array(range(array.itemsize), np.int64)


def _address(array: Array) -> int:
    return array.__array_interface__["data"][0]
