"""Names that keep a value from step to step: `h = ...` for a state wants `next`, `m = ...` for a buffer wants `update`."""

from __future__ import annotations

from dslc.check.scope import Context, Scope
from dslc.check.values import Failed
from dslc.diagnostics import Edit, Help, Label
from dslc.syntax import tree


def keyword_missing(e: Context, scope: Scope, target: tree.Ident) -> bool:
    """Whether the target of an assignment is a state or a buffer, which is reported."""
    name = target.text
    before = scope.names.get(name)
    is_state = scope.steps is not None and name in scope.steps.states
    if before is None or isinstance(before.value, Failed) or not (is_state or name in scope.buffers):
        return False
    kind, word = ("state", "next") if is_state else ("buffer", "update")
    e.report(
        "DL1006",
        f"`{name}` is a {kind}, whose new value needs `{word}`",
        target.span,
        f"`{word}` is missing",
        Label(before.span, f"a {kind} here"),
        footers=[Help(f"`{word} {name} = ...` is how a {kind} goes on:", (Edit(target.span, f"{word} {name}"),))],
    )
    if scope.steps is not None:
        scope.steps.meant.add(name)
    return True
