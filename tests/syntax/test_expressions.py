"""Precedence, association, and the forms of expressions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Spell = Callable[[str], str]


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b @ c % d", "(((a / b) @ c) % d)"),
        ("2 ** 3 ** 2", "(2 ** (3 ** 2))"),
        ("-x ** 2", "(- (x ** 2))"),
        ("2 ** -x", "(2 ** (- x))"),
        ("-a * b", "((- a) * b)"),
        ("- - a", "(- (- a))"),
        ("a + b < c * d", "((a + b) < (c * d))"),
        ("not a == b", "(not (a == b))"),
        ("a or b and not c", "(a or (b and (not c)))"),
        ("f(x).y[0](1)", "f(x).y[0](1)"),
        ("-f(x)[0] ** 2", "(- (f(x)[0] ** 2))"),
        ("(a + b) * c", "((a + b) * c)"),
        ("x |> f |> g(1)", "(x |> f |> g(1))"),
        ("a + b |> f", "((a + b) |> f)"),
        ("a == b |> f", "((a == b) |> f)"),
        ("a + (x |> f)", "(a + (x |> f))"),
        ("if a == 1 then b else c + 1", "(if (a == 1) then b else (c + 1))"),
        ("if a then b else if c then d else e", "(if a then b else (if c then d else e))"),
        ("if a then if b then 1 else 2 else 3", "(if a then (if b then 1 else 2) else 3)"),
        ("(if a then b else c) |> f", "((if a then b else c) |> f)"),
    ],
)
def test_operators_bind_as_the_language_says(text: str, spelt: str, expression: Spell) -> None:
    assert expression(text) == spelt


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("x[:, -1]", "x[::, (- 1)]"),
        ("x[:, 1:3]", "x[::, 1:3:]"),
        ("x[::2]", "x[::2]"),
        ("x[1::2, ...]", "x[1::2, ...]"),
        ("x[..., 0]", "x[..., 0]"),
        ("x[a:b + 1]", "x[a:(b + 1):]"),
        ('source["p0":"p783"]', "source['p0':'p783':]"),
        ("x[if a then 0 else 1]", "x[(if a then 0 else 1)]"),
    ],
)
def test_indices_and_slices(text: str, spelt: str, expression: Spell) -> None:
    assert expression(text) == spelt


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("[]", "[]"),
        ("[1, [2, 3],]", "[1, [2, 3]]"),
        ("{}", "{}"),
        ("{ train: 0.8, if: 1, }", "{train: 0.8, if: 1}"),
        ("f()", "f()"),
        ("f(x, a = 1, state = 2,)", "f(x, a=1, state=2)"),
        ("f(not = 1, true = 2)", "f(not=1, true=2)"),
        ("warmup(200 steps, to = 1e-3)", "warmup(200 steps, to=0.001)"),
        ("1_000 + 0.5 + 1e3 + 1.5e-3", "(((1000 + 0.5) + 1000.0) + 0.0015)"),
        ("true or none", "(True or None)"),
        (r'"a\"b\n\u00e9"', "'a\"b\\né'"),
        ("x |> repeat(2) { Dense(3) |> relu }", "(x |> repeat(2) {Dense(3) |> relu})"),
        ("x |> s: repeat(n) as i { a: f(i) }", "(x |> s: repeat(n) as i {a: f(i)})"),
        ("x |> output: f |> data: g", "(x |> output: f |> data: g)"),
        ("repeat(x, 2)", "repeat(x, 2)"),
        ("f({ h: h0 })", "f({h: h0})"),
        ("{ a: { b: 1 } }", "{a: {b: 1}}"),
        ("if c then { a: 1 } else { a: 2 }", "(if c then {a: 1} else {a: 2})"),
    ],
)
def test_literals_calls_and_stages(text: str, spelt: str, expression: Spell) -> None:
    assert expression(text) == spelt
