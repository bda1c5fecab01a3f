"""Passes about recurrence change no number, and take out of the loop what need not be in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from recurrences import (
    GRAPHS,
    B,
    Made,
    N,
    T,
    joined,
    lstm_like,
    nested,
    numbers,
    plain,
    several_sequences,
    two_layers,
    with_gradients,
)

from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph, verify
from dslc.graph.region import ScanBody
from dslc.ops.ir import Node
from dslc.ops.scan import scan_of
from dslc.passes import SCAN_PASSES, optimize
from dslc.source import Source, Span


def assert_equivalent(graph: Graph, changed: Graph, lengths: tuple[int, ...] = (0, 1, 2, 17)) -> None:
    verify(changed, "test")
    for steps in lengths:
        feeds = numbers(graph, steps)
        before, after = interpret(graph, feeds), interpret(changed, feeds)
        assert list(before) == list(after)
        for name, wanted in before.items():
            scale = 1 + np.abs(wanted).max(initial=0)
            np.testing.assert_allclose(after[name], wanted, rtol=0, atol=1e-11 * scale, err_msg=f"{name}, {steps}")


def scans(graph: Graph) -> list[Node]:
    return [node for node in graph.order() if node.op == "scan"]


def ops(scan: Node) -> list[str]:
    """The operators of a body."""
    return [node.op for node in scan_of(scan).body.nodes if node.op != "input"]


@pytest.mark.parametrize("differentiated", [False, True], ids=["forward", "gradient"])
@pytest.mark.parametrize("name", GRAPHS)
def test_every_pass_gives_what_the_graph_before_it_gives(name: str, differentiated: bool):
    graph = with_gradients(GRAPHS[name]()) if differentiated else GRAPHS[name]()
    for _, run in SCAN_PASSES:
        changed = run(graph)
        assert_equivalent(graph, changed)
        graph = changed


@pytest.mark.parametrize("name", GRAPHS)
def test_optimising_twice_changes_nothing_more(name: str):
    once = optimize(with_gradients(GRAPHS[name]()))
    assert [ops(scan) for scan in scans(optimize(once))] == [ops(scan) for scan in scans(once)]


# ---------------------------------------------------------------------------------------------- what leaves the loop


def test_a_scan_runs_forward_once_with_its_residuals():
    assert len(scans(with_gradients(plain()))) == 3
    assert [scan_of(scan).reverse for scan in scans(optimize(with_gradients(plain())))] == [False, True]


def test_a_scan_inside_a_scan_runs_forward_once_with_its_residuals():
    forward, backward = scans(optimize(with_gradients(nested())))
    inner = [
        [node.attrs["reverse"] for node in scan_of(scan).body.nodes if node.op == "scan"]
        for scan in (forward, backward)
    ]
    assert inner == [[True], [False]]


@pytest.mark.parametrize("build", [plain, lstm_like])
def test_one_product_per_step_and_direction_is_left_in_the_loop(build: Callable[[], Graph]):
    assert [ops(scan).count("matmul") for scan in scans(optimize(with_gradients(build())))] == [1, 1]


def test_factors_that_depend_on_no_state_are_multiplied_before_the_loop():
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, y, s0 = m.leaf("x", T, B, N), m.leaf("y", T, B, N), m.leaf("h0", B, N)
    h, e, f = step.state(s0), step.element(x), step.element(y)
    after = i("mul", i("mul", i("mul", i("tanh", h), e), step.constant(m.leaf("scale", N))), f)
    last, all_ = step.finish(m.b, [after], [after], reverse=True)
    m.b.graph.outputs |= {"last": last, "all": all_}
    graph = optimize(m.b.graph)
    assert_equivalent(m.b.graph, graph)
    (scan,) = scans(graph)
    assert ops(scan) == ["tanh", "mul"]


def test_a_product_that_others_read_is_left_as_it_is():
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, y, s0 = m.leaf("x", T, B, N), m.leaf("y", T, B, N), m.leaf("h0", B, N)
    h, e, f = step.state(s0), step.element(x), step.element(y)
    part = i("mul", h, e)
    last, all_ = step.finish(m.b, [i("mul", part, f)], [i("tanh", part)], reverse=False)
    m.b.graph.outputs |= {"last": last, "all": all_}
    graph = optimize(m.b.graph)
    assert_equivalent(m.b.graph, graph)
    assert ops(scans(graph)[0]).count("mul") == 2


def test_the_gradient_of_gates_multiplies_each_cotangent_once_per_step():
    _, backward = scans(optimize(with_gradients(lstm_like())))
    # Four gates, what the state kept, and the way through the output's tanh: each cotangent meets one factor.
    assert ops(backward).count("mul") == 6


def test_an_output_that_depends_on_no_state_is_computed_for_all_steps_at_once():
    graph = optimize(several_sequences())
    assert "softmax" not in ops(scans(graph)[0])
    assert graph.producer(graph.outputs["other"]).op == "softmax"


def test_an_output_that_no_state_needs_is_computed_after_the_loop():
    (scan,) = scans(optimize(lstm_like()))
    assert ops(scan).count("matmul") == 1  # not the one that reads the output off the state


def test_states_and_operands_that_nothing_reads_go():
    graph = two_layers()
    del graph.outputs["last"], graph.outputs["all"]
    first = scans(graph)[0]
    graph.outputs["all"] = next(user.out for user, _ in graph.uses(first.out) if user.attrs["index"] == 1)
    (scan,) = scans(optimize(graph))
    assert len(scan_of(scan).outputs) == 1


def test_a_state_that_never_changes_is_a_constant():
    m, step = Made(), ScanBody()
    h, fixed = step.state(m.leaf("h", N)), step.state(m.leaf("k", N))
    e = step.element(m.leaf("x", T, N))
    after = step.builder.apply("add", step.builder.apply("mul", h, fixed), e)
    last, still = step.finish(m.b, [after, fixed], [], reverse=False)
    m.b.graph.outputs |= {"last": last, "still": still}
    graph = optimize(m.b.graph)
    assert_equivalent(m.b.graph, graph)
    (scan,) = scans(graph)
    assert (len(scan_of(scan).initial), len(scan_of(scan).constants)) == (1, 1)


def test_a_scan_without_recurrence_is_no_scan():
    m, step = Made(), ScanBody()
    e, w = step.element(m.leaf("x", T, B, N)), step.constant(m.leaf("w", N, 3))
    (y,) = step.finish(m.b, [], [step.builder.apply("tanh", step.builder.apply("matmul", e, w))], reverse=True)
    m.b.graph.outputs["y"] = y
    graph = optimize(m.b.graph)
    assert_equivalent(m.b.graph, graph)
    assert scans(graph) == []


def test_two_scans_whose_states_differ_stay_two():
    b = Builder()
    made: list[Any] = []
    x, h0 = Made(b).leaf("x", T, N), Made(b).leaf("h", N)
    for op in ("add", "sub"):
        step = ScanBody()
        after = step.builder.apply(op, step.state(h0), step.element(x))
        made += step.finish(b, [after], [after], reverse=False)[1:]
    b.graph.outputs |= dict(zip(("plus", "minus"), made, strict=True))
    graph = optimize(b.graph)
    assert_equivalent(b.graph, graph)
    assert len(scans(graph)) == 2


def test_terms_of_a_sum_that_need_no_state_are_added_before_the_loop():
    (scan,) = scans(optimize(plain()))
    assert ops(scan) == ["matmul", "add", "tanh"]


def test_the_part_of_a_product_that_needs_no_state_leaves_the_loop():
    (scan,) = scans(optimize(joined()))
    body = scan_of(scan).body
    products = [node for node in body.nodes if node.op == "matmul"]
    assert [node.inputs[1].shape for node in products] == [(N, N), (2 * N, N)]
    assert ops(scan).count("concat") == 1  # of the two parts that depend on the state


def test_the_gradient_of_gates_cut_apart_is_the_gates_joined():
    backward = scans(optimize(with_gradients(lstm_like())))[-1]
    assert ops(backward).count("concat") == 1
    assert "pad_slice" not in ops(backward)


def test_constants_of_bodies_are_folded_and_equal_values_shared():
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    h, e = step.state(m.leaf("h", N)), step.element(m.leaf("x", T, N))
    two = i("add", i("mul", 1.0, 1.0), 1.0)
    after = i("add", i("tanh", i("mul", h, two)), i("mul", i("tanh", i("mul", h, 2.0)), e))
    m.b.graph.outputs["last"] = step.finish(m.b, [after], [], reverse=False)[0]
    (scan,) = scans(optimize(m.b.graph))
    assert ops(scan).count("tanh") == 1


def test_values_keep_their_names_and_places_when_they_leave_the_loop():
    m, step, span = Made(), ScanBody(), Span(Source("t.dl", "z = x @ w"), 4, 9)
    h, e, w = step.state(m.leaf("h", B, N)), step.element(m.leaf("x", T, B, N)), step.constant(m.leaf("w", N, N))
    with step.builder.at(span, "cell"):
        z = step.builder.named(step.builder.apply("sigmoid", step.builder.apply("matmul", e, w)), "z")
    m.b.graph.outputs["last"] = step.finish(m.b, [step.builder.apply("mul", h, z)], [], reverse=False)[0]
    (node,) = [node for node in optimize(m.b.graph).order() if node.op == "sigmoid"]
    assert (node.name, node.span, node.layer) == ("z", span, "cell")
