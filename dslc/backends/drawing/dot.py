"""A scene -> the DOT language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from dslc.backends.drawing.scene import FILLS, Box, Group, Scene, visible


def dot_text(scene: Scene) -> str:
    """The picture in DOT."""
    lines = [
        "digraph {",
        f"  label={_quoted(scene.title)}; labelloc=t; labeljust=l",
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname=monospace, fontsize=10]',
        "  edge [fontname=monospace, fontsize=9]",
        *_parts(scene.root, "  "),
    ]
    types = {box.id: box.type for box in scene.root.boxes()}
    for start, end in scene.arrows:
        lines.append(f"  n{start} -> n{end} [label={_quoted(types[start])}]")
    return "\n".join([*lines, "}", ""])


def _parts(group: Group, indent: str) -> Iterator[str]:
    for part in group.parts:
        if isinstance(part, Box):
            text = "\n".join(part.texts())
            fill = f", fillcolor={_quoted(FILLS[part.kind])}" if part.kind in FILLS else ""
            yield f"{indent}n{part.id} [label={_quoted(text)}, tooltip={_quoted(part.note)}{fill}]"
        else:
            yield f"{indent}subgraph cluster_{next(part.boxes()).id}_{len(indent) // 2} {{"
            yield f"{indent}  label={_quoted(part.title)}"
            yield from _parts(part, f"{indent}  ")
            yield f"{indent}}}"


def _quoted(text: str) -> str:
    """A string of DOT: backslashes would be escapes, and a line end is one."""
    lines = (visible(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
