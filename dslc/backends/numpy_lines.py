"""Steps of a plan -> lines of NumPy source, each with the line and column it comes from.

Nothing a program says reaches the text but numbers, element types and positions; strings are written by `repr`, and every name is
made here:

    x inputs, r draws, p params, s states, c constants, b scratch buffers, k kept buffers, g segments, v views, h host numbers,
    t tiles of long arrays, f scans, NAME_0 kernels that are bound once

What a line names is made once, before any step: a view, a segment or a buffer where it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isinf, isnan
from typing import Any

from dslc.backends.plan import Plan
from dslc.backends.plan.model import Buffer, Call, Copy, Fill, Finite, Host, Leaf, Loop, Part, Place, Step, View
from dslc.backends.plan.schedule import HOST_FORMS
from dslc.backends.sizes import Sizes, indented, listed
from dslc.backends.watch import Watch
from dslc.ops import OPS
from dslc.ops.ir import Attr, Node, Value
from dslc.ops.scan import scan_of
from dslc.tensor_type import DType, Size, count, symbol
from dslc_runtime.kernels import KERNELS

_NO_NAMES: Mapping[str, str] = {}


@dataclass(slots=True)
class Lines:
    """The lines of a plan's steps.

    Attributes:
        watch: times every line, if there is one.
        setup: the lines that make what the steps name.
    """

    plan: Plan
    sizes: Sizes
    watch: Watch | None
    setup: list[str] = field(default_factory=list[str])
    _names: dict[Any, str] = field(default_factory=dict[Any, str])
    _counts: dict[str, int] = field(default_factory=dict[str, int])

    # ------------------------------------------------------------------------------------------ steps

    def of(self, step: Step) -> list[str]:
        """The lines of a step; none where it only gives a number another name."""
        match step:
            case Call(node) if node.op == "scan":
                return [f"{self._scan(node)}()" + _position(node)]
            case Call(node) if _is_bound(node):
                return [f"{self._bound(node)}()" + _position(node)]
            case Call(node):
                return [self._call(node) + _position(node)]
            case Loop():
                return self._loop(step)
            case Host(node) if node.op == "cast" and node.inputs[0].dtype.is_float and node.out.dtype.is_float:
                self._names["host", node.id] = self._number(node.inputs[0])  # both are Python's floats
                return []
            case Host(node):
                return [f"{self.scalar(node)} = {self._host(node)}" + _position(node)]
            case Fill(value, target):
                return [f"{self.name(target)}[()] = {self._number(value)}"]
            case Copy(value, source, target):
                return [f"{self.name(target)}[...] = {self.name(source)}" + _position(self.plan.graph.nodes[value.id])]
            case Finite(value, name):
                found = self.plan.places.get(value.id)
                text = self.name(found) if found is not None else self._number(value)
                return [f"if not isfinite({text}):", f"    raise NonFiniteError({name!r})"]

    def _loop(self, loop: Loop) -> list[str]:
        """A loop over tiles: every array in it goes by a name of its own, and the slices are made once."""
        local: dict[str, str] = {}
        once: list[str] = []
        for node in (call.node for call in loop.calls):
            for value in (*node.inputs, node.out):
                if not value.shape:
                    continue
                place = self._seen(value)
                name = self.name(place)
                if name not in local:
                    local[name] = self._new("t", ("tile", self._counts.get("t", 0)))
                    once += [name] if isinstance(place, Buffer) and place.tile is not None else []
        lines: list[str] = []
        for call in loop.calls:
            lines.append(self._call(call.node, local) + _position(call.node))
            if self.watch is not None:
                lines.append(self.watch.tick(call.node, loop))
        whole = {name: tile for name, tile in local.items() if name not in once}
        tiles = self._new("tiles", ("tiles", self._counts.get("tiles", 0)))
        self.setup.append(f"{tiles} = in_tiles({loop.tile}, {listed(list(whole))}, {listed(once)})")
        names = [*whole.values(), *map(local.__getitem__, once)]
        return [f"for {listed(names)} in {tiles}:", *indented(lines)]

    def _call(self, node: Node, local: Mapping[str, str] = _NO_NAMES) -> str:
        """The line of a kernel call; `local` are names for some arrays in place of their own."""
        *operands, out = (self._among(local, value) for value in (*node.inputs, node.out))
        if node.op == "sum" and node.out.dtype.is_float:
            axes, keepdims = node.attrs.ints("axes"), ", keepdims=True" if node.attrs.bool("keepdims") else ""
            return f"add_reduce({operands[0]}, axis={axes!r}{keepdims}, out={out})"
        attrs = [f"{name}={self._attr(value)}" for name, value in node.attrs.items()]
        return f"{_kernel(node)}({', '.join([*operands, f'out={out}', *attrs])})"

    def _among(self, local: Mapping[str, str], value: Value) -> str:
        """The name of an array where some go by names of their own, whichever view of them is asked for."""
        seen = self.name(self._seen(value)) if local else ""
        return local[seen] if seen in local else self.value(value)

    def _seen(self, value: Value) -> Place:
        """The place of what a value sees all of, or its own."""
        place = self.plan.places[value.id]
        while isinstance(place, View) and place.node.op != "segment":
            place = self.plan.places[place.node.inputs[0].id]
        return place

    def _bound(self, node: Node) -> str:
        """The name of a kernel that is bound to its arrays; it is made once. All of them share memory to work in."""
        *operands, out = (self.value(value) for value in (*node.inputs, node.out))
        attrs = [f"{name}={self._attr(value)}" for name, value in node.attrs.items()]
        name = self._new(f"{_kernel(node)}_", ("bound", node.id))
        self.setup.append(f"{name} = {_kernel(node)}_bind({', '.join([*operands, f'out={out}', *attrs, 'work=work'])})")
        return name

    def _scan(self, node: Node) -> str:
        """The name of a function that runs all steps; it is made once."""
        operands = [self.value(value) for value in node.inputs]
        items = {
            user.attrs.int("index"): self.value(user.out)
            for user, _ in self.plan.graph.uses(node.out)
            if user.id in self.plan.places
        }
        targets = [items.get(index, "None") for index in range(len(scan_of(node).body.results))]
        sizes = ", ".join(f"{name!r}: {self.sizes.name(symbol(name))}" for name in self.sizes.symbols)
        name = self._new("f", ("scan", node.id))
        number = self.plan.scans().index(node)
        self.setup.append(f"{name} = scan({number}, {{{sizes}}}, {listed(operands)}, {listed(targets)})")
        return name

    def _host(self, node: Node) -> str:
        if node.op == "size":
            size = node.attrs["size"]
            assert isinstance(size, int | Size)
            text = self.sizes.name(size)
            return f"float({text})" if node.out.dtype.is_float else text
        return HOST_FORMS[node.op].format(*map(self._number, node.inputs))

    def _number(self, value: Value) -> str:
        node = self.plan.graph.nodes[value.id]
        if node.op == "constant":
            return self._attr(node.attrs["value"])
        return self._names["host", value.id]

    def _attr(self, value: Attr) -> str:
        if isinstance(value, DType):
            return value.value
        if isinstance(value, Size):
            return self.sizes.name(value)
        if isinstance(value, tuple):
            return listed([self._attr(item) for item in value])
        if isinstance(value, float) and (isinf(value) or isnan(value)):
            return "nan" if isnan(value) else "inf" if value > 0 else "-inf"
        return repr(value)

    # ------------------------------------------------------------------------------------------ arrays

    def value(self, value: Value) -> str:
        """The name of a value's array."""
        return self.name(self.plan.places[value.id])

    def name(self, place: Place) -> str:
        """The name of a place; the line that makes it is written if it is new."""
        match place:
            case Leaf(node):
                return self._names["leaf", node.id]
            case Buffer(id):
                key, letter, line = ("buffer", id), "k" if place.kept else "b", self._buffer
            case Part(id):
                key, letter, line = ("part", id), "g", self._part
            case _:
                key, letter, line = ("view", place.node.id), "v", self._view
        if key not in self._names:
            text = line(place)
            self.setup.append(f"{self._new(letter, key)} = {text}")
        return self._names[key]

    def _buffer(self, buffer: Any) -> str:
        memory = f"kept, kept_at[{buffer.number}]" if buffer.kept else f"scratch, at[{buffer.number}]"
        shape = self.sizes.shape(buffer.type.shape)
        if buffer.tile is not None:
            shape = f"({self.sizes.tile(count(buffer.type.shape), buffer.tile)},)"
        return f"ndarray({shape}, {buffer.type.dtype.value}, {memory})"

    def _part(self, part: Any) -> str:
        return f"part({self.name(part.whole)}, {self.sizes.name(part.offset)}, {self.sizes.shape(part.type.shape)})"

    def _view(self, view: Any) -> str:
        node: Node = view.node
        attrs = [f"{name}={self._attr(value)}" for name, value in node.attrs.items()]
        return f"{OPS[node.op].kernel}_view({', '.join([self.value(node.inputs[0]), *attrs])})"

    def leaf(self, letter: str, node: Node) -> str:
        """A new name for a leaf that is an array."""
        return self._new(letter, ("leaf", node.id))

    def scalar(self, node: Node) -> str:
        """A new name for a number of the host."""
        return self._new("h", ("host", node.id))

    def _new(self, letter: str, key: tuple[str, int]) -> str:
        number = self._counts.get(letter, 0)
        self._counts[letter] = number + 1
        self._names[key] = f"{letter}{number}"
        return self._names[key]


def _kernel(node: Node) -> str:
    """The name of a node's kernel. `dot` is `matmul` for vectors and matrices, at half the cost of a call."""
    name = OPS[node.op].kernel
    assert name is not None, node.op
    if name == "matmul" and node.out.dtype in (DType.F32, DType.F64) and all(v.type.rank <= 2 for v in node.inputs):
        return "dot"
    return name


def _is_bound(node: Node) -> bool:
    """Whether a node's kernel is bound to its arrays before any run."""
    kernel = KERNELS.get(OPS[node.op].kernel or "")
    return kernel is not None and kernel.bind is not None


def _position(node: Node) -> str:
    """A comment with the place in the program, as numbers only: text would let a program end the comment and go on as code."""
    return f"  # {node.span.line:d}:{node.span.column:d}" if node.span is not None else ""
