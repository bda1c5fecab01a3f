"""Rules for what other languages write: functions, loops, blocks by indentation, `+=`."""

from __future__ import annotations

from dslc.diagnostics import Diagnostic, Help
from dslc.syntax.methods import METHODS
from dslc.syntax.mistakes.place import OPERAND_ENDS, Place
from dslc.syntax.words import (
    ARITHMETIC,
    ENDS,
)

_FOREIGN = {
    "def": "layers of your own are a `block`:",
    "class": "layers of your own are a `block`:",
    "for": "stages are repeated by `repeat`, and time by a `cell` under `scan`:",
    "while": "stages are repeated by `repeat`, and time by a `cell` under `scan`:",
    "return": "results are declared, and given a value by name:",
    "lambda": "a function of your own is a `block`:",
    "print": "`dslc info` shows shapes and sizes; a test compares values:",
    "assert": "the author of a block checks its use by `require`:",
    "with": "the mode is chosen when the program is compiled:",
}
_INSTEAD = {
    "def": ("block Scale(by: float) { input x: f32[..., 3]; output y: f32[..., 3]; y = x * by }",),
    "class": ("block Scale(by: float) { input x: f32[..., 3]; output y: f32[..., 3]; y = x * by }",),
    "lambda": ("block Scale(by: float) { input x: f32[..., 3]; output y: f32[..., 3]; y = x * by }",),
    "for": ("y = x |> stack: repeat(3) { Dense(64) |> relu }",),
    "while": ("y = x |> stack: repeat(3) { Dense(64) |> relu }",),
    "return": ("output y: f32[B, 10]", "y = ..."),
    "print": ("expect shape(net.y) == [2, 10]",),
    "assert": ('require units > 0, "units must be positive, got {units}"',),
    "with": ("y = if training then x * mask else x",),
}


def foreign_construct(p: Place) -> Diagnostic | None:
    token = p.first if p.first.text in _FOREIGN else p.back()
    if token.text not in _FOREIGN or token.kind != "NAME" or (token.text != "lambda" and token != p.first):
        return None
    mend = Help(_FOREIGN[token.text], code=_INSTEAD[token.text])
    return p.say("DL0022", f"there is no `{token.text}` in this language", "", mend, span=p.span(token))


def method_alone(p: Place) -> Diagnostic | None:
    """A statement that calls a method: ``model.fit(x, y)``."""
    owner, dot, method, opening = (p.following(steps) for steps in range(4))
    if (dot.kind, opening.kind) != ("DOT", "LPAR") or method.text not in METHODS:
        return None
    text = f"there is no `{owner.text}.{method.text}(...)` in this language"
    return p.say("DL0022", text, "", Help(METHODS[method.text]), span=p.span(owner).to(p.span(method)))


def import_of_code(p: Place) -> Diagnostic | None:
    if p.back().kind not in ("IMPORT", "FROM") or p.token.kind != "NAME":
        return None
    mend = Help("blocks of another file are imported so:", code=('from "blocks.dl" import ResBlock, ConvBN',))
    return p.say(
        "DL0022", f"`{p.token.text}` cannot be imported: a program holds no host code", "expected a file's path", mend
    )


def python_block(p: Place) -> Diagnostic | None:
    colon = p.token if p.token.kind == "COLON" else p.back()
    opens = p.token.kind == "COLON" and "_BLOCK" in p.expected and p.ahead().kind in (*ENDS, "STRING")
    is_else = p.first.text == "else" and colon.kind == "COLON" and p.problem.at - p.problem.first <= 2
    if not (opens or is_else):
        return None
    mend = Help("write the body in braces:", code=(f"{p.source.text[p.first.start : colon.start].strip()} {{ ... }}",))
    return p.say("DL0022", "a block is written in braces; indentation has no meaning", "", mend, span=p.span(colon))


def operator_assignment(p: Place) -> Diagnostic | None:
    operator, equals = (p.token, p.ahead()) if p.token.kind in ARITHMETIC else (p.back(), p.token)
    if equals.kind != "EQUAL" or operator.end != equals.start:
        return None
    span = p.span(operator).to(p.span(equals))
    if operator.kind == "COLON":
        return p.say("DL0009", "`:=` is written `=`", "", p.replace("write:", operator, "=", equals), span=span)
    if operator.kind in ARITHMETIC:
        name = p.first.text
        mend = Help(
            f"a name is given its value once; give the new value a new name: `{name}2 = {name} {operator.text} ...`"
        )
        return p.say("DL0009", f"there is no `{operator.text}=`", "", mend, span=span)
    return None


def python_choice(p: Place) -> Diagnostic | None:
    if p.token.kind != "IF" or p.back().kind not in OPERAND_ENDS:
        return None
    mend = Help("write `if c then a else b`")
    return p.say("DL0009", "the condition comes first in a choice", "", mend)
