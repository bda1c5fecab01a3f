"""What tests of the syntax share: programs, and trees as text with every pair of parentheses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dslc.diagnostics import Sink
from dslc.source import Source, Span
from dslc.syntax import tree
from dslc.syntax.parse import parse

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.dl"))


def shape_of(node: Any) -> Any:
    """A tree without places: tuples of the node's kind and its parts."""
    if isinstance(node, tuple):
        return tuple(shape_of(part) for part in node)
    if isinstance(node, Span | Source):
        return None
    if not hasattr(node, "__match_args__"):
        return node
    parts = (getattr(node, name) for name in node.__match_args__ if name not in ("span", "source"))
    return (type(node).__name__, *(shape_of(part) for part in parts))


def spell(node: Any) -> str:
    """An expression with all of its parentheses."""
    match node:
        case tree.Number(value) | tree.String(value) | tree.Constant(value):
            return repr(value)
        case tree.Name(id):
            return id
        case tree.Quantity(number, unit):
            return f"{spell(number)} {unit.text}"
        case tree.Unary(op, operand):
            return f"({op} {spell(operand)})"
        case tree.Binary(op, left, right):
            return f"({spell(left)} {op} {spell(right)})"
        case tree.Attribute(value, name):
            return f"{spell(value)}.{name.text}"
        case tree.Index(value, items):
            return f"{spell(value)}[{', '.join(map(spell, items))}]"
        case tree.Slice(start, stop, step):
            return ":".join("" if part is None else spell(part) for part in (start, stop, step))
        case tree.Ellipsis_():
            return "..."
        case tree.Call(callee, args):
            return f"{spell(callee)}({', '.join(map(spell, args))})"
        case tree.Arg(name, value):
            return f"{name.text}={spell(value)}" if name else spell(value)
        case tree.List(items):
            return f"[{', '.join(map(spell, items))}]"
        case tree.Record(entries):
            return "{" + ", ".join(f"{entry.key.text}: {spell(entry.value)}" for entry in entries) + "}"
        case tree.IfExpr(cond, then, orelse):
            return f"(if {spell(cond)} then {spell(then)} else {spell(orelse)})"
        case tree.Repeat(count, var, stages):
            return f"repeat({spell(count)}){f' as {var.text}' if var else ''} {{{' |> '.join(map(spell, stages))}}}"
        case tree.Stage(label, body):
            return f"{label.text}: {spell(body)}" if label else spell(body)
        case tree.Pipe(head, stages):
            return f"({' |> '.join(map(spell, (head, *stages)))})"
        case _:
            raise AssertionError(node)


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.stem)
def program(request: pytest.FixtureRequest) -> Source:
    """Each of the example programs."""
    path: Path = request.param
    return Source(path.name, path.read_text(encoding="utf-8"), path)


@pytest.fixture
def shape() -> Callable[[Any], Any]:
    return shape_of


@pytest.fixture
def expression() -> Callable[[str], str]:
    """Parses an expression, and spells it out."""

    def parsed(text: str) -> str:
        sink = Sink()
        file = parse(Source("x.dl", f"model M {{\n  y = {text}\n}}\n"), sink)
        assert not list(sink), [d.message for d in sink]
        (model,) = file.decls
        assert isinstance(model, tree.Definition)
        (statement,) = model.body
        assert isinstance(statement, tree.AssignStmt)
        return spell(statement.value)

    return parsed


@pytest.fixture
def found() -> Callable[[str], list[str]]:
    """Parses a text; the codes and places (`line:column`) of what was found."""

    def parsed(text: str) -> list[str]:
        sink = Sink()
        parse(Source("x.dl", text), sink)
        return [f"{d.code} {d.labels[0].span.line}:{d.labels[0].span.column}" for d in sink]

    return parsed
