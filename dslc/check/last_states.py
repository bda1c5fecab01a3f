"""A mend for ``y, h = gru(x)`` where the layer gives its outputs alone: the option that gives its last states too.

Input: the expression that gave one value. Output: helps, none where no layer with such an option was applied. Reports nothing.
"""

from __future__ import annotations

from dslc.check.names import definition, module_definition
from dslc.check.scope import Scope
from dslc.check.values import Instance
from dslc.diagnostics import Edit, Help
from dslc.source import Span
from dslc.syntax import tree

_OPTION = "return_state"


def last_states_help(scope: Scope, expr: tree.Expr) -> list[Help]:
    """Say how the layer applied last gives its last states."""
    applied = expr.stages[-1].body if isinstance(expr, tree.Pipe) else expr
    made = _made(scope, applied)
    if made is None or not made.text.endswith(")"):
        return []
    end = made.end - 1
    comma = "" if made.text.endswith("()") else ", "
    edit = Edit(Span(made.source, end, end), f"{comma}{_OPTION} = true")
    return [Help("to get the last states too, ask for them where the layer is made:", (edit,))]


def _made(scope: Scope, applied: object) -> Span | None:
    """Where the layer that a call applies was made, if it has the option."""
    named = applied.callee if isinstance(applied, tree.Call) else applied
    binding = scope.names.get(named.id) if isinstance(named, tree.Name) else None
    if binding is not None and isinstance(binding.value, Instance):
        ref = binding.value.ref
        return ref.span if ref.scan is not None or _has_option(ref.definition) else None
    if isinstance(named, tree.Call):  # made and applied at once: `GRU(4)(x)`
        return _made(scope, named)
    if not isinstance(applied, tree.Call):
        return None
    if isinstance(named, tree.Attribute):
        found = module_definition(scope, named)
    else:
        found = definition(scope, named.id) if isinstance(named, tree.Name) else None
    scanned = isinstance(named, tree.Name) and named.id == "scan"
    return applied.span if scanned or (found is not None and _has_option(found[1])) else None


def _has_option(made: tree.Definition) -> bool:
    return any(hyper.name.text == _OPTION for hyper in made.hypers)
