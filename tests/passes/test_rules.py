"""Every rule: what it makes of a graph (text in, text out), and that the numbers stay the same."""

from __future__ import annotations

import numpy as np
import pytest
from expressions import numbers
from proving import only

from dslc.backends.interpret import interpret
from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph, parse_graph, print_graph, verify
from dslc.ops.ir import Node, Value
from dslc.passes import REWRITING, RULES, optimize, remove_dead, rewrite

LEAVES = {
    "x": "f32[B, 4] = input(name='x')",
    "y": "f32[B, 4] = input(name='y')",
    "v": "f32[4] = input(name='v')",
    "s": "f32[] = input(name='s')",
    "t": "f32[] = input(name='t')",
    "d": "f64[B, 4] = input(name='d')",
    "i": "i32[B, 4] = input(name='i')",
}


def graph_text(body: str) -> str:
    """A graph from the short form of these tests: statements ``name: type = op(operands)``, the last of them the result.

    Names of `LEAVES` are inputs; ``#2.0`` is a constant of f32, ``#i2`` of i32, ``#b1`` of bool.
    """
    lines: list[str] = []
    known: dict[str, int] = {}

    def add(name: str, text: str) -> str:
        if name not in known:
            known[name] = len(lines)
            lines.append(f"%{known[name]}: {text}")
        return f"%{known[name]}"

    def operand(word: str) -> str:
        if word in LEAVES:
            return add(word, LEAVES[word])
        if word.startswith("#i"):
            return add(word, f"i32[] = constant(value={word[2:]})")
        if word.startswith("#b"):
            return add(word, f"bool[] = constant(value={bool(int(word[2:]))})")
        if word.startswith("#"):
            return add(word, f"f32[] = constant(value={word[1:]})")
        return f"%{known[word]}" if word in known else word

    last = ""
    for statement in body.strip().split("\n"):
        name, rest = statement.strip().split(": ", 1)
        head, arguments = rest.split("(", 1)
        words = [operand(word) for word in arguments.removesuffix(")").split("; ") if word]
        last = add(name, f"{head}({', '.join(words)})")
    return "\n".join([*lines, f"output 'result' = {last}", ""])


# A vector cut in two.
_CUT = (
    "a: f32[1] = slice(v; starts=(0,); stops=(1,); steps=(1,))\n"
    "b: f32[3] = slice(v; starts=(1,); stops=(4,); steps=(1,))\n"
)

# Rule -> (before, after) in the short form; after "= x" is the leaf x itself.
CASES: dict[str, list[tuple[str, str]]] = {
    "fold": [
        ("a: f32[] = add(#2.0; #3.0)", "a: f32[] = constant(value=5.0)"),
        ("a: bool[] = gt(#2.0; #3.0)", "a: bool[] = constant(value=False)"),
        ("a: f32[] = div(#1.0; #3.0)", "a: f32[] = constant(value=0.3333333432674408)"),
        ("a: f32[] = div(#0.0; #-0.0)", "a: f32[] = constant(value=nan)"),
        (
            "a: f32[2] = constant(value=data'0000803f00000040')\nb: f32[2] = neg(a)",
            "b: f32[2] = constant(value=data'000080bf000000c0')",
        ),
        ("a: f32[] = cast(#i7; dtype=f32)", "a: f32[] = constant(value=7.0)"),
        # A size that is known at run time only, and a result that is not small, stay.
        ("a: f32[] = divide_by_size(#1.0; size=<B>)", "a: f32[] = divide_by_size(#1.0; size=<B>)"),
        ("a: f32[B, 4] = expand(#1.0; sizes=(<B>, 4))", "a: f32[B, 4] = expand(#1.0; sizes=(<B>, 4))"),
    ],
    "add_negated": [
        ("a: f32[B, 4] = neg(y)\nb: f32[B, 4] = add(x; a)", "b: f32[B, 4] = sub(x; y)"),
        ("a: f32[B, 4] = neg(x)\nb: f32[B, 4] = add(a; y)", "b: f32[B, 4] = sub(y; x)"),
    ],
    "subtract_zero": [
        ("a: f32[B, 4] = sub(x; #0.0)", "= x"),
        ("a: f32[B, 4] = sub(x; #-0.0)", "a: f32[B, 4] = sub(x; #-0.0)"),
        ("a: f32[B, 4] = sub(#0.0; x)", "a: f32[B, 4] = sub(#0.0; x)"),
    ],
    "scalar_last": [
        ("a: f32[B, 4] = mul(s; x)", "a: f32[B, 4] = mul(x; s)"),
        ("a: f32[] = mul(#3.0; s)", "a: f32[] = mul(s; #3.0)"),
        ("a: f32[] = mul(s; t)", "a: f32[] = mul(s; t)"),
    ],
    "multiply_by_one": [
        ("a: f32[B, 4] = mul(x; #1.0)", "= x"),
        ("a: f32[B, 4] = div(x; #1.0)", "= x"),
        ("a: i32[B, 4] = mul(i; #i1)", "= i"),
        ("a: f32[B, 4] = div(#1.0; x)", "a: f32[B, 4] = div(#1.0; x)"),
    ],
    "multiply_by_minus_one": [
        ("a: f32[B, 4] = mul(x; #-1.0)", "a: f32[B, 4] = neg(x)"),
        ("a: f32[B, 4] = div(x; #-1.0)", "a: f32[B, 4] = neg(x)"),
    ],
    "divide_by_power_of_two": [
        ("a: f32[B, 4] = div(x; #8.0)", "a: f32[B, 4] = mul(x; #0.125)"),
        ("a: f32[B, 4] = div(x; #-0.5)", "a: f32[B, 4] = mul(x; #-2.0)"),
        ("a: f32[B, 4] = div(x; #3.0)", "a: f32[B, 4] = div(x; #3.0)"),
        # The reciprocal would be subnormal, or nothing.
        ("a: f32[B, 4] = div(x; #1.7014118346046923e+38)", "a: f32[B, 4] = div(x; #1.7014118346046923e+38)"),
        ("a: f32[B, 4] = div(x; #0.0)", "a: f32[B, 4] = div(x; #0.0)"),
    ],
    "divide_by_known_size": [("a: f32[B, 4] = divide_by_size(x; size=3)", "a: f32[B, 4] = div(x; #3.0)")],
    "join_factors": [
        ("a: f32[B, 4] = mul(x; #0.3)\nb: f32[B, 4] = mul(a; #4.0)", "b: f32[B, 4] = mul(x; #1.2)"),
        (
            "a: f32[B, 4] = mul(x; #0.3)\nb: f32[B, 4] = mul(a; #0.7)",
            "a: f32[B, 4] = mul(x; #0.3)\nb: f32[B, 4] = mul(a; #0.7)",
        ),
        ("a: f32[B, 4] = mul(x; #0.25)\nb: f32[B, 4] = mul(a; #4.0)", "a: f32[B, 4] = mul(x; #1.0)"),
        ("a: f32[B, 4] = mul(x; #4.0)\nb: f32[B, 4] = mul(a; #3.0)", "b: f32[B, 4] = mul(x; #12.0)"),
        # x * 4 may be infinite where x * 1 is not.
        (
            "a: f32[B, 4] = mul(x; #4.0)\nb: f32[B, 4] = mul(a; #0.25)",
            "a: f32[B, 4] = mul(x; #4.0)\nb: f32[B, 4] = mul(a; #0.25)",
        ),
        (
            "a: f32[B, 4] = mul(x; #1e+38)\nb: f32[B, 4] = mul(a; #4.0)",
            "a: f32[B, 4] = mul(x; #1e+38)\nb: f32[B, 4] = mul(a; #4.0)",
        ),
    ],
    "negate_product": [("a: f32[B, 4] = mul(x; #3.0)\nb: f32[B, 4] = neg(a)", "b: f32[B, 4] = mul(x; #-3.0)")],
    "scale_negated": [
        ("a: f32[B, 4] = neg(x)\nb: f32[B, 4] = mul(a; #3.0)", "b: f32[B, 4] = mul(x; #-3.0)"),
        ("a: f32[B, 4] = neg(x)\nb: f32[B, 4] = div(a; #3.0)", "b: f32[B, 4] = div(x; #-3.0)"),
    ],
    "simple_power": [
        ("a: f32[B, 4] = pow(x; #2.0)", "a: f32[B, 4] = square(x)"),
        ("a: f32[B, 4] = pow(x; #1.0)", "= x"),
        ("a: f32[B, 4] = pow(x; #0.5)", "a: f32[B, 4] = pow(x; #0.5)"),
    ],
    "known_choice": [
        ("a: f32[B, 4] = where(#b1; x; y)", "= x"),
        ("a: f32[B, 4] = where(#b0; x; v)", "a: f32[B, 4] = expand(v; sizes=(<B>, 4))"),
    ],
    "same_type": [("a: f32[B, 4] = cast(x; dtype=f32)", "= x")],
    "nothing_stops": [("a: f32[B, 4] = stop_gradient(x)", "= x")],
    "same_shape": [
        ("a: f32[B, 4] = reshape(x; sizes=(<B>, 4))", "= x"),
        ("a: f32[B, 4] = expand(x; sizes=(<B>, 4))", "= x"),
        ("a: f32[B, 4] = squeeze(x; axis=())", "= x"),
    ],
    "same_order": [("a: f32[B, 4] = transpose(x; axes=(0, 1))", "= x")],
    "transpose_twice": [
        (
            "a: f32[4, B] = transpose(x; axes=(1, 0))\nb: f32[B, 4] = transpose(a; axes=(1, 0))",
            "b: f32[B, 4] = transpose(x; axes=(0, 1))",
        ),
        (
            """a: f32[B, 2, 2] = reshape(x; sizes=(<B>, 2, 2))
            b: f32[2, B, 2] = transpose(a; axes=(1, 0, 2))
            c: f32[2, 2, B] = transpose(b; axes=(2, 0, 1))""",
            "a: f32[B, 2, 2] = reshape(x; sizes=(<B>, 2, 2))\nc: f32[2, 2, B] = transpose(a; axes=(2, 1, 0))",
        ),
    ],
    "reshape_of_reshape": [
        (
            "a: f32[4 * B] = reshape(x; sizes=(<4 * B>,))\nb: f32[2, 2 * B] = reshape(a; sizes=(2, <2 * B>))",
            "b: f32[2, 2 * B] = reshape(x; sizes=(2, <2 * B>))",
        ),
        (
            "a: f32[B, 1, 4] = expand_dims(x; axis=(1,))\nb: f32[4, B] = reshape(a; sizes=(4, <B>))",
            "b: f32[4, B] = reshape(x; sizes=(4, <B>))",
        ),
        (
            """a: f32[4, B] = transpose(x; axes=(1, 0))
            b: f32[4 * B] = reshape(a; sizes=(<4 * B>,))
            c: f32[2, 2 * B] = reshape(b; sizes=(2, <2 * B>))""",
            """a: f32[4, B] = transpose(x; axes=(1, 0))
            b: f32[4 * B] = reshape(a; sizes=(<4 * B>,))
            c: f32[2, 2 * B] = reshape(b; sizes=(2, <2 * B>))""",
        ),
        (
            """a: f32[4, B] = transpose(x; axes=(1, 0))
            b: f32[4 * B] = reshape(a; sizes=(<4 * B>,))
            c: f32[4, B] = reshape(b; sizes=(4, <B>))""",
            "a: f32[4, B] = transpose(x; axes=(1, 0))\nc: f32[4, B] = reshape(a; sizes=(4, <B>))",
        ),
    ],
    "axes_there_and_back": [
        ("a: f32[B, 1, 4] = expand_dims(x; axis=(1,))\nb: f32[B, 4] = squeeze(a; axis=(1,))", "= x"),
        (
            "a: f32[1] = expand_dims(s; axis=(0,))\nb: f32[1, 1] = expand_dims(a; axis=(0,))",
            "a: f32[1] = expand_dims(s; axis=(0,))\nb: f32[1, 1] = expand_dims(a; axis=(0,))",
        ),
    ],
    "whole_slice": [
        ("a: f32[B, 4] = slice(x; starts=(0, 0); stops=(<B>, 4); steps=(1, 1))", "= x"),
        (
            "a: f32[B, 3] = slice(x; starts=(0, 1); stops=(<B>, 4); steps=(1, 1))",
            "a: f32[B, 3] = slice(x; starts=(0, 1); stops=(<B>, 4); steps=(1, 1))",
        ),
    ],
    "reduce_nothing": [
        ("a: f32[B, 4] = max(x; axes=(); keepdims=False)", "= x"),
        ("a: f32[B, 4] = sum(x; axes=(); keepdims=False)", "a: f32[B, 4] = sum(x; axes=(); keepdims=False)"),
    ],
    "join_one": [("a: f32[B, 4] = concat(x; axis=0)", "= x")],
    "full_of_scalar": [
        (
            "a: f32[B, 4] = full(dtype=f32; sizes=(<B>, 4); value=1.5)",
            "a: f32[B, 4] = expand(#1.5; sizes=(<B>, 4))",
        )
    ],
    "expand_of_expand": [
        (
            "a: f32[4] = expand(s; sizes=(4,))\nb: f32[B, 4] = expand(a; sizes=(<B>, 4))",
            "b: f32[B, 4] = expand(s; sizes=(<B>, 4))",
        ),
        (
            "a: f32[1, 4] = expand_dims(v; axis=(0,))\nb: f32[B, 4] = expand(a; sizes=(<B>, 4))",
            "b: f32[B, 4] = expand(v; sizes=(<B>, 4))",
        ),
        (
            "a: f32[4, 1] = expand_dims(v; axis=(1,))\nb: f32[4, B] = expand(a; sizes=(4, <B>))",
            "a: f32[4, 1] = expand_dims(v; axis=(1,))\nb: f32[4, B] = expand(a; sizes=(4, <B>))",
        ),
    ],
    "view_of_scalar": [
        (
            "a: f32[B, 4] = expand(s; sizes=(<B>, 4))\nb: f32[4, B] = transpose(a; axes=(1, 0))",
            "b: f32[4, B] = expand(s; sizes=(4, <B>))",
        ),
        (
            "a: f32[B, 4] = expand(s; sizes=(<B>, 4))\nb: f32[4 * B] = reshape(a; sizes=(<4 * B>,))",
            "b: f32[4 * B] = expand(s; sizes=(<4 * B>,))",
        ),
    ],
    "before_expansion": [
        ("a: f32[B, 4] = expand(s; sizes=(<B>, 4))\nb: f32[B, 4] = sub(x; a)", "b: f32[B, 4] = sub(x; s)"),
        (
            "a: f32[B, 4] = expand(v; sizes=(<B>, 4))\nb: f32[B, 4] = tanh(a)",
            "b: f32[4] = tanh(v)\nc: f32[B, 4] = expand(b; sizes=(<B>, 4))",
        ),
        ("a: f32[1, 4] = expand_dims(v; axis=(0,))\nb: f32[B, 4] = add(x; a)", "b: f32[B, 4] = add(x; v)"),
    ],
    "packed_parts": [
        (f"{_CUT}c: f32[4] = pack(a; b)", "= v"),
        (f"{_CUT}c: f32[4] = pack(b; a)", f"{_CUT}c: f32[4] = pack(b; a)"),
    ],
    "packed_sums": [
        (
            f"{_CUT}c: f32[1] = exp(a)\nd: f32[1] = add(c; a)\ne: f32[3] = neg(b)\nf: f32[3] = add(b; e)\ng: f32[4] = pack(d; f)",
            f"{_CUT}c: f32[1] = exp(a)\ne: f32[3] = neg(b)\nf: f32[4] = pack(c; e)\ng: f32[4] = add(f; v)",
        ),
        (
            f"{_CUT}c: f32[1] = exp(a)\nd: f32[1] = add(c; a)\ne: f32[3] = neg(b)\nf: f32[4] = pack(d; e)",
            f"{_CUT}c: f32[1] = exp(a)\nd: f32[1] = add(c; a)\ne: f32[3] = neg(b)\nf: f32[4] = pack(d; e)",
        ),
    ],
}
ALL = {rule.__name__: rule for family in RULES.values() for rules in family.values() for rule in rules}
PAIRS = [pytest.param(n, *pair, id=f"{n}-{k}") for n, pairs in CASES.items() for k, pair in enumerate(pairs)]


def normal(text: str) -> str:
    """The text with ids in order and without leaves that nothing reads."""
    graph = rewrite(parse_graph(text), {})
    unread = [node.id for node in graph.leaves("input") if not graph.uses(node.out) and node.out not in graph.results()]
    for number in unread:
        del graph.nodes[number]
    return print_graph(leaves_in_order(graph))


def leaves_in_order(graph: Graph) -> Graph:
    """The graph with its leaves in alphabetical order."""
    b = Builder()
    leaves = sorted((node for node in graph.order() if not node.inputs), key=lambda node: (node.op, str(node.attrs)))
    made = {node.id: b.copy(node, ()) for node in leaves}
    for node in graph.order():
        if node.inputs:
            made[node.id] = b.copy(node, [made[value.id] for value in node.inputs])
    b.graph.outputs |= {name: made[value.id] for name, value in graph.outputs.items()}
    return b.graph


@pytest.mark.parametrize(("rule", "before", "after"), PAIRS)
def test_a_rule_makes_this_of_that(rule: str, before: str, after: str):
    graph = parse_graph(graph_text(before))
    verify(graph, "before")
    changed = rewrite(graph, only(rule, REWRITING))
    verify(changed, rule)
    if after.startswith("= "):
        result = changed.producer(changed.outputs["result"])
        assert (result.op, result.attrs.get("name")) == ("input", after[2:])
    else:
        assert normal(print_graph(changed)) == normal(graph_text(after))


@pytest.mark.parametrize(("rule", "before", "after"), PAIRS)
def test_a_rule_keeps_the_numbers(rule: str, before: str, after: str):
    graph = parse_graph(graph_text(before))
    for seed in range(5):
        feeds = numbers(graph, {"B": 3}, seed)
        wanted, found = (
            interpret(g, feeds, {"B": 3})["result"] for g in (graph, rewrite(graph, only(rule, REWRITING)))
        )
        np.testing.assert_array_equal(found, wanted)
        zero = wanted == 0
        if wanted.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(found)[zero], np.signbit(wanted)[zero])


def test_every_rule_has_a_case():
    assert set(CASES) == set(ALL)


def test_every_rule_states_its_law():
    assert [name for name, rule in ALL.items() if not rule.__doc__] == []


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


# ---------------------------------------------------------------------------------------------- passes


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
