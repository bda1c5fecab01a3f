"""A scene -> SVG that stands alone: no scripts, no fonts to load, nothing of a program that is not escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from dslc.backends.drawing.layout import (
    LEADING,
    PADDING,
    Layout,
    PlacedBox,
    PlacedGroup,
    PlacedLine,
    layout,
    shown_title,
    text_width,
)
from dslc.backends.drawing.scene import FILLS, Scene, visible

MARGIN = 16.0

_STYLE = """
text { font: 11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1b1f24; white-space: pre }
.name { font-weight: bold }
.type, .title { fill: #57606a }
.head { font-size: 14px; font-weight: bold }
rect { stroke: #8c959f; fill: #ffffff }
.group0 { fill: #f4f6f8; stroke: #c3cad1 }
.group1 { fill: #e9edf1; stroke: #c3cad1 }
.bare { stroke: none }
path { fill: none; stroke: #57606a }
marker path { fill: #57606a; stroke: none }
"""
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0.5 L8,4 L0,7.5 z"/></marker></defs>'
)


def svg_text(scene: Scene) -> str:
    """The picture as SVG."""
    laid = layout(scene)
    head = MARGIN + LEADING + PADDING
    width = max(laid.width, 9.0 * len(scene.title)) + 2 * MARGIN
    fills = "\n".join(f".{kind} {{ fill: {colour} }}" for kind, colour in FILLS.items())
    size = _n(width), _n(laid.height + head + MARGIN)
    view = f'viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {view}>',
        f"<title>{_safe(scene.title)}</title>",
        f"<style>{_STYLE}{fills}\n</style>",
        _ARROW,
        '<rect class="bare" width="100%" height="100%"/>',
        f'<text class="head" x="{_n(MARGIN)}" y="{_n(MARGIN + 12)}">{_safe(scene.title)}</text>',
        f'<g transform="translate({_n(MARGIN)} {_n(head)})">',
        *_parts(laid),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _parts(laid: Layout) -> Iterator[str]:
    for group in laid.groups:
        yield _rect(_shade(group), group.x, group.y, group.width, group.height, 6)
    for line in laid.lines:
        yield _line(line)
    for group in laid.groups:
        yield from _title(group)
    for box in laid.boxes:
        yield from _box(box)


def _title(group: PlacedGroup) -> Iterator[str]:
    """The title of a group, on a ground of its own: lines that come into the group pass behind it."""
    title = shown_title(group.title)
    yield f"<g><title>{_safe(group.title)}</title>"
    yield _rect(f"{_shade(group)} bare", group.x + 4, group.y + 3, text_width(title) + PADDING, LEADING, 0)
    yield f'<text class="title" x="{_n(group.x + PADDING)}" y="{_n(group.y + 14)}">{_safe(title)}</text></g>'


def _shade(group: PlacedGroup) -> str:
    return f"group{group.depth % 2}"


def _box(placed: PlacedBox) -> Iterator[str]:
    box, middle = placed.box, placed.x + placed.width / 2
    yield "<g>"
    if box.note:
        yield f"<title>{_safe(box.note)}</title>"
    round_ = placed.height / 2 if box.kind in ("input", "output", "update") else 4
    yield _rect(box.kind, placed.x, placed.y, placed.width, placed.height, round_)
    texts = [("name", box.name)] if box.name else []
    texts += [*(("", line) for line in box.lines), *(("type", line) for line in box.params)]
    y = placed.y + PADDING / 2 + 11
    for role, text in texts:
        yield _text(role, middle, y, text)
        y += LEADING
    if box.type:
        yield _text("type", middle, placed.y + placed.height + 12, box.type)
    yield "</g>"


def _rect(role: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    size = f'width="{_n(width)}" height="{_n(height)}"'
    return f'<rect class="{role}" x="{_n(x)}" y="{_n(y)}" {size} rx="{_n(radius)}"/>'


def _text(role: str, x: float, y: float, text: str) -> str:
    kind = f' class="{role}"' if role else ""
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}" text-anchor="middle">{_safe(text)}</text>'


def _line(line: PlacedLine) -> str:
    (x, y), *rest = line.points
    path = [f"M{_n(x)},{_n(y)}"]
    for to_x, to_y in rest:
        bend = (y + to_y) / 2
        path.append(
            f"L{_n(to_x)},{_n(to_y)}"
            if abs(to_x - x) < 0.05
            else f"C{_n(x)},{_n(bend)} {_n(to_x)},{_n(bend)} {_n(to_x)},{_n(to_y)}"
        )
        x, y = to_x, to_y
    head = ' marker-end="url(#arrow)"' if line.arrow else ""
    return f'<path d="{" ".join(path)}"{head}/>'


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _safe(text: str) -> str:
    return escape(visible(text))
