"""Strings of axes, as `einsum` and `rearrange` take them: text -> `Formula`, with every part's place in the text.

    "b h t d, b h u d -> b h t u"        "b t (h d) -> b h t d"

Axes are names separated by spaces. `...` stands for any axes, `(h d)` for one axis made of several, `1` and `()` for an
axis of size 1. Here only the text is read; what it means for tensors is `einsum`'s and `rearrange`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dslc.check.scope import Context
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.record import field, record
from dslc.source import Span
from dslc.syntax.lexer import place_in_string, unescape

DOTS = "..."
_TOKEN = re.compile(r"\s*(?:(?P<name>[^\W\d]\w*)|(?P<number>\d+)|(?P<sign>\.\.\.|->|[(),])|(?P<other>\S))")


@record
class Text:
    """A string in a program. Its parts have places of their own where it was written out at `span`."""

    value: str
    span: Span

    def at(self, start: int, end: int) -> Span:
        """The place of some of its characters."""
        if not self.literal:
            return self.span
        first = self.span.start + place_in_string(self.span.text, start)
        return Span(self.span.source, first, self.span.start + place_in_string(self.span.text, end))

    @property
    def literal(self) -> bool:
        """Whether it was written out, and not computed or named."""
        token = self.span.text
        return token[:1] == '"' and token[-1:] == '"' and unescape(token) == self.value


@record
class Axis:
    """An axis by its name; `...` has the name DOTS."""

    name: str
    span: Span


@record
class Group:
    """One axis of a tensor: a name alone, those in parentheses (`joined`), or none where its size is 1."""

    axes: tuple[Axis, ...]
    span: Span
    joined: bool = False


@record
class Term:
    """The axes of one tensor, in order."""

    groups: tuple[Group, ...]
    span: Span

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All names in it, also inside parentheses."""
        return tuple(axis for group in self.groups for axis in group.axes)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.axes)


@record
class Formula:
    """What a text says: the axes of the operands, and those of the result."""

    text: Text
    inputs: tuple[Term, ...]
    output: Term


@record
class _Token:
    kind: str
    text: str
    start: int
    end: int


def parse(e: Context, text: Text, *, groups: bool) -> Formula | None:
    """The formula a text writes, or None after a report.

    Args:
        groups: whether axes may be put together with parentheses (`rearrange`); else operands are separated by commas.
    """
    return _Parser(e, text, groups).formula()


class _StopError(Exception):
    """A mistake was reported."""


@record(eq=False, frozen=False)
class _Parser:
    e: Context
    text: Text
    groups: bool
    tokens: list[_Token] = field(factory=list["_Token"])

    def formula(self) -> Formula | None:
        try:
            self.tokens = list(self._scan())
            arrow = self._arrow()
            inputs: list[Term] = []
            start = 0
            for at, token in enumerate(self.tokens[:arrow]):
                if token.text == ",":
                    inputs.append(self._term(start, at))
                    start = at + 1
            inputs.append(self._term(start, arrow))
            return Formula(self.text, tuple(inputs), self._term(arrow + 1, len(self.tokens)))
        except _StopError:
            return None

    def _fail(self, message: str, start: int, end: int, label: str, *more: Label, help: Help | None = None) -> None:
        footers = [help] if help is not None else []
        self.e.report("DL2300", message, self.text.at(start, end), label, *more, footers=footers)
        raise _StopError

    def _scan(self) -> Iterator[_Token]:
        value = self.text.value
        for match in _TOKEN.finditer(value):
            kind = match.lastgroup or ""
            token = _Token(kind, match[kind], match.start(kind), match.end(kind))
            if kind == "other" or (kind == "number" and (token.text != "1" or not self.groups)):
                self._stray(token)
            if token.text == "," and self.groups:
                self._fail("`rearrange` takes one tensor", token.start, token.end, "a second one would follow")
            if token.text in ("(", ")") and not self.groups:
                help_ = Help("separate axes before, with `rearrange`")
                self._fail("`einsum` has no axes in parentheses", token.start, token.end, "not known here", help=help_)
            yield token

    def _stray(self, token: _Token) -> None:
        what = f"`{token.text}` is not an axis"
        help_ = None
        if token.kind == "number":
            help_ = Help("axes have names; a size is given by name: `h = 4`" if self.groups else "axes have names")
        elif token.text in ("-", ">", "=", "→"):
            help_ = Help("the result follows `->`")
        elif token.text == ".":
            help_ = Help("any axes are written `...`")
        self._fail(what, token.start, token.end, "not understood", help=help_)

    def _arrow(self) -> int:
        """Where `->` stands among the tokens."""
        found = [at for at, token in enumerate(self.tokens) if token.text == "->"]
        value = self.text.value
        if not found:
            end = len(value)
            example = Help("write the axes of the result after an arrow", code=(f'"{value.strip()} -> ..."',))
            self._fail("the axes of the result are missing", 0, end, "no `->` in it", help=example)
        if len(found) > 1:
            second, first = self.tokens[found[1]], self.tokens[found[0]]
            label = Label(self.text.at(first.start, first.end), "the first one")
            self._fail("`->` is written twice", second.start, second.end, "a second one", label)
        after = next((t for t in self.tokens[found[0] :] if t.text == ","), None)
        if after is not None:
            self._fail("there is one result", after.start, after.end, "a second one would follow")
        return found[0]

    def _term(self, start: int, stop: int) -> Term:
        tokens = self.tokens[start:stop]
        before = self.tokens[start - 1].end if start else 0
        span = self.text.at(tokens[0].start, tokens[-1].end) if tokens else self.text.at(before, before)
        found: list[Group] = []
        inside: list[Axis] | None = None
        opened = _Token("", "", 0, 0)
        for token in tokens:
            place = self.text.at(token.start, token.end)
            if token.text == "(":
                if inside is not None:
                    first = Label(self.text.at(opened.start, opened.end), "opened here")
                    self._fail("parentheses are not nested", token.start, token.end, "inside another one", first)
                inside, opened = [], token
            elif token.text == ")":
                if inside is None:
                    self._fail("`)` closes nothing", token.start, token.end, "no `(` before it")
                found.append(Group(tuple(inside or ()), self.text.at(opened.start, token.end), joined=True))
                inside = None
            elif inside is not None:
                inside += [] if token.text == "1" else [Axis(token.text, place)]
            else:
                axes = () if token.text == "1" else (Axis(token.text, place),)
                found.append(Group(axes, place))
        if inside is not None:
            self._fail("`(` is never closed", opened.start, opened.end, "no `)` after it")
        return Term(tuple(found), span)


# ---------------------------------------------------------------------------------------------- rules that both share


def each_once(e: Context, term: Term, why: str) -> bool:
    """Whether no axis is named twice in a term; reports the first that is."""
    first: dict[str, Axis] = {}
    for axis in term.axes:
        if axis.name in first:
            label = Label(first[axis.name].span, "first here")
            e.report(
                "DL2303", f"axis `{axis.name}` is named twice", axis.span, "again here", label, footers=[Note(why)]
            )
            return False
        first[axis.name] = axis
    return True


def fits_rank(e: Context, formula: Formula, term: Term, rank: int, operand: Label) -> bool:
    """Whether a tensor has as many axes as its term names; reports it where it has not.

    Args:
        operand: where the tensor was written, and its type.
    """
    dots = DOTS in term.names
    named = len(term.groups) - dots
    if rank == named or (dots and rank > named):
        return True
    axes = f"{named} {'axis' if named == 1 else 'axes'}"
    footers = [_spaced(formula)] if _runs_together(term, rank) and formula.text.literal else []
    message = f"the tensor has {rank} {'axis' if rank == 1 else 'axes'}, and this names {axes}{' or more' * dots}"
    e.report("DL2304", message, term.span, axes + " or more" * dots, operand, footers=footers)
    return False


def _runs_together(term: Term, rank: int) -> bool:
    """Whether the axes look as NumPy would have them, a letter each: `bij` for `b i j`."""
    return len(term.groups) == 1 and len(term.names) == 1 and len(term.names[0]) == rank


def _spaced(formula: Formula) -> Help:
    terms = [" ".join(" ".join(name) if name != DOTS else name for name in term.names) for term in formula.inputs]
    output = " ".join(" ".join(name) for name in formula.output.names)
    return Help("separate axes with spaces:", (Edit(formula.text.span, f'"{", ".join(terms)} -> {output}"'),))


def listed(names: Sequence[str]) -> str:
    """Names of axes for a note."""
    return f"the axes are {', '.join(f'`{name}`' for name in names)}" if names else "no axis is named"
