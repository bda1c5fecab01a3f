"""Rules for statements: where they stand, how they begin and end, what they must hold."""

from __future__ import annotations

from dslc.diagnostics import Diagnostic, Help, Note
from dslc.source import Span
from dslc.syntax.layout import DECLARATIONS, STATEMENTS
from dslc.syntax.mistakes.place import OPERAND_STARTS, Place
from dslc.syntax.token import END
from dslc.syntax.words import (
    ENDS,
    OPERATORS,
    RESERVED,
    found,
    is_value_expected,
    near,
)

_OF_BLOCKS = STATEMENTS - DECLARATIONS - {"dim"}
_TYPED = frozenset({"input", "output", "param", "buffer", "state", "field", "sample"})
_HOMES = {
    "field": "`data`", "use": "`train` or `test`", "step": "`train`", "sample": "`train`", "given": "`test`",
    "expect": "`test`", "state": "`cell`", "next": "`cell`",
}  # fmt: skip


def reserved_word(p: Place) -> Diagnostic | None:
    if p.token.kind not in RESERVED or "NAME" not in p.expected or is_value_expected(p.expected):
        return None
    if p.at_start:
        return None
    return p.say("DL0016", f"`{p.token.text}` is a reserved word and cannot be a name", "choose another name")


def misplaced(p: Place) -> Diagnostic | None:
    """A declaration inside a block, a statement outside, or a misspelt keyword of either."""
    if not p.at_start and not (p.problem.at == p.problem.first + 1 and p.first.kind == "NAME"):
        return None
    outside = p.first.depth == 0
    word = p.first.text
    if p.first.kind == "NAME" and (other := near(word, sorted(DECLARATIONS | {"dim"} if outside else STATEMENTS))):
        if p.token.kind in ("NAME", "STRING") or outside:
            return p.say(
                "DL0001",
                f"`{word}` is not a keyword",
                "",
                p.replace(f"did you mean `{other}`?", p.first, other),
                span=p.span(p.first),
            )
        return None
    if not p.at_start or p.first.kind == END:
        return None
    if outside and word in _OF_BLOCKS and p.first.kind != "NAME":
        home = _HOMES.get(word, "`model`, `block` or `cell`")
        return p.say("DL0020", f"`{word}` stands outside every block", f"belongs inside a {home}")
    if outside:
        mend = Note("a file holds `dim`, `model`, `block`, `cell`, `data`, `train`, `test` and imports")
        return p.say("DL0020", f"a declaration cannot begin with `{word}`", "outside every block", mend)
    if word in DECLARATIONS:
        return p.say("DL0020", f"`{word}` cannot stand inside a block", "belongs at the level of the file")
    return None


def line_begins_with_operator(p: Place) -> Diagnostic | None:
    if not p.at_start or p.token.kind not in OPERATORS | {"DOT", "COMMA", "EQUAL"}:
        return None
    mend = Help("inside parentheses a line may end anywhere, and a line that begins with `|>` goes on with a pipe")
    return p.say(
        "DL0011", f"a statement cannot begin with `{p.token.text}`", "the line above ended its statement", mend
    )


def missing_block(p: Place) -> Diagnostic | None:
    if "_BLOCK" not in p.expected or p.token.kind not in {*ENDS, "NAME", "PIPE", "RPAR", "COMMA"}:
        return None
    if p.first.kind != "IF" and len(p.expected) > 2 + ("LPAR" in p.expected):
        return None
    if "AS" in p.expected:
        return p.say(
            "DL0001",
            "`repeat(n)` repeats stages in braces",
            "expected `{`",
            Help("write `repeat(n) { stage |> stage }`"),
        )
    return p.say("DL0001", f"`{p.first.text}` needs a body in braces", f"expected `{{`, {found(p.token)}")


def lone_else(p: Place) -> Diagnostic | None:
    if p.token.kind != "ELSE" or not p.at_start:
        return None
    return p.say("DL0001", "this `else` belongs to no `if`", "", Help("write `if c { ... } else { ... }`"))


def then_in_statement(p: Place) -> Diagnostic | None:
    if p.token.kind != "THEN" or p.first.kind != "IF" or p.inside() is not None:
        return None
    mend = Help("choose statements by `if c { ... } else { ... }`, or a value by `y = if c then a else b`")
    return p.say("DL0001", "an `if` statement has blocks, and no `then`", "expected `{`", mend)


def missing_name(p: Place) -> Diagnostic | None:
    """`output: f32[B]`."""
    after = p.problem.tokens[min(p.problem.first + 1, len(p.problem.tokens) - 1)]
    if p.first.kind != "NAME" or p.first.text not in _TYPED or after.kind != "COLON" or "EQUAL" not in p.expected:
        return None
    mend = Help(f"write `{p.first.text} x: ...`")
    return p.say("DL0001", f"`{p.first.text}` is followed by a name", "the name is missing", mend, span=p.span(after))


def unnamed_block(p: Place) -> Diagnostic | None:
    """`step {`, `model {`."""
    word = p.back().text
    if p.expected != frozenset({"NAME"}) or p.token.kind != "_BLOCK" or p.at_start or p.back() != p.first:
        return None
    what = f"{word} block" if word in ("data", "train") else word
    mend = Help(f"write `{word} NAME {{`")
    return p.say("DL0001", f"a {what} needs a name", f"the name of the {what} is missing", mend)


def missing_code(p: Place) -> Diagnostic | None:
    if p.back(2).kind != "EXPECT" and p.back().kind != "ERROR":
        return None
    if p.back().text != "error":
        return None
    return p.say(
        "DL0001",
        "`expect error` is followed by a code",
        f"expected a code, {found(p.token)}",
        Help("write `expect error DL2007`"),
    )


def lone_repeat(p: Place) -> Diagnostic | None:
    """`y = repeat(3) { ... }`."""
    repeats = [token for token in p.before() if token.kind == "NAME" and token.text == "repeat"]
    if p.token.kind != "_BLOCK" or not repeats:
        return None
    mend = Help("write `x |> repeat(n) { stage |> stage }`")
    return p.say("DL0001", "`repeat` is a stage of a pipe", "stands after `|>`", mend, span=p.span(repeats[0]))


def unquoted(p: Place) -> Diagnostic | None:
    if p.expected == frozenset({"NAME"}) and p.token.kind == "STRING":
        plain = p.token.text.strip('"')
        return (
            p.say("DL0001", "a name has no quotes", "", p.replace("write:", p.token, plain))
            if plain.isidentifier()
            else None
        )
    if p.expected != frozenset({"STRING"}) or p.token.kind != "NAME":
        return None
    mend = p.replace("write:", p.token, f'"{p.token.text}"')
    return p.say("DL0001", f"expected a string after `{p.back().text}`, found the name `{p.token.text}`", "", mend)


def two_statements(p: Place) -> Diagnostic | None:
    starts = p.token.kind in ("NAME", "STRING", "NUMBER") or p.token.text in STATEMENTS
    if "_NL" not in p.expected or not starts:
        return None
    mend = Help("statements end at the end of their line, or at `;`")
    return p.say("DL0001", f"expected the end of the statement, {found(p.token)}", "", mend)


def value_alone(p: Place) -> Diagnostic | None:
    if p.first.depth == 0 or p.first.kind not in OPERAND_STARTS or any(t.kind == "EQUAL" for t in p.before()):
        return None
    if p.first.kind == "NAME" and "EQUAL" in p.expected and p.token.kind in ("DOT", "LSQB"):
        statement = p.problem.tokens[p.problem.at :]
        end = next((i for i, token in enumerate(statement) if token.kind in ENDS), len(statement))
        if any(token.kind == "EQUAL" and token.depth == p.first.depth for token in statement[:end]):
            return p.say("DL0017", "only a plain name is given a value", "", span=p.span(p.first).to(p.here()))
    if not p.at_start and "EQUAL" not in p.expected and p.back().kind != "RPAR":
        return None
    if p.token.kind in ("NAME", "COLON"):
        return None
    mend = Help("give it a name: `h = ...`")
    span = p.span(p.first) if p.at_start else p.span(p.first).to(p.span(p.back()))
    return p.say("DL0017", "nothing takes this value", "a value alone has no effect", mend, span=span)


def expectation(p: Place) -> Diagnostic | None:
    if p.first.kind != "EXPECT" or "ABOUT" not in p.expected or p.token.kind not in {"WITHIN", *ENDS}:
        return None
    mend = Help("compare by `== != < <= > >=`, or by `~=` up to a tolerance")
    return p.say(
        "DL0018",
        "this expectation compares nothing",
        "expected a comparison",
        mend,
        span=Span(p.source, p.first.start, p.back().end),
    )
