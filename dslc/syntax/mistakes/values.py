"""Rules for expressions: values that are missing, operators that do not go together."""

from __future__ import annotations

from dslc.diagnostics import Diagnostic, Help, Label
from dslc.syntax.mistakes.place import CLOSERS, OPERAND_ENDS, OPERAND_STARTS, Place
from dslc.syntax.words import (
    COMPARISONS,
    ENDS,
    OPERATORS,
    found,
    is_value_expected,
)


def number_without_zero(p: Place) -> Diagnostic | None:
    digits = p.ahead()
    if p.token.kind != "DOT" or digits.kind != "NUMBER" or not is_value_expected(p.expected):
        return None
    text = f"0.{digits.text}"
    span = p.span(p.token).to(p.span(digits))
    return p.say(
        "DL0005", f"`.{digits.text}` is not a number", "digits stand on both sides of the point",
        p.replace("write it so:", p.token, text, digits), span=span,
    )  # fmt: skip


def plus_sign(p: Place) -> Diagnostic | None:
    if p.token.kind != "PLUS" or not is_value_expected(p.expected) or p.ahead().kind not in OPERAND_STARTS:
        return None
    return p.say(
        "DL0001", "`+` stands between two values", "nothing stands before it", p.replace("leave it out:", p.token, "")
    )


def missing_value(p: Place) -> Diagnostic | None:
    stops = ENDS | OPERATORS | CLOSERS | {"COMMA", "PIPE", "THEN", "ELSE", "EQUAL", "COLON", "_BLOCK", "AS", "DOT"}
    if not is_value_expected(p.expected) or p.token.kind not in stops or p.at_start:
        return None
    before = p.back()
    footers: list[Help] = []
    if p.token.kind == "_NL" and before.kind in (*OPERATORS, "COMMA"):
        footers.append(Help("to go on in the next line, put the whole expression in parentheses"))
    if p.token.kind == "IF":
        return None
    after = f"after `{before.text}`" if before.text.strip() else "here"
    return p.say("DL0010", f"a value is missing {after}", f"expected a value, {found(p.token)}", *footers)


def missing_stage(p: Place) -> Diagnostic | None:
    empty = p.back().kind == "_BLOCK" and "REPEAT" in p.expected
    if not (empty or p.back().kind == "PIPE") or p.token.kind not in ENDS | CLOSERS | {"PIPE", "COMMA"}:
        return None
    return p.say(
        "DL0010", f"a stage is missing after `{p.back().text}`", f"expected a layer or a function, {found(p.token)}"
    )


def chained(p: Place) -> Diagnostic | None:
    if p.token.kind not in COMPARISONS | {"ABOUT"} or p.back().kind not in OPERAND_ENDS or p.at_start:
        return None
    stop = {"AND", "OR", "NOT", "COMMA", "IF", "THEN", "ELSE", "EQUAL"}
    for token in p.before():
        if token.kind in stop:
            break
        if token.kind in COMPARISONS | {"ABOUT"}:
            mend = Help("compare two at a time, and join by `and`")
            first = Label(p.span(token), "the first comparison")
            return p.say("DL0014", "comparisons cannot be chained", "the second one", mend, more=[first])
    if p.token.kind == "ABOUT":
        return p.say("DL0001", "`~=` compares in an `expect` only", "", Help("elsewhere compare by `==`, `<` or `>`"))
    return None


def pipe_needs_parentheses(p: Place) -> Diagnostic | None:
    if p.token.kind == "PIPE" and p.back().kind in OPERAND_ENDS and not {"EQUAL", "_BLOCK"} & p.expected:
        chosen = any(token.kind == "ELSE" for token in p.before())
        text = (
            "`if ... else ...` before a pipe goes into parentheses" if chosen else "a pipe here goes into parentheses"
        )
        mend = Help("write `(if c then a else b) |> f`, or `else (b |> f)`" if chosen else "write `(x |> f)`")
        return p.say("DL0015", text, "", mend)
    if p.token.kind not in OPERATORS | {"ABOUT"}:
        return None
    pipe = next((token for token in p.before() if token.kind in ("PIPE", "COMMA", "EQUAL")), None)
    if pipe is None or pipe.kind != "PIPE" or p.back().kind not in OPERAND_ENDS:
        return None
    mend = Help(f"write `(x |> f) {p.token.text} y`, or `x |> f` on a line of its own")
    label = Label(p.span(pipe), "the pipe")
    return p.say("DL0015", f"a pipe beside `{p.token.text}` goes into parentheses", "", mend, more=[label])


def choice_needs_parentheses(p: Place) -> Diagnostic | None:
    if p.token.kind != "IF" or not is_value_expected(p.expected):
        return None
    mend = Help("write `(if c then a else b)`")
    return p.say("DL0015", "`if` as a part of an expression goes into parentheses", "", mend)
