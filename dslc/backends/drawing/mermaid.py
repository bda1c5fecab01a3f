"""A scene -> a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator

from dslc.backends.drawing.scene import FILLS, Box, Group, Scene, visible

_PLAIN = " _.,;:()[]{}=+-*/@·"  # besides letters and digits: what means nothing to Mermaid inside quotes


def mermaid_text(scene: Scene) -> str:
    """The picture as a flowchart."""
    lines = ["---", f"title: {_quoted(scene.title)}", "---", "flowchart TD", *_parts(scene.root, "  ")]
    types = {box.id: box.type for box in scene.root.boxes()}
    for start, end in scene.arrows:
        label = f"|{_quoted(types[start])}|" if types[start] else ""
        lines.append(f"  n{start} -->{label} n{end}")
    used = sorted({box.kind for box in scene.root.boxes()} & FILLS.keys())
    lines += [f"  classDef {kind} fill:{FILLS[kind]},stroke:#8c959f,color:#1b1f24" for kind in used]
    return "\n".join([*lines, ""])


def _parts(group: Group, indent: str) -> Iterator[str]:
    for part in group.parts:
        if isinstance(part, Box):
            text = _quoted("\n".join(part.texts()))
            shape = f"([{text}])" if part.kind in ("input", "output", "update") else f"[{text}]"
            yield f"{indent}n{part.id}{shape}{f':::{part.kind}' if part.kind in FILLS else ''}"
        else:
            yield f"{indent}subgraph g{next(part.boxes()).id}_{len(indent) // 2} [{_quoted(part.title)}]"
            yield from _parts(part, f"{indent}  ")
            yield f"{indent}end"


def _quoted(text: str) -> str:
    """A string of Mermaid, in which `#NN;` stands for a character: all that could be Markdown, HTML or an end are written so."""
    lines = (
        "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in visible(line)) for line in text.split("\n")
    )
    return f'"{"<br>".join(lines)}"'
