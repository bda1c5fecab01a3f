"""Plan -> NumPy source -> program. Source that reads like code a person wrote: one line per step, `out=` everywhere.

The module has four functions. `sizes` works out every size from the run-time ones; `shapes` and `memory` say what to
allocate, and when it is in use; `bind` makes all arrays and views once and returns `run`, whose lines are the steps, each with
the line and column it comes from. Nothing a program says reaches the text but numbers, element types and positions; strings
are written by `repr`, and every name is made here:

    d sizes, x inputs, r draws, p params, s states, c constants, b scratch buffers, k kept buffers, g segments,
    v views, h host numbers, t tiles of long arrays, f scans, NAME_0 kernels that are bound once

The body of a scan is a program of its own, which `bind` binds once for every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isinf, isnan
from typing import Any

from dslc.backends.bodies import step_graph, wiring
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import Plan, plan
from dslc.backends.plan.loops import TILE
from dslc.backends.plan.model import Buffer, Call, Copy, Fill, Finite, Host, Leaf, Loop, Part, Place, Step, View
from dslc.backends.plan.schedule import HOST_FORMS
from dslc.backends.sizes import Sizes, face_sizes
from dslc.backends.watch import Watch
from dslc.graph import Graph
from dslc.graph.arrays import constant_array, numpy_dtype
from dslc.ops import OPS
from dslc.ops.ir import Attr, Node, Value
from dslc.ops.scan import scan_of
from dslc.passes.remat import recompute
from dslc.tensor_type import Dim, DType, Size, TensorType, count, symbol
from dslc_runtime.face import Face, TensorSpec
from dslc_runtime.generated import load
from dslc_runtime.kernels import KERNELS
from dslc_runtime.program import Program
from dslc_runtime.random import DrawSpec
from dslc_runtime.recurrence import Wiring

_NO_NAMES: Mapping[str, str] = {}
_LETTERS = {"input": "x", "draw": "r", "param": "p", "state": "s", "constant": "c"}


def compile_numpy(
    graph: Graph, *, remat: bool = False, poison: bool = False, watch: Watch | None = None, tile: int = TILE
) -> Program:
    """Write a graph in NumPy's operators, plan it, write its source and load it.

    With `remat`, cheap results that the backward pass reads are computed again instead of kept: the same bytes in less memory.
    With `poison`, memory is overwritten as soon as nothing needs it, which must not change any result: a test's option.
    With `watch`, which is new, every line is timed by its clock. Long arrays are worked on in tiles of `tile` elements.

    Raises:
        InternalError: an operator has no kernel.
    """
    special = specialise(graph)
    made = plan(recompute(special) if remat else special, tile=tile)
    constants = tuple(map(constant_array, made.leaves_of("constant")))
    bodies = tuple(_body(node, poison, watch, tile) for node in made.scans())
    source = emit(made, poison=poison, watch=watch)
    code = load(source, watch.clock if watch is not None else None)
    return Program(face(made), code, constants, bodies, source)


def _body(node: Node, poison: bool, watch: Watch | None, tile: int) -> tuple[Program, Wiring]:
    """The program of one step of a scan, and how steps are connected."""
    scan = scan_of(node)
    inner = watch.inside(node) if watch is not None else None
    return compile_numpy(step_graph(scan), poison=poison, watch=inner, tile=tile), wiring(scan)


def face(made: Plan) -> Face:
    """What a plan's program takes and gives."""
    numbers = ("p", "value", "low", "high", "mean", "std")
    return Face(
        inputs={node.attrs.str("name"): _spec(node.out.type) for node in made.leaves_of("input")},
        params={node.attrs.str("key"): _spec(node.out.type) for node in made.leaves_of("param")},
        states={node.attrs.str("name"): _spec(node.out.type) for node in made.leaves_of("state")},
        outputs={name: _spec(value.type) for name, value in made.graph.outputs.items()},
        draws=tuple(
            DrawSpec(
                node.attrs.str("dist"),
                node.attrs.str("stream"),
                {name: node.attrs.float(name) for name in numbers if name in node.attrs},
            )
            for node in made.leaves_of("draw")
        ),
        scalars=tuple(node.attrs.str("name") for node in made.scalars),
        sizes=face_sizes(made),
        expressions=Sizes.of(made).texts(),
    )


def _spec(type_: TensorType) -> TensorSpec:
    return TensorSpec(numpy_dtype(type_.dtype), tuple(d if isinstance(d, int) else str(d) for d in type_.shape))


def emit(made: Plan, *, poison: bool = False, watch: Watch | None = None) -> str:
    """The source of a plan."""
    return _Writer(made, Sizes.of(made), poison, watch).module()


# A branch that decides nothing, to end the first basic block of `bind`. CPython compiles a function that shares many variables
# with an inner one in time quadratic in the length of that block: eight seconds for a network of two thousand layers.
_BRANCH = ("if all_sizes:", "    pass")


@dataclass(slots=True)
class _Writer:
    """Names and lines of one module. A view, a segment or a buffer is written where it is first needed."""

    plan: Plan
    sizes: Sizes
    poison: bool
    watch: Watch | None
    names: dict[Any, str] = field(default_factory=dict[Any, str])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    setup: list[str] = field(default_factory=list[str])

    def module(self) -> str:
        leaves = {
            op: [self._new(letter, ("leaf", node.id)) for node in self.plan.leaves_of(op)]
            for op, letter in _LETTERS.items()
        }
        scalars = [self._new("h", ("host", node.id)) for node in self.plan.scalars]
        for step in self.plan.prologue:
            self.setup.extend(self._lines(step))
        body = self._body()
        outputs = [self.name(place) for place in self.plan.outputs.values()]
        given = {"input": "inputs", "draw": "draws", "param": "params", "state": "states", "constant": "constants"}
        unpack = [f"{_tuple(leaves[op])} = {argument}" for op, argument in given.items() if leaves[op]]
        arguments = "all_sizes, scratch, at, kept, kept_at, inputs, draws, params, states, constants, scan, work"
        return "\n".join(
            [
                *self.sizes.function(),
                "",
                "",
                *self._shapes(),
                "",
                "",
                *self._memory(),
                "",
                "",
                f"def bind({arguments}):",
                *_indent([*_BRANCH, *self.sizes.unpack(), *unpack, *self.setup]),
                "",
                f"    def run({', '.join(scalars)}):",
                *_indent(_indent(body or ["pass"])),
                "",
                f"    return run, {_tuple(outputs)}",
                "",
            ]
        )

    def _body(self) -> list[str]:
        lines: list[str] = [] if self.watch is None else ["start()"]
        ends = [*self.plan.times[1:], None]
        for step, time, after in zip(self.plan.steps, self.plan.times, ends, strict=True):
            lines.extend(self._lines(step))
            lines.extend(self._tick(step))
            if self.poison and time != after:
                lines.extend(f"poison({self.name(buffer)})" for buffer in self._freed(time, after))
        return lines

    def _tick(self, step: Step) -> list[str]:
        """The line that times a step, in a watched program. A loop's calls have theirs already."""
        match step:
            case _ if self.watch is None:
                return []
            case Loop():
                return []
            case Call(node) | Host(node):
                return [self.watch.tick(node)]
            case Fill(value) | Copy(value) | Finite(value):
                return [self.watch.tick(self.plan.graph.nodes[value.id])]

    def _freed(self, time: int, after: int | None) -> list[Buffer]:
        """The scratch buffers last needed from one time on and not at the next."""
        scratch = [buffer for buffer in self.plan.buffers if not buffer.kept]
        return [buffer for buffer in scratch if time <= buffer.last and (after is None or buffer.last < after)]

    def _shapes(self) -> list[str]:
        shapes = {op: [self.sizes.shape(node.out.shape) for node in self.plan.leaves_of(op)] for op in _LETTERS}
        draws = [
            f"({shape}, {node.out.dtype.value})"
            for shape, node in zip(shapes["draw"], self.plan.leaves_of("draw"), strict=True)
        ]
        found = (shapes["input"], draws, shapes["param"], shapes["state"])
        return [
            "def shapes(all_sizes):",
            *_indent([*self.sizes.unpack(), f"return {_tuple(list(map(_tuple, found)))}"]),
        ]

    def _memory(self) -> list[str]:
        scratch = [f"({self._bytes(b)}, {b.first}, {b.last})" for b in self.plan.buffers if not b.kept]
        kept = [self._bytes(buffer) for buffer in self.plan.buffers if buffer.kept]
        result = f"return {_tuple(scratch)}, {_tuple(kept)}"
        return ["def memory(all_sizes):", *_indent([*self.sizes.unpack(), result])]

    def _bytes(self, buffer: Buffer) -> str:
        length = count(buffer.type.shape)
        if buffer.tile is not None:
            return f"{buffer.type.dtype.bytes} * {self._tile(length, buffer.tile)}"
        return self.sizes.amount(length * buffer.type.dtype.bytes)

    def _tile(self, length: Dim, tile: int) -> str:
        """The elements of one tile of so many, as an expression."""
        return f"tile_of({self.sizes.amount(length)}, {tile})"

    # ------------------------------------------------------------------------------------------ steps

    def _lines(self, step: Step) -> list[str]:
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
                self.names["host", node.id] = self._number(node.inputs[0])  # both are Python's floats
                return []
            case Host(node):
                return [f"{self._host_name(node)} = {self._host(node)}" + _position(node)]
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
                    local[name] = self._new("t", ("tile", self.counts.get("t", 0)))
                    once += [name] if isinstance(place, Buffer) and place.tile is not None else []
        lines: list[str] = []
        for call in loop.calls:
            lines.append(self._call(call.node, local) + _position(call.node))
            if self.watch is not None:
                lines.append(self.watch.tick(call.node, loop))
        whole = {name: tile for name, tile in local.items() if name not in once}
        tiles = self._new("tiles", ("tiles", self.counts.get("tiles", 0)))
        self.setup.append(f"{tiles} = in_tiles({loop.tile}, {_tuple(list(whole))}, {_tuple(once)})")
        names = [*whole.values(), *map(local.__getitem__, once)]
        return [f"for {_tuple(names)} in {tiles}:", *_indent(lines)]

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
        self.setup.append(f"{name} = scan({number}, {{{sizes}}}, {_tuple(operands)}, {_tuple(targets)})")
        return name

    def _host(self, node: Node) -> str:
        if node.op == "size":
            size = node.attrs["size"]
            assert isinstance(size, int | Size)
            text = self.sizes.name(size)
            return f"float({text})" if node.out.dtype.is_float else text
        return HOST_FORMS[node.op].format(*map(self._number, node.inputs))

    def _host_name(self, node: Node) -> str:
        return self._new("h", ("host", node.id))

    def _number(self, value: Value) -> str:
        node = self.plan.graph.nodes[value.id]
        if node.op == "constant":
            return self._attr(node.attrs["value"])
        return self.names["host", value.id]

    def _attr(self, value: Attr) -> str:
        if isinstance(value, DType):
            return value.value
        if isinstance(value, Size):
            return self.sizes.name(value)
        if isinstance(value, tuple):
            return _tuple([self._attr(item) for item in value])
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
                return self.names["leaf", node.id]
            case Buffer(id):
                key, letter, line = ("buffer", id), "k" if place.kept else "b", self._buffer
            case Part(id):
                key, letter, line = ("part", id), "g", self._part
            case _:
                key, letter, line = ("view", place.node.id), "v", self._view
        if key not in self.names:
            text = line(place)
            self.setup.append(f"{self._new(letter, key)} = {text}")
        return self.names[key]

    def _buffer(self, buffer: Any) -> str:
        memory = f"kept, kept_at[{buffer.number}]" if buffer.kept else f"scratch, at[{buffer.number}]"
        shape = self.sizes.shape(buffer.type.shape)
        if buffer.tile is not None:
            shape = f"({self._tile(count(buffer.type.shape), buffer.tile)},)"
        return f"ndarray({shape}, {buffer.type.dtype.value}, {memory})"

    def _part(self, part: Any) -> str:
        return f"part({self.name(part.whole)}, {self.sizes.name(part.offset)}, {self.sizes.shape(part.type.shape)})"

    def _view(self, view: Any) -> str:
        node: Node = view.node
        attrs = [f"{name}={self._attr(value)}" for name, value in node.attrs.items()]
        return f"{OPS[node.op].kernel}_view({', '.join([self.value(node.inputs[0]), *attrs])})"

    def _new(self, letter: str, key: tuple[str, int]) -> str:
        number = self.counts.get(letter, 0)
        self.counts[letter] = number + 1
        self.names[key] = f"{letter}{number}"
        return self.names[key]


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


def _tuple(items: list[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _indent(lines: list[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]
