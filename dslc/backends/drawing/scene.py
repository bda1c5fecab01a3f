"""What a picture of a graph shows: boxes inside groups, and arrows from box to box. Where they lie is `layout`'s business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: The colours of kinds of boxes; others are white.
FILLS: Mapping[str, str] = {
    "input": "#d8ebff",
    "output": "#d9f5dd",
    "update": "#d9f5dd",
    "draw": "#f2e4ff",
    "state": "#ffe3e0",
    "weights": "#fff3d6",
}


@dataclass(frozen=True, slots=True)
class Box:
    """One value.

    Attributes:
        kind: "input", "output", "draw", "state", "update", "weights" (it reads parameters) or "plain".
        name: the user's name of the value, or "".
        lines: what it computes.
        params: names and types of the parameters it reads.
        type: the type of the value; "" where nothing leaves the box.
        note: the node as the text of the graph has it, for those who point at it.
    """

    id: int
    kind: str
    name: str
    lines: tuple[str, ...]
    params: tuple[str, ...]
    type: str
    note: str = ""

    def texts(self) -> tuple[str, ...]:
        """All lines inside the box."""
        return (*((self.name,) if self.name else ()), *self.lines, *self.params)


@dataclass(slots=True)
class Group:
    """A layer, a scan, or the whole picture, which has no title. `parts` are in an order in which arrows go forward."""

    title: str
    parts: list[Box | Group] = field(default_factory=list["Box | Group"])

    def boxes(self) -> Iterator[Box]:
        """All boxes, those of inner groups too."""
        for part in self.parts:
            if isinstance(part, Box):
                yield part
            else:
                yield from part.boxes()


@dataclass(slots=True)
class Scene:
    """A picture; `arrows` are pairs of ids of boxes, from a value to its reader."""

    title: str
    root: Group = field(default_factory=lambda: Group(""))
    arrows: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])


def visible(text: str) -> str:
    """A text in which nothing is hidden: control characters, and those that change the direction of writing, are marked."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
