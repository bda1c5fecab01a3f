"""Pictures of graphs: SVG, DOT and Mermaid."""

from dslc.backends.drawing.dot import dot_text
from dslc.backends.drawing.mermaid import mermaid_text
from dslc.backends.drawing.painting import paint
from dslc.backends.drawing.scene import Scene
from dslc.backends.drawing.svg import svg_text

__all__ = ["Scene", "dot_text", "mermaid_text", "paint", "svg_text"]
