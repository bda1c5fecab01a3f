"""Optimizers in pieces: which tensors of a gradient get a form of their own, and that every step computes what it did."""

from __future__ import annotations

import pytest
from graphs import OPTIMIZERS, assert_close, run_both, training_step

from dslc.backends import pieces
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.backends.plan.model import Buffer, Copy, Leaf, Part
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph
from dslc.ops.ir import Value
from dslc.tensor_type import DType, TensorType

WIDE = (300, 1000, 3)  # the first matrix is long: 300,000 elements


@pytest.fixture
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every product is long enough."""
    monkeypatch.setattr(pieces, "_LONG", 1)


def products(graph: Graph) -> list[tuple[object, ...]]:
    """The shapes of the matrices to which products are added in their memory."""
    return [node.out.shape for node in specialise(graph).order() if node.op == "gemm"]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_the_gradient_of_a_large_matrix_is_added_to_it(optimizer: str) -> None:
    assert products(training_step(optimizer, widths=WIDE)) == [(300, 1000)]


@pytest.mark.parametrize("optimizer", ["adam", "adam with decay", "sgd with decay", "nesterov"])
def test_a_gradient_of_which_more_is_asked_stays_in_memory(optimizer: str) -> None:
    assert not products(training_step(optimizer, widths=WIDE))


def test_a_small_matrix_is_updated_with_all_others() -> None:
    assert not products(training_step("sgd", widths=(200, 1000, 3)))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_the_gradient_of_a_large_matrix_takes_no_memory_and_its_update_copies_nothing(optimizer: str) -> None:
    made = plan(specialise(training_step(optimizer, widths=WIDE)))
    longest = max(buffer.bytes({"B": 4}) for buffer in made.buffers)
    assert longest < 4 * 300 * 1000
    assert not [step for step in made.steps if isinstance(step, Copy)]
    for node in made.graph.order():
        place = made.places.get(node.id)
        assert node.op != "gemm" or (isinstance(place, Part) and isinstance(place.whole, Leaf))


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(DType.F32, 1e-5), (DType.F64, 1e-12)])
def test_a_step_in_pieces_computes_what_the_step_does(optimizer: str, dtype: DType, tolerance: float) -> None:
    graph = training_step(optimizer, dtype)
    program = compile_numpy(graph)
    for batch in (1, 6):
        assert_close(run_both(graph, program, {"B": batch}), tolerance)
        check_program(specialise(graph), program, {"B": batch})


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_pieces_of_some_tensors_come_between_pieces_of_others(optimizer: str) -> None:
    assert len(products(training_step(optimizer))) == 2


# ---------------------------------------------------------------------------------------------- gradients by hand


def step(b: Builder, *gradients: Value, scale: float | None = None) -> Graph:
    """params <- params - scale * gradients."""
    packed = b.apply("pack", *gradients)
    state = b.leaf("state", packed.type, name="params")
    along = packed if scale is None else b.apply("mul", packed, b.constant(scale, packed.dtype))
    b.graph.updates = {"params": b.apply("sub", state, along)}
    return b.graph


def product(b: Builder, m: int, n: int, name: str = "") -> Value:
    return b.apply(
        "matmul",
        b.leaf("input", TensorType(DType.F32, (m, 2)), name=f"a{name}"),
        b.leaf("input", TensorType(DType.F32, (2, n)), name=f"b{name}"),
    )


@pytest.mark.usefixtures("any_size")
def test_a_product_that_something_else_reads_is_computed_once() -> None:
    b = Builder()
    gradient = product(b, 3, 4)
    b.graph.outputs = {"norm": b.apply("sum", b.apply("square", gradient))}
    assert not products(step(b, gradient))


@pytest.mark.usefixtures("any_size")
def test_a_gradient_whose_norm_is_taken_is_not_cut() -> None:
    b = Builder()
    packed = b.apply("pack", product(b, 3, 4))
    state = b.leaf("state", packed.type, name="params")
    norm = b.apply("sqrt", b.apply("sum", b.apply("square", packed)))
    b.graph.updates = {"params": b.apply("sub", state, b.apply("div", packed, norm))}
    assert not products(b.graph)


@pytest.mark.usefixtures("any_size")
def test_gradients_gathered_over_batches_are_added_in_their_memory() -> None:
    b = Builder()
    packed = b.apply("pack", product(b, 3, 4), b.leaf("input", TensorType(DType.F32, (5,)), name="bias"))
    gathered = b.leaf("state", packed.type, name="gathered")
    b.graph.updates = {"gathered": b.apply("add", gathered, packed)}
    assert products(b.graph) == [(3, 4)]
    assert_close(run_both(b.graph, compile_numpy(b.graph), {}))


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("scale", [None, 0.25])
def test_a_rate_may_be_a_number_or_none(scale: float | None) -> None:
    b = Builder()
    graph = step(b, product(b, 3, 4, "0"), product(b, 2, 5, "1"), scale=scale)
    assert products(graph) == [(3, 4), (2, 5)]
    program = compile_numpy(graph)
    assert_close(run_both(graph, program, {}))
    check_program(specialise(graph), program, {})
    assert not [each for each in plan(specialise(graph)).buffers if isinstance(each, Buffer) and each.type.shape]


@pytest.mark.usefixtures("any_size")
def test_a_gradient_minus_the_old_value_is_not_taken_for_the_old_value_minus_it() -> None:
    b = Builder()
    packed = b.apply("pack", product(b, 3, 4))
    state = b.leaf("state", packed.type, name="params")
    b.graph.updates = {"params": b.apply("sub", packed, state)}
    assert not products(b.graph)
    assert_close(run_both(b.graph, compile_numpy(b.graph), {}))
