"""Rewriting as a whole: equal nodes are one, dead ones go, names and doubtful numbers stay, rules at fault are named."""

from __future__ import annotations

import pytest
from short_form import graph_text

from dslc.diagnostics import InternalError
from dslc.graph import Builder, parse_graph, print_graph
from dslc.ops.ir import Node, Value
from dslc.passes import optimize, remove_dead, rewrite


def test_equal_nodes_become_one():
    text = (
        "%0: f32[B] = input(name='x')\n%1: f32[B] = tanh(%0)\n%2: f32[B] = tanh(%0)\n%3: f32[B] = mul(%1, %2)\n"
        "output 'y' = %3\n"
    )
    assert print_graph(rewrite(parse_graph(text), {})) == (
        "%0: f32[B] = input(name='x')\n%1: f32[B] = tanh(%0)\n%2: f32[B] = mul(%1, %1)\noutput 'y' = %2\n"
    )


def test_draws_of_one_stream_are_one_and_of_two_streams_are_two():
    def text(second: str) -> str:
        return (
            "%0: f32[B] = input(name='x')\n"
            "%1: f32[B] = draw(dist='normal', mean=0.0, std=1.0, stream='a')\n"
            f"%2: f32[B] = draw(dist='normal', mean=0.0, std=1.0, stream={second!r})\n"
            "%3: f32[B] = mul(%1, %2)\noutput 'y' = %3\n"
        )

    assert len(optimize(parse_graph(text("a"))).leaves("draw")) == 1
    assert len(optimize(parse_graph(text("b"))).leaves("draw")) == 2


def test_dead_code_goes_and_inputs_and_updates_stay():
    text = (
        "%0: f32[B] = input(name='x')\n%1: f32[B] = input(name='unused')\n%2: f32[] = param(key='dead')\n"
        "%3: f32[B] = tanh(%1)\n%4: f32[3] = state(name='s')\n%5: f32[3] = neg(%4)\n"
        "output 'y' = %0\nupdate 's' = %5\n"
    )
    assert print_graph(remove_dead(parse_graph(text))) == (
        "%0: f32[B] = input(name='x')\n%1: f32[B] = input(name='unused')\n"
        "%4: f32[3] = state(name='s')\n%5: f32[3] = neg(%4)\noutput 'y' = %0\nupdate 's' = %5\n"
    )


def test_a_large_constant_result_is_not_folded():
    small, large = (
        parse_graph(
            f"%0: f32[{n}, 1] = constant(value=data'{'00' * 4 * n}')\n"
            f"%1: f32[1, {n}] = constant(value=data'{'00' * 4 * n}')\n"
            f"%2: f32[{n}, {n}] = matmul(%0, %1)\noutput 'y' = %2\n"
        )
        for n in (64, 65)
    )
    assert len(optimize(small).nodes) == 1
    assert len(optimize(large).nodes) == 3


def test_a_name_survives_rewriting():
    text = "%0: f32[B] = input(name='x')\n%1: f32[] = constant(value=2.0)\n%2: f32[B] = pow(%0, %1)  # 'energy'\noutput 'y' = %2\n"
    assert print_graph(optimize(parse_graph(text))) == (
        "%0: f32[B] = input(name='x')\n%1: f32[B] = square(%0)  # 'energy'\noutput 'y' = %1\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "a: f32[B, 4] = mul(x; #0.0)",
        "a: f32[B, 4] = sub(x; x)",
        "a: f32[B, 4] = div(x; x)",
        "a: f32[B, 4] = add(x; #0.0)",
        "a: bool[B, 4] = eq(x; x)",
        "a: f32[B, 4] = maximum(x; x)",
    ],
)
def test_what_nan_infinity_or_a_zero_would_tell_apart_stays(body: str):
    text = graph_text(body)
    assert print_graph(optimize(parse_graph(text))) == text


def test_rules_that_feed_each_other_are_named():
    def there(b: Builder, node: Node) -> Value | None:
        return b.apply("abs", node.inputs[0])

    def back(b: Builder, node: Node) -> Value | None:
        return b.apply("neg", node.inputs[0])

    graph = parse_graph(graph_text("a: f32[B, 4] = neg(x)"))
    with pytest.raises(InternalError, match=r"rules keep firing: (back|there)"):
        rewrite(graph, {"neg": (there,), "abs": (back,)})


def test_a_rule_that_changes_a_type_is_a_defect_with_its_name():
    def wrong(_: Builder, node: Node) -> Value | None:
        return node.inputs[0]

    graph = parse_graph(graph_text("a: f32[4, B] = transpose(x; axes=(1, 0))"))
    with pytest.raises(InternalError, match="at wrong"):
        rewrite(graph, {"transpose": (wrong,)})
