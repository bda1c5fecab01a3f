"""Random graphs: what the planner and the source make of them equals the interpreter, and their memory is proved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphs import SETTINGS, assert_close, random_graphs, run_both
from hypothesis import given

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import Plan, plan
from dslc.backends.plan.model import Buffer, Call, Copy, Fill, Finite, Loop, Part, Place, Step, View
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Graph, verify


@SETTINGS
@given(random_graphs())
def test_a_planned_graph_computes_what_the_interpreter_does(graph: Graph) -> None:
    program = compile_numpy(graph)
    for size in (1, 4):
        assert_close(run_both(graph, program, dict.fromkeys(program.face.sizes, size) or {"B": size}))


@SETTINGS
@given(random_graphs())
def test_poison_in_freed_memory_changes_no_result(graph: Graph) -> None:
    program = compile_numpy(graph, poison=True)
    sizes = dict.fromkeys(program.face.sizes, 3) or {"B": 3}
    assert_close(run_both(graph, program, sizes))


@SETTINGS
@given(random_graphs())
def test_the_memory_of_a_random_program_is_proved(graph: Graph) -> None:
    special = specialise(graph)
    verify(special, "specialise")
    program = compile_numpy(graph)
    for size in (1, 2, 5):
        check_program(special, program, {"B": size})


@SETTINGS
@given(random_graphs())
def test_no_step_touches_a_buffer_outside_its_life(graph: Graph) -> None:
    """So a plan is right for all sizes if it is for one: where buffers lie follows from lives alone."""
    made = plan(specialise(graph))
    for time, step in zip(made.times, made.steps, strict=True):
        for buffer in _touched(made, step):
            assert buffer.first <= time <= buffer.last


def _touched(made: Plan, step: Step) -> Iterator[Buffer]:
    match step:
        case Loop(calls):
            for call in calls:
                yield from _touched(made, call)
        case Call(node):
            items = [item.out for item, _ in made.graph.uses(node.out) if item.op == "item"]
            values = [*node.inputs, *(items if node.op == "scan" else [node.out])]
            yield from _buffers(made, [made.places.get(value.id) for value in values])
        case Copy(_, source, target):
            yield from _buffers(made, [source, target])
        case Fill(_, target):
            yield from _buffers(made, [target])
        case Finite(value):
            yield from _buffers(made, [made.places.get(value.id)])
        case _:
            return


def _buffers(made: Plan, places: Iterable[Place | None]) -> Iterator[Buffer]:
    for place in places:
        while isinstance(place, Part | View):
            place = place.whole if isinstance(place, Part) else made.places[place.node.inputs[0].id]
        if isinstance(place, Buffer):
            yield place
