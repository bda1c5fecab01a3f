"""Source text -> the same program in the one layout, comments and blank lines kept.

`pieces` adds to the tokens what the parser overlooks, `breaks` decides where lines begin, `lines` aligns, `render` writes. The
layout of a formatted text is its own: formatting it again changes nothing. No meaning is known here beyond the grammar's.
"""

from __future__ import annotations

from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax.format.breaks import find_breaks
from dslc.syntax.format.lines import find_pads
from dslc.syntax.format.pieces import pieces_of
from dslc.syntax.format.render import render
from dslc.syntax.parse import parse_tokens


def format_source(source: Source) -> str:
    """The text of a source in the one layout.

    Raises:
        DslcError: the source has mistakes in its form.
    """
    sink = Sink()
    _, tokens = parse_tokens(source, sink)
    sink.raise_errors()
    layout = find_breaks(pieces_of(source, tokens))
    return render(layout, find_pads(layout))
