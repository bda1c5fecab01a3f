"""Line ends, keywords and kinds of braces."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse


def declarations(text: str) -> tuple[tree.Decl, ...]:
    sink = Sink()
    file = parse(Source("x.dl", text), sink)
    assert not list(sink), [(d.message, d.labels[0].span.text) for d in sink]
    return file.decls


def body(text: str) -> tuple[tree.Stmt, ...]:
    (declaration,) = declarations(f"model M {{\n{text}\n}}\n")
    assert isinstance(declaration, tree.Definition)
    return declaration.body


@pytest.mark.parametrize(
    "text",
    [
        "y = f(\n  a,\n  b\n)",
        "y = [\n1,\n2,\n]",
        "y = {\n  a: 1,\n\n  b: 2\n}",
        "y = x\n  |> f\n\n  # a comment\n  |> g",
        "y = if a\n  then b\n  else c",
        "y = 1;",
        ";; y = 1 ;;",
        "\n\ny = 1\n\n\n",
        "y = x |> repeat(2) {\n  a\n  |> b\n}",
        "y = f(x |> repeat(2) {\n  a\n  |> b\n}, 1)",
    ],
)
def test_one_statement_may_take_several_lines(text: str) -> None:
    assert len(body(text)) == 1


@pytest.mark.parametrize("text", ["a = 1\nb = 2", "a = 1; b = 2", "a = 1;\n\n;b = 2", "a = 1\r\nb = 2\r\n"])
def test_line_ends_and_semicolons_separate_statements(text: str) -> None:
    assert [type(statement).__name__ for statement in body(text)] == ["AssignStmt", "AssignStmt"]


def test_indentation_has_no_meaning() -> None:
    assert len(body("a = 1\n        b = 2\nc = f(\nd = 3\n)")) == 3


WORDS = (
    "model block cell data train test dim from import input output param buffer state next update layer let field "
    "use step sample given"
)


@pytest.mark.parametrize("word", WORDS.split())
def test_a_statements_keyword_is_a_name_elsewhere(word: str) -> None:
    statements = body(f"{word} = 1\ny = net.{word} + f({word} = {word}) |> {word}: g\nz = {{ {word}: {word} }}")
    assert [type(statement).__name__ for statement in statements] == ["AssignStmt"] * 3


@pytest.mark.parametrize("word", ["if", "then", "else", "and", "or", "not", "as", "repeat", "true", "false", "none"])
def test_an_inline_keyword_is_a_name_as_a_label_key_argument_or_attribute(word: str) -> None:
    assert len(body(f"y = net.{word} + f({word} = 1) |> {word}: g\nz = {{ {word}: 1 }}")) == 2


def test_step_and_train_are_functions_when_called() -> None:
    (value, call) = body("y = step(x)\nstep(x)")
    assert isinstance(value, tree.AssignStmt)
    assert isinstance(value.value, tree.Call)
    assert isinstance(call, tree.CallStmt)


def test_require_takes_parentheses_as_part_of_its_condition() -> None:
    (statement,) = body('require (a + b) % 2 == 0, "even"')
    assert isinstance(statement, tree.RequireStmt)
    assert isinstance(statement.cond, tree.Binary)


def test_a_brace_opens_a_block_after_an_operand_and_a_record_elsewhere() -> None:
    (statement,) = body("if a == [1] {\n  y = { b: 1 }\n} else if true {\n  y = 1\n} else {\n  y = 2\n}")
    assert isinstance(statement, tree.IfStmt)
    (inner,) = statement.orelse
    assert isinstance(inner, tree.IfStmt)
    assert len(inner.orelse) == 1


def test_else_may_stand_on_its_own_line() -> None:
    (statement,) = body("if a {\n  y = 1\n}\n\nelse {\n  y = 2\n}")
    assert isinstance(statement, tree.IfStmt)
    assert statement.orelse


def test_doc_comments_belong_to_the_declaration_below() -> None:
    text = """\
## One.
## Two.
model M {
  ## not a declaration
  y = 1
}
dim B ## not above anything
# plain
data d {
}
#### banner
test "t" {
}
"""
    docs = [getattr(declaration, "doc", None) for declaration in declarations(text)]
    assert docs == ["One.\nTwo.", None, "", ""]


def test_expect_has_words_of_its_own() -> None:
    (declaration,) = declarations(
        'test "t" {\n  expect a ~= b within 1e-3\n  expect error DL2007\n  expect error == 3\n  within = 2\n}\n'
    )
    assert isinstance(declaration, tree.TestDecl)
    kinds = [type(statement).__name__ for statement in declaration.body]
    assert kinds == ["ExpectStmt", "ExpectErrorStmt", "ExpectStmt", "AssignStmt"]


def test_every_statement_and_declaration_has_its_node() -> None:
    text = """\
dim B, T
from "a.dl" import A, C
import "b.dl" as b
cell G(n: int = 3, f: fn | string = relu, ks: int[] = [1]) {
  dim D
  input x: f32[B, D]
  output y: f32[..., n] = x
  param w: f32[D, n] = zeros() as weight
  param v: f32[] = 4
  buffer m: f32[n] = zeros()
  state h: f32[B, n]
  next h = y
  update m = m + 1
  layer enc = Dense(3)
  let k = 2
  require k == 2
  a, c = split(x, 2)
  e: f32[B] = x
  if k == 2 { q = 1 }
}
data d { field x: f32[2] = source["x"]; split = { val: 0.1 } }
train t {
  use g = Gen()
  sample z: f32[B, 64] ~ normal(0, 1)
  early_stop(on = "val.loss")
  step one { update g, d; loss = f(g.y) }
}
test "x" { train t; given x = [1]; expect g.y == [1] }
"""
    decls = declarations(text)
    nodes = {type(d) for d in decls}
    bodies = [s for d in decls for s in getattr(d, "body", ())]
    step = next(s for s in bodies if isinstance(s, tree.StepStmt))
    nodes |= {type(s) for s in (*bodies, *step.body)}
    expected = {*tree.Stmt.__args__, *tree.Decl.__args__} - {tree.ExpectErrorStmt}
    assert nodes == expected
    assert next(s for s in bodies if isinstance(s, tree.ParamStmt)).key is not None


def test_spans_cover_what_was_written() -> None:
    text = "model M(n: int = 3) {\n  y = (a + b) * f(x)[0, 1:2].w\n}"
    (model,) = declarations(text)
    assert isinstance(model, tree.Definition)
    assert model.span.text == text
    assert model.head.text == "model M(n: int = 3)"
    assert model.hypers[0].span.text == "n: int = 3"
    (statement,) = model.body
    assert isinstance(statement, tree.AssignStmt)
    product = statement.value
    assert isinstance(product, tree.Binary)
    assert (product.span.text, product.op_span.text) == ("(a + b) * f(x)[0, 1:2].w", "*")
    assert product.left.span.text == "a + b"
    attribute = product.right
    assert isinstance(attribute, tree.Attribute)
    assert isinstance(attribute.value, tree.Index)
    assert attribute.value.items_span.text == "[0, 1:2]"
    assert attribute.value.span.text == "f(x)[0, 1:2]"


def test_a_byte_order_mark_is_skipped(found: Callable[[str], list[str]]) -> None:
    assert found("\ufeffdim B\n") == []
