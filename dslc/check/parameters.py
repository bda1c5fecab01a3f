"""Statements that make parameters and named layers, and the rule for new names.

Input: `param` and `layer` statements and a scope. Output: `ParamSpec`s of the body, bindings of the scope.
"""

from __future__ import annotations

import re

from dslc.check.expressions import evaluate
from dslc.check.files import legal_name
from dslc.check.initial import initializer
from dslc.check.layers import instantiate, owned
from dslc.check.operators import apply_op
from dslc.check.scope import Context, Scope, origin_notes
from dslc.check.typed import ParamSpec, TypedValue
from dslc.check.types import Written, written_type
from dslc.check.values import FAILED, Failed, LayerRef, Scanned, describe
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops.ir import Attrs
from dslc.syntax import tree
from dslc.tensor_type import symbols


def new_name(e: Context, scope: Scope, ident: tree.Ident, *, value: bool = False) -> bool:
    """Whether a name is free and legal here; reports it otherwise. A `value` starts with a lower-case letter."""
    before = scope.names.get(ident.text)
    if before is not None and before.kind != "failed":
        again = "a name is assigned once; give the new value a name of its own"
        e.report(
            "DL1006",
            f"`{ident.text}` is defined twice",
            ident.span,
            "defined again",
            Label(before.span, "first defined here"),
            footers=[Note(again)],
        )
        return False
    if not legal_name(e.sink, ident):
        scope.define(ident.text, FAILED, ident.span, "failed")
        return False
    if value and ident.text.lstrip("_")[:1].isupper():
        new = ident.text.lower() if ident.text.isupper() else re.sub(r"(?<!^)(?=[A-Z])", "_", ident.text).lower()
        e.report(
            "DL1007",
            "the name of a value starts with a lower-case letter",
            ident.span,
            "capitalised",
            footers=[
                Help(f"write `{new}` here and where it is used", (Edit(ident.span, new),), applicable=False),
                Note("models, blocks and layers are `Capitalised`, values and functions are `lower_case`"),
            ],
        )
    return True


def parameter(e: Context, scope: Scope, stmt: tree.ParamStmt | tree.BufferStmt) -> None:
    """``param name: type = init as key``: a parameter, made by the first call of a layer and shared by later ones.

    A `buffer` is one that is not trained.
    """
    if not new_name(e, scope, stmt.name):
        return
    value = _parameter(e, scope, stmt)
    scope.define(
        stmt.name.text, FAILED if value is None else value, stmt.name.span, "failed" if value is None else "param"
    )


def _parameter(e: Context, scope: Scope, stmt: tree.ParamStmt | tree.BufferStmt) -> TypedValue | None:
    ident = stmt.key or stmt.name
    key = scope.key(ident.text)
    if isinstance(stmt, tree.BufferStmt):
        scope.buffers[stmt.name.text] = key
    word = "parameter" if isinstance(stmt, tree.ParamStmt) else "buffer"
    found = written_type(e, scope, stmt.type, f"{word} `{stmt.name.text}`")
    if found is None:
        return None
    known, owner = e.params.get(key, (None, None))
    if known is not None and owner is scope.instance and owner is not None and owner.calls > 1:
        return _shared(e, scope, stmt, known, found)
    if known is not None:
        e.report(
            "DL1011",
            f"two parameters have the key `{key}`",
            ident.span,
            f"`{key}` again",
            Label(e.body.params[key].span, "first here"),
            footers=[Note("a parameter's key is its path of labels; give one of the layers another label")],
        )
        return None
    init = initializer(e, scope, stmt, found.type) if _is_fixed(e, stmt, found, word, key) else None
    if init is None:
        return None
    value = TypedValue(found.type, "param", (), Attrs({"key": key}), stmt.span, key, found.origins)
    e.body.values.append(value)
    trainable = isinstance(stmt, tree.ParamStmt) and found.type.dtype.is_float
    e.body.params[key] = ParamSpec(key, found.type, init, stmt.span, trainable)
    e.params[key] = (value, scope.instance)
    e.leaves[key] = value
    e.keys.append(key)
    return value


def _is_fixed(e: Context, stmt: tree.ParamStmt | tree.BufferStmt, found: Written, word: str, key: str) -> bool:
    """Whether all sizes are known when the program is compiled; reports one that is not."""
    loose = next((axis for axis, size in enumerate(found.type.shape) if symbols(size)), None)
    if loose is None:
        return True
    size, origin = found.type.shape[loose], found.origins[loose]
    e.report(
        "DL2008",
        f"the size {size} of {word} `{key}` is known only at run time",
        stmt.type.span,
        f"is {found.type}",
        footers=[
            *origin_notes(e, [(size, origin)], stmt.span),
            Note(f"a {word}'s sizes are fixed when the program is compiled"),
        ],
    )
    return False


def _shared(
    e: Context, scope: Scope, stmt: tree.ParamStmt | tree.BufferStmt, known: TypedValue, found: Written
) -> TypedValue | None:
    """The parameter made by the first call; a buffer that an earlier call updated has its new value."""
    key = known.attrs.str("key")
    if known.type == found.type and key in e.body.updates:
        return apply_op(e, stmt.span, "stop_gradient", (e.body.updates[key],), {})
    if known.type == found.type:
        return e.leaf(key)
    call = e.calls[-1].span if e.calls else stmt.span
    e.report_call(
        "DL2006",
        f"this use of the shared layer needs `{known.name}` to be {found.type}, and it is {known.type}",
        call,
        f"needs {found.type}",
        *([Label(scope.instance.span, f"its first use made it {known.type}")] if scope.instance is not None else []),
        footers=[Note("a layer used twice shares its parameters, so its inputs must have the same sizes")],
    )
    return None


def layer(e: Context, scope: Scope, stmt: tree.LayerStmt) -> None:
    """``layer name = Dense(32)``: an instance that its first use gives parameters."""
    if not new_name(e, scope, stmt.name):
        return
    value = evaluate(e, scope, stmt.value)
    if not isinstance(value, LayerRef | Failed):
        text = f"`layer` names a layer being made, not {describe(value).removesuffix(', not applied to anything')}"
        shared = "a cell that has a name is run where the scan is applied: `x |> scan(cell)`"
        footers = [Help(shared)] if isinstance(value, Scanned) else []
        value = e.report("DL2015", text, stmt.value.span, "not a layer", footers=footers)
    if isinstance(value, Failed):
        scope.define(stmt.name.text, FAILED, stmt.name.span, "failed")
        return
    if stmt.name.text in scope.labels:
        first = Label(scope.labels[stmt.name.text], "first used here")
        e.report("DL1011", f"the label `{stmt.name.text}` is used twice", stmt.name.span, "used again", first)
    scope.labels[stmt.name.text] = stmt.name.span
    instance = instantiate(e, value, scope.key(stmt.name.text), stmt.value.span)
    instance.site = f"{scope.site}/{stmt.name.text}"
    scope.define(stmt.name.text, owned(scope, instance), stmt.name.span, "layer")
