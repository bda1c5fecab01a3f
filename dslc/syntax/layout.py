"""Raw tokens -> tokens the grammar knows: line ends, keywords, kinds of braces and doc comments are settled here.

It also balances brackets: a missing closer is reported at its opener and then supplied, so that the parser goes on with
the next statement as if nothing had happened. What a statement may look like is the grammar's business.
"""

from __future__ import annotations

from dslc.diagnostics import Edit, Help, Label, Sink
from dslc.source import Source, Span
from dslc.syntax import limits
from dslc.syntax.tables import KEYWORDS
from dslc.syntax.token import CUT, DOC, END, NEWLINE, SEMICOLON, Token

DECLARATIONS = frozenset({"model", "block", "cell", "data", "train", "test", "from", "import"})
STATEMENTS = DECLARATIONS | {
    "dim", "input", "output", "param", "buffer", "state", "next", "update", "layer", "let", "require",
    "field", "use", "step", "sample", "given", "expect",
}  # fmt: skip
INLINE = frozenset({"if", "then", "else", "and", "or", "not", "as", "repeat", "true", "false", "none"})
CONTINUES = frozenset({"|>", "then", "else"})

_NAMED_BLOCKS = frozenset({"MODEL", "BLOCK", "CELL", "DATA", "TRAIN", "STEP"})
_NOT_A_KEYWORD_BEFORE = frozenset({"EQUAL", "DOT", "COLON", "COMMA"})
_ENDS_OPERAND = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE", "NONE"})
_JOINS = frozenset(
    {
        "PLUS",
        "MINUS",
        "TIMES",
        "DIVIDE",
        "REMAINDER",
        "MATMUL",
        "POWER",
        "EQ",
        "NE",
        "LT",
        "LE",
        "GT",
        "GE",
        "DOT",
        "COMMA",
    }
)
_DANGLES = (_JOINS - {"DOT"}) | {"EQUAL", "PIPE", "AND", "OR", "NOT"}
_CLOSER = {"LPAR": ("RPAR", ")"), "LSQB": ("RSQB", "]"), "LBRACE": ("RBRACE", "}"), "_BLOCK": ("_END", "}")}
_PYTHON = {"True": ("TRUE", "true"), "False": ("FALSE", "false"), "None": ("NONE", "none"), "elif": ("ELSE", "else if")}
_CLOSES = {"RPAR": ("LPAR",), "RSQB": ("LSQB",), "RBRACE": ("LBRACE", "_BLOCK")}


def settle(raw: list[Token], source: Source, sink: Sink) -> list[Token]:
    """The tokens as the grammar takes them, brackets balanced, the last one `$END`."""
    return _Layout(raw, source, sink).run()


class _Layout:
    def __init__(self, raw: list[Token], source: Source, sink: Sink) -> None:
        self._raw = raw
        self._following = _followers(raw)
        self._source = source
        self._sink = sink
        self._out: list[Token] = []
        self._stack: list[Token] = []  # open brackets, kinds settled
        self._heads: list[str] = []  # the keywords of the statements they stand in
        self._choices = 0  # `then`s of this statement that wait for their `else`
        self._depth = 0  # blocks around the next token
        self._statement = ""  # the keyword that began the current statement
        self._doc: list[str] = []
        self._crooked: tuple[Token, Token] | None = None  # a block whose `}` is indented unlike its first line
        self._sure = 0  # tokens up to here belong to whole declarations

    def run(self) -> list[Token]:
        for at, token in enumerate(self._raw):
            if token.kind == DOC:
                self._doc.append(token.text)
            elif token.kind == NEWLINE:
                self._newline(token, at)
            elif token.kind == SEMICOLON and not self._in_brackets():
                self._end_statement(token)
            elif token.kind == CUT:
                self._cut(token)
            elif token.kind == END:
                self._finish(token)
            else:
                self._token(token, at)
            if len(self._stack) > limits.BRACKET_DEPTH:
                return self._too_deep(token)
            if len(self._sink.found) >= limits.ERRORS:
                return self._cut_short(token)
        return self._out

    # ------------------------------------------------------------------------------------------ where we are

    def _in_brackets(self) -> bool:
        return bool(self._stack) and self._stack[-1].kind != "_BLOCK"

    def _previous(self, back: int = 1) -> str:
        return self._out[-back].kind if len(self._out) >= back else "_NL"

    def _at_start(self) -> bool:
        return self._previous() in ("_NL", "_BLOCK")

    def _next(self, at: int, ahead: int = 1) -> Token:
        """The next token that is no line end, or the one `ahead` of them further on."""
        for _ in range(ahead):
            at = self._following[at]
        return self._raw[at]

    def _indent(self, token: Token) -> int:
        """The column of the first thing on the token's line."""
        line = self._source.line_text(self._source.position(token.start)[0])
        return len(line) - len(line.lstrip())

    def _span(self, token: Token) -> Span:
        return Span(self._source, token.start, token.end)

    def _emit(self, kind: str, text: str, start: int, end: int, doc: str = "") -> None:
        self._out.append(Token(kind, text, start, end, self._depth, doc))

    # ------------------------------------------------------------------------------------------ statements' ends

    def _newline(self, token: Token, at: int) -> None:
        if self._in_brackets():
            self._close_unfinished(at)
        if not (self._in_brackets() or self._next(at).text in CONTINUES or self._goes_on(at)):
            self._end_statement(token)

    def _goes_on(self, at: int) -> bool:
        """Whether an expression plainly goes on in the next line, which it may not: that is reported, and overlooked."""
        last, first = self._out[-1] if self._out else self._raw[at], self._next(at)
        if self._at_start():
            return False
        if first.kind in _JOINS and (first.kind != "MINUS" or last.kind in _ENDS_OPERAND):
            where, what = first, "a line cannot begin with"
        elif last.kind in _DANGLES and self._is_operand(at):
            where, what = last, "a line cannot end with"
        else:
            return False
        mend = Help("a statement ends with its line; to go on in the next one, put the expression in parentheses")
        self._sink.report("DL0011", f"{what} `{where.text}`", self._span(where), footers=[mend])
        return True

    def _is_operand(self, at: int) -> bool:
        """Whether the next line is part of an expression and begins no statement."""
        first, second = self._next(at), self._next(at, 2)
        if first.kind != "NAME":
            return first.kind in ("NUMBER", "STRING", "LPAR", "LSQB", "MINUS")
        statement = first.text in STATEMENTS and second.kind in ("NAME", "STRING")
        return not statement and second.kind not in ("EQUAL", "COLON") and first.text not in ("if", "require", "expect")

    def _end_statement(self, token: Token) -> None:
        if not self._at_start():
            self._emit("_NL", token.text, token.start, token.end)
        self._statement, self._choices = "", 0
        if not self._stack:
            self._sure = len(self._out)
            self._crooked = None

    def _close_unfinished(self, at: int) -> None:
        """Report an open bracket where the next line plainly begins a new statement."""
        first, second = self._next(at), self._next(at, 2)
        level = len(self._stack) - 1
        while level > 0 and self._stack[level - 1].kind != "_BLOCK":
            level -= 1
        if first.text in STATEMENTS:
            begins = second.kind in ("NAME", "STRING")
        elif (
            first.kind == "NAME" and second.kind == "EQUAL" and self._indent(first) <= self._indent(self._stack[level])
        ):
            begins = self._stack[-1].kind != "LPAR" or self._previous() not in ("LPAR", "COMMA")
        else:
            begins = False
        if begins:
            self._close_down_to(level, self._out[-1].end)

    def _cut(self, token: Token) -> None:
        """After an unterminated string, brackets opened on its line were closed inside it."""
        line = self._source.position(token.start)[0]
        while self._in_brackets() and self._source.position(self._stack[-1].start)[0] == line:
            self._supply(token.end)

    # ------------------------------------------------------------------------------------------ tokens

    def _token(self, token: Token, at: int) -> None:
        if token.kind in ("LPAR", "LSQB"):
            self._open(token)
        elif token.kind == "LBRACE":
            self._brace(token)
        elif token.kind in _CLOSES:
            self._close(token)
        elif token.kind == "NAME" and token.text in KEYWORDS:
            self._word(token, at)
        elif token.kind == "NAME" and token.text in _PYTHON:
            self._python_word(token, at)
        else:
            self._emit(*token[:4])
        self._doc.clear()

    def _word(self, token: Token, at: int) -> None:
        begins = self._at_start()
        if begins and token.text in DECLARATIONS and self._stack and self._begins_declaration(token, at):
            self._close_down_to(0, self._out[-1].start)
            self._end_statement(token._replace(text="", end=token.start))
        kind = self._keyword(token.text, self._next(at), begins)
        if kind in ("THEN", "ELSE"):
            self._choice(kind)
        self._emit(kind, token.text, token.start, token.end, "\n".join(self._doc) if begins and not self._stack else "")
        if begins:
            self._statement = kind

    def _choice(self, kind: str) -> None:
        """Pair `then` with `else`. An `else` that pairs with none, inside an `if`'s block, shows that its `}` is missing."""
        self._choices += 1 if kind == "THEN" else -1
        open_if = self._stack and self._stack[-1].kind == "_BLOCK" and self._heads[-1] == "IF"
        if self._choices < 0 and open_if and self._previous() != "_END":
            self._close_down_to(len(self._stack) - 1, self._out[-1].end)
        self._choices = max(self._choices, 0)

    def _python_word(self, token: Token, at: int) -> None:
        """`True`, `False`, `None` and `elif` go on as what they are here."""
        kind, ours = _PYTHON[token.text]
        named = self._previous() == "DOT" or self._next(at).kind in _NOT_A_KEYWORD_BEFORE
        if named or (kind == "ELSE" and not (self._at_start() or self._previous() == "_END")):
            self._emit(*token[:4])
            return
        mend = Help("write:", (Edit(self._span(token), ours),))
        self._sink.report("DL0009", f"`{token.text}` is written `{ours}`", self._span(token), footers=[mend])
        if kind == "ELSE":
            if self._previous() == "_NL":
                self._out.pop()
            self._emit("ELSE", "else", token.start, token.start)
            kind = "IF"
        self._emit(kind, ours, token.start, token.end)

    def _keyword(self, text: str, following: Token, begins: bool) -> str:
        """The kind of a word that can be a keyword: `NAME` where it is not one."""
        kind, previous = KEYWORDS[text], self._previous()
        if previous == "DOT" or (begins and following.kind in _NOT_A_KEYWORD_BEFORE):
            keyword = False
        elif text in STATEMENTS:
            takes_value = text in ("require", "expect") or (text in DECLARATIONS and not self._stack)
            call = following.kind == "LPAR" and not takes_value
            keyword = (begins and not call) or (text == "import" and self._statement == "FROM" and previous == "STRING")
        elif text == "error":
            keyword = previous == "EXPECT" and following.kind == "NAME"
        elif text == "within":
            keyword = self._statement == "EXPECT" and not self._in_brackets() and previous in _ENDS_OPERAND
        elif text == "repeat":
            keyword = following.kind == "LPAR" and self._begins_stage()
        else:
            keyword = not self._is_label(following)
        return kind if keyword else "NAME"

    def _begins_stage(self) -> bool:
        if self._previous() == "COLON":
            return self._previous(2) == "NAME" and self._previous(3) in ("PIPE", "_BLOCK")
        return self._previous() in ("PIPE", "_BLOCK")

    def _is_label(self, following: Token) -> bool:
        """Whether an inline keyword is a record's key, a stage's label, a hyper-parameter or a keyword argument."""
        previous = self._previous()
        if following.kind == "COLON":
            inside = previous in ("LPAR", "LBRACE", "COMMA") and self._stack and self._stack[-1].kind != "LSQB"
            return bool(inside) or previous == "PIPE"
        return following.kind == "EQUAL" and previous in ("LPAR", "COMMA", "LBRACE") and self._in_brackets()

    # ------------------------------------------------------------------------------------------ brackets

    def _open(self, token: Token) -> None:
        self._emit(*token[:4])
        self._stack.append(token)
        self._heads.append(self._statement)
        if token.kind == "_BLOCK":
            self._depth += 1
            self._statement, self._choices = "", 0

    def _brace(self, token: Token) -> None:
        """A `{`: of a block after an operand, a statement's `else` or a block's keyword, of a record anywhere else."""
        if self._previous() == "_NL" and self._out:
            mend = Help("put it at the end of the line above")
            self._sink.report("DL0011", "this `{` begins a line of its own", self._span(token), footers=[mend])
            self._out.pop()
        statement_else = self._previous() == "ELSE" and self._previous(2) == "_END"
        unnamed = self._previous() in _NAMED_BLOCKS and self._previous() == self._statement
        block = self._previous() in _ENDS_OPERAND or statement_else or unnamed
        self._open(token._replace(kind="_BLOCK") if block else token)

    def _close(self, token: Token) -> None:
        openers = _CLOSES[token.kind]
        if self._stack and self._stack[-1].kind in openers:
            self._note_crooked(token)
            self._supply(token.start, token)
            return
        level = self._opener_of(openers)
        if level is not None:
            self._close_down_to(level + 1, self._out[-1].end)
            self._supply(token.start, token)
        elif self._in_brackets():
            self._mistyped(token)
        else:
            self._sink.report("DL0007", f"this `{token.text}` closes nothing", self._span(token))

    def _opener_of(self, openers: tuple[str, ...]) -> int | None:
        """The position of the opener that a closer belongs to, past others that were never closed."""
        for level in range(len(self._stack) - 1, -1, -1):
            if self._stack[level].kind in openers:
                return level
            if self._stack[level].kind == "_BLOCK":
                return None
        return None

    def _mistyped(self, token: Token) -> None:
        opener = self._stack[-1]
        right = _CLOSER[self._stack[-1].kind][1]
        self._sink.report(
            "DL0007",
            f"`{opener.text}` is closed by `{token.text}`",
            self._span(token),
            f"must be `{right}`",
            Label(self._span(opener), "opened here"),
            footers=[Help("write:", (Edit(self._span(token), right),))],
        )
        self._supply(token.start, token._replace(text=right))

    def _supply(self, at: int, token: Token | None = None) -> None:
        """Close the innermost bracket, by `token` or by one that is not in the text."""
        kind, text = _CLOSER[self._stack.pop().kind]
        self._statement = self._heads.pop() or self._statement
        if kind == "_END":
            self._depth -= 1
            if self._previous() == "_NL":
                self._out.pop()
        self._emit(kind, text, at, token.end if token is not None else at)

    def _close_down_to(self, level: int, at: int) -> None:
        """Report the outermost of the brackets from `level` on as unclosed, and close all of them."""
        blame = self._stack[level]
        closer = _CLOSER[self._stack[level].kind][1]
        labels: list[Label] = []
        if self._crooked is not None and self._stack[level].kind == "_BLOCK":
            blame, wrong = self._crooked
            labels.append(Label(self._span(wrong), "this `}` closes it, but is indented for a block further out"))
        self._sink.report(
            "DL0006", f"this `{blame.text}` is never closed", self._span(blame), f"no `{closer}` for it", *labels
        )
        while len(self._stack) > level:
            self._supply(at)

    def _begins_declaration(self, token: Token, at: int) -> bool:
        """Whether a keyword inside a block begins a declaration of the file, so that a `}` is missing above it."""
        first, second = self._next(at), self._next(at, 2)
        if token.text in ("test", "from", "import"):
            named = first.kind == "STRING"
        else:
            named = first.kind == "NAME" and second.kind in ("LPAR", "LBRACE")
        return named and self._is_first(token) and self._indent(token) <= self._indent(self._stack[0])

    def _is_first(self, token: Token) -> bool:
        """Whether nothing stands before a token on its line."""
        return self._source.text[: token.start].rpartition("\n")[2].strip() == ""

    def _note_crooked(self, token: Token) -> None:
        """Remember the first block whose `}` stands where that of a block around it would."""
        opener = self._stack[-1]
        if opener.kind != "_BLOCK" or self._crooked is not None or len(self._stack) == 1:
            return
        if self._is_first(token) and self._indent(token) < self._indent(opener):
            self._crooked = opener, token

    # ------------------------------------------------------------------------------------------ the end

    def _finish(self, token: Token) -> None:
        if self._stack:
            self._close_down_to(0, token.start)
        self._emit(END, "", token.start, token.end)

    def _too_deep(self, token: Token) -> list[Token]:
        self._sink.report(
            "DL0030", f"brackets are nested more than {limits.BRACKET_DEPTH} deep", self._span(token), "too deep",
            Label(self._span(self._stack[0]), "the outermost one"),
        )  # fmt: skip
        return self._cut_short(token)

    def _cut_short(self, token: Token) -> list[Token]:
        """Only what stands before the current declaration: it was read whole, and its brackets are balanced."""
        return [*self._out[: self._sure], Token(END, "", token.start, token.start)]


def _followers(raw: list[Token]) -> list[int]:
    """For each token the position of the next one that is no line end; the last token follows itself."""
    following = [len(raw) - 1] * len(raw)
    for at in range(len(raw) - 2, -1, -1):
        skips = raw[at + 1].kind in (NEWLINE, DOC, CUT)
        following[at] = following[at + 1] if skips else at + 1
    return following
