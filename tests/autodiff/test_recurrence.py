"""Gradients of scans are central differences, of gradients too; over no steps, one and many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from recurrences import F64, GRAPHS, Made, N, T, lookups, lstm_like, nested, numbers, plain, vectors

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph, verify
from dslc.graph.region import ScanBody
from dslc.ops.ir import Value
from dslc.ops.scan import scan_of

Array = npt.NDArray[Any]


def with_loss(graph: Graph) -> tuple[Builder, Value]:
    """The sum of the outputs and half their squares, so that no two elements get the same cotangent."""
    b = Builder(graph)
    total = b.constant(0.0, F64)
    for value in list(graph.outputs.values()):
        curved = b.apply("add", value, b.apply("mul", b.apply("square", value), b.constant(0.5, F64)))
        total = b.apply("add", total, b.apply("sum", curved))
    graph.outputs["loss"] = total
    return b, total


def with_gradients(graph: Graph) -> Graph:
    """The graph with ``d NAME`` for each of its inputs."""
    b, loss = with_loss(graph)
    leaves = [node.out for node in graph.leaves("input")]
    names = [f"d {node.attrs['name']}" for node in graph.leaves("input")]
    graph.outputs |= dict(zip(names, gradients(b, loss, leaves), strict=True))
    verify(graph, "autodiff")
    return graph


def differences(graph: Graph, feeds: Mapping[str, Array], name: str, output: str = "loss", drawn: int = 12) -> Array:
    """The central differences of a scalar output by the elements of an input; by a few of them, drawn, where there are many.

    Elements not drawn are nan. The formula of four points, exact to the fourth power of their distance.
    """
    found, width = np.full_like(feeds[name], np.nan), 1e-4
    indices = list(np.ndindex(found.shape))
    for i in np.random.default_rng(0).permutation(len(indices))[:drawn]:
        total = 0.0
        for distance, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            array = feeds[name].copy()
            array[indices[i]] += distance * width
            total += weight * float(interpret(graph, {**feeds, name: array})[output])
        found[indices[i]] = total / (12 * width)
    return found


def assert_same(found: Array, wanted: Array, name: str) -> None:
    drawn = ~np.isnan(wanted)
    np.testing.assert_allclose(found[drawn], wanted[drawn], rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("steps", [1, 2, 17])
@pytest.mark.parametrize("name", GRAPHS)
def test_the_gradient_of_a_scan_is_its_central_differences(name: str, steps: int):
    forward, graph = GRAPHS[name](), with_gradients(GRAPHS[name]())
    with_loss(forward)
    feeds = numbers(graph, steps)
    computed = interpret(graph, feeds)
    for leaf in feeds:
        wanted = differences(forward, feeds, leaf)
        assert_same(computed[f"d {leaf}"], wanted, leaf)


@pytest.mark.parametrize("name", GRAPHS)
def test_over_no_steps_the_gradient_goes_to_the_initial_states_alone(name: str):
    graph = with_gradients(GRAPHS[name]())
    feeds = numbers(graph, 0)
    computed = interpret(graph, feeds)
    for leaf in feeds:
        times = (2 if name == "counting" else 1) if leaf in ("h0", "c0") else 0  # how many final states it is
        np.testing.assert_allclose(computed[f"d {leaf}"], times * (1 + feeds[leaf]), rtol=1e-12)


def test_no_gradient_passes_a_stop_in_a_body():
    m, step = Made(), ScanBody()
    i, h0 = Made(step.builder), m.leaf("h0", N)
    h, e = step.state(h0), step.element(m.leaf("x", T, N))
    after = i("add", h, i("mul", i("stop_gradient", h), e))
    (last,) = step.finish(m.b, [after], [], reverse=False)
    m.b.graph.outputs["g"] = gradients(m.b, m("sum", last), [h0])[0]
    feeds = numbers(m.b.graph, 3)
    np.testing.assert_array_equal(interpret(m.b.graph, feeds)["g"], np.ones(N))


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("name", ["plain", "lstm_like", "several_sequences", "vectors", "nested"])
def test_the_gradient_of_the_gradient_is_its_central_differences(name: str, steps: int):
    graph = with_gradients(GRAPHS[name]())
    b = Builder(graph)
    total = b.constant(0.0, F64)
    leaves = [node.out for node in graph.leaves("input")]
    for leaf in graph.leaves("input"):
        total = b.apply("add", total, b.apply("sum", b.apply("tanh", graph.outputs[f"d {leaf.attrs['name']}"])))
    graph.outputs["second"] = total
    names = [str(leaf.attrs["name"]) for leaf in graph.leaves("input")]
    graph.outputs |= {f"dd {name}": g for name, g in zip(names, gradients(b, total, leaves), strict=True)}
    verify(graph, "autodiff")
    feeds = numbers(graph, steps, batch=1)
    computed = interpret(graph, feeds)
    for leaf in names:
        wanted = differences(graph, feeds, leaf, "second", drawn=3)
        assert_same(computed[f"dd {leaf}"], wanted, leaf)


# ---------------------------------------------------------------------------------------------- how it is built


def backward_scan(graph: Graph) -> Any:
    """The last scan of a graph."""
    return scan_of([node for node in graph.order() if node.op == "scan"][-1])


def test_the_backward_scan_runs_in_the_other_direction():
    assert backward_scan(with_gradients(plain())).reverse
    assert not backward_scan(with_gradients(plain(reverse=True))).reverse


@pytest.mark.parametrize(("build", "states"), [(plain, 1), (lstm_like, 2)])
def test_gradients_of_weights_are_products_outside_of_the_backward_scan(build: Any, states: int):
    scan = backward_scan(with_gradients(build()))
    assert len(scan.initial) == states  # nothing is added up inside


def test_rows_of_a_table_get_their_gradients_outside_of_the_backward_scan():
    graph = with_gradients(lookups())
    assert len(backward_scan(graph).initial) == 1
    assert graph.producer(graph.outputs["d table"]).op == "scatter_add"


def test_a_gradient_that_is_no_product_is_added_up_in_a_state():
    assert len(backward_scan(with_gradients(vectors())).initial) == 2


def test_a_scan_inside_a_scan_runs_forward_once_in_the_backward_pass():
    body = backward_scan(with_gradients(nested())).body
    assert [node.attrs["reverse"] for node in body.nodes if node.op == "scan"] == [False]


def test_an_operand_that_needs_no_gradient_costs_nothing():
    graph = plain()
    b, loss = with_loss(graph)
    (leaf,) = (node.out for node in graph.leaves("input") if node.attrs["name"] == "b")
    gradients(b, loss, [leaf])
    scan = backward_scan(graph)
    assert len(scan.outputs) == 1
    assert len([node for node in scan.body.nodes if node.op == "matmul"]) == 1
