"""What a plan decides: what is written over what, what lies in waiting memory, and that sizes have no say in it."""

from __future__ import annotations

import pytest
from graphs import OPTIMIZERS, B, training_step

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import Plan, plan, plan_text
from dslc.backends.plan.model import Buffer, Call, Copy, Finite, Leaf, Loop, Part, Step
from dslc.graph import Builder, Graph
from dslc.ops.ir import Value
from dslc.tensor_type import DType, TensorType, symbol

F32 = DType.F32


def leaf(b: Builder, op: str, *shape: object, **attrs: str) -> Value:
    return b.leaf(op, TensorType(F32, shape), **attrs)  # type: ignore[arg-type]


def writes_state(made: Plan, step: Step) -> bool:
    place = made.places[step.node.id] if isinstance(step, Call) else getattr(step, "target", None)
    while isinstance(place, Part):
        place = place.whole
    return isinstance(place, Leaf)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_step_copies_nothing(optimizer: str) -> None:
    made = plan(specialise(training_step(optimizer)))
    assert not [step for step in made.steps if isinstance(step, Copy)]


def test_every_new_state_is_computed_where_the_old_one_lies() -> None:
    graph = specialise(training_step("adam"))
    made = plan(graph)
    states = {node.attrs["name"]: node for node in graph.leaves("state")}
    for name, value in graph.updates.items():
        assert made.places[value.id] == Leaf(states[name])


def test_gradients_are_computed_in_their_segments_of_the_packed_vector() -> None:
    graph = specialise(training_step())
    made = plan(graph)
    (pack,) = [node for node in graph.nodes.values() if node.op == "pack"]
    whole = made.places[pack.id]
    assert isinstance(whole, Buffer)
    parts = [made.places[value.id] for value in pack.inputs]
    assert [(part.whole, part.offset) for part in parts if isinstance(part, Part)] == [
        (whole, 0),
        (whole, 35),
        (whole, 42),
        (whole, 63),
    ]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_state_is_written_before_the_loss_is_checked(optimizer: str) -> None:
    made = plan(specialise(training_step(optimizer)))
    checks = [index for index, step in enumerate(made.steps) if isinstance(step, Finite)]
    writes = [index for index, step in enumerate(made.steps) if writes_state(made, step)]
    assert len(checks) == 1
    assert checks[0] < min(writes)


def test_learning_rate_and_step_count_are_worked_out_in_python() -> None:
    graph = specialise(training_step("adam"))
    made = plan(graph)
    computed = [graph.nodes[step.node.id].out for step in made.steps if isinstance(step, Call)]
    assert all(value.dtype is not DType.F64 for value in computed)
    assert [node.attrs["name"] for node in made.scalars] == ["lr", "step"]


def test_an_operator_writes_over_an_operand_that_dies() -> None:
    b = Builder()
    x = leaf(b, "input", B, 3, name="x")
    h = b.apply("tanh", b.apply("neg", x))
    b.graph.outputs = {"y": b.apply("sum", h)}
    made = plan(b.graph)
    assert made.places[h.id] == made.places[b.graph.producer(h).inputs[0].id]


def test_an_operand_that_is_read_later_is_left_alone() -> None:
    b = Builder()
    x = leaf(b, "input", B, 3, name="x")
    h = b.apply("neg", x)
    t = b.apply("tanh", h)
    b.graph.outputs = {"y": b.apply("sum", b.apply("mul", t, h))}
    made = plan(b.graph)
    assert made.places[t.id] != made.places[h.id]


def test_a_view_keeps_its_operand_alive() -> None:
    b = Builder()
    x = leaf(b, "input", 3, 3, name="x")
    h = b.apply("neg", x)
    t = b.apply("tanh", h)
    b.graph.outputs = {"y": b.apply("matmul", t, b.apply("transpose", h))}
    made = plan(b.graph)
    assert made.places[t.id] != made.places[h.id]


def test_an_operator_does_not_write_over_what_it_also_reads_transposed() -> None:
    b = Builder()
    h = b.apply("neg", leaf(b, "input", 3, 3, name="x"))
    y = b.apply("add", h, b.apply("transpose", h))
    b.graph.outputs = {"y": b.apply("sum", y)}
    made = plan(b.graph)
    assert made.places[y.id] != made.places[h.id]


def test_a_reshaped_transpose_is_computed_because_it_is_no_view() -> None:
    b = Builder()
    h = b.apply("neg", leaf(b, "input", 2, 3, name="x"))
    flat = b.apply("reshape", b.apply("transpose", h), sizes=(6,))
    b.graph.outputs = {"y": b.apply("sum", flat)}
    made = plan(b.graph)
    assert isinstance(made.places[flat.id], Buffer)


def test_inputs_are_never_written_over() -> None:
    b = Builder()
    x = leaf(b, "input", B, 3, name="x")
    y = b.apply("tanh", x)
    b.graph.outputs = {"y": y, "same": x}
    made = plan(b.graph)
    assert isinstance(made.places[y.id], Buffer)
    assert isinstance(made.outputs["same"], Buffer)


def test_results_are_apart_from_scratch_memory() -> None:
    made = plan(specialise(training_step()))
    assert all(isinstance(place, Buffer) and place.kept for place in made.outputs.values())


def test_scratch_memory_is_within_a_tenth_of_what_is_live_at_once() -> None:
    made = plan(specialise(training_step(widths=(784, 128, 10))))
    for size in (1, 32, 256):
        sizes = {"B": size}
        assert made.live_bytes(sizes) <= made.scratch_bytes(sizes) <= 1.1 * made.live_bytes(sizes)


def test_a_plan_is_the_same_text_every_time() -> None:
    texts = {plan_text(plan(specialise(training_step()))) for _ in range(3)}
    assert len(texts) == 1


def test_a_chain_as_text() -> None:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (symbol("B"), 3)), name="x")
    b.graph.outputs = {"y": b.apply("sum", b.apply("tanh", b.apply("neg", x)))}
    assert plan_text(plan(b.graph), {"B": 10}) == (
        "at every run:\n"
        "    0  b0 = %1 neg(%0)\n"
        "    1  b0 = %2 tanh(%1)  over %1\n"
        "    2  b1 = %3 sum(%2)\n"
        "outputs:\n"
        "  %3 in b1\n"
        "buffers:\n"
        "  b0: f32[B, 3], from 0 to 2, 120 bytes\n"
        "  b1: f32[], kept, from 2 to 3, 4 bytes\n"
        "scratch 120 bytes, 120 live at most; kept 64 bytes\n"
    )


def test_a_graph_without_steps_is_planned() -> None:
    graph = Graph()
    made = plan(graph)
    assert made.steps == ()


def loops_of(made: Plan) -> list[Loop]:
    return [step for step in made.steps if isinstance(step, Loop)]


def test_what_only_a_loop_over_tiles_needs_is_as_large_as_a_tile() -> None:
    made = plan(specialise(training_step("adam", widths=(400, 400, 3))))
    (loop,) = loops_of(made)
    (root,) = [call.node for call in loop.calls if call.node.op == "sqrt"]
    place = made.places[root.id]
    assert isinstance(place, Buffer)
    assert place.bytes({}) == 4 * loop.tile
    assert len(loop.calls) == 10


def test_short_vectors_run_whole() -> None:
    assert not loops_of(plan(specialise(training_step())))


def test_a_chain_on_arrays_of_any_rank_is_a_loop_whose_tiles_are_counted_when_sizes_are_bound() -> None:
    b = Builder()
    x, y = (leaf(b, "input", B, 28, 64, name=name) for name in "xy")
    b.graph.outputs = {"z": b.apply("mul", b.apply("sub", x, b.apply("square", y)), y)}
    (loop,) = loops_of(plan(b.graph, tile=1000))
    assert [call.node.op for call in loop.calls] == ["square", "sub", "mul"]
    assert [loop.tiles({"B": size}) for size in (0, 1, 2, 3, 32)] == [0, 1, 1, 6, 58]


def test_what_lies_between_steps_of_a_loop_takes_a_tile_or_all_of_a_short_array() -> None:
    b = Builder()
    x = leaf(b, "input", B, 64, name="x")
    y = b.apply("square", x)
    b.graph.outputs = {"z": b.apply("mul", b.apply("add", x, y), y)}
    made = plan(b.graph, tile=1000)
    place = made.places[y.id]
    assert isinstance(place, Buffer)
    assert [place.bytes({"B": size}) for size in (1, 62, 63, 500)] == [4 * 64, 4 * 62 * 64, 4000, 4000]


def test_a_step_that_broadcasts_ends_a_loop() -> None:
    b = Builder()
    x = b.apply("square", leaf(b, "input", B, 64, name="x"))
    x = b.apply("add", b.apply("neg", x), leaf(b, "param", 64, key="bias"))
    b.graph.outputs = {"z": b.apply("sqrt", b.apply("abs", x))}
    loops = loops_of(plan(b.graph, tile=100))
    assert [[call.node.op for call in loop.calls] for loop in loops] == [["square", "neg"], ["abs", "sqrt"]]


def test_chains_that_share_no_array_are_loops_of_their_own_so_that_none_keeps_what_the_other_needs() -> None:
    b = Builder()
    for name in "xy":
        b.graph.outputs[name] = b.apply("neg", b.apply("square", leaf(b, "input", B, 64, name=name)))
    assert [len(loop.calls) for loop in loops_of(plan(b.graph, tile=100))] == [2, 2]


def test_a_number_out_of_a_vector_ends_a_loop_that_may_write_over_it() -> None:
    b = Builder()
    s = leaf(b, "state", 600, name="s")
    step = b.apply("mul", leaf(b, "input", 600, name="x"), b.apply("segment", s, offset=0, sizes=()))
    b.graph.updates = {"s": b.apply("add", s, step)}
    assert not loops_of(plan(b.graph, tile=100))


def _packed_update(swapped: bool) -> Graph:
    """A state of two halves; each new half from an old one, which is its own or, swapped, the other."""
    b = Builder()
    s = leaf(b, "state", 8, name="s")
    halves = [b.apply("segment", s, offset=offset, sizes=(2, 2)) for offset in (0, 4)]
    x = leaf(b, "input", 2, 2, name="x")
    new = [b.apply("add", half, x) for half in (reversed(halves) if swapped else halves)]
    b.graph.updates = {"s": b.apply("pack", *new)}
    return b.graph


def test_a_state_that_is_packed_is_updated_segment_by_segment_where_each_reads_itself() -> None:
    made = plan(_packed_update(swapped=False))
    assert not made.buffers
    assert all(isinstance(step, Call) for step in made.steps)
    assert {part.offset for part in made.parts} == {0, 4}


def test_a_state_whose_segments_read_each_other_is_updated_after_all_are_computed() -> None:
    made = plan(_packed_update(swapped=True))
    assert [b.type.shape for b in made.buffers] == [(8,)]
    assert isinstance(made.steps[-1], Copy)
