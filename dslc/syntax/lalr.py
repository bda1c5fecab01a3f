"""Tokens -> syntax tree: the LALR(1) machine over the shipped tables, which mends itself at the ends of statements.

It knows nothing of the language but what the tables say; what to tell about a token that does not fit is `mistakes`'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from dslc.record import record
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

# What a statement with a mistake in it is given up as.
_STATEMENTS = frozenset({"statement", "declaration"})
# Lists that may be as long as a file.
_UNBOUNDED = frozenset(origin for origin, *_ in RULES if origin.startswith(("__file", "__block")))
# Reductions that only rename the symbol on top of the stack.
_UNITS = {
    ~number: origin
    for number, (origin, length, builder, _) in enumerate(RULES)
    if length == 1 and builder == "" and origin not in _STATEMENTS
}


@record
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


class _Symbol(NamedTuple):
    """What is known of a symbol on the stack beside its value: its first and last token, and how deep its tree is."""

    first: int
    last: int
    depth: int


class _Machine:
    """The parser's stacks: `values` and `symbols` in step, `states` with one entry more below."""

    def __init__(self, tokens: list[Token], source: Source, report: Report) -> None:
        self._tokens = tokens
        self._source = source
        self._report = report
        self._states = [START]
        self._values: list[Any] = []
        self._symbols: list[_Symbol] = []
        self._broken: set[int] = set()  # first tokens of statements with a mistake in them

    def run(self) -> File:
        tokens, states = self._tokens, self._states
        at = 0
        kind = tokens[0].kind
        while True:
            action = ACTIONS[states[-1]].get(kind)
            if action is None:
                at = self._recover(at, None)
                kind = tokens[at].kind
            elif action >= 0:
                self._push(action, tokens[at], _Symbol(at, at, 0))
                at += 1
                kind = tokens[at].kind
            elif action in _UNITS:
                states[-1] = GOTOS[states[-2]][_UNITS[action]]
            else:
                over = self._reduce(~action, at)
                if over is not None:
                    at = self._recover(at, over)
                    kind = tokens[at].kind
                elif kind == END and states[-1] == ACCEPT:
                    return self._values[-1]

    def _push(self, state: int, value: Any, symbol: _Symbol) -> None:
        self._states.append(state)
        self._values.append(value)
        self._symbols.append(symbol)

    def _pop(self, keep: int) -> None:
        """Drop all but the lowest `keep` symbols."""
        del self._states[keep + 1 :], self._values[keep:], self._symbols[keep:]

    def _reduce(self, number: int, at: int) -> tuple[str, Span] | None:
        """Replace the last symbols by what a rule makes of them; the limit it breaks, if it does."""
        origin, length, builder, keep = RULES[number]
        base = len(self._values) - length
        symbol = self._joined(base, at)
        first, last, depth = symbol
        tokens = self._tokens
        if builder in NESTS:
            depth += 1
            symbol = _Symbol(first, last, depth)
        if builder == "*":
            value: Any = self._list(keep, base)
            over = "DL0033" if len(value) >= limits.LIST_ITEMS and origin not in _UNBOUNDED else ""
        elif first in self._broken and origin in _STATEMENTS:
            value, over = None, ""
        else:
            parts = self._parts(keep, base)
            span = Span(self._source, tokens[first].start, tokens[last].end if length else tokens[first].start)
            value = BUILDERS[builder](parts, span) if builder else parts[0]
            over = "DL0030" if depth > limits.TREE_DEPTH else ""
        if over:
            return over, Span(self._source, tokens[first].start, tokens[last].end)
        self._pop(base)
        self._push(GOTOS[self._states[-1]][origin], value, symbol)
        return None

    def _joined(self, base: int, at: int) -> _Symbol:
        """The symbols from `base` on as one; where there are none, an empty one in front of the token `at`."""
        symbols = self._symbols
        if base == len(symbols):
            return _Symbol(at, at - 1, 0)
        if base == len(symbols) - 1:
            return symbols[-1]
        return _Symbol(symbols[base].first, symbols[-1].last, max(symbol.depth for symbol in symbols[base:]))

    def _parts(self, keep: tuple[int | None, ...], base: int) -> list[Any]:
        """What a builder takes: values, the items of lists, and None for optional parts left out."""
        values = self._values
        parts: list[Any] = []
        for position in keep:
            if position is None:
                parts.append(None)
            elif position >= 0:
                parts.append(values[base + position])
            else:
                parts.extend(values[base + ~position])
        return parts

    def _list(self, keep: tuple[int | None, ...], base: int) -> list[Any]:
        """A list of parts. One that grows by an item stays the same list: copies would take quadratic time."""
        if keep[0] != ~0:
            return self._parts(keep, base)
        grown: list[Any] = self._values[base]
        grown.extend(self._parts(keep[1:], base))
        return grown

    # ------------------------------------------------------------------------------------------ mistakes

    def _recover(self, at: int, over: tuple[str, Span] | None) -> int:
        """Report, give up the innermost statement, and return where to go on: at its end, or at its block.

        What follows can always be read: the end of the statement, the `}` of the block it stands in, or the file's end.
        """
        self._end_last_statement(at)
        keep, depth = self._statement_at(at)
        first = self._symbols[keep].first if keep < len(self._symbols) else at
        expected = frozenset[str]() if over is not None else self._expected()
        go_on = self._report(Unexpected(self._tokens, first, at, expected, over))
        self._pop(keep)
        again = first in self._broken  # its made-up head did not lead into the block
        self._broken.add(first)
        if not go_on:
            return self._stop()
        while not self._is_end(at, depth):
            token = self._tokens[at]
            if token.kind == "_BLOCK" and token.depth == depth and not again and self._restart(first):
                return at
            at += 1
        row = GOTOS[self._states[-1]]
        state = row["statement"] if "statement" in row else row["declaration"]
        self._push(state, None, _Symbol(first, max(first, at - 1), 0))
        return at

    def _statement_at(self, at: int) -> tuple[int, int]:
        """How many symbols stand before the innermost statement that a token lies in, and how many blocks around it.

        A block may be closed on the stack and not yet be read as one, or be open in the text and have been skipped, so
        the blocks on the stack are counted, and there are at most as many as are open at the token.
        """
        token = self._tokens[at]
        most = token.depth + 1 if token.kind == "_END" else token.depth
        kinds = [value.kind if isinstance(value, Token) else "" for value in self._values]
        depth = kinds.count("_BLOCK") - kinds.count("_END")
        keep = len(kinds)
        while depth > most or not _STATEMENTS & GOTOS[self._states[keep]].keys():
            keep -= 1
            depth += (kinds[keep] == "_END") - (kinds[keep] == "_BLOCK")
        return keep, depth

    def _end_last_statement(self, at: int) -> None:
        """Do the reduction that only waits for a token that fits: it belongs to the statement before."""
        while self._tokens[at - 1].kind == "_NL":
            actions = set(ACTIONS[self._states[-1]].values())
            if len(actions) != 1 or (action := actions.pop()) >= 0:
                return
            self._reduce(~action, at)

    def _is_end(self, at: int, depth: int) -> bool:
        """Whether a token ends a statement that `depth` blocks are around."""
        token = self._tokens[at]
        if token.kind == "_NL":
            return token.depth == depth
        return token.kind == END or (token.kind == "_END" and token.depth < depth)

    def _restart(self, first: int) -> bool:
        """Read a made-up head of the statement, so that its block can follow. False if it has no such head."""
        token = self._tokens[first]
        head = _HEADS.get(token.kind, ())
        if not head or ACTIONS[self._states[-1]].get(head[0]) is None:
            return False
        for kind in head:
            while (action := ACTIONS[self._states[-1]][kind]) < 0:
                self._reduce(~action, first)
            self._push(action, Token(kind, "", token.start, token.start), _Symbol(first, first, 0))
        return True

    def _stop(self) -> int:
        """Give up the rest of the file: only what was read whole stays."""
        while "declaration" not in GOTOS[self._states[-1]]:
            self._pop(len(self._values) - 1)
        return len(self._tokens) - 1

    def _expected(self) -> frozenset[str]:
        """The kinds of tokens that could come next: those with an action that ends in a shift."""
        return frozenset(kind for kind in ACTIONS[self._states[-1]] if self._accepts(kind))

    def _accepts(self, kind: str) -> bool:
        states = list(self._states)
        while (action := ACTIONS[states[-1]].get(kind)) is not None and action < 0:
            origin, length, _, _ = RULES[~action]
            del states[len(states) - length :]
            states.append(GOTOS[states[-1]][origin])
            if kind == END and states[-1] == ACCEPT:
                return True
        return action is not None
