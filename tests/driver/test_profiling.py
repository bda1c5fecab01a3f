"""A watched training: the same numbers as a plain one, and every line's time put where it belongs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dslc.driver.frontend import check_program
from dslc.driver.profiling import PROFILE, Profile, profile, table, watched, write_profile
from dslc.driver.training import choose_train, fit, prepare
from dslc.source import Source

PROGRAM = """dim B, T
cell Leaky(units: int) {
  input x: f32[B, 2]
  state h: f32[B, units] = zeros()
  output y: f32[B, units]
  y = tanh(h + (x |> into: Dense(units)))
  next h = y
}
model Net {
  input x: f32[B, T, 2]
  output y: f32[B, 1]
  all = x |> rnn: scan(Leaky(3))
  y = all[:, -1] |> head: Dense(1)
}
data d {
  source = inline({ x: [[[1, 2], [3, 4], [0, 1]], [[0, 1], [1, 0], [2, 2]]], y: [[1], [0]] })
  field x: f32[3, 2] = source["x"]
  field y: f32[1] = source["y"]
}
train t {
  use net = Net()
  data = d
  loss = mse(net.y, data.y)
  optimizer = adam(lr = 0.01)
  batch = all
  epochs = 4
}
"""


@pytest.fixture(scope="module")
def ran() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], Profile]:
    """Weights of a plain training, those of a watched one, and what the clocks say."""
    checked = check_program(Source("net.dl", PROGRAM))
    plain = fit(checked, prepare(choose_train(checked, None)))
    prepared, watches = watched(prepare(choose_train(checked, None)))
    timed = fit(checked, prepared)
    return dict(plain.prepared.state.params), dict(prepared.state.params), profile(timed, watches)


def test_clocks_change_no_bit_of_what_is_trained(ran) -> None:
    plain, timed, _ = ran
    assert plain.keys() == timed.keys()
    for key, value in plain.items():
        np.testing.assert_array_equal(timed[key], value)


def test_all_time_is_shared_out_twice_by_lines_and_by_operators(ran) -> None:
    found = ran[2]
    assert found.steps == 4
    for figures in (found.lines, found.ops):
        assert sum(figure.share for figure in figures) == pytest.approx(1)
        assert sum(figure.microseconds for figure in figures) == pytest.approx(found.microseconds)
        assert list(figures) == sorted(figures, key=lambda figure: -figure.microseconds)


def test_steps_of_a_recurrence_are_counted_one_by_one(ran) -> None:
    (tanh,) = [figure for figure in ran[2].ops if figure.what == "tanh"]
    assert tanh.calls == 3
    assert tanh.megabytes == pytest.approx(3 * 2 * (2 * 3 * 4) / 1e6)  # three steps, read and written, 2 x 3 of float32


def test_lines_are_those_of_the_program_with_the_layer_they_were_made_for(ran) -> None:
    lines = {figure.what: figure.text for figure in ran[2].lines}
    assert lines[f"net.dl:{PROGRAM[: PROGRAM.index('loss =')].count(chr(10)) + 1}"] == "loss = mse(net.y, data.y)"
    assert lines["rnn: net.dl:6"] == "y = tanh(h + (x |> into: Dense(units)))"
    assert "(the optimizer)" in lines


def test_a_large_table_counts_with_the_rows_that_are_read_and_written() -> None:
    text = """dim B
model Bag {
  input x: i64[B, 3]
  output y: f32[B, 16]
  y = mean(x |> table: Embedding(20_000, 16), axis = 1)
}
data d {
  source = inline({ x: [[1, 2, 3], [3, 4, 5]], y: [[1], [0]] })
  field x: i64[3] = source["x"]
  field y: f32[1] = source["y"]
}
train t {
  use net = Bag()
  data = d
  loss = mean(square(net.y - data.y))
  optimizer = sgd(lr = 0.01)
  batch = all
  epochs = 2
}
"""
    checked = check_program(Source("bag.dl", text))
    prepared, watches = watched(prepare(choose_train(checked, None)))
    found = {figure.what: figure for figure in profile(fit(checked, prepared), watches).ops}
    rows, ids = 6 * 16 * 4, 6 * 8  # bytes of what six ids name, and of the ids
    assert found["scatter_update"].megabytes == pytest.approx((2 * rows + ids) / 1e6)
    assert found["gather"].megabytes == pytest.approx(
        (2 * rows + ids) / 1e6
    )  # the update has the rows that forward read


def test_figures_are_printed_and_written(ran, tmp_path: Path) -> None:
    text = table(ran[2], longest=2)
    assert text.startswith("a step takes ")
    assert text.splitlines()[0].endswith("over 4 steps, on 1 process with 1 thread")
    assert len(text.splitlines()) == 2 + 2 * (1 + 2) + 1
    write_profile(ran[2], tmp_path)
    assert json.loads((tmp_path / PROFILE).read_text())["steps"] == 4


def test_tiles_of_a_long_vector_are_one_pass_over_it() -> None:
    text = PROGRAM.replace("head: Dense(1)", "wide: Dense(100_000) |> head: Dense(1)")
    checked = check_program(Source("net.dl", text))
    prepared, watches = watched(prepare(choose_train(checked, None)))
    found = profile(fit(checked, prepared), watches)
    (root,) = [figure for figure in found.ops if figure.what == "sqrt"]
    parameters = sum(value.size for value in prepared.state.params.values())
    assert root.calls > 2  # the vector is done in tiles
    assert root.megabytes == pytest.approx(2 * parameters * 4 / 1e6, rel=0.01)
