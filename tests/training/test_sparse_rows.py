"""A table of which a batch reads few rows, trained: PyTorch's values (`tests/goldens/make_sparse_rows.py`), and rows left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sparse_rows_cases import BATCH, FEW_ROWS, OPTIMIZERS, PROGRAM, READ, ROWS, STEPS, Array, batch, first_values

from benchmarks.leaving_out import left_out
from dslc.check import check_source
from dslc.driver.stepping import one_step
from dslc.driver.training import Prepared, prepare
from dslc.source import Source

GOLDEN = np.load(Path(__file__).parent.parent / "goldens" / "sparse_rows.npz")


def trained(text: str) -> tuple[Array, Prepared]:
    """The losses of all steps, and the training after them."""
    checked, sink = check_source(Source("words.dl", text))
    assert not sink.failed, [d.message for d in sink.found]
    train = checked.trains["words"]
    assert train is not None
    made = prepare(train)
    for key, value in first_values().items():
        made.state.params[key][...] = value
    losses: list[float] = []
    for step in range(STEPS):
        gathered = step % train.accumulate * BATCH
        losses.append(one_step(made, batch(step), step + 1, lambda: 1, gathered)["loss"])
    return np.array(losses), made


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_large_table_is_trained_as_by_pytorch(optimizer: str):
    losses, made = trained(PROGRAM.replace("OPTIMIZER", OPTIMIZERS[optimizer]))
    np.testing.assert_allclose(losses, GOLDEN[f"{optimizer}/losses"], rtol=1e-12)
    for key, parameter in made.state.params.items():
        value = parameter[READ] if key == "table" else parameter
        np.testing.assert_allclose(value, GOLDEN[f"{optimizer}/after/{key}"], rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_rows_that_no_batch_read_keep_every_bit(optimizer: str):
    _, made = trained(PROGRAM.replace("OPTIMIZER", OPTIMIZERS[optimizer]))
    others = np.setdiff1d(np.arange(ROWS), READ)
    assert made.state.params["table"][others].tobytes() == first_values()["table"][others].tobytes()


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("optimizer", FEW_ROWS)
def test_training_by_rows_gives_every_bit_of_training_the_whole_table(optimizer: str, accumulate: int, dtype: str):
    text = PROGRAM.replace("OPTIMIZER", OPTIMIZERS[optimizer]).replace("f64", dtype)
    text = text.replace("batch     = 6", f"batch = 6\n  accumulate = {accumulate}")
    losses, by_rows = trained(text)
    with left_out("updates in pieces"):
        expected, whole = trained(text)
    assert "scatter_update" in by_rows.steps[0].source
    assert "scatter_update" not in whole.steps[0].source
    assert losses.tolist() == expected.tolist()
    for name, vector in whole.state.for_training.items():
        assert by_rows.state.for_training[name].tobytes() == vector.tobytes(), name
