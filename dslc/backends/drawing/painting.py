"""A graph -> the scene that shows it.

Parameters, constants and sizes are no boxes of their own: they stand in the expressions of the boxes that read them. A value
that only one node of its layer reads, and that has the type of what it becomes, is written into the expression of that node.

Groups are layers, in each other like these, and the bodies of scans. A group is a run of an order of the graph, so nothing
outside of it lies between two of its boxes; a layer applied twice is two groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TypeAlias

from dslc.backends.drawing.scene import Box, Group, Scene
from dslc.graph import Graph
from dslc.graph.formulas import ATOM, expression, leaf_text
from dslc.graph.region import graph_of
from dslc.graph.text import node_text
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan, scan_of

LONGEST = 44  # characters of an expression that is written into another
HOLE = "·"  # an operand that an arrow brings

_STILL = ("param", "state", "constant", "size")  # leaves that depend on no data


@dataclass(frozen=True, slots=True)
class _Frame:
    """A group around nodes: what it is known by, its title, and what its names begin with."""

    key: str
    title: str
    prefix: str


_Path: TypeAlias = tuple[_Frame, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A value as its readers write it.

    Attributes:
        text, binds: an expression, and how tightly it binds.
        sources: the boxes that arrows come from, one for each hole in the text.
        params: names and types of the parameters in it.
    """

    text: str
    binds: int
    sources: tuple[int, ...] = ()
    params: tuple[str, ...] = ()


@dataclass(slots=True)
class _Canvas:
    """The scene, and the groups that are open at its end."""

    scene: Scene
    open: list[tuple[_Frame, Group]] = field(default_factory=list["tuple[_Frame, Group]"])
    boxes: int = 0

    def add(
        self, path: _Path, kind: str, name: str, piece: _Piece, type_: str, note: str = "", bare: bool = False
    ) -> _Piece:
        """A box at the end of some groups, and what its readers write for it; `bare` leaves out what it computes."""
        shared = len(_common([frame for frame, _ in self.open], path))
        del self.open[shared:]
        group = self.open[-1][1] if self.open else self.scene.root
        for frame in path[shared:]:
            inner = Group(frame.title)
            group.parts.append(inner)
            self.open.append((frame, inner))
            group = inner
        lines = () if bare else tuple(wrap(piece.text, LONGEST))
        group.parts.append(Box(self.boxes, kind, name, lines, piece.params, type_, note))
        self.scene.arrows += [(source, self.boxes) for source in dict.fromkeys(piece.sources)]
        self.boxes += 1
        return _Piece(HOLE, ATOM, (self.boxes - 1,))


def paint(graphs: Mapping[str, Graph], title: str, layers: Mapping[str, str]) -> Scene:
    """The scene of a graph, or of several by name, each in a group of its own.

    Args:
        layers: what layers are ("Dense(8)") by their paths; other paths make no groups.
    """
    canvas = _Canvas(Scene(title))
    for name, graph in graphs.items():
        around = (_Frame(name, f"step {name}", ""),) if len(graphs) > 1 else ()
        painter = _Painter(canvas, layers, graph, around)
        painter.paint()
        for kind, results in (("output", graph.outputs), ("update", graph.updates)):
            for result, value in results.items():
                piece = painter.read(value, around)
                canvas.add(around, kind, result, piece, "", bare=piece.text == HOLE)
    return canvas.scene


@dataclass(slots=True)
class _Painter:
    """Paints one graph: that of a model, or the body of a scan.

    Attributes:
        around: the groups it lies in.
        layered: whether layers are groups; in the body of a scan they are not.
        pieces: what is known of values, by id; of a body, its leaves from the start.
        scans: what the results of scans are, by the id of the scan.
    """

    canvas: _Canvas
    layers: Mapping[str, str]
    graph: Graph
    around: _Path
    layered: bool = True
    pieces: dict[int, _Piece] = field(default_factory=dict[int, _Piece])
    scans: dict[int, list[_Piece]] = field(default_factory=dict[int, list[_Piece]])

    def paint(self) -> None:
        """Paint all nodes."""
        uses = Counter(value.id for node in self.graph.order() for value in node.inputs)
        uses.update(value.id for value in self.graph.results())
        readers = {value.id: node for node in self.graph.order() for value in node.inputs}
        for node in in_layers(self.graph):
            path = self._path(node)
            if node.op == "scan":
                self._scan(scan_of(node), path)
            elif node.id not in self.pieces and not _is_still(node):
                reader = readers[node.id] if uses[node.id] == 1 and node.id in readers else None
                piece = self._piece(node, path)
                self.pieces[node.id] = piece if _joins(node, piece, reader) else self._box(node, piece, path)

    def read(self, value: Value, path: _Path) -> _Piece:
        """What a reader in some groups writes for a value."""
        node = self.graph.producer(value)
        if value.id in self.pieces or not _is_still(node):
            return self.pieces[value.id]
        if node.op == "constant":
            return _Piece(*expression(node, []))
        name = _short(node.name or leaf_text(node, node.op), path)
        return _Piece(name, ATOM, (), (f"{name}: {node.out.type}",) if node.op in ("param", "segment") else ())

    def _path(self, node: Node) -> _Path:
        """The groups around a node, outermost first."""
        if not self.layered or not node.layer:
            return self.around
        steps, frames, before = node.layer.split("."), list(self.around), ""
        for end in range(1, len(steps) + 1):
            layer = ".".join(steps[:end])
            if layer in self.layers:
                title = f"{layer.removeprefix(before)}: {self.layers[layer]}"
                before = f"{layer}."
                frames.append(_Frame(layer, title, before))
        return tuple(frames)

    def _piece(self, node: Node, path: _Path) -> _Piece:
        """A node written out, with what it reads."""
        if node.op == "item":
            return self._item(node)
        if not node.inputs and node.op in ("input", "draw"):
            return _Piece(leaf_text(node, node.op), ATOM)
        read = [self.read(value, path) for value in node.inputs]
        text, binds = expression(node, [(piece.text, piece.binds) for piece in read])
        sources = tuple(source for piece in read for source in piece.sources)
        return _Piece(text, binds, sources, tuple(dict.fromkeys(param for piece in read for param in piece.params)))

    def _item(self, node: Node) -> _Piece:
        """A result of a scan: the state at the end, or the outputs of all steps."""
        scan, index = scan_of(self.graph.producer(node.inputs[0])), node.attrs.int("index")
        first = "first" if scan.reverse else "last"
        text = f"after the {first} step" if index < len(scan.initial) else "of all steps"
        result = self.scans[scan.node.id][index]
        return _Piece(text if result.text == HOLE else f"{result.text} {text}", ATOM, result.sources)

    def _box(self, node: Node, piece: _Piece, path: _Path) -> _Piece:
        kind = node.op if node.op in ("input", "draw") else "weights" if piece.params else "plain"
        name = "" if node.name in self.layers else _short(node.name, path)
        return self.canvas.add(path, kind, name, piece, str(node.out.type), node_text(node), bare=piece.text == name)

    def _scan(self, scan: Scan, path: _Path) -> None:
        """The body of a scan as a group, with a box for each state before and after the step."""
        back = ", backward" if scan.reverse else ""
        frame = _Frame(f"%{scan.node.id}", f"each step of {scan.length}{back}", path[-1].prefix if path else "")
        inside = (*path, frame)
        body = graph_of(scan.body)
        painter = _Painter(self.canvas, self.layers, body, inside, layered=False)
        names = _state_names(scan, body, inside)
        for name, leaf in scan.leaves.items():
            piece = self.read(self._unexpanded(scan.operands[name]), path)
            painter.pieces[leaf.id] = self._before(names[name], piece, leaf, inside) if name in names else piece
        painter.paint()
        for name, value in zip(names.values(), scan.next, strict=True):
            piece = painter.read(value, inside)
            self.canvas.add(inside, "state", f"{name}, next", piece, "", bare=piece.text == HOLE)
        self.scans[scan.node.id] = [painter.read(value, inside) for value in scan.body.results]

    def _unexpanded(self, value: Value) -> Value:
        """The number that a value repeats, or the value."""
        node = self.graph.producer(value)
        return node.inputs[0] if node.op == "expand" and not node.inputs[0].shape else value

    def _before(self, name: str, initial: _Piece, leaf: Value, path: _Path) -> _Piece:
        """The box of a state before the step."""
        first = _Piece(f"starts at {initial.text}", ATOM, initial.sources)
        return self.canvas.add(path, "state", name, first, str(leaf.type), bare=initial.text == HOLE)


def _state_names(scan: Scan, body: Graph, path: _Path) -> dict[str, str]:
    """What the states of a scan are called, by their leaves: as the value they become, or "state 1" and so on."""
    names = [_short(body.producer(value).name, path) for value in scan.next]
    return {f"s{i}": name if name and names.count(name) == 1 else f"state {i + 1}" for i, name in enumerate(names)}


def _is_still(node: Node) -> bool:
    """Whether it depends on no data and is known by its name, as a parameter is, or its segment of all of them."""
    return node.op in _STILL or (node.op == "segment" and bool(node.name))


def _joins(node: Node, piece: _Piece, reader: Node | None) -> bool:
    """Whether a node is written into the expression of its only reader."""
    if len(piece.text) > LONGEST or node.op in ("input", "draw", "item"):
        return False
    if not piece.sources:
        return True
    if reader is None or reader.op in ("scan", "item") or node.name or len(piece.sources) != 1:
        return False
    return reader.out.type == node.out.type and reader.layer == node.layer


def in_layers(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph, inputs before users, those of a layer after each other as far as that is possible.

    Of the nodes whose operands are there, the next is the one in the most groups of the last; then the one of the smallest id.
    """
    missing = {node.id: len({value.id for value in node.inputs}) for node in graph.order()}
    ready = {number for number, count in missing.items() if not count}
    leaves = [node for node in graph.order() if node.op in ("input", *_STILL)]
    layer: list[str] = []
    while ready:
        node = (
            leaves.pop(0) if leaves else min((graph.nodes[i] for i in ready), key=lambda n: (-_shared(n, layer), n.id))
        )
        ready.remove(node.id)
        layer = _layer(node)
        yield node
        for reader in sorted(set(graph.net.successors(node.id))):
            missing[reader] -= 1
            if not missing[reader]:
                ready.add(reader)


def _layer(node: Node) -> list[str]:
    return node.layer.split(".") if node.layer else []


def _shared(node: Node, layer: list[str]) -> int:
    return len(_common(_layer(node), layer))


def _common(a: Sequence[object], b: Sequence[object]) -> Sequence[object]:
    """What two paths begin with."""
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return a[:count]


def _short(name: str, path: _Path) -> str:
    """A name without the layer that the reader sees around it: the innermost one that it begins with."""
    return next((name[len(frame.prefix) :] for frame in reversed(path) if name.startswith(frame.prefix)), name)
