"""What a value is computed from: the values before it, and the parameters it reads, inside cells too."""

from __future__ import annotations

from collections.abc import Iterator

from dslc.check.typed import TypedValue
from dslc.ops import OPS


def keys_read(value: TypedValue) -> set[str]:
    """The keys of the parameters and buffers a value depends on."""
    return _keys(value, gradient=False)


def keys_with_gradient(value: TypedValue) -> set[str]:
    """The keys of the parameters that a gradient of the value flows to."""
    return _keys(value, gradient=True)


def _keys(value: TypedValue, gradient: bool) -> set[str]:
    return {found.attrs.str("key") for found in _ancestors(value, gradient) if found.op == "param"}


def _ancestors(value: TypedValue, gradient: bool) -> Iterator[TypedValue]:
    """A value and all it is computed from, each once; with `gradient`, only through operators that have one."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        if value.cell is not None:
            waiting += (*value.inputs, *value.cell.next, *value.cell.outputs)
        elif value.op == "item" or not gradient or _has_gradient(value.op):
            waiting += value.inputs


def _has_gradient(op: str) -> bool:
    opdef = OPS.get(op)
    return opdef is not None and (opdef.vjp is not None or (opdef.decompose is not None and opdef.differentiable))
