"""Tokens -> syntax tree: the LALR(1) machine over the shipped tables, which mends itself at the ends of statements.

It knows nothing of the language but what the tables say; what to tell about a token that does not fit is `mistakes`'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dslc.source import Source, Span
from dslc.syntax import limits
from dslc.syntax.build import BUILDERS, NESTS
from dslc.syntax.tables import ACCEPT, ACTIONS, GOTOS, RULES, START
from dslc.syntax.token import END, Token
from dslc.syntax.tree import File

# A statement with a mistake in front of its block goes on at the block, as if it had begun like this.
_HEADS = {
    "MODEL": ("MODEL", "NAME"), "BLOCK": ("BLOCK", "NAME"), "CELL": ("CELL", "NAME"), "DATA": ("DATA", "NAME"),
    "TRAIN": ("TRAIN", "NAME"), "TEST": ("TEST", "STRING"), "STEP": ("STEP", "NAME"), "IF": ("IF", "TRUE"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A token that cannot stand where it does, with what could: all that is needed to say what is wrong.

    Attributes:
        tokens: all tokens; `at` is the position of the unexpected one and `first` of the first one of its statement.
        expected: the kinds of tokens that could stand there.
        over: the token itself is fine, but what it ends breaks a limit: the code of that, and the place.
    """

    tokens: list[Token]
    first: int
    at: int
    expected: frozenset[str]
    over: tuple[str, Span] | None = None


Report: TypeAlias = Callable[[Unexpected], bool]


def run(tokens: list[Token], source: Source, report: Report) -> File:
    """The tree of settled tokens. `report` is told of every mistake and answers whether to go on."""
    return _Machine(tokens, source, report).run()


@dataclass(slots=True)
class _Machine:
    """The parser's stacks, one entry for each symbol read: state, value, first and last token, tree depth."""

    tokens: list[Token]
    source: Source
    report: Report
    states: list[int] = field(default_factory=lambda: [START])
    values: list[Any] = field(default_factory=list[Any])
    firsts: list[int] = field(default_factory=list[int])
    lasts: list[int] = field(default_factory=list[int])
    depths: list[int] = field(default_factory=list[int])
    broken: set[int] = field(default_factory=set[int])  # first tokens of statements with a mistake in them
    stuck: tuple[int, int] | None = None  # where the last recovery led: a second one from there would not end

    def run(self) -> File:
        tokens, states = self.tokens, self.states
        at = 0
        while True:
            kind = tokens[at].kind
            action = ACTIONS[states[-1]].get(kind)
            if action is None:
                at = self._recover(at, None)
            elif action >= 0:
                self._push(action, tokens[at], at, at, 0)
                at += 1
            else:
                over = self._reduce(~action, at)
                if over is not None:
                    at = self._recover(at, over)
                elif kind == END and states[-1] == ACCEPT:
                    return self.values[-1]

    def _push(self, state: int, value: Any, first: int, last: int, depth: int) -> None:
        self.states.append(state)
        self.values.append(value)
        self.firsts.append(first)
        self.lasts.append(last)
        self.depths.append(depth)

    def _pop(self, keep: int) -> None:
        """Drop all but the lowest `keep` symbols."""
        del self.states[keep + 1 :], self.values[keep:], self.firsts[keep:], self.lasts[keep:], self.depths[keep:]

    def _reduce(self, number: int, at: int) -> tuple[str, Span] | None:
        """Replace the last symbols by what a rule makes of them; the limit it breaks, if it does."""
        origin, length, builder, keep = RULES[number]
        if length == 1 and builder == "":
            self.states[-1] = GOTOS[self.states[-2]][origin]
            if self.firsts[-1] in self.broken and origin in ("statement", "declaration"):
                self.values[-1] = None
            return None
        base = len(self.values) - length
        first, last = (self.firsts[base], self.lasts[-1]) if length else (at, at - 1)
        depth = max(self.depths[base:], default=0)
        span = Span(self.source, self.tokens[first].start, self.tokens[last].end if length else self.tokens[at].start)
        value = self._make(builder, keep, base, span)
        if first in self.broken and origin in ("statement", "declaration"):
            value = None
        if builder in NESTS:
            depth += 1
            if depth > limits.TREE_DEPTH:
                return "DL0030", span
        if (
            value is not None
            and builder == "*"
            and len(value) > limits.LIST_ITEMS
            and not origin.startswith(("__file", "__block"))
        ):
            return "DL0033", span
        self._pop(base)
        self._push(GOTOS[self.states[-1]][origin], value, first, last, depth)
        return None

    def _make(self, builder: str, keep: tuple[int | None, ...], base: int, span: Span) -> Any:
        parts: list[Any] = []
        if builder == "*" and keep[0] == ~0:
            parts, keep = (
                self.values[base],
                keep[1:],
            )  # a list that grows by one is the same list, or it would take n * n steps
        for position in keep:
            if position is None:
                parts.append(None)
            elif position >= 0:
                parts.append(self.values[base + position])
            else:
                parts.extend(self.values[base + ~position])
        if builder == "*":
            return parts
        return parts[0] if builder == "" else BUILDERS[builder](parts, span)

    # ------------------------------------------------------------------------------------------ mistakes

    def _recover(self, at: int, over: tuple[str, Span] | None) -> int:
        """Report, give up the innermost statement, and return where to go on: at its end, or at its block."""
        if (at, len(self.values)) == self.stuck:
            return self._stop()
        self._end_last_statement(at)
        keep = self._before_closed_block()
        while "statement" not in GOTOS[self.states[keep]] and "declaration" not in GOTOS[self.states[keep]]:
            keep -= 1
        first = self.firsts[keep] if keep < len(self.firsts) else at
        expected = frozenset[str]() if over is not None else self._expected()
        go_on = self.report(Unexpected(self.tokens, first, at, expected, over))
        self._pop(keep)
        self.broken.add(first)
        if not go_on:
            return self._stop()
        depth = self.tokens[first].depth
        while not self._is_end(at, depth):
            if self.tokens[at].kind == "_BLOCK" and self.tokens[at].depth == depth and self._restart(first):
                self.stuck = at, len(self.values)
                return at
            at += 1
        row = GOTOS[self.states[-1]]
        self._push(row["statement"] if "statement" in row else row["declaration"], None, first, max(first, at - 1), 0)
        self.stuck = at, len(self.values)
        return at

    def _before_closed_block(self) -> int:
        """How many symbols stand before a block that was just closed: what follows its `}` belongs to the outer one."""
        keep = len(self.values)
        if keep and isinstance(self.values[-1], Token) and self.values[-1].kind == "_END":
            while not (isinstance(self.values[keep - 1], Token) and self.values[keep - 1].kind == "_BLOCK"):
                keep -= 1
            keep -= 1
        return keep

    def _end_last_statement(self, at: int) -> None:
        """Do the reduction that only waits for a token that fits: it belongs to the statement before."""
        while (
            self.states
            and len(rule := set(ACTIONS[self.states[-1]].values())) == 1
            and self.tokens[at - 1].kind == "_NL"
        ):
            (action,) = rule
            if action >= 0:
                return
            self._reduce(~action, at)

    def _is_end(self, at: int, depth: int) -> bool:
        token = self.tokens[at]
        if token.kind == "_NL":
            return token.depth == depth
        return token.kind == END or (token.kind == "_END" and token.depth < depth)

    def _restart(self, first: int) -> bool:
        """Read a made-up head of the statement, so that its block can follow. False if it has no such head."""
        head = _HEADS.get(self.tokens[first].kind, ())
        if not head or ACTIONS[self.states[-1]].get(head[0]) is None:
            return False
        for kind in head:
            made = Token(kind, "", self.tokens[first].start, self.tokens[first].start)
            while (action := ACTIONS[self.states[-1]][kind]) < 0:
                self._reduce(~action, first)
            self._push(action, made, first, first, 0)
        return True

    def _stop(self) -> int:
        """Give up the rest of the file: only what was read whole stays."""
        while "declaration" not in GOTOS[self.states[-1]]:
            self._pop(len(self.values) - 1)
        return len(self.tokens) - 1

    def _expected(self) -> frozenset[str]:
        """The kinds of tokens that could come next: those with an action that ends in a shift."""
        return frozenset(kind for kind in ACTIONS[self.states[-1]] if self._accepts(kind))

    def _accepts(self, kind: str) -> bool:
        states = list(self.states)
        while (action := ACTIONS[states[-1]].get(kind)) is not None and action < 0:
            origin, length, _, _ = RULES[~action]
            del states[len(states) - length :]
            states.append(GOTOS[states[-1]][origin])
            if kind == END and states[-1] == ACCEPT:
                return True
        return action is not None
