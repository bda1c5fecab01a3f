"""Every rule: what it makes of a graph (text in, text out), and that the numbers stay the same."""

from __future__ import annotations

import numpy as np
import pytest
from expressions import numbers
from proving import only
from rule_cases import CASES
from short_form import graph_text

from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph, parse_graph, print_graph, verify
from dslc.passes import REWRITING, RULES, rewrite

ALL = {rule.__name__: rule for family in RULES.values() for rules in family.values() for rule in rules}

PAIRS = [pytest.param(n, *pair, id=f"{n}-{k}") for n, pairs in CASES.items() for k, pair in enumerate(pairs)]


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
