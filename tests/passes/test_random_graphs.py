"""Random graphs compute the same with all rules, with each family alone, and with all but one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from rewritable import numbers, results, rewritable_graphs

from dslc.graph import Graph, verify
from dslc.passes import RULES, optimize, remove_dead, rewrite
from dslc.passes.rewrite import Rules, merged

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def assert_same(found: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> None:
    """Equal to the last bit, zeros' signs included, but for `x ** 2` as a square, which may be a unit off."""
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_allclose(found, wanted, rtol=2e-6 if found.dtype == np.float32 else 1e-14, atol=0)
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(found)[zero], np.signbit(wanted)[zero])


def assert_equivalent(graph: Graph, changed: Graph) -> None:
    verify(changed, "test")
    feeds = numbers(graph)
    before, after = results(graph, feeds), results(changed, feeds)
    assert list(before) == list(after)
    for name, wanted in before.items():
        assert_same(after[name], wanted)


@SETTINGS
@given(rewritable_graphs())
def test_optimising_changes_no_result(graph: Graph):
    assert_equivalent(graph, optimize(graph))


@SETTINGS
@given(rewritable_graphs())
def test_sharing_and_removing_dead_code_change_no_bit(graph: Graph):
    feeds = numbers(graph)
    before = results(graph, feeds)
    for changed in (rewrite(graph, {}), remove_dead(graph)):
        verify(changed, "test")
        after = results(changed, feeds)
        assert {name: value.tobytes() for name, value in after.items()} == {n: v.tobytes() for n, v in before.items()}


@pytest.mark.parametrize("family", RULES)
@SETTINGS
@given(graph=rewritable_graphs())
def test_each_family_of_rules_alone_changes_no_result(graph: Graph, family: str):
    assert_equivalent(graph, rewrite(graph, RULES[family]))


@pytest.mark.parametrize("family", RULES)
@SETTINGS
@given(graph=rewritable_graphs())
def test_all_families_but_one_change_no_result(graph: Graph, family: str):
    rest: Rules = merged(*(rules for name, rules in RULES.items() if name != family))
    assert_equivalent(graph, rewrite(graph, rest))


@SETTINGS
@given(rewritable_graphs())
def test_optimising_twice_changes_nothing_more(graph: Graph):
    once = optimize(graph)
    shape = [(node.op, node.attrs, node.out.type) for node in once.order()]
    assert [(node.op, node.attrs, node.out.type) for node in optimize(once).order()] == shape
