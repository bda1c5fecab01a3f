"""What a block accepts, as a note: one line for each element type that its `int` or `float` may stand for.

Input: a scope in which the hyper-parameters of a call are bound. Output: text. Reports nothing.
"""

from __future__ import annotations

from dslc.check.scope import Context, Scope
from dslc.check.values import Const, number_text
from dslc.check.walk import names
from dslc.diagnostics import Note
from dslc.syntax import tree
from dslc.tensor_type import DType

#: The element types that a word for a kind stands for.
KINDS = {"int": (DType.I32, DType.I64), "float": (DType.F16, DType.F32, DType.F64)}
_WORDS = {"int": "i64", "float": "f32"}  # what they are where no input says it
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def element_types(word: str, otherwise: DType) -> str:
    """The types that a word for a kind stands for: "i32[...] or i64[...]"."""
    *before, last = (f"{dtype.value}[...]" for dtype in KINDS.get(word, (otherwise,)))
    return f"{', '.join(before)} or {last}" if before else last


def accepts(e: Context, scope: Scope, stmt: tree.InputStmt, given: DType) -> Note:
    """What the block of a scope accepts, beside the element type that one of its inputs got."""
    assert scope.definition is not None
    body = scope.definition.body
    inputs = [s.type for s in body if isinstance(s, tree.InputStmt)]
    outputs = [s.type for s in body if isinstance(s, tree.OutputStmt)]
    position = inputs.index(stmt.type)
    which = f"{_ORDINALS[position]} argument" if position < len(_ORDINALS) else f"argument {position + 1}"
    kind = stmt.type.dtype.text
    rows: list[str] = []
    for dtype in KINDS.get(kind, (None,)):
        word = {kind: dtype.value} if dtype is not None else {}
        takes = ", ".join(_type(e, scope, written, word) for written in inputs)
        gives = ", ".join(_type(e, scope, written, word) for written in outputs)
        rows.append(f"({takes}) => {gives}   {which} is {given.value}")
    head = f"`{scope.definition.name.text}` accepts: "
    return Note(head + f"\n{' ' * len(head)}".join(rows))


def _type(e: Context, scope: Scope, type: tree.TypeExpr, word: dict[str, str]) -> str:
    """A type with what is known of it at this call."""
    dtype = word.get(type.dtype.text) or _WORDS.get(type.dtype.text, type.dtype.text)
    return f"{dtype}[{', '.join(_size(e, scope, dim) for dim in type.dims)}]"


def _size(e: Context, scope: Scope, dim: tree.Expr | tree.Ellipsis_) -> str:
    if isinstance(dim, tree.Ellipsis_):
        return "..."
    bound = [scope.names.get(name.id) for name in names(dim)]
    if all(binding is not None and binding.kind == "hyper" and isinstance(binding.value, Const) for binding in bound):
        value = e.evaluate(e, scope, dim)
        if isinstance(value, Const):
            return number_text(value.value)
    return " ".join(dim.span.text.split())
