"""Inputs that a call may leave out: ``input lengths: i64[B] = none`` in a block.

Input: a definition. Output: reports of defaults that mean nothing. What a call without such an input means is `bodies`' and
`types`' business: the input is `none`, and `if lengths == none` is decided while the program is checked.
"""

from __future__ import annotations

from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.source import Span
from dslc.syntax import tree


def check_defaults(definition: tree.Definition, sink: Sink) -> None:
    """Report inputs of models and cells that have a default, and defaults other than `none`."""
    for stmt in definition.body:
        if not isinstance(stmt, tree.InputStmt) or stmt.default is None:
            continue
        start, default = stmt.type.span.end, stmt.default.span
        if definition.kind != "block":
            mend = Help("take the default out:", (Edit(Span(default.source, start, default.end), ""),))
            text = f"an input of a {definition.kind} is always given, and `{stmt.name.text}` has a default"
            sink.report("DL2151", text, default, "only an input of a block may be left out", footers=[mend])
        elif not isinstance(stmt.default, tree.Constant) or stmt.default.value is not None:
            mend = Help("let it be left out, and choose what stands for it in the body:", (Edit(default, "none"),))
            note = Note(f"`if {stmt.name.text} == none {{ ... }} else {{ ... }}` is decided at compile time")
            text = f"input `{stmt.name.text}` can have the default `none`, and no other"
            sink.report("DL2150", text, default, "must be `none`", footers=[mend, note])
