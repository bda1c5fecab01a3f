"""An unexpected token with its surroundings: what the rules look at and how they answer."""

from __future__ import annotations

from collections.abc import Sequence

from dslc.diagnostics import Diagnostic, Edit, Help, Label, Note
from dslc.record import record
from dslc.source import Source, Span
from dslc.syntax.lalr import Unexpected
from dslc.syntax.token import END, Token
from dslc.syntax.words import ENDS

OPERAND_ENDS = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE", "NONE"})
OPERAND_STARTS = frozenset(
    {"NAME", "NUMBER", "STRING", "LSQB", "LBRACE", "LPAR", "TRUE", "FALSE", "NONE", "MINUS", "NOT"}
)
OPENERS, CLOSERS = frozenset({"LPAR", "LSQB", "LBRACE", "_BLOCK"}), frozenset({"RPAR", "RSQB", "RBRACE", "_END"})


@record
class Place:
    """An unexpected token with its surroundings."""

    problem: Unexpected
    source: Source

    @property
    def token(self) -> Token:
        return self.problem.tokens[self.problem.at]

    @property
    def expected(self) -> frozenset[str]:
        return self.problem.expected

    @property
    def first(self) -> Token:
        """The first token of the statement."""
        return self.problem.tokens[self.problem.first]

    @property
    def at_start(self) -> bool:
        return self.problem.at == self.problem.first

    def back(self, steps: int = 1) -> Token:
        """The token so many before the unexpected one; at the file's start an empty line end."""
        at = self.problem.at - steps
        return self.problem.tokens[at] if at >= 0 else Token("_NL", "", 0, 0)

    def ahead(self, steps: int = 1) -> Token:
        tokens = self.problem.tokens
        return tokens[min(self.problem.at + steps, len(tokens) - 1)]

    def following(self, steps: int) -> Token:
        """The token so many after the first one of the statement."""
        tokens = self.problem.tokens
        return tokens[min(self.problem.first + steps, len(tokens) - 1)]

    def inside(self) -> Token | None:
        """The innermost bracket of this statement that is open here."""
        depth = 0
        for token in reversed(self.problem.tokens[self.problem.first : self.problem.at]):
            if token.kind in CLOSERS:
                depth += 1
            elif token.kind in OPENERS:
                if depth == 0:
                    return token
                depth -= 1
        return None

    def before(self) -> list[Token]:
        """The tokens of this statement before the unexpected one, at its own bracket level, the nearest first."""
        kept: list[Token] = []
        depth = 0
        for token in reversed(self.problem.tokens[self.problem.first : self.problem.at]):
            if token.kind in OPENERS:
                if depth == 0:
                    break
                depth -= 1
            elif token.kind in CLOSERS:
                depth += 1
            elif depth == 0:
                kept.append(token)
        return kept

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def here(self) -> Span:
        """Where to point: at the token, or right after the one before where a line or the file ends."""
        end = self.back().end
        gap = self.source.text[end : self.token.start + 1]
        if self.token.kind in ENDS and not self.at_start and (self.token.kind == END or "\n" in gap):
            return Span(self.source, end, end)
        return self.span(self.token)

    def replace(self, text: str, token: Token, by: str, last: Token | None = None) -> Help:
        """A help that replaces a token, or all from it to `last`."""
        return Help(text, (Edit(Span(self.source, token.start, (last or token).end), by),))

    def insert(self, text: str, at: int, what: str) -> Help:
        return Help(text, (Edit(Span(self.source, at, at), what),))

    def say(
        self,
        code: str,
        message: str,
        label: str = "",
        *footers: Note | Help,
        span: Span | None = None,
        more: Sequence[Label] = (),
    ) -> Diagnostic:
        return Diagnostic(code, message, (Label(span or self.here(), label), *more), footers)
