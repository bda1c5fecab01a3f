"""A training within a budget: as it is, with cheap results computed again, or not at all; the bytes of its weights are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dslc.diagnostics import DslcError
from dslc.driver.budget import megabytes, recomputing, within
from dslc.driver.frontend import Checked, check_program
from dslc.driver.training import Prepared, Trained, choose_train, fit, prepare
from dslc.source import Source

DEEP = """
dim B
model Deep {
  input  x: f32[B, 4]
  output y: f32[B, 1]
  a = x |> first: Dense(8)
  h = a |> stack: repeat(6) { up: Dense(32) |> gelu |> Dropout(0.1) |> down: Dense(8) |> tanh }
  y = h |> last: Dense(1)
}
data rows {
  source = inline({ x: [[0, 1, 2, 3], [1, 0, 3, 2], [2, 1, 0, 3], [3, 2, 1, 0]], y: [[0], [1], [0], [1]] })
  field x: f32[4] = source["x"]
  field y: f32[1] = source["y"]
}
train t {
  use net = Deep()
  data = rows
  batch = 4
  epochs = 3
  optimizer = adam(lr = 0.01)
  loss = mse(net.y, data.y)
}
"""


def trained(checked: Checked, budget: int | None = None, *, remat: bool = False) -> Trained:
    made = prepare(choose_train(checked, None), remat=remat)
    return fit(checked, made, ready=None if budget is None else lambda p, opened: within(p, opened, budget))


@pytest.fixture(scope="module")
def checked() -> Checked:
    return check_program(Source("deep.dl", DEEP))


def needed(prepared: Prepared) -> int:
    """What the step, the evaluation and the state take, measured and not planned."""
    arrays = {id(a): a for a in prepared.state.for_training.values() if a.base is None}
    total = sum(array.nbytes for array in arrays.values())
    return total + sum(p.memory_bytes(dict.fromkeys(p.face.sizes, 4)) for p in (*prepared.steps, prepared.inference))


def test_computing_again_takes_less_and_gives_the_same_weights(checked: Checked) -> None:
    plain, again = trained(checked), trained(checked, remat=True)
    assert needed(again.prepared) < needed(plain.prepared)
    for key, value in plain.prepared.state.params.items():
        assert value.tobytes() == again.prepared.state.params[key].tobytes(), key
    assert [row["loss"] for row in plain.result.history] == [row["loss"] for row in again.result.history]


def test_a_training_that_fits_is_left_as_it_is(checked: Checked) -> None:
    enough = needed(prepare(choose_train(checked, None)))
    assert not trained(checked, enough).prepared.remat
    assert trained(checked, enough - 1).prepared.remat


def test_one_that_fits_in_no_form_is_refused_with_a_batch_that_would(checked: Checked) -> None:
    least = needed(recomputing(prepare(choose_train(checked, None))))
    with pytest.raises(DslcError) as caught:
        trained(checked, least - 1)
    (message,) = caught.value.diagnostics
    assert message.code == "DL6100"
    help_ = message.footers[-1].text
    found = re.search(r"--set (train\.t\.batch=(\d))", help_)
    assert found is not None, help_
    assert int(found[2]) < 4
    assert trained(check_program(Source("deep.dl", DEEP), [found[1]]), least - 1).prepared.typed.batch == int(found[2])


def test_what_is_counted_is_told_part_by_part(checked: Checked) -> None:
    with pytest.raises(DslcError) as caught:
        trained(checked, 10)
    notes = " ".join(footer.text for footer in caught.value.diagnostics[0].footers)
    parts = re.findall(r"(?:keeps take|steps take|beside them) ([\d.]+) kB", notes)
    least = needed(recomputing(prepare(choose_train(checked, None))))
    assert len(parts) == 3
    assert sum(map(float, parts)) == pytest.approx(least / 1000, abs=0.2)


def test_nothing_is_written_where_it_does_not_fit(checked: Checked, tmp_path: Path) -> None:
    made = prepare(choose_train(checked, None))
    with pytest.raises(DslcError):
        fit(checked, made, out=tmp_path / "run", ready=lambda p, opened: within(p, opened, 10))
    assert not (tmp_path / "run").exists()


def test_the_tensors_that_take_most_are_told_with_their_places(checked: Checked) -> None:
    with pytest.raises(DslcError) as caught:
        trained(checked, 10)
    notes = [footer.text for footer in caught.value.diagnostics[0].footers]
    assert any("the gradients of all parameters" in note for note in notes)
    assert any(re.search(r"in layer `stack.*, line \d+ of dense\.dl", note) for note in notes)


BAG = """
dim B
model Bag {
  input  ids: i64[B, 3]
  output y: f32[B, 16]
  y = ids |> table: Embedding(20_000, 16) |> mean(axis = 1)
}
data rows {
  source = inline({ ids: [[1, 2, 3], [2, 3, 4]], t: [[0], [1]] })
  field ids: i64[3] = source["ids"]
  field t: f32[1] = source["t"]
}
train t { use net = Bag(); data = rows; loss = mean(square(net.y - data.t)); optimizer = OPTIMIZER(lr = 0.1); LIMIT }
"""


@pytest.mark.parametrize(
    ("optimizer", "limit", "told"),
    [("adam", "", True), ("sgd", "clip_norm = 1.0", True), ("sgd", "", False), ("adagrad", "", False)],
)
def test_optimizers_that_update_by_rows_are_named_where_a_large_table_is_updated_whole(
    optimizer: str, limit: str, told: bool
) -> None:
    with pytest.raises(DslcError) as caught:
        trained(check_program(Source("bag.dl", BAG.replace("OPTIMIZER", optimizer).replace("LIMIT", limit))), 10)
    texts = [footer.text for footer in caught.value.diagnostics[0].footers]
    assert any("the embedding in layer `table`" in text and "`adagrad`" in text for text in texts) == told


def test_the_optimizers_that_are_named_do_need_less() -> None:
    whole, by_rows = (
        needed(prepare(choose_train(check_program(Source("bag.dl", text)), None)))
        for text in (BAG.replace("LIMIT", "").replace("OPTIMIZER", each) for each in ("adam", "adagrad"))
    )
    assert by_rows < whole - 2 * 20_000 * 16 * 4  # without a gradient and a slot


@pytest.mark.parametrize(
    ("count", "text"), [(12, "12 bytes"), (1500, "1.5 kB"), (200_000_000, "200 MB"), (3 * 10**9, "3 GB")]
)
def test_amounts_are_written_for_people(count: int, text: str) -> None:
    assert megabytes(count) == text
