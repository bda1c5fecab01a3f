"""Sizes in generated source: which there are, how each is worked out from the run-time ones, and from which input those follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dslc.backends.plan.model import Plan
from dslc.ops.ir import Attr
from dslc.tensor_type import Dim, FloorDiv, Shape, Size, symbol, symbols
from dslc_runtime.face import Solve


@dataclass(frozen=True, slots=True)
class Sizes:
    """The symbolic sizes of a plan.

    Attributes:
        symbols: names of the run-time sizes in the order in which they appear; `d0`, `d1`, ... in the source.
        worked: the sizes worked out from them, numbered on.
    """

    symbols: tuple[str, ...]
    worked: tuple[Size, ...]

    @classmethod
    def of(cls, plan: Plan) -> Sizes:
        """All sizes in the types and attributes of a plan, inputs first."""
        every = dict.fromkeys(dim for dim in _all(plan) if isinstance(dim, Size))
        names = dict.fromkeys(name for dim in every for name in sorted(dim.symbols()))
        plain = {symbol(name) for name in names}
        return cls(tuple(names), tuple(dim for dim in every if dim not in plain))

    def texts(self) -> tuple[str, ...]:
        """The worked-out sizes as the program would write them."""
        return tuple(map(str, self.worked))

    def name(self, dim: Dim) -> str:
        """A size as an expression: a number or a name."""
        if isinstance(dim, int):
            return str(dim)
        for number, text in enumerate(self.symbols):
            if dim == symbol(text):
                return f"d{number}"
        return f"d{len(self.symbols) + self.worked.index(dim)}"

    def shape(self, shape: Shape) -> str:
        """A shape as a tuple."""
        return listed([self.name(dim) for dim in shape])

    def amount(self, dim: Dim) -> str:
        """A number of bytes as arithmetic on names."""
        if isinstance(dim, int):
            return str(dim)
        terms = [self._term(monomial, coefficient) for monomial, coefficient in dim.terms]
        text = " + ".join(terms)
        return text if dim.den == 1 else f"({text}) // {dim.den}"

    def tile(self, length: Dim, tile: int) -> str:
        """The elements of one tile of so many."""
        return f"tile_of({self.amount(length)}, {tile})"

    def function(self) -> list[str]:
        """The function that works out every size."""
        known = [f"d{number}" for number in range(len(self.symbols))]
        lines = [f"def sizes({', '.join(known)}):"]
        for number, dim in enumerate(self.worked):
            whole = Size(dim.terms)
            den = f", {dim.den}" if dim.den != 1 else ""
            known.append(f"d{len(known)}")
            lines.append(f"    {known[-1]} = as_size({number}, {self.amount(whole)}{den})")
        return [*lines, f"    return {listed(known)}"]

    def unpack(self) -> list[str]:
        """The line that names all sizes again."""
        names = [f"d{number}" for number in range(len(self.symbols) + len(self.worked))]
        return [f"{listed(names)} = all_sizes"] if names else []

    def _term(self, monomial: Iterable[tuple[str | FloorDiv, int]], coefficient: int) -> str:
        factors = [str(coefficient)]
        for atom, power in monomial:
            base = f"d{self.symbols.index(atom)}" if isinstance(atom, str) else self._floor(atom)
            factors.append(base if power == 1 else f"{base}**{power}")
        return " * ".join(factors[1:] if coefficient == 1 and len(factors) > 1 else factors)

    def _floor(self, atom: FloorDiv) -> str:
        return f"(({self.amount(atom.numerator)}) // ({self.amount(atom.denominator)}))"


def listed(names: list[str]) -> str:
    """Expressions as a tuple."""
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def indented(lines: list[str]) -> list[str]:
    """Lines one level further in."""
    return [f"    {line}" if line else "" for line in lines]


def _all(plan: Plan) -> Iterator[Dim]:
    for node in plan.leaves:
        yield from node.out.shape
    for node in plan.graph.nodes.values():
        if node.id in plan.places or node.op == "size":
            yield from node.out.shape
            for value in node.attrs.values():
                yield from _dims(value)
    for part in plan.parts:
        yield part.offset
        yield from part.type.shape


def _dims(value: Attr) -> Iterator[Dim]:
    if isinstance(value, Size):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _dims(item)


def face_sizes(plan: Plan, names: Iterable[str]) -> dict[str, Solve | None]:
    """How run-time sizes follow from the inputs: each from the first axis that holds it alone, to the first power."""
    found: dict[str, Solve | None] = dict.fromkeys(names)
    for number, node in enumerate(plan.leaves_of("input")):
        for axis, dim in enumerate(node.out.shape):
            for name in symbols(dim):
                if found.get(name) is None:
                    found[name] = _solve(dim, name, number, axis)
    return found


def _solve(dim: Dim, name: str, number: int, axis: int) -> Solve | None:
    """The equation ``size = (shape * den - add) / mul``, where the dimension is linear in the one symbol."""
    if isinstance(dim, int) or any(monomial not in (((name, 1),), ()) for monomial, _ in dim.terms):
        return None
    terms = dict(dim.terms)
    return Solve(number, axis, terms[((name, 1),)], terms.get((), 0), dim.den)
