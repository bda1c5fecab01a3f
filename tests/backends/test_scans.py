"""A scan as the planner lays it out gives what the interpreter gives, and uses its memory rightly."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from graphs import assert_close, run_both
from hypothesis import HealthCheck, given, settings
from recurrences import GRAPHS, numbers, random_scans, with_gradients

from dslc.backends.interpret import interpret
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph
from dslc.graph.region import ScanBody
from dslc.passes import optimize
from dslc.tensor_type import DType, TensorType, symbol
from dslc_runtime.program import Program

B, T = symbol("B"), symbol("T")


def tensor(*shape: object) -> TensorType:
    return TensorType(DType.F32, shape)  # type: ignore[arg-type]


def recurrence(*, reverse: bool = False, outputs: str = "both") -> Graph:
    """h' = tanh(x @ u + h @ w), n' = n + h: two states, of which the second is an output only at the end."""
    b, step = Builder(), ScanBody()
    x = b.leaf("input", tensor(B, T, 3), name="x")
    u, w = b.leaf("param", tensor(3, 4), key="u"), b.leaf("param", tensor(4, 4), key="w")
    zeros = b.apply("expand", b.constant(0.0, DType.F32), sizes=(B, 4))
    h, n = step.state(zeros), step.state(zeros)
    element = step.element(b.apply("transpose", x, axes=(1, 0, 2)))
    inner = step.builder
    product = inner.apply("matmul", element, step.constant(u))
    after = inner.apply("tanh", inner.apply("add", product, inner.apply("matmul", h, step.constant(w))))
    total = inner.apply("add", n, h)
    final, count, ys, before = step.finish(b, [after, total], [after, h], reverse)
    every = {"y": b.apply("transpose", ys, axes=(1, 0, 2)), "before": before, "final": final, "count": count}
    wanted = {"both": every, "last": ("final", "count"), "sequence": ("y",)}[outputs]
    b.graph.outputs = {name: every[name] for name in wanted}
    return b.graph


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("outputs", ["both", "last", "sequence"])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_planned_scan_equals_the_interpreter(reverse: bool, outputs: str, length: int) -> None:
    graph = recurrence(reverse=reverse, outputs=outputs)
    for poison in (False, True):
        program = compile_numpy(graph, poison=poison)
        assert_close(run_both(graph, program, {"B": 2, "T": length}), 1e-6)


def test_a_scan_over_nothing_gives_the_initial_states() -> None:
    graph = recurrence()
    for expected, found in run_both(graph, compile_numpy(graph), {"B": 2, "T": 0}):
        for name, value in expected.items():
            assert found[name].shape == value.shape
            np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("outputs", ["both", "last", "sequence"])
def test_the_memory_of_a_scan_and_of_its_steps_is_proved(outputs: str) -> None:
    graph = recurrence(outputs=outputs)
    check_program(specialise(graph), compile_numpy(graph), {"B": 2, "T": 3})


def test_a_scan_with_the_body_of_another_is_found() -> None:
    graph, other = recurrence(), recurrence(reverse=True)
    program = compile_numpy(graph)
    wrong = Program(program.face, program.code, program.constants, compile_numpy(other).bodies, program.source)
    with pytest.raises(InternalError, match="body of another"):
        check_program(specialise(graph), wrong, {"B": 2, "T": 3})


def convolving() -> Graph:
    """h' = tanh(conv(h, w) + x): an image as a state."""
    b, step = Builder(), ScanBody()
    x, w = b.leaf("input", tensor(T, B, 1, 1, 1), name="x"), b.leaf("param", tensor(8, 8, 3, 3), key="w")
    h = step.state(b.apply("expand", b.constant(0.0, DType.F32), sizes=(B, 8, 24, 24)))
    element, inner = step.element(x), step.builder
    options = {"stride": (1, 1), "pad": (1, 1, 1, 1), "dilation": (1, 1), "groups": 1}
    added = inner.apply("add", inner.apply("conv", h, step.constant(w), **options), element)
    (final,) = step.finish(b, [inner.apply("tanh", added)], [], reverse=False)
    b.graph.outputs = {"final": final}
    return b.graph


def bytes_of_binding(graph: Graph, sizes: dict[str, int]) -> int:
    program = compile_numpy(graph)
    weight = np.zeros((8, 8, 3, 3), np.float32)
    tracemalloc.start()
    bound = program.bind(sizes, {"w": weight})
    found = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert bound.inputs["x"].shape[0] == sizes["T"]
    return found


def test_the_steps_of_a_cell_with_a_convolution_work_in_the_same_memory() -> None:
    few, many = (bytes_of_binding(convolving(), {"B": 4, "T": steps}) for steps in (10, 40))
    assert many - few < 30 * 20_000  # views of a step; what one works in takes 1.5 MB


def assert_runs_alike(graph: Graph, lengths: tuple[int, ...]) -> None:
    """The generated program gives what the interpreter gives, twice in a row."""
    program = compile_numpy(graph, poison=True)
    for steps in lengths:
        feeds = numbers(graph, steps)
        bound = program.bind(program.sizes_of({name: array.shape for name, array in feeds.items()}), {})
        for name, array in feeds.items():
            np.copyto(bound.inputs[name], array)
        for _ in range(2):
            bound.run()
            for name, wanted in interpret(graph, feeds).items():
                scale = 1 + np.abs(wanted).max(initial=0)
                np.testing.assert_allclose(bound.outputs[name], wanted, rtol=0, atol=1e-11 * scale, err_msg=name)


@pytest.mark.parametrize("prepared", [lambda graph: graph, optimize], ids=["as built", "optimised"])
@pytest.mark.parametrize("differentiated", [False, True], ids=["forward", "gradient"])
@pytest.mark.parametrize("name", GRAPHS)
def test_recurrences_of_all_kinds_run_as_the_loop_says(name: str, differentiated: bool, prepared) -> None:
    graph = with_gradients(GRAPHS[name]()) if differentiated else GRAPHS[name]()
    assert_runs_alike(prepared(graph), (0, 1, 4))


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(random_scans())
def test_random_scans_and_their_gradients_run_as_the_loop_says(graph: Graph) -> None:
    assert_runs_alike(optimize(with_gradients(graph)), (0, 3))
