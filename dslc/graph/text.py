"""A graph as text, and text as a graph: ``parse_graph(print_graph(graph))`` has equal nodes, results and updates.

One line is one node, in order; then come the results:

    %0: f32[B, 2] = input(name='x')
    %1: f32[2] = constant(value=data'0000803f00000040')
    %2: f32[B, 2] = mul(%0, %1)  # 'scaled'
    output 'y' = %2
    update 'params' = %9

The body of a `scan` stands under it, indented; its results are `result` lines:

    %4: bool[] = scan(%3, %0, reverse=False, sequences=1, states=1)
      %0: f32[2] = input(name='s0')
      %1: f32[2] = input(name='x0')
      %2: f32[2] = add(%0, %1)
      result %2

Attributes are written like Python's literals; besides there are element types (``f32``), sizes (``<2 * B>``) and the bytes of
constants in hexadecimal. Names are quoted, so that a hostile one stays on its line. Spans are not part of the text.
"""

from __future__ import annotations

import math
import re
from ast import literal_eval
from collections.abc import Iterable
from dataclasses import dataclass

from dslc.graph.ir import Graph
from dslc.graph.region import region_of
from dslc.ops.ir import Attr, Attrs, Data, Node, Region, Value
from dslc.tensor_type import Dim, DType, Size, TensorType, divide, floor_div, symbol


def print_graph(graph: Graph) -> str:
    """The text of a graph; equal graphs give equal text."""
    lines = _node_lines(graph.order())
    lines += [f"output {name!r} = %{value.id}" for name, value in graph.outputs.items()]
    lines += [f"update {name!r} = %{value.id}" for name, value in graph.updates.items()]
    return "".join(f"{line}\n" for line in lines)


def _node_lines(nodes: Iterable[Node]) -> list[str]:
    lines: list[str] = []
    for node in nodes:
        lines.append(node_text(node))
        for body in (value for value in node.attrs.values() if isinstance(value, Region)):
            inner = [*_node_lines(body.nodes), *(f"result %{value.id}" for value in body.results)]
            lines += [f"  {line}" for line in inner]
    return lines


def node_text(node: Node) -> str:
    operands = [f"%{value.id}" for value in node.inputs]
    attrs = [f"{n}={_attr_text(value)}" for n, value in node.attrs.items() if not isinstance(value, Region)]
    name = f"  # {node.name!r}" if node.name else ""
    return f"%{node.id}: {node.out.type} = {node.op}({', '.join(operands + attrs)}){name}"


def _attr_text(value: Attr) -> str:
    if isinstance(value, tuple):
        items = ", ".join(map(_attr_text, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, Size):
        return f"<{value}>"
    if isinstance(value, DType):
        return value.value
    if isinstance(value, Data):
        return f"data'{value.bytes.hex()}'"
    return repr(value)


class GraphTextError(ValueError):
    """A text is not a graph; the message says where."""


def parse_graph(text: str) -> Graph:
    """The graph a text describes. It is not verified: that is `verify`'s business.

    Raises:
        GraphTextError: the text is malformed, or reads a value that no line above makes.
    """
    lines = [line for line in enumerate(text.split("\n"), 1) if line[1].strip()]
    try:
        return _Lines(lines).graph(inner=False)
    except RecursionError as error:
        raise GraphTextError("bodies lie too deep in each other") from error


@dataclass(slots=True)
class _Lines:
    """Numbered lines, read from the first to the last."""

    lines: list[tuple[int, str]]
    at: int = 0

    def graph(self, inner: bool) -> Graph:
        """The graph of the lines indented like the next one, with the bodies that are indented further."""
        graph, indent = Graph(), self.indent()
        while self.indent() >= indent >= 0:
            number, text = self.lines[self.at]
            if self.indent() > indent:
                raise GraphTextError(f"line {number}: it is indented as no line above")
            self.at += 1
            body = region_of(self.graph(inner=True)) if self.indent() > indent else None
            try:
                _Line(text.strip(), graph, body, inner).parse()
            except (ValueError, SyntaxError, KeyError, RecursionError) as error:
                raise GraphTextError(f"line {number}: {error}") from error
        return graph

    def indent(self) -> int:
        """How far the next line is indented; -1 at the end."""
        text = self.lines[self.at][1] if self.at < len(self.lines) else ""
        return len(text) - len(text.lstrip()) if text else -1


_TOKEN = re.compile(
    r"""\s*(?:(?P<string>data'[0-9a-f]*'|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<number>-?(?:inf\b|nan\b|\d+(?:\.\d+)?(?:e[+-]?\d+)?))
    |(?P<name>[^\W\d]\w*)
    |(?P<mark>\*\*|.))""",
    re.VERBOSE,
)
_WORDS: dict[str, Attr] = {"None": None, "True": True, "False": False, "inf": math.inf, "nan": math.nan}
_DTYPES = {dtype.value: dtype for dtype in DType}


@dataclass(slots=True)
class _Line:
    """One line of a text, read from left to right into a graph."""

    text: str
    graph: Graph
    body: Region | None = None  # what stands under it
    inner: bool = False  # whether it is a line of a body
    at: int = 0

    def parse(self) -> None:
        if not self.skip("%"):
            return self.result()
        number = int(self.take())
        self.expect(":")
        out = Value(number, self.type())
        self.expect("=")
        op = self.take()
        if self.body is not None and op != "scan":
            raise ValueError(f"`{op}` has no body")
        inputs, attrs = self.arguments()
        name = self.quoted() if self.skip("#") else ""
        self.end()
        if number in self.graph.nodes:
            raise ValueError(f"%{number} is made twice")
        return self.graph.add(Node(op, inputs, attrs, (out,), None, name))

    def result(self) -> None:
        """``output 'y' = %2`` or ``update 'params' = %9``; in a body ``result %2``."""
        kind = self.take()
        if self.inner and kind == "result":
            self.expect("%")
            self.graph.outputs[str(len(self.graph.outputs))] = self.value()
            return self.end()
        if self.inner or kind not in ("output", "update"):
            raise ValueError(f"{kind!r} starts neither a node nor a result")
        name = self.quoted()
        self.expect("=")
        self.expect("%")
        (self.graph.outputs if kind == "output" else self.graph.updates)[name] = self.value()
        return self.end()

    # ------------------------------------------------------------------------------------------ parts of a line

    def type(self) -> TensorType:
        dtype = _DTYPES[self.take()]
        self.expect("[")
        shape: list[Dim] = []
        while not self.skip("]"):
            shape.append(self.sum())
            self.skip(",")
        return TensorType(dtype, tuple(shape))

    def arguments(self) -> tuple[tuple[Value, ...], Attrs]:
        inputs: list[Value] = []
        attrs: dict[str, Attr] = {}
        self.expect("(")
        while not self.skip(")"):
            if self.skip("%"):
                inputs.append(self.value())
            else:
                name = self.take()
                self.expect("=")
                attrs[name] = self.attr()
            self.skip(",")
        if self.body is not None:
            attrs["body"] = self.body
        return tuple(inputs), Attrs(attrs)

    def value(self) -> Value:
        number = int(self.take())
        if number not in self.graph.nodes:
            raise ValueError(f"%{number} is read before it is made")
        return self.graph.nodes[number].out

    def attr(self) -> Attr:
        if self.skip("("):
            return self.tuple()
        if self.skip("<"):
            size = self.sum()
            self.expect(">")
            return size
        word = self.take()
        if word.startswith("data'"):
            return Data(bytes.fromhex(word[5:-1]))
        if word in _DTYPES:
            return _DTYPES[word]
        if word in _WORDS:
            return _WORDS[word]
        if word == "-inf":
            return -math.inf
        return literal_eval(word)

    def tuple(self) -> Attr:
        items: list[Attr] = []
        while not self.skip(")"):
            items.append(self.attr())
            self.skip(",")
        return tuple(items)

    # ------------------------------------------------------------------------------------------ sizes

    def sum(self) -> Dim:
        """A size as `Size` prints it: sums of products of symbols, powers and quotients."""
        total = -self.product() if self.skip("-") else self.product()
        while True:
            if self.skip("+"):
                total = total + self.product()
            elif self.skip("-"):
                total = total - self.product()
            else:
                return total

    def product(self) -> Dim:
        result = self.power()
        while True:
            if self.skip("*"):
                result = result * self.power()
            elif self.skip("/"):
                quotient = divide(result, self.power())
                if quotient is None:
                    raise ValueError("a size is not divisible")
                result = quotient
            else:
                return result

    def power(self) -> Dim:
        base = self.atom()
        result = base
        if self.skip("**"):
            for _ in range(int(self.take()) - 1):
                result = result * base
        return result

    def atom(self) -> Dim:
        if self.skip("("):
            size = self.sum()
            self.expect(")")
            return size
        word = self.take()
        if word != "floor_div":
            return int(word) if word.lstrip("-").isdigit() else symbol(word)
        self.expect("(")
        numerator = self.sum()
        self.expect(",")
        denominator = self.sum()
        self.expect(")")
        return floor_div(numerator, denominator)

    # ------------------------------------------------------------------------------------------ tokens

    def peek(self) -> tuple[str, int]:
        """The next token and where it ends; "" at the end of the line."""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            return "", len(self.text)
        return match.group(match.lastgroup or 0), match.end()

    def take(self) -> str:
        token, self.at = self.peek()
        if not token:
            raise ValueError("the line ends too early")
        return token

    def skip(self, mark: str) -> bool:
        """Go past a mark if it comes next."""
        token, end = self.peek()
        if token == mark:
            self.at = end
        return token == mark

    def expect(self, mark: str) -> None:
        before = self.at
        if not self.skip(mark):
            raise ValueError(f"column {before + 1}: {mark!r} was expected")

    def quoted(self) -> str:
        text = literal_eval(self.take())
        if not isinstance(text, str):
            raise ValueError("a name in quotes was expected")
        return text

    def end(self) -> None:
        if self.peek()[0]:
            raise ValueError(f"column {self.at + 1}: the line goes on")
