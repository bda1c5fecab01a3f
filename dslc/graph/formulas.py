"""A graph as formulas, for people: named values on lines of their own, what lies between them written out as in a program.

Input: a graph. Output: lines. Nothing reads this text back; `text` is the exact form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from dslc.graph.ir import Graph
from dslc.ops import OPS
from dslc.ops.ir import Attr, Attrs, Data, Node, Region
from dslc.tensor_type import DType

LONGEST = 72  # characters of a formula; longer ones are cut into lines of their own

#: How tightly operators bind, as in the language; what is not here is a call or a name.
_BINDS = {
    "or": 1, "and": 2, "not": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "@": 6,
    "**": 8,
}  # fmt: skip
_UNARY, ATOM = 7, 9

Operand: TypeAlias = "tuple[str, int]"  # a text, and how tightly it binds

#: Operators that no program can write, as what they compute.
_MEANINGS: Mapping[str, str] = {
    "relu_grad": "where({1} > 0, {0}, 0)",
    "sum_to": "sum({0}, to = {sizes})",
    "bce_elements": "bce({0}, {1})",
    "bce_logits_elements": "bce_logits({0}, {1})",
    "pick": "{0}[{1}]",
    "softmax_cross_entropy": "cross_entropy({0}, {1})",
}


@dataclass(frozen=True, slots=True)
class Formula:
    """``name = text``, and the type of the value; `id` is that of its node."""

    name: str
    text: str
    type: str
    id: int


@dataclass(slots=True)
class _Writer:
    """Writes the formulas of a graph.

    Attributes:
        names: what a value is called, by its id.
        uses: how often a value is read.
        lines: the formulas so far.
    """

    names: dict[int, str]
    uses: Counter[int]
    lines: list[Formula] = field(default_factory=list[Formula])
    written: dict[int, Operand] = field(default_factory=dict[int, Operand])
    temporaries: int = 0

    def add(self, node: Node) -> None:
        """Write a node: on a line where it has a name, else into the formulas that read it."""
        if not node.inputs and node.op not in ("constant", "zeros", "ones", "full"):
            self.written[node.id] = (leaf_text(node, self.names.get(node.id, node.op)), ATOM)
            return
        text, binds = expression(node, [self.written[value.id] for value in node.inputs])
        name = self.names.get(node.id, "")
        if not name and node.inputs and (self.uses[node.id] > 1 or len(text) > LONGEST):
            self.temporaries += 1
            name = f"t{self.temporaries}"
        if name:
            self.lines.append(Formula(name, text, str(node.out.type), node.id))
            text, binds = name, ATOM
        self.written[node.id] = (text, binds)


def expression(node: Node, operands: Sequence[Operand]) -> Operand:
    """What a node computes, written with the texts of its operands."""

    def at(position: int, binds: int) -> str:
        """An operand where an operator binds so tightly; in brackets where it binds less."""
        text, own = operands[position]
        return text if own >= binds else f"({text})"

    if node.op == "constant":
        return _constant(node), ATOM
    opdef = OPS[node.op]
    if opdef.symbol and len(node.inputs) == 2:
        binds = _BINDS[opdef.symbol]
        right = binds if opdef.symbol == "**" else binds + 1
        left = binds + 1 if opdef.symbol == "**" else binds
        return f"{at(0, left)} {opdef.symbol} {at(1, right)}", binds
    if opdef.symbol:
        space = " " if opdef.symbol.isalpha() else ""
        return f"{opdef.symbol}{space}{at(0, _UNARY)}", _UNARY
    if node.op == "divide_by_size":
        size = _attr(node.attrs["size"])
        return f"{at(0, _BINDS['/'])} / {f'({size})' if ' ' in size else size}", _BINDS["/"]
    if node.op == "slice":
        return f"{at(0, ATOM)}[{_indices(node)}]", ATOM
    texts = [at(position, 0) for position in range(len(operands))]
    if node.op in _MEANINGS:
        attrs = {name: _attr(value) for name, value in node.attrs.items()}
        return _MEANINGS[node.op].format(*texts, **attrs), ATOM
    return f"{node.op}({', '.join([*texts, *_options(node)])})", ATOM


def _indices(node: Node) -> str:
    """The ranges of a slice; those at the end that take all are left out."""
    shape = node.inputs[0].shape
    ranges = [
        f"{start or ''}:{'' if stop == size else stop}{f':{step}' if step != 1 else ''}"
        for start, stop, step, size in zip(*map(node.attrs.shape, ("starts", "stops", "steps")), shape, strict=True)
    ]
    while len(ranges) > 1 and ranges[-1] == ":":
        ranges.pop()
    return ", ".join(ranges)


def _options(node: Node) -> list[str]:
    """The options of a call as a program gives them: required ones by position, others by name where they matter."""
    opdef = OPS[node.op]
    usual = Attrs({option.name: option.default for option in opdef.options})
    required = [option.name for option in opdef.options if option.required]
    if opdef.normalize is not None and not required:
        usual = opdef.normalize(tuple(value.type for value in node.inputs), usual)
    given = {name: value for name, value in node.attrs.items() if not isinstance(value, Region)}
    first = [_attr(given[name]) for name in required if name in given]
    return first + [
        f"{name} = {_attr(value)}" for name, value in given.items() if name not in required and usual.get(name) != value
    ]


def formulas(graph: Graph) -> list[Formula]:
    """The formulas of a graph in the order they are computed; results have their names."""
    results = {value.id: name for name, value in graph.outputs.items()}
    names = _unique({node.id: results.get(node.id, node.name) for node in graph.order()}, results)
    writer = _Writer(names, Counter(value.id for node in graph.order() for value in node.inputs))
    for node in graph.order():
        writer.add(node)
    writer.lines += _again(graph, writer)
    return writer.lines


def _unique(names: Mapping[int, str], results: Mapping[int, str]) -> dict[int, str]:
    """Names that no two values share: a layer applied twice has `fc.y` and `fc.y'`. Results keep theirs."""
    taken, found = set(results.values()), dict(results)
    for id_, name in names.items():
        if not name or id_ in found:
            continue
        while name in taken:
            name += "'"
        taken.add(name)
        found[id_] = name
    return found


def _again(graph: Graph, writer: _Writer) -> Iterator[Formula]:
    """Results that are a leaf, or the same value under a second name."""
    for name, value in graph.outputs.items():
        if not any(line.name == name for line in writer.lines):
            text, _ = writer.written[value.id]
            if text != name:
                yield Formula(name, text, str(value.type), value.id)


def leaf_text(node: Node, name: str) -> str:
    """What stands for a leaf in formulas; `name` where it has none of its own."""
    if node.op == "draw":
        return f"{node.attrs.str('dist')}()"
    if node.op == "size":
        return _attr(node.attrs["size"])
    key = {"input": "name", "state": "name", "param": "key"}.get(node.op, "")
    return node.attrs.str(key) if key else name


def _constant(node: Node) -> str:
    value = node.attrs["value"]
    return f"a constant {node.out.type}" if isinstance(value, Data) else _attr(value)


def _attr(value: Attr) -> str:
    """A number, size or list as a program writes it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_attr, value))}]"
    if isinstance(value, DType):
        return value.value
    return f'"{value}"' if isinstance(value, str) else str(value)
