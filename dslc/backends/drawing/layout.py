"""A scene -> where everything of it lies.

Each group is laid out on its own, inside first, and is then one rectangle of the group around it. A value that goes into a group or
out of it has a port at its border, so no line crosses a group that it is not for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import TypeAlias

from dslc.backends.drawing.ranks import Item, Knot, Line, knotted, ordered, rows_of
from dslc.backends.drawing.scene import Box, Group, Scene
from dslc.backends.drawing.spread import spread

GLYPH, LEADING = 6.6, 15.0  # width of a character and height of a line of text
PADDING = 8.0  # around text in boxes and around what is in groups
BETWEEN = 18.0  # things in a row
ROWS = 22.0  # between rows, for lines to bend
ENDS = 12.0  # between the last row of a group and the ports that lead out
TITLE = 28.0  # above what is in a group
SETTLING = 12  # sweeps that bring things in line with their neighbours
AXIS, KNOT = 0.1, 4.0  # how much the middle of the picture counts beside a neighbour, and a knot beside a thing
TITLES = 40  # characters of a title that are shown

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box with its left upper corner; the type stands below its frame, `height` is that of the frame."""

    box: Box
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PlacedGroup:
    """A group with its left upper corner; `depth` counts the groups around it."""

    title: str
    x: float
    y: float
    width: float
    height: float
    depth: int = 0


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line through points, vertical at each; with an arrowhead where it ends at a box."""

    points: tuple[Point, ...]
    arrow: bool


@dataclass(slots=True)
class Layout:
    """Everything with its place. Groups come before what is in them."""

    width: float = 0.0
    height: float = 0.0
    groups: list[PlacedGroup] = field(default_factory=list[PlacedGroup])
    boxes: list[PlacedBox] = field(default_factory=list[PlacedBox])
    lines: list[PlacedLine] = field(default_factory=list[PlacedLine])

    def take(self, inner: Layout, dx: float, dy: float, deeper: bool) -> None:
        """What lies in a group, moved to its place; `deeper` where that is in another group."""
        self.groups += [replace(g, x=g.x + dx, y=g.y + dy, depth=g.depth + deeper) for g in inner.groups]
        self.boxes += [replace(b, x=b.x + dx, y=b.y + dy) for b in inner.boxes]
        self.lines += [PlacedLine(tuple((x + dx, y + dy) for x, y in n.points), n.arrow) for n in inner.lines]


def layout(scene: Scene) -> Layout:
    """The places of a scene."""
    return _Level(scene.root, scene.arrows).lay().layout


def text_width(text: str) -> float:
    """The width of a text in a font of one width; East Asian wide characters take two places."""
    return GLYPH * sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shown_title(title: str) -> str:
    """As much of a group's title as is drawn."""
    return title if len(title) <= TITLES else f"{title[: TITLES - 1]}…"


@dataclass(frozen=True, slots=True)
class _Port:
    """Where a wire passes the border of the group."""

    wire: int
    inward: bool


@dataclass(frozen=True, slots=True)
class _Laid:
    """A group laid out: what lies in it, and where along its borders its ports are."""

    layout: Layout
    ports: Mapping[_Port, float]


@dataclass(slots=True)
class _Level:
    """One group under construction; `arrows` are those that touch a box in it."""

    group: Group
    arrows: Sequence[tuple[int, int]]
    inner: dict[Item, _Laid] = field(default_factory=dict["Item", _Laid])
    sizes: dict[Item, tuple[float, float]] = field(default_factory=dict["Item", "tuple[float, float]"])

    def lay(self) -> _Laid:
        """Lay the group out, what is in it first."""
        owner = _owners(self.group)
        for index, part in enumerate(self.group.parts):
            self.sizes[index] = self._size(index, part, owner)
        return self._place(*self._table(self._lines(owner)))

    def _table(self, lines: Sequence[Line]) -> tuple[list[list[Item]], list[Line]]:
        """The rows in their order, and lines from each to the next. The first row of a group with a title is for ports alone."""
        items = self._items(lines)
        inward = [item for item in items if isinstance(item, _Port) and item.inward]
        rows = rows_of(items, lines, 1 if self.group.title else 0, inward)
        out = [item for item in items if isinstance(item, _Port) and not item.inward]
        last = max((row for item, row in rows.items() if item not in out), default=0) + 1
        rows |= dict.fromkeys(out, last)
        kept = sorted({*rows.values(), *([0] if self.group.title else [])})
        rows = {item: kept.index(row) for item, row in rows.items()}
        short, knots = knotted(lines, rows)
        rows |= knots
        table: list[list[Item]] = [[] for _ in range(max(rows.values(), default=0) + 1)]
        for item, row in rows.items():
            table[row].append(item)
        return ordered(table, short), short

    # ------------------------------------------------------------------------------------------ what there is

    def _lines(self, owner: Mapping[int, int]) -> list[Line]:
        found: dict[Line, None] = {}
        for start, end in self.arrows:
            above = owner.get(start, _Port(start, True))
            below = owner.get(end, _Port(start, False))
            if above != below:
                found[Line(above, below, start)] = None
        return list(found)

    def _items(self, lines: Sequence[Line]) -> list[Item]:
        ports = dict.fromkeys(item for line in lines for item in (line.start, line.end) if isinstance(item, _Port))
        inward = [port for port in ports if port.inward]
        return [*inward, *range(len(self.group.parts)), *(port for port in ports if not port.inward)]

    def _size(self, index: int, part: Box | Group, owner: Mapping[int, int]) -> tuple[float, float]:
        if isinstance(part, Box):
            return _box_size(part)
        inside = [(a, b) for a, b in self.arrows if index in (owner.get(a), owner.get(b))]
        self.inner[index] = _Level(part, inside).lay()
        return self.inner[index].layout.width, self.inner[index].layout.height

    def _width(self, item: Item) -> float:
        return self.sizes[item][0] if item in self.sizes else 4.0

    # ------------------------------------------------------------------------------------------ where it lies

    def _place(self, table: Sequence[Sequence[Item]], lines: Sequence[Line]) -> _Laid:
        x = self._centres(table, lines)
        left = min(x[item] - self._width(item) / 2 for row in table for item in row)
        right = max(x[item] + self._width(item) / 2 for row in table for item in row)
        titled = bool(self.group.title)
        width = max(right - left, text_width(shown_title(self.group.title))) + (2 * PADDING if titled else 0.0)
        x = {item: centre - (left + right) / 2 + width / 2 for item, centre in x.items()}
        tops, heights = self._rows(table)
        found = Layout(width, tops[-1] + heights[-1])
        if titled:
            found.groups.append(PlacedGroup(self.group.title, 0.0, 0.0, found.width, found.height))
        row_of = {item: i for i, row in enumerate(table) for item in row}
        for index, part in enumerate(self.group.parts):
            width, height = self.sizes[index]
            corner = x[index] - width / 2, tops[row_of[index]]
            if isinstance(part, Box):
                found.boxes.append(PlacedBox(part, *corner, width, height - (LEADING if part.type else 0.0)))
            else:
                found.take(self.inner[index].layout, *corner, titled)
        for line in lines:
            found.lines.append(self._line(line, x, row_of, tops, heights))
        return _Laid(found, {item: x[item] for item in row_of if isinstance(item, _Port)})

    def _centres(self, table: Sequence[Sequence[Item]], lines: Sequence[Line]) -> dict[Item, float]:
        """The middle of every item: rows packed from the left, then moved to where neighbours are, down and up in turn."""
        x: dict[Item, float] = {}
        gaps = [[self._gap(a, b) for a, b in pairwise(row)] for row in table]
        for row, between in zip(table, gaps, strict=True):
            x |= dict(zip(row, accumulate(between, initial=0.0), strict=False))
        pulls: tuple[dict[Item, list[Item]], ...] = ({}, {})
        for line in lines:
            pulls[0].setdefault(line.end, []).append(line.start)
            pulls[1].setdefault(line.start, []).append(line.end)
        pairs = list(zip(table, gaps, strict=True))
        axis = max(x.values()) / 2
        for sweep in range(SETTLING):
            for row, between in pairs if sweep % 2 == 0 else reversed(pairs):
                near = [[x[other] for other in pulls[sweep % 2].get(item, ())] for item in row]
                wanted = [(sum(found) + AXIS * axis) / (len(found) + AXIS) for found in near]
                weights = [KNOT if isinstance(item, Knot) else 1.0 for item in row]
                x |= dict(zip(row, spread(wanted, weights, between), strict=True))
        return x

    def _gap(self, a: Item, b: Item) -> float:
        return (self._width(a) + self._width(b)) / 2 + BETWEEN

    def _offset(self, line: Line, item: Item, enters: bool) -> float:
        """Where a line meets an item, from the item's middle."""
        if item not in self.inner:
            return 0.0
        laid = self.inner[item]
        return laid.ports[_Port(line.wire, enters)] - laid.layout.width / 2

    def _rows(self, table: Sequence[Sequence[Item]]) -> tuple[list[float], list[float]]:
        """The top and the height of each row."""
        heights = [max((self.sizes[i][1] for i in row if i in self.sizes), default=0.0) for row in table]
        if not self.group.title:
            return _stacked(heights, [ROWS] * (len(heights) - 1)), heights
        ports = all(isinstance(item, _Port) for item in table[-1])
        heights[-1] += 0.0 if ports else PADDING
        tops = _stacked(heights, [TITLE, *[ROWS] * (len(heights) - 3), ENDS if ports else ROWS][: len(heights) - 1])
        return tops, heights

    def _line(
        self,
        line: Line,
        x: Mapping[Item, float],
        row: Mapping[Item, int],
        tops: Sequence[float],
        heights: Sequence[float],
    ) -> PlacedLine:
        start, end = line.start, line.end
        from_x, to_x = x[start] + self._offset(line, start, False), x[end] + self._offset(line, end, True)
        bottom = tops[row[start]] + heights[row[start]]
        points: list[Point] = [(from_x, tops[row[start]] + self.sizes[start][1])] if start in self.sizes else []
        points += [(from_x, bottom), (to_x, tops[row[end]])]
        if isinstance(end, Knot):
            points.append((to_x, tops[row[end]] + heights[row[end]]))
        return PlacedLine(tuple(dict.fromkeys(points)), isinstance(end, int) and end not in self.inner)


def _stacked(heights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The tops of rows below each other."""
    return list(accumulate((height + gap for height, gap in zip(heights, gaps, strict=False)), initial=0.0))


def _owners(group: Group) -> dict[int, int]:
    """Which part of a group a box lies in."""
    return {
        box.id: index
        for index, part in enumerate(group.parts)
        for box in ([part] if isinstance(part, Box) else part.boxes())
    }


def _box_size(box: Box) -> tuple[float, float]:
    """The size of a box, its type below it included."""
    texts = box.texts()
    width = max(text_width(text) for text in (*texts, box.type)) + 2 * PADDING
    return width, LEADING * len(texts) + PADDING + (LEADING if box.type else 0.0)
