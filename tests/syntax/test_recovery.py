"""After a mistake the parser goes on: each statement has its own message, and sound declarations are kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax.parse import parse

Found = Callable[[str], list[str]]


def kept(text: str) -> list[str]:
    file = parse(Source("x.dl", text), Sink())
    return [declaration.span.text.split("{")[0].strip() for declaration in file.decls]


def test_each_statement_with_a_mistake_is_reported_once(found: Found) -> None:
    text = "model M {\n  a = = 1\n  b = 2\n  c = (1 + ) * (2 + )\n  d = f(x y)\n}\nmodel N {\n  e =\n}\n"
    assert found(text) == ["DL0010 2:7", "DL0010 4:12", "DL0021 5:10", "DL0010 8:6"]


def test_a_mistake_in_a_head_does_not_hide_those_in_its_body(found: Found) -> None:
    assert found("model M(n: ) {\n  a = = 1\n}\ntest t {\n  b = = 1\n}\n") == [
        "DL0001 1:12",
        "DL0010 2:7",
        "DL0001 4:6",
        "DL0010 5:7",
    ]


def test_a_mistake_in_a_nested_block_does_not_end_the_outer_one(found: Found) -> None:
    text = "model M {\n  if a {\n    b = = 1\n  } else {\n    c = = 2\n  }\n  d = = 3\n}\n"
    assert found(text) == ["DL0010 3:9", "DL0010 5:9", "DL0010 7:7"]


def test_a_missing_closer_is_supplied_where_the_next_statement_begins(found: Found) -> None:
    text = "model M {\n  a = f(x\n  output y: f32[]\n  b = [1, 2\n  c = 3\n  d = = 1\n}\nmodel N {\n}\n"
    assert found(text) == ["DL0006 2:8", "DL0006 4:7", "DL0010 6:7"]


def test_a_missing_brace_is_supplied_where_the_next_declaration_begins(found: Found) -> None:
    text = "model M {\n  a = 1\n\nmodel N {\n  b = = 1\n}\n"
    assert found(text) == ["DL0006 1:9", "DL0010 5:7"]
    assert kept(text) == []
    assert kept(text.replace("= =", "=")) == ["model N"]


def test_an_inner_brace_is_blamed_where_the_indentation_tells(found: Found) -> None:
    text = "model M {\n  if a {\n    b = 1\n  if c {\n    d = 1\n  }\n}\nmodel N {\n}\n"
    assert found(text) == ["DL0006 2:8"]


def test_lines_that_are_no_declarations_are_reported_once(found: Found) -> None:
    assert found("1, 2\n3, 4\n5, 6\nmodel M {\n}\n7, 8\n") == ["DL0020 1:1", "DL0020 6:1"]


def test_a_lexical_mistake_is_mended_and_draws_no_other(found: Found) -> None:
    text = "model M {\n  a = f('x', 08, y && z, \"q)\n  b = x $ y\n}\n"
    assert found(text) == ["DL0008 2:9", "DL0005 2:14", "DL0009 2:20", "DL0002 2:26", "DL0003 3:9"]


def test_declarations_with_mistakes_and_those_that_lean_on_them_are_left_out() -> None:
    text = """\
dim B
model Good { y = 1 }
model Bad { y = = 1 }
block Uses { y = x |> Bad() }
train first { use net = Uses() }
train second { use net = Good() }
test "a" { train first }
test "b" { train second }
"""
    assert kept(text) == ["dim B", "model Good", "train second", 'test "b"']


def test_after_too_many_mistakes_nothing_is_kept(found: Found) -> None:
    text = "dim B\nmodel M {\n" + "  a = = 1\n" * 30 + "}\n"
    assert found(text)[-1].startswith("DL0034")
    assert len(found(text)) == 21
    assert kept(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "data(s{",
        "data(s{\n",
        "data d(s{ }",
        "model M(a {\n}\n",
        "data(s{ }\n",
        "data o{}i\ntrain e{",
        "test {a}b {",
        "a{b{c}}d",
    ],
)
def test_a_block_inside_a_bracket_ends_in_a_report(text: str, found: Found) -> None:
    assert found(text)
