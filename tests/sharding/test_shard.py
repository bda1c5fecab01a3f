"""Where steps are cut and where they are not: shapes, recurrences, sums beside means, what is completed before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from graphs import SETTINGS, feeds, random_graphs, training_step
from hypothesis import given
from shards import assert_close, run_sharded

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph, verify
from dslc.graph.retype import retype
from dslc.ops.ir import Value
from dslc.sharding import Refused, Sharding, shard
from dslc.tensor_type import DType, TensorType, symbol

B, T = symbol("B"), symbol("T")
F64 = DType.F64
SIZES = {"B": 5, "T": 4}


def cut(graph: Graph, parts: int = 2) -> Sharding:
    sharding = shard(graph, parts)
    assert isinstance(sharding, Sharding), str(sharding)
    return sharding


def refusal(graph: Graph) -> str:
    refused = shard(graph, 2)
    assert isinstance(refused, Refused)
    return str(refused)


def assert_equal_to_whole(graph: Graph, rows: Sequence[int] = (3, 2), tolerance: float = 1e-12) -> Sharding:
    sharding = cut(graph, len(rows))
    verify(sharding.part, "part")
    verify(sharding.rest, "rest")
    given = feeds(graph, SIZES)
    assert_close(run_sharded(sharding, given, rows), interpret(graph, given, SIZES), tolerance)
    return sharding


def trained(loss: Callable[[Builder, Value, Value], Value]) -> Graph:
    """A step that moves a weight f64[3, 3] down the gradient of a loss of it and of x: f64[B, T, 3]."""
    b = Builder()
    flat = b.leaf("state", TensorType(F64, (9,)), name="params")
    weight = b.apply("segment", flat, offset=0, sizes=(3, 3))
    x = b.leaf("input", TensorType(F64, (B, T, 3)), name="x")
    b.graph.outputs["loss"] = loss(b, x, weight)
    packed = b.apply("pack", *gradients(b, b.graph.outputs["loss"], [weight]))
    b.graph.updates["params"] = b.apply("sub", flat, packed)
    return b.graph


# ---------------------------------------------------------------------------------------------- where rows lie


def _rows_merged(b: Builder, x: Value, w: Value) -> Value:
    flat = b.apply("reshape", x, sizes=(B * T, 3))
    return b.apply("mean", b.apply("square", b.apply("matmul", flat, w)))


def _time_first_merged(b: Builder, x: Value, w: Value) -> Value:
    flat = b.apply("reshape", b.apply("transpose", x, axes=(1, 0, 2)), sizes=(T * B, 3))
    back = b.apply("reshape", b.apply("tanh", b.apply("matmul", flat, w)), sizes=(T, B, 3))
    return b.apply("mean", b.apply("square", back))


def _split_again(b: Builder, x: Value, w: Value) -> Value:
    flat = b.apply("reshape", b.apply("matmul", x, w), sizes=(B * T * 3,))
    return b.apply("mean", b.apply("square", b.apply("reshape", flat, sizes=(B, T * 3))))


def _equal_rows_split(b: Builder, x: Value, w: Value) -> Value:
    return b.apply("mean", b.apply("reshape", b.apply("matmul", x, w), sizes=(B * T, 3)))


def _last_step(b: Builder, x: Value, w: Value) -> Value:
    y = b.apply("matmul", x, w)
    last = b.apply("slice", y, starts=(None, -1), stops=(None, None), steps=())
    return b.apply("mean", b.apply("square", b.apply("concat", last, last, axis=1)))


def _recurrence(b: Builder, x: Value, w: Value) -> Value:
    """A state of each row, a sum over all rows and steps, and a counter."""

    def step(
        inner: Builder, states: Sequence[Value], elements: Sequence[Value], shared: Sequence[Value]
    ) -> tuple[list[Value], list[Value]]:
        h, total, number = states
        after = inner.apply("tanh", inner.apply("add", inner.apply("matmul", h, shared[0]), elements[0]))
        total = inner.apply("add", total, inner.apply("sum", after, axes=(0,)))
        return [after, total, inner.apply("add", number, inner.constant(1.0, F64))], [after]

    zero = b.constant(0.0, F64)
    start = [b.apply("expand", zero, sizes=sizes) for sizes in ((B, 3), (3,))]
    h, total, number, all_ = b.scan(step, [*start, zero], [b.apply("transpose", x, axes=(1, 0, 2))], [w])
    b.graph.outputs |= {"total": total, "number": number}
    return b.apply("add", b.apply("mean", b.apply("square", h)), b.apply("mean", all_))


def _sum_and_mean(b: Builder, x: Value, w: Value) -> Value:
    y = b.apply("matmul", x, w)
    b.graph.outputs["sum"] = b.apply("sum", b.apply("abs", y))
    return b.apply("divide_by_size", b.apply("sum", b.apply("square", y)), size=B)


def _penalty(b: Builder, x: Value, w: Value) -> Value:
    fit = b.apply("mean", b.apply("square", b.apply("matmul", x, w)))
    return b.apply("add", fit, b.apply("mul", b.apply("sum", b.apply("square", w)), b.constant(0.1, F64)))


def _penalised_sum(b: Builder, x: Value, w: Value) -> Value:
    fit = b.apply("sum", b.apply("square", b.apply("matmul", x, w)))
    return b.apply("add", fit, b.apply("mul", b.apply("sum", b.apply("square", w)), b.constant(0.1, F64)))


def _root(b: Builder, x: Value, w: Value) -> Value:
    b.graph.outputs["rmse"] = b.apply("sqrt", b.apply("mean", b.apply("square", b.apply("matmul", x, w))))
    return b.apply("mean", b.apply("square", b.apply("matmul", x, w)))


def _by_the_number_of_rows(b: Builder, x: Value, w: Value) -> Value:
    fit = b.apply("sum", b.apply("square", b.apply("matmul", x, w)))
    return b.apply("div", fit, b.apply("cast", b.size(B * T, DType.I64), dtype=F64))


LOSSES = {
    "rows and steps in one axis": _rows_merged,
    "steps before rows in one axis": _time_first_merged,
    "all in one axis and apart again": _split_again,
    "a gradient that is one number for all rows": _equal_rows_split,
    "parts of each row": _last_step,
    "a recurrence": _recurrence,
    "a sum beside a mean": _sum_and_mean,
    "a mean and a penalty": _penalty,
    "a sum and a penalty": _penalised_sum,
    "a root of a mean": _root,
    "a quotient by a size": _by_the_number_of_rows,
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("rows", [(3, 2), (1, 1, 3)], ids=str)
def test_a_step_in_two_graphs_computes_what_it_is_in_one(
    loss: Callable[[Builder, Value, Value], Value], rows: tuple[int, ...]
):
    assert_equal_to_whole(trained(loss), rows)


# ---------------------------------------------------------------------------------------------- what is refused


def _softmax_over_rows(b: Builder, x: Value, w: Value) -> Value:
    return b.apply("mean", b.apply("square", b.apply("softmax", b.apply("matmul", x, w), axis=0)))


def _centred(b: Builder, x: Value, w: Value) -> Value:
    y = b.apply("matmul", x, w)
    return b.apply("mean", b.apply("square", b.apply("sub", y, b.apply("mean", y, axes=(0,)))))


def _pairs(b: Builder, x: Value, w: Value) -> Value:
    y = b.apply("reshape", b.apply("matmul", x, w), sizes=(B, T * 3))
    return b.apply("mean", b.apply("matmul", y, b.apply("transpose", y)))


def _numbered(b: Builder, x: Value, w: Value) -> Value:
    number = b.apply("reshape", b.apply("arange", size=B, dtype=F64), sizes=(B, 1, 1))
    return b.apply("mean", b.apply("mul", b.apply("matmul", x, w), number))


def _other_order(b: Builder, x: Value, w: Value) -> Value:
    y = b.apply("square", b.apply("matmul", x, w))
    flat = b.apply("reshape", y, sizes=(B * T, 3))
    turned = b.apply("reshape", b.apply("transpose", y, axes=(1, 0, 2)), sizes=(T * B, 3))
    return b.apply("mean", b.apply("mul", flat, turned))


def _row_by_row(b: Builder, x: Value, w: Value) -> Value:
    """A recurrence over rows."""

    def step(
        inner: Builder, states: Sequence[Value], elements: Sequence[Value], shared: Sequence[Value]
    ) -> tuple[list[Value], list[Value]]:
        return [inner.apply("matmul", inner.apply("add", states[0], elements[0]), shared[0])], []

    start = b.apply("expand", b.constant(0.0, F64), sizes=(T, 3))
    return b.apply("mean", b.scan(step, [start], [x], [w])[0])


def _one_less(b: Builder, x: Value, w: Value) -> Value:
    variance = b.apply("divide_by_size", b.apply("square", b.apply("matmul", x, w)), size=B - 1)
    return b.apply("sum", variance)


def _mean_and_sum_of_a_row(b: Builder, x: Value, w: Value) -> Value:
    y = b.apply("square", b.apply("matmul", x, w))
    return b.apply("add", b.apply("mean", y), b.apply("sum", b.apply("tanh", y)))


REFUSED: dict[str, tuple[Callable[[Builder, Value, Value], Value], str]] = {
    "a softmax over rows": (_softmax_over_rows, "`softmax`: rows meet in it"),
    "distances from the mean row": (_centred, "`sub`: it needs a sum over all rows for every row"),
    "pairs of rows": (_pairs, "`matmul`: it has an element for every pair of rows"),
    "numbers of rows": (_numbered, "`arange`: it depends on the number of rows"),
    "rows in another order": (_other_order, "`mul`: rows of its operands lie in different orders"),
    "a recurrence over rows": (_row_by_row, "`scan`: it walks over rows"),
    "a size that is one less": (
        _one_less,
        "`divide_by_size`: it divides by B - 1, which is no multiple of the number of rows",
    ),
    "a row in a mean and in a sum": (_mean_and_sum_of_a_row, "`add`: it puts sums and means over rows together"),
}


@pytest.mark.parametrize(("loss", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_step_in_which_rows_meet_is_refused_for_a_reason(loss: Callable[[Builder, Value, Value], Value], reason: str):
    assert refusal(trained(loss)) == reason


@pytest.mark.parametrize("figure", [loss for loss, _ in REFUSED.values()], ids=REFUSED)
def test_a_figure_in_which_rows_meet_is_computed_of_rows_that_are_handed_over(
    figure: Callable[[Builder, Value, Value], Value],
):
    def loss(b: Builder, x: Value, w: Value) -> Value:
        b.graph.outputs["figure"] = figure(b, x, w)
        return b.apply("mean", b.apply("square", b.apply("matmul", x, w)))

    assert_equal_to_whole(trained(loss))


def test_a_step_without_rows_is_refused():
    b = Builder()
    b.graph.updates["s"] = b.leaf("state", TensorType(F64, (3,)), name="s")
    assert refusal(b.graph) == "no size is the number of rows of all inputs"


# ---------------------------------------------------------------------------------------------- what crosses the cut


def test_gradients_are_complete_before_the_optimizer_reads_them():
    graph = training_step("adam with decay", F64)
    sharding = assert_equal_to_whole(graph)
    (gradient,) = [name for name in sharding.part.outputs if name.startswith("pack")]
    assert list(sharding.part.outputs) == ["loss", "accuracy", gradient]
    assert [node.attrs["name"] for node in sharding.part.leaves("state")] == ["params"]
    assert sharding.inputs == {"x": 0, "label": 0}
    assert sharding.draws == {node.attrs["stream"]: 0 for node in graph.leaves("draw")}
    scalars = {node.attrs.str("name") for node in sharding.rest.leaves("input") if not node.out.shape}
    assert scalars == {"lr", "step", "share.0", "share.1"}


def test_draws_with_time_first_are_cut_along_their_second_axis():
    def loss(b: Builder, x: Value, w: Value) -> Value:
        noise = b.leaf("draw", TensorType(F64, (T, B, 3)), dist="normal", stream="noise", mean=0.0, std=1.0)
        y = b.apply("matmul", b.apply("transpose", x, axes=(1, 0, 2)), w)
        return b.apply("mean", b.apply("square", b.apply("mul", y, noise)))

    assert assert_equal_to_whole(trained(loss)).draws == {"noise": 1}


def test_rows_of_a_metric_are_handed_over_side_by_side():
    def loss(b: Builder, x: Value, w: Value) -> Value:
        y = b.apply("matmul", x, w)
        b.graph.outputs["auc:0"] = b.apply("mean", y, axes=(1,))
        return b.apply("mean", b.apply("square", y))

    assert assert_equal_to_whole(trained(loss)).joined == ("auc:0",)


def test_a_count_is_added_up():
    def counting(b: Builder, x: Value, w: Value) -> Value:
        y = b.apply("matmul", x, w)
        b.graph.outputs["positive"] = b.apply("sum", b.apply("gt", y, b.constant(0.0, F64)))
        return b.apply("mean", b.apply("square", y))

    graph = trained(counting)
    sharding = assert_equal_to_whole(graph)
    assert sharding.rest.outputs["positive"].dtype is DType.I64
    whole = interpret(graph, feeds(graph, SIZES), SIZES)["positive"]
    assert 0 < whole < np.prod([5, 4, 3])


def test_a_figure_called_share_or_lr_takes_no_other_numbers_place():
    def loss(b: Builder, x: Value, w: Value) -> Value:
        y = b.apply("matmul", x, w)
        b.graph.outputs |= {"share": b.apply("mean", y), "lr": b.apply("sum", y)}
        return b.apply("mean", b.apply("square", y))

    graph = trained(loss)
    rate = Builder(graph).leaf("input", TensorType(F64), name="lr")
    graph.updates["params"] = Builder(graph).apply("mul", graph.updates["params"], rate)
    assert_equal_to_whole(graph)


def test_a_whole_number_that_a_recurrence_of_rows_counts_is_refused():
    def counting(b: Builder, x: Value, w: Value) -> Value:
        def step(
            inner: Builder, states: Sequence[Value], elements: Sequence[Value], _: Sequence[Value]
        ) -> tuple[list[Value], list[Value]]:
            return [inner.apply("add", states[0], inner.constant(1, DType.I64))], [inner.apply("tanh", elements[0])]

        steps = b.apply("transpose", b.apply("matmul", x, w), axes=(1, 0, 2))
        b.graph.outputs["number"], all_ = b.scan(step, [b.constant(0, DType.I64)], [steps])
        return b.apply("mean", all_)

    assert refusal(trained(counting)) == "`item`: whole numbers cannot be weighted by rows"


@SETTINGS
@given(random_graphs())
def test_a_random_graph_in_two_computes_what_it_is_in_one_or_is_refused(graph: Graph):
    exact = retype(graph, {DType.F32: F64})
    if not isinstance(shard(exact, 2), Refused):
        assert_equal_to_whole(exact, tolerance=1e-10)
