"""Random expressions compute the same with all rules, with each rule alone, and with all but it."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np
import pytest
from expressions import Array, expressions, numbers, results
from proving import changed_by, names, only

from benchmarks.leaving_out import left_out
from dslc.graph import Graph, verify
from dslc.passes import REWRITING, optimize, remove_dead, rewrite

SEEDS = 400


@cache
def graph_of(seed: int) -> Graph:
    return expressions(Random(seed))


@cache
def expected(seed: int) -> dict[str, Array]:
    graph = graph_of(seed)
    return results(graph, numbers(graph))


def assert_same(found: Array, wanted: Array) -> None:
    """Equal to the last bit, zeros' signs included, but for `x ** 2` as a square, which may be a unit off."""
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_allclose(found, wanted, rtol=2e-6 if found.dtype == np.float32 else 1e-14, atol=0)
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(found)[zero], np.signbit(wanted)[zero])


def assert_equivalent(seed: int, changed: Graph) -> None:
    verify(changed, f"seed {seed}")
    after = results(changed, numbers(graph_of(seed)))
    assert list(after) == list(expected(seed))
    for name, wanted in expected(seed).items():
        assert_same(after[name], wanted)


@pytest.mark.parametrize("rule", names(REWRITING))
def test_a_rule_alone_and_all_but_it_change_no_result(rule: str):
    alone = only(rule, REWRITING)
    for seed, changed in changed_by(lambda graph: rewrite(graph, alone), graph_of, SEEDS):
        assert_equivalent(seed, changed)
        with left_out(rule):
            assert_equivalent(seed, optimize(graph_of(seed)))


@pytest.mark.parametrize("seed", range(50))
def test_all_rules_together_change_no_result_and_have_nothing_left_to_do(seed: int):
    once = optimize(graph_of(seed))
    assert_equivalent(seed, once)
    shape = [(node.op, node.attrs, node.out.type) for node in once.order()]
    assert [(node.op, node.attrs, node.out.type) for node in optimize(once).order()] == shape


@pytest.mark.parametrize("seed", range(20))
def test_sharing_and_removing_dead_code_change_no_bit(seed: int):
    for changed in (rewrite(graph_of(seed), {}), remove_dead(graph_of(seed))):
        verify(changed, "test")
        found = results(changed, numbers(graph_of(seed)))
        assert {n: v.tobytes() for n, v in found.items()} == {n: v.tobytes() for n, v in expected(seed).items()}
