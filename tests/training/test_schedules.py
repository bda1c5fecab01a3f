"""Learning rates, from the text of a program to the rate of each step: against PyTorch's schedulers and closed formulas."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from dslc.check import check_source
from dslc.check.typed import TypedStep
from dslc.driver.rates import plateau, rate
from dslc.ops.schedules import SCHEDULES
from dslc.source import Source
from dslc_runtime.plateau import Level, advance
from dslc_runtime.schedules import CURVES

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "schedules.json").read_text())
PER_EPOCH = 5

PROGRAM = """
dim B
model Line { input x: f32[B]; output y: f32[B]; param w: f32[] = zeros(); y = x * w }
data points { source = inline({ x: [1, 2] }); split = { val: 0.5 }; field x: f32[] = source["x"] }
train line { use net = Line(); data = points; loss = mean(net.y); optimizer = sgd(lr = RATE) }
"""

AS_PYTORCH = {
    "cosine": "0.1 |> cosine(40 steps, to = 0.001)",
    "linear": "0.1 |> linear(4 epochs, to = 0.02)",
    "polynomial": "0.1 |> polynomial(6 epochs, power = 2.5)",
    "step_decay": "0.1 |> step_decay(every = 2 epochs, factor = 0.3)",
    "exponential": "0.1 |> exponential(every = 1 steps, factor = 0.9)",
    "one_cycle": "one_cycle(8 epochs, peak = 0.1)",
    "warm_cosine": "warmup(2 epochs, to = 0.1) |> cosine(20 steps, to = 0.001)",
}


PLATEAUS_AS_PYTORCH = {
    "plateau": 'plateau("val.loss", factor = 0.5, patience = 2 epochs)',
    "plateau_cooldown": (
        'plateau(on = "val.loss", factor = 0.3, patience = 1 epochs, cooldown = 3 epochs, min_lr = 0.004)'
    ),
    "plateau_share": 'plateau(on = "loss", factor = 0.5, patience = 0 epochs, threshold = 0.1)',
    "plateau_difference": (
        'plateau(on = "loss", factor = 0.5, patience = 1 epochs, threshold = 0.1, relative = false)'
    ),
    "plateau_max": 'plateau(on = "val.loss", factor = 0.5, patience = 2 epochs, threshold = 0.05, mode = "max")',
}


def stepped(text: str) -> TypedStep:
    """The step whose rate is given."""
    checked, sink = check_source(Source("line.dl", PROGRAM.replace("RATE", text)))
    assert not sink.failed, [d.message for d in sink.found]
    return checked.trains["line"].steps[0]


def rates(text: str, steps: int, per_epoch: int = PER_EPOCH) -> list[float]:
    """The rates of the first steps."""
    found = rate(stepped(text), per_epoch)
    return [found(step) for step in range(1, steps + 1)]


def followed(text: str, scores: list[float], per_epoch: int = PER_EPOCH) -> list[float]:
    """The rate at the end of each epoch, where epochs end with these scores."""
    rule = plateau(stepped(text), per_epoch)
    assert rule is not None
    level, found = Level(), []
    for epoch, score in enumerate(scores, start=1):
        found.append(rule.rates(level.cuts)(epoch * per_epoch))
        level = advance(level, rule, epoch * per_epoch, score)
    return found


@pytest.mark.parametrize("case", AS_PYTORCH)
def test_a_schedule_equals_that_of_pytorch(case: str):
    wanted = GOLDEN[case]
    if case == "warm_cosine":  # after its end PyTorch's cosine rises again; here the rate stays
        wanted = wanted[:30] + [0.001] * 10
    np.testing.assert_allclose(rates(AS_PYTORCH[case], 40), wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("case", PLATEAUS_AS_PYTORCH)
def test_a_plateau_cuts_where_that_of_pytorch_does(case: str):
    wanted, scores = GOLDEN[case], GOLDEN["scores"][case]
    assert 3 <= len(set(wanted)) < 15, "the case cuts several times"
    found = followed(f"0.1 |> {PLATEAUS_AS_PYTORCH[case]}", scores)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_plateau_looks_at_the_epochs_that_end_in_its_stage():
    text = 'warmup(2 epochs, to = 1.0) |> plateau("loss", factor = 0.5, patience = 0 epochs, length = 3 epochs)'
    text += " |> linear(2 epochs, to = 0.05)"
    found = followed(text, [1.0] * 8)
    # The first score is that of epoch 3; those of 4 and 5 are no better, and each cuts the rate of what comes after it.
    assert found[:5] == [0.5, 1.0, 1.0, 1.0, 0.5]
    line = [0.25 - 0.2 * (j / 10) for j in (4, 9)]
    np.testing.assert_allclose(found[5:], [*line, 0.05], rtol=1e-12)


def test_a_number_is_the_rate_of_every_step():
    assert rates("3e-4", 7) == [3e-4] * 7


def test_a_warmup_moves_in_its_first_step_and_has_its_target_in_the_last():
    assert rates("warmup(4 steps, to = 1.0)", 6) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert rates("warmup(2 steps, to = 1.0, start = 0.5)", 3) == [0.75, 1.0, 1.0]
    assert rates("0.5 |> warmup(2 steps, to = 1.0)", 3) == [0.75, 1.0, 1.0]


def test_every_stage_goes_on_where_the_one_before_ended():
    text = "1.0 |> linear(2 epochs, to = 0.5) |> constant(3 steps) |> exponential(every = 10 steps, factor = 0.1)"
    found = rates(text, 40)
    line = [1.0 - 0.05 * j for j in range(10)]
    tail = [0.5 * 0.1 ** (j / 10) for j in range(27)]
    np.testing.assert_allclose(found, [*line, 0.5, 0.5, 0.5, *tail], rtol=1e-12)


def test_a_stage_may_start_elsewhere():
    text = "1.0 |> cosine(4 steps) |> cosine(4 steps, start = 0.5)"
    half = [(1 + math.cos(math.pi * j / 4)) / 2 for j in range(4)]
    np.testing.assert_allclose(rates(text, 10), [*half, *(0.5 * h for h in half), 0.0, 0.0], rtol=1e-12, atol=1e-16)


def test_the_last_rate_stays():
    assert rates("1.0 |> polynomial(3 steps, to = 0.25)", 6)[3:] == [0.25, 0.25, 0.25]


def test_epochs_are_counted_in_steps_of_the_data_at_hand():
    assert rates("1.0 |> step_decay(every = 1 epochs, factor = 0.5)", 6, per_epoch=2) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert rates("1.0 |> step_decay(every = 0.5 epochs, factor = 0.5)", 4, per_epoch=2) == [1, 0.5, 0.25, 0.125]
    assert rates("1.0 |> linear(0.1 epochs)", 2, per_epoch=2) == [1.0, 0.0], "at least one step"


def test_the_rate_of_a_step_does_not_depend_on_which_rates_were_asked_for_before():
    checked, _ = check_source(Source("line.dl", PROGRAM.replace("RATE", AS_PYTORCH["warm_cosine"])))
    found = rate(checked.trains["line"].steps[0], PER_EPOCH)
    forward = [found(step) for step in range(1, 41)]
    assert [found(step) for step in range(40, 0, -1)] == forward[::-1]


def test_the_language_and_the_runtime_know_the_same_schedules():
    assert SCHEDULES.keys() == CURVES.keys()


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_example_of_a_schedule_is_a_program(name: str):
    example = SCHEDULES[name].example
    assert name in example
    assert all(value >= 0 for value in rates(example.removeprefix("lr = "), 30))
