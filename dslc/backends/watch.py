"""A watched program: which node each place of its clock stands for."""

from __future__ import annotations

from dataclasses import dataclass, field

from dslc.backends.plan.model import Loop
from dslc.ops.ir import Node
from dslc_runtime.clock import Clock


@dataclass(slots=True)
class Watch:
    """The clock of a program that `compile_numpy` writes with it, and what stands at each place.

    Attributes:
        nodes: by place. A node that is not computed by one line has several.
        loops: by place: the loop it stands in, each pass of which works on a tile of the node's operands.
        bodies: those of the programs of one step that scans run; a scan's own time holds theirs.
        scans: the node of each of these.
    """

    clock: Clock = field(default_factory=Clock)
    nodes: list[Node] = field(default_factory=list[Node])
    loops: list[Loop | None] = field(default_factory=list["Loop | None"])
    bodies: list[Watch] = field(default_factory=list["Watch"])
    scans: list[Node] = field(default_factory=list[Node])

    def tick(self, node: Node, loop: Loop | None = None) -> str:
        """The line that says that a node is done, or one of its tiles."""
        self.nodes.append(node)
        self.loops.append(loop)
        return f"tick({self.clock.place()})"

    def inside(self, scan: Node) -> Watch:
        """The watch of a scan's body."""
        self.scans.append(scan)
        self.bodies.append(Watch())
        return self.bodies[-1]
