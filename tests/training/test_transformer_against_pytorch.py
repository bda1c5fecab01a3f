"""Twenty float64 steps of a Transformer layer equal PyTorch's (`tests/goldens/make_transformer_training.py`); dropout inside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformer_training_cases import CASES, PROGRAM, STEPS, batch, first_values

from dslc.check import check_source
from dslc.check.typed import TypedTrain
from dslc.driver.stepping import one_step
from dslc.driver.training import prepare
from dslc.source import Source

GOLDEN = np.load(Path(__file__).parent.parent / "goldens" / "transformer_training.npz")


def train_block(text: str) -> TypedTrain:
    checked, sink = check_source(Source("net.dl", text))
    assert not sink.failed, [d.message for d in sink.found]
    train = checked.trains["net"]
    assert train is not None
    return train


@pytest.mark.parametrize("case", CASES)
def test_twenty_steps_in_float64_equal_those_of_pytorch(case: str):
    options, optimizer = CASES[case]
    made = prepare(train_block(PROGRAM.replace("OPTIONS", options).replace("OPTIMIZER", optimizer)))
    first = first_values()
    assert made.state.params.keys() == first.keys()
    for key, value in first.items():
        made.state.params[key][...] = value
    losses: list[float] = []
    for number in range(STEPS):
        x, label = batch(number)
        losses += one_step(made, {"x": x, "label": label}, number + 1, lambda: 1).values()
    np.testing.assert_allclose(losses, GOLDEN[f"{case}/loss"], rtol=1e-9, atol=1e-9)
    for key, value in made.state.params.items():
        np.testing.assert_allclose(value, GOLDEN[f"{case}/after/{key}"], rtol=1e-9, atol=1e-9, err_msg=key)


def test_every_dropout_inside_a_layer_draws_numbers_of_its_own():
    text = PROGRAM.replace("dropout = 0", "dropout = 0.1").replace("OPTIONS", "norm_first = true")
    made = prepare(train_block(text.replace("OPTIMIZER", "adam()")))
    streams = [node.attrs.str("stream") for node in made.graphs.steps[0].leaves("draw")]
    assert len(set(streams)) == len(streams) == 4  # weights of attention, behind it, between the products, behind them
