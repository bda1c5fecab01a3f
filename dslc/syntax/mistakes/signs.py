"""Rules for signs and types: `=` and `:`, commas, shapes."""

from __future__ import annotations

from dslc.diagnostics import Diagnostic, Edit, Help
from dslc.source import Span
from dslc.syntax.mistakes.place import OPERAND_ENDS, OPERAND_STARTS, Place
from dslc.syntax.token import Token
from dslc.syntax.words import ENDS, found
from dslc.tensor_type import DType

_TYPES = frozenset({dtype.value for dtype in DType} | {"float", "int"})


def single_equals(p: Place) -> Diagnostic | None:
    condition = p.first.kind in ("IF", "REQUIRE", "EXPECT") and p.inside() is None
    if p.token.kind != "EQUAL" or not (condition or "THEN" in p.expected) or p.back().kind not in OPERAND_ENDS:
        return None
    return p.say(
        "DL0012", "values are compared by `==`", "`=` gives a name its value", p.replace("write:", p.token, "==")
    )


def double_equals(p: Place) -> Diagnostic | None:
    if p.token.kind != "EQ" or "EQUAL" not in p.expected:
        return None
    return p.say("DL0012", "a name is given its value by `=`", "`==` compares", p.replace("write:", p.token, "="))


def colon_for_equals(p: Place) -> Diagnostic | None:
    inside = p.inside()
    named = p.back().kind == "NAME" and p.back(2).kind in ("LPAR", "COMMA")
    if p.token.kind != "COLON" or not named or inside is None or inside.kind != "LPAR":
        return None
    text = f"a keyword argument is given with `=`: `{p.back().text} = ...`"
    return p.say(
        "DL0013",
        "`:` in the arguments of a call",
        "expected `=`",
        p.replace(f"{text[: text.index(':')]}:", p.token, " ="),
    )


def equals_for_colon(p: Place) -> Diagnostic | None:
    inside = p.inside()
    if p.token.kind != "EQUAL" or inside is None or inside.kind != "LBRACE" or "COLON" not in p.expected:
        return None
    gap = p.source.text[p.back().end : p.token.start]
    mend = Help(
        "an entry of a record is given with `:`:", (Edit(Span(p.source, p.token.start - len(gap), p.token.end), ":"),)
    )
    return p.say("DL0013", "`=` in a record", "expected `:`", mend)


def setting_with_colon(p: Place) -> Diagnostic | None:
    """`epochs: 5`, `data: rows`, `optimizer: adam(...)`, `next h: y`."""
    named = p.expected == frozenset({"LSQB"}) and p.problem.at == p.problem.first + 3 and p.first.kind == "NAME"
    if named and p.token.kind in {"LPAR", "COMMA", *ENDS} and p.back().text not in _TYPES:
        return _colon(p, p.back(2))
    colon = p.back() if p.back().kind == "COLON" else p.token
    setting = p.problem.at == p.problem.first + 2 and p.first.kind == "NAME" and p.token.kind not in {"LSQB", *ENDS}
    other = p.token.kind == "COLON" and p.expected == frozenset({"EQUAL"})
    if colon.kind != "COLON" or not (other or (setting and p.expected == frozenset({"NAME"}))):
        return None
    return _colon(p, colon)


def _colon(p: Place, colon: Token) -> Diagnostic:
    equals = Edit(p.span(colon), "" if p.token.kind == "EQUAL" else " =")
    mend = Help("write:", (equals, *(Edit(p.span(comma), "") for comma in _last_comma(p))))
    return p.say("DL0013", "a name is given its value by `=`", "`:` gives a type", mend, span=p.span(colon))


def _last_comma(p: Place) -> list[Token]:
    """The comma that ends the statement, as it ends an entry of a record; or nothing."""
    rest = p.problem.tokens[p.problem.at :]
    end = next((i for i, token in enumerate(rest) if token.kind in ENDS), 0)
    return [token for token in rest[:end][-1:] if token.kind == "COMMA"]


def comma_at_the_end(p: Place) -> Diagnostic | None:
    """`batch = 64,`."""
    if p.token.kind != "COMMA" or "_NL" not in p.expected or p.ahead().kind not in ENDS:
        return None
    mend = p.replace("leave it out:", p.token, "")
    return p.say("DL0001", "a statement does not end with a comma", "the line ends the statement", mend)


def missing_equals(p: Place) -> Diagnostic | None:
    """`batch 32`, `layer enc Dense(3)`."""
    named = p.expected == frozenset({"EQUAL"}) or (p.problem.at == p.problem.first + 1 and p.first.kind == "NAME")
    if "EQUAL" not in p.expected or p.token.kind not in OPERAND_STARTS - {"MINUS", "LPAR", "LSQB"} or not named:
        return None
    mend = p.insert("write:", p.back().end, " =")
    return p.say("DL0001", f"expected `=` after `{p.back().text}`, {found(p.token)}", "", mend)


def missing_pipe(p: Place) -> Diagnostic | None:
    """`x |> Dense(3) relu`, `x |> fc1 Dense(3)`."""
    if p.token.kind != "NAME" or "PIPE" not in p.expected or all(t.kind != "PIPE" for t in p.before()):
        return None
    if p.back().kind == "NAME" and p.back(2).kind == "PIPE":
        mend = p.insert("a label is followed by `:`:", p.back().end, ":")
        return p.say("DL0001", f"expected `:` or `|>` after `{p.back().text}`, {found(p.token)}", "", mend)
    mend = p.insert("write:", p.back().end, " |>")
    return p.say("DL0001", f"expected `|>` between two stages, {found(p.token)}", "", mend)


def one_tilde(p: Place) -> Diagnostic | None:
    if p.token.kind != "TILDE" or "ABOUT" not in p.expected:
        return None
    return p.say("DL0001", "about equal is written `~=`", "", p.replace("write:", p.token, "~="))


def one_bar(p: Place) -> Diagnostic | None:
    if p.token.kind != "VBAR" or "PIPE" not in p.expected:
        return None
    return p.say("DL0001", "a pipe is written `|>`", "", p.replace("write:", p.token, "|>"))


def missing_comma(p: Place) -> Diagnostic | None:
    message = p.first.kind == "REQUIRE" and p.token.kind == "STRING"
    separated = p.inside() is not None or p.first.kind in ("DIM", "FROM", "UPDATE") or message
    if "COMMA" not in p.expected or p.token.kind not in OPERAND_STARTS or not separated:
        return None
    mend = p.insert("write:", p.back().end, ",")
    span = Span(p.source, p.back().end, p.back().end)
    return p.say("DL0021", f"a comma is missing before `{p.token.text}`", "expected `,`", mend, span=span)


def type_without_shape(p: Place) -> Diagnostic | None:
    if p.expected != frozenset({"LSQB"}) or p.back().kind != "NAME":
        return None
    dtype = p.back()
    if p.token.kind == "LPAR":
        return p.say("DL0019", "a shape is written in `[ ]`", "", Help(f"write `{dtype.text}[...]`"))
    mend = p.insert("a scalar has an empty shape:", dtype.end, "[]")
    return p.say("DL0019", f"`{dtype.text}` has no shape", f"expected `{dtype.text}[...]`", mend, span=p.span(dtype))


def shape_without_type(p: Place) -> Diagnostic | None:
    if p.expected != frozenset({"NAME"}) or p.back().kind != "COLON" or p.token.kind != "LSQB":
        return None
    return p.say("DL0019", "a shape without its element type", "", p.insert("for 32-bit floats:", p.token.start, "f32"))


def missing_type(p: Place) -> Diagnostic | None:
    if (
        p.expected != frozenset({"COLON"})
        or p.token.kind not in {"EQUAL", "COMMA", "RPAR", *ENDS}
        or p.back().kind != "NAME"
    ):
        return None
    name = p.back()
    inside = p.inside()
    if inside is not None:
        mend = Help(f"write `{name.text}: int`, or `float`, `bool`, `string`")
        return p.say("DL0019", f"the hyper-parameter `{name.text}` has no type", "", mend, span=p.span(name))
    return p.say(
        "DL0019",
        f"`{name.text}` has no type",
        "",
        Help(f"write `{p.first.text} {name.text}: f32[...]`"),
        span=p.span(name),
    )


def missing_colon(p: Place) -> Diagnostic | None:
    if "COLON" not in p.expected or len(p.expected) > 1 or p.token.kind != "NAME" or p.back().kind != "NAME":
        return None
    mend = p.insert("write:", p.back().end, ":")
    return p.say("DL0001", f"expected `:` between `{p.back().text}` and its type", "", mend)
