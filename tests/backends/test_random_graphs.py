"""Random graphs: what the planner and the source make of them equals the interpreter, and their memory is proved."""

from __future__ import annotations

from graphs import assert_close, random_graphs, run_both
from hypothesis import HealthCheck, given, settings

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Graph, verify

_SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_SETTINGS
@given(random_graphs())
def test_a_planned_graph_computes_what_the_interpreter_does(graph: Graph) -> None:
    program = compile_numpy(graph)
    for size in (1, 4):
        assert_close(run_both(graph, program, dict.fromkeys(program.face.sizes, size) or {"B": size}))


@_SETTINGS
@given(random_graphs())
def test_poison_in_freed_memory_changes_no_result(graph: Graph) -> None:
    program = compile_numpy(graph, poison=True)
    sizes = dict.fromkeys(program.face.sizes, 3) or {"B": 3}
    assert_close(run_both(graph, program, sizes))


@_SETTINGS
@given(random_graphs())
def test_the_memory_of_a_random_program_is_proved(graph: Graph) -> None:
    special = specialise(graph)
    verify(special, "specialise")
    program = compile_numpy(graph)
    for size in (1, 2, 5):
        check_program(special, program, {"B": size})
