"""A watched program: which node each place of its clock stands for."""

from __future__ import annotations

from dataclasses import dataclass, field

from dslc.ops.ir import Node
from dslc_runtime.clock import Clock


@dataclass(slots=True)
class Watch:
    """The clock of a program that `compile_numpy` writes with it, and what stands at each place.

    Attributes:
        nodes: by place. A node that is not computed by one line has several.
        tiles: by place: how many passes work on the whole of a node's operands, each on a part of them.
        bodies: those of the programs of one step that scans run; a scan's own time holds theirs.
        scans: the node of each of these.
    """

    clock: Clock = field(default_factory=Clock)
    nodes: list[Node] = field(default_factory=list[Node])
    tiles: list[int] = field(default_factory=list[int])
    bodies: list[Watch] = field(default_factory=list["Watch"])
    scans: list[Node] = field(default_factory=list[Node])

    def tick(self, node: Node, tiles: int = 1) -> str:
        """The line that says that a node is done, or one of its tiles."""
        self.nodes.append(node)
        self.tiles.append(tiles)
        return f"tick({self.clock.place()})"

    def inside(self, scan: Node) -> Watch:
        """The watch of a scan's body."""
        self.scans.append(scan)
        self.bodies.append(Watch())
        return self.bodies[-1]
