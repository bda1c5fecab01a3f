"""Steps on several processes: the bytes of the shards run in turn, the numbers of the whole, and faults like any other's."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cut_step import LAYOUT, cut_step, data, first_state, in_turn, whole
from processes import is_there

from dslc_runtime.data import Part
from dslc_runtime.data.parts import read_only
from dslc_runtime.engine import feed
from dslc_runtime.errors import IdError, RuntimeFault
from dslc_runtime.face import SizeError
from dslc_runtime.figures import Figures
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.loop import Job, train
from dslc_runtime.program import Bound, Program
from dslc_runtime.sharded import Sharded
from dslc_runtime.shards import Cut, Shard
from dslc_runtime.state import State
from dslc_runtime.updates import Update
from dslc_runtime.workers import can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")

NUMBERS = {"lr": 0.05, "step": 3.0}


@pytest.fixture
def two() -> Iterator[Sharded]:
    program = cut_step()
    yield program
    program.close()


def given(rows: int) -> dict[str, np.ndarray]:
    source = np.random.default_rng(1)
    mask = source.integers(0, 2, (rows, 5)).astype(np.float32)
    return {**data(rows), "mask": mask, "noise": source.standard_normal((2, rows)).astype(np.float32)}


def run(bound: Bound, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One run on these inputs and random tensors; copies of its results."""
    for name, buffer in bound.inputs.items():
        buffer[...] = values[name]
    for spec, buffer in bound.draws:
        buffer[...] = values[spec.stream]
    bound.run(**{name: NUMBERS[name] for name in bound.scalars})
    return {name: value.copy() for name, value in bound.outputs.items()}


def bytes_of(state: State) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in state.tensors().items()}


def workers_of(program: Sharded) -> list[int]:
    """The processes of a program."""
    return [worker._pid for kept in program._bound.values() for worker in kept.workers]


@pytest.mark.parametrize(("shards", "rows"), [(2, 8), (2, 7), (3, 8), (3, 9)])
def test_processes_give_the_bytes_of_the_shards_run_in_turn(shards: int, rows: int) -> None:
    program, state, again, values = cut_step(shards), first_state(), first_state(), given(rows)
    bound = program.bind({"B": rows}, state.for_training)
    for _ in range(3):
        run(bound, values)
        in_turn(program, values, again, NUMBERS)
        assert bytes_of(state) == bytes_of(again)
    assert np.any(state.params["w"])
    program.close()


@pytest.mark.parametrize(("shards", "rows"), [(2, 8), (2, 7), (3, 11)])
def test_processes_give_the_numbers_of_one_program(shards: int, rows: int) -> None:
    program, state, alone, values = cut_step(shards), first_state(), first_state(), given(rows)
    bound, one = program.bind({"B": rows}, state.for_training), whole().bind({"B": rows}, alone.for_training)
    for _ in range(3):
        results, expected = run(bound, values), run(one, values)
        for name, value in expected.items():
            np.testing.assert_allclose(results[name], value, rtol=1e-5, atol=1e-5)
        for name, array in alone.tensors().items():
            np.testing.assert_allclose(state.tensors()[name], array, rtol=1e-5, atol=1e-5)
    program.close()


def test_a_result_that_does_not_lie_in_order_is_handed_over_in_order() -> None:
    program, state, values = cut_step(3), first_state(), given(9)
    found = run(program.bind({"B": 9}, state.for_training), values)["unordered"]
    gradient = program.part.bind({"B": 3}, (before := first_state()).for_training)
    for name, buffer in gradient.inputs.items():
        buffer[...] = values[name][6:] if buffer.ndim else NUMBERS[name]
    for spec, buffer in gradient.draws:
        buffer[...] = values["mask"][6:] if spec.stream == "mask" else values["noise"][:, 6:]
    gradient.run()
    np.testing.assert_array_equal(found, np.exp(gradient.outputs["gradient/all"]).reshape(2, 3).T)
    assert not np.any(before.params["w"])
    program.close()


@pytest.mark.parametrize(("shards", "rows"), [(2, 8), (2, 7), (3, 8)])
@pytest.mark.parametrize("made", [dict, read_only], ids=["fields that may change", "read-only fields"])
def test_it_is_fed_and_drawn_for_as_one_program_is(shards: int, rows: int, made: Callable[..., dict]) -> None:
    program, fields, state, alone = cut_step(shards), made(data(20)), first_state(), first_state()
    ready, one = (
        feed(*each, fields, rows, 5) for each in ((program, state.for_training), (whole(), alone.for_training))
    )
    assert set(ready.bound.inputs) == set(one.bound.inputs)
    assert set(ready.bound.scalars) == set(one.bound.scalars)
    some = np.array([12, 3, 19, 3, 0, 7, 8, 11])[:rows]
    for number in (4, 9):
        for each in (ready, one):
            each.fill(some, number)
            each.bound.step(*[NUMBERS[name] for name in each.bound.scalars])
        drawn = {spec.stream: buffer for spec, buffer in ready.bound.draws}
        for spec, buffer in one.bound.draws:
            assert drawn[spec.stream].tobytes() == buffer.tobytes()
        for name, buffer in one.bound.inputs.items():
            assert ready.bound.inputs[name].tobytes() == buffer.tobytes() == fields[name][some].tobytes()
    program.close()


def test_each_process_takes_its_rows_of_read_only_fields_when_it_runs(two: Sharded) -> None:
    ready = feed(two, first_state().for_training, read_only(data(20)), 8, 5)
    ready.fill(np.arange(8), 1)
    assert not any(np.any(buffer) for buffer in ready.bound.inputs.values())


def test_what_changes_in_a_field_that_can_be_written_is_seen(two: Sharded) -> None:
    fields = data(20)
    ready = feed(two, first_state().for_training, fields, 8, 5)
    for value in (2, 3):
        fields["x"][:] = value
        ready.fill(np.arange(8), 1)
        ready.bound.step(*[NUMBERS[name] for name in ready.bound.scalars])
        assert np.all(ready.bound.inputs["x"] == value)


def test_other_fields_and_seeds_have_bindings_of_their_own(two: Sharded) -> None:
    state, fields = first_state().for_training, read_only(data(20))
    first, again = feed(two, state, fields, 8, 5), feed(two, state, fields, 8, 5)
    other, seeded = feed(two, state, read_only(fields), 8, 5), feed(two, state, fields, 8, 6)
    by_hand = two.bind({"B": 8}, state)
    assert first.bound is again.bound
    assert len({id(bound) for bound in (first.bound, other.bound, seeded.bound, by_hand)}) == 4


def test_a_batch_of_few_rows_is_not_cut(two: Sharded) -> None:
    made: list[Program] = []
    two.whole = lambda: made.append(whole()) or made[0]
    state, alone, values = first_state(), first_state(), given(3)
    results = run(two.bind({"B": 3}, state.for_training), values)
    assert not workers_of(two)
    assert len(made) == 1
    expected = run(whole().bind({"B": 3}, alone.for_training), values)
    assert results["loss"].tobytes() == expected["loss"].tobytes()
    assert bytes_of(state) == bytes_of(alone)


def test_the_first_shards_have_the_rows_that_are_over() -> None:
    cut = Cut("B", 3, {}, {})
    assert cut.of(8) == [Shard(0, 3, 8), Shard(3, 6, 8), Shard(6, 8, 8)]
    assert sum(shard.share for shard in cut.of(8)) == 1.0


def test_a_shard_takes_several_elements_for_each_of_its_rows() -> None:
    array = np.arange(24).reshape(2, 12)
    np.testing.assert_array_equal(Shard(1, 3, 4).of(array, 1), array[:, 3:9])


def test_state_that_is_not_shared_is_refused(two: Sharded) -> None:
    state = first_state()
    with pytest.raises(ValueError, match="`params/all` is not in shared memory"):
        two.bind({"B": 8}, state.copy().for_training)
    with pytest.raises(ValueError, match="`table` is not in shared memory"):
        two.bind({"B": 8}, state.for_training | {"table": np.zeros(3, np.float32)})


def test_arrays_of_other_shapes_are_refused_and_leave_no_process(two: Sharded) -> None:
    state = first_state()
    with pytest.raises(SizeError, match=r"axis 0 of `momentum/all` must be 6, got 5"):
        two.bind({"B": 8}, state.for_training | {"momentum/all": np.zeros(5, np.float32)})
    assert not workers_of(two)
    with pytest.raises(SizeError, match="axis 0 of `y` must be 8"):
        two.sizes_of({"x": (8, 5), "y": (7,), "kind": (8,)})


def test_a_binding_is_found_again_and_only_a_few_are_kept(two: Sharded) -> None:
    state = first_state()
    first = two.bind({"B": 8}, state.for_training)
    (process,) = workers_of(two)
    assert two.bind({"B": 8}, state.for_training) is first
    for rows in range(9, 14):
        two.bind({"B": rows}, state.for_training)
    assert len(workers_of(two)) == 4
    assert process not in workers_of(two)
    assert is_there(process)  # `first` is still in use
    run(first, given(8))
    del first
    gc.collect()
    assert not is_there(process)


def test_bindings_for_several_sizes_take_turns(two: Sharded) -> None:
    state, again = first_state(), first_state()
    for rows in (8, 5, 8, 5):
        run(two.bind({"B": rows}, state.for_training), given(rows))
        in_turn(two, given(rows), again, NUMBERS)
    assert bytes_of(state) == bytes_of(again)


@pytest.mark.parametrize("row", [0, 7])
def test_an_id_out_of_range_is_the_error_that_one_program_raises(two: Sharded, row: int) -> None:
    values = given(8)
    bound = two.bind({"B": 8}, first_state().for_training)
    values["kind"][row] = 9
    with pytest.raises(IdError, match="id 9 is not one of the 3 ids from 0 to 2"):
        run(bound, values)
    values["kind"][row] = 0
    run(bound, values)


def test_a_loss_that_is_not_finite_changes_nothing(two: Sharded) -> None:
    values, state = given(8), first_state()
    bound = two.bind({"B": 8}, state.for_training)
    run(bound, values)
    before = bytes_of(state)
    values["y"][7] = np.inf
    with pytest.raises(NonFiniteError, match="`loss` is not finite"):
        run(bound, values)
    assert bytes_of(state) == before


def test_a_program_that_was_closed_can_be_bound_anew(two: Sharded) -> None:
    state, values = first_state(), given(8)
    bound = two.bind({"B": 8}, state.for_training)
    (process,) = workers_of(two)
    two.close()
    assert not is_there(process)
    with pytest.raises(RuntimeError, match="closed"):
        run(bound, values)
    run(two.bind({"B": 8}, state.for_training), values)


def test_a_dropped_program_leaves_no_process() -> None:
    program = cut_step(3)
    bound = program.bind({"B": 8}, first_state().for_training)
    processes = workers_of(program)
    assert len(processes) == 2
    del program, bound
    gc.collect()
    assert not any(map(is_there, processes))


def job(program: Sharded | Program, state: State, **changes: object) -> Job:
    """Six batches of eight rows and one of three an epoch."""
    fields = read_only(data(51))
    joined = {"error": "rows", "unordered": "sum"}
    figures = Figures(joined, lambda joined: {"loss": joined["loss"], "rows": float(len(joined["error"]))})
    update = Update("", program, lambda step: 0.05, figures=figures)
    made = Job((update,), whole(), state, Part(fields, None), None, 8, 4, 3)
    return replace(made, **changes)


def test_a_training_comes_out_as_that_of_one_program(two: Sharded) -> None:
    state, alone = first_state(), first_state()
    history, expected = (train(job(*each)).history for each in ((two, state), (whole(), alone)))
    assert [(row["step"], row["rows"]) for row in history] == [(7, 51), (14, 51), (21, 51), (28, 51)]
    np.testing.assert_allclose([row["loss"] for row in history], [row["loss"] for row in expected], rtol=1e-5)
    np.testing.assert_allclose(state.params["w"], alone.params["w"], rtol=1e-4, atol=1e-5)


def test_who_fills_the_batches_makes_no_difference_to_a_training(two: Sharded) -> None:
    state, again = first_state(), first_state()
    part = Part(data(51), None)
    assert all(field.flags.writeable for field in part.fields.values())
    apart = train(job(two, state, batch=9))  # the first process takes five rows of nine; the last batch has six
    before = train(job(two, again, batch=9, train=part))
    assert bytes_of(state) == bytes_of(again)
    assert [row["loss"] for row in apart.history] == [row["loss"] for row in before.history]


def test_a_training_whose_worker_is_killed_keeps_the_last_finished_epoch(two: Sharded) -> None:
    class Killer:
        def on_start(self, *_: int) -> None: ...
        def on_step(self, *_: object) -> None: ...
        def on_end(self, interrupted: bool) -> None: ...

        def on_epoch(self, row: dict) -> None:
            if row["epoch"] == 2:
                os.kill(workers_of(two)[0], signal.SIGKILL)

    state, through = first_state(), first_state()
    with pytest.raises(RuntimeFault) as caught:
        train(job(two, state), observer=Killer())
    assert caught.value.code == "DL5090"
    train(job(other := cut_step(), through, epochs=2))
    other.close()
    assert bytes_of(state) == bytes_of(through)
    run(two.bind({"B": 8}, state.for_training), given(8))


def test_shared_state_is_the_same_state() -> None:
    state = first_state().copy()
    state.params["w"][...] = 3
    shared = state.shared()
    assert bytes_of(shared) == bytes_of(state)
    shared.arenas["params/all"][...] = 4
    assert shared.params["w"].tolist() == [4] * 5
    assert state.params["w"].tolist() == [3] * 5
    shared.params["seen"][...] = 7
    state.copy_from(shared)
    assert bytes_of(shared) == bytes_of(state)
    assert list(LAYOUT.views(shared.arenas["momentum/all"])) == ["w", "b"]


THREADS = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import numpy as np
import threadpoolctl
from dslc_runtime.mapped import shared_bytes
from dslc_runtime.threads import limited
from dslc_runtime.workers import Worker

def threads():
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

a, out = np.ones((800, 800), np.float32), np.ndarray((800, 800), np.float32, shared_bytes(4 * 800 * 800))
seen = np.ndarray(1, np.int64, shared_bytes(8))

def run():
    np.dot(a, a, out=out)
    seen[0] = max(threads())

before = threads()
for _ in range(3):
    np.dot(a, a)
    with limited(1):
        worker = Worker(run)
    np.dot(a, a)
    worker.start()
    np.dot(a, a)
    worker.wait()
    assert seen[0] == 1 and out[3, 4] == 800 and threads() == before
    worker.close()
print("done")
"""


def test_products_with_threads_before_and_after_a_fork_do_not_hang() -> None:
    alone = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    command = [sys.executable, "-c", THREADS]
    done = subprocess.run(command, env=alone, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("done\n", "")
