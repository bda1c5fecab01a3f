"""Trainings whose batches are shared out to processes: when they are, and that they come to what one process comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from dslc.driver.data import open_data
from dslc.driver.frontend import Checked, check_program, read_source
from dslc.driver.sharing import cores_for, evaluation_shared_out
from dslc.driver.training import Trained, fit, prepare, train
from dslc.graph import Builder
from dslc.tensor_type import DType, TensorType, symbol
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.evaluate import evaluate, program_run
from dslc_runtime.workers import can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot fork workers")

# Two hidden layers of 640: 170 million operations for a batch of 64.
NET = """
dim B
model Net {
  input  x: f32[B, 32]
  output y: f32[B, 1]
  h1 = x |> fc1: Dense(640) NORM|> tanh
  h2 = h1 |> fc2: Dense(640) |> tanh |> Dropout(0.1)
  y  = h2 |> head: Dense(1)
}
data points {
  source = npz("points.npz")
  field x: f32[32] = source["x"]
  field y: f32[1]  = source["y"]
  split = { val: 0.2 }
}
train net {
  use net   = Net()
  data      = points
  loss      = mse(net.y, data.y) + 1e-3 * mean(square(net.fc1.weight))
  metrics   = { off: mean(abs(net.y - data.y)), worst: rmse(net.y, data.y), score: r2(net.y, data.y) }
  optimizer = adam(lr = RATE)
  LIMIT
  batch     = 64
  epochs    = 3
  seed      = 5
}
"""
ROWS = 212  # 170 to train on: the last batch has 42 rows


@pytest.fixture(params=["clip_norm = 1.0", ""], ids=["one process updates", "each process updates its slice"])
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Checked:
    return written(tmp_path, limit=request.param)


def written(folder: Path, *settings: str, norm: str = "", rate: str = "1e-3", limit: str = "") -> Checked:
    generator = np.random.Generator(np.random.Philox(1))
    x = generator.standard_normal((ROWS, 32)).astype(np.float32)
    np.savez(folder / "points.npz", x=x, y=np.tanh(x[:, :1] * x[:, 1:2]))
    (folder / "net.dl").write_text(NET.replace("NORM", norm).replace("RATE", rate).replace("LIMIT", limit))
    return check_program(read_source(folder / "net.dl"), settings)


def trained(program: Checked, threads: int, **more: object) -> Trained:
    return train(program, threads=threads, **more)  # pyright: ignore[reportArgumentType]


def numbers(found: Trained) -> np.ndarray:
    """Everything in the history but times."""
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in found.result.history]
    return np.array([[float(value) for value in row.values()] for row in rows])


def test_processes_come_to_what_one_process_comes_to(program: Checked):
    one, two, three = (trained(program, threads) for threads in (1, 2, 3))
    for found in (two, three):
        np.testing.assert_allclose(numbers(found), numbers(one), rtol=2e-4)
        for key, value in one.result.best.items():
            np.testing.assert_allclose(found.result.best[key], value, atol=2e-5)
            np.testing.assert_allclose(found.prepared.state.params[key], value, atol=2e-5)


def test_the_same_number_of_processes_gives_the_same_bytes(program: Checked):
    first, second = trained(program, 2), trained(program, 2)
    assert numbers(first).tobytes() == numbers(second).tobytes()
    assert all(np.array_equal(second.result.best[key], value) for key, value in first.result.best.items())


def test_a_run_that_is_resumed_on_processes_is_the_run_that_never_stopped(program: Checked, tmp_path: Path):
    whole = trained(program, 2, out=tmp_path / "whole")
    shorter = check_program(program.source, ("train.net.epochs=1",))
    trained(shorter, 2, out=tmp_path / "parts")
    parts = trained(program, 2, out=tmp_path / "parts", resume=True, settings=("train.net.epochs=3",))
    assert numbers(parts).tobytes() == numbers(whole).tobytes()
    assert (tmp_path / "parts/last.safetensors").read_bytes() == (tmp_path / "whole/last.safetensors").read_bytes()


def test_an_evaluation_is_shared_out_where_steps_are(program: Checked):
    typed = program.file.trains["net"]
    prepared, data = prepare(typed), open_data(program, typed.data, typed.fields)

    def scores(threads: int) -> tuple[bool, dict[str, float]]:
        cores = cores_for(prepared.graphs.steps, prepared.state, data.part("train"), typed.batch, threads, share=True)
        with evaluation_shared_out(cores, prepared.evaluation, prepared.inference) as evaluation:
            run = program_run(evaluation, prepared.state.shared().weights)
            return evaluation is prepared.inference, evaluate(run, data.part("val"), 30, prepared.figures)

    (is_whole, one), (is_still_whole, two) = scores(1), scores(2)
    assert (is_whole, is_still_whole) == (True, False)
    assert one.keys() == {"loss", "off", "worst", "score"}
    np.testing.assert_allclose(list(two.values()), list(one.values()), rtol=2e-6)


def test_an_evaluation_whose_loss_needs_all_rows_at_once_stays_in_one_process(program: Checked):
    typed = program.file.trains["net"]
    prepared, data = prepare(typed), open_data(program, typed.data, typed.fields)
    cores = cores_for(prepared.graphs.steps, prepared.state, data.part("train"), typed.batch, 2, share=True)
    b = Builder()
    y = b.leaf("input", TensorType(DType.F32, (symbol("B"),)), name="y")
    b.graph.outputs["critic.loss"] = b.apply("max", y)
    with evaluation_shared_out(cores, b.graph, prepared.inference) as evaluation:
        assert evaluation is prepared.inference


@pytest.mark.parametrize(("threads", "processes"), [(1, 1), (2, 2), (4, 4), (9, 4)])
def test_a_run_says_how_many_processes_it_used(program: Checked, tmp_path: Path, threads: int, processes: int):
    trained(program, threads, out=tmp_path / "run")
    about = json.loads((tmp_path / "run/run.json").read_text())
    assert (about["threads"], about["processes"]) == (threads, processes)


@pytest.mark.parametrize(
    ("setting", "norm"),
    [("", "|> bn: BatchNorm() "), ("train.net.batch=15", ""), ("train.net.batch=32", "")],
    ids=["rows meet in a batch norm", "few rows", "too little to do"],
)
def test_what_cannot_be_shared_out_or_is_not_worth_it_runs_on_one_process(tmp_path: Path, setting: str, norm: str):
    program = written(tmp_path, *([setting] if setting else []), norm=norm)
    found = trained(program, 2, out=tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text())["processes"] == 1
    assert np.isfinite(numbers(found)).all()


def test_a_loss_that_is_not_finite_is_told_with_its_first_value(tmp_path: Path):
    program = written(tmp_path, rate="1e38")
    prepared = prepare(program.file.trains["net"])
    with pytest.raises(RuntimeFault) as caught:
        fit(program, prepared, threads=2, out=tmp_path / "run")
    assert caught.value.code == "DL5030"
    assert any("the first value that is not finite is" in note for note in caught.value.notes)
    assert np.isfinite(prepared.state.params["fc1.weight"]).all(), "nothing is written once the loss is not finite"


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    children = Path(f"/proc/self/task/{Path('/proc/self').resolve().name}/children")
    with suppress(FileNotFoundError):  # not every kernel lists them
        assert not children.read_text()
