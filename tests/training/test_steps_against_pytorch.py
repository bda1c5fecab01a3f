"""Several objectives, clipping, penalties and frozen parameters equal PyTorch's (`tests/goldens/make_steps.py`), in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from steps_cases import GAN, LINES, NET, NET_SHAPES, SHAPES, SHARED, STEPS, Array, batch, first_values

from dslc.check import check_source
from dslc.check.typed import TypedTrain
from dslc.driver.stepping import one_step
from dslc.driver.training import Prepared, prepare
from dslc.source import Source

GOLDEN = np.load(Path(__file__).parent.parent / "goldens" / "steps.npz")


def train_block(text: str) -> TypedTrain:
    checked, sink = check_source(Source("net.dl", text))
    assert not sink.failed, [d.message for d in sink.found]
    (train,) = checked.trains.values()
    return train


def trained(text: str, first: dict[str, Array]) -> tuple[Array, Prepared]:
    """The losses of every update, and the training after them."""
    train = train_block(text)
    made = prepare(train)
    assert made.state.params.keys() == first.keys()
    for key, value in first.items():
        made.state.params[key][...] = value
    losses: list[list[float]] = []
    for number in range(STEPS):
        given = {name: array for name, array in batch(number).items() if name in train.fields}
        gathered = number % train.accumulate * len(given["x"])
        losses.append(list(one_step(made, given, number + 1, lambda: 1, gathered).values()))
    return np.array(losses), made


def assert_golden(case: str, losses: Array, made: Prepared) -> None:
    np.testing.assert_allclose(losses, GOLDEN[f"{case}/losses"], rtol=1e-9, atol=1e-9, err_msg=case)
    state = made.state.params | {f"average of {key}": value for key, value in made.state.weights.items()}
    stored = [name.removeprefix(f"{case}/after/") for name in GOLDEN.files if name.startswith(f"{case}/after/")]
    assert len(stored) == len(state if made.typed.average is not None else made.state.params)
    for key in stored:
        np.testing.assert_allclose(
            state[key], GOLDEN[f"{case}/after/{key}"], rtol=1e-9, atol=1e-9, err_msg=f"{case} {key}"
        )


def test_alternating_steps_equal_those_of_pytorch():
    losses, made = trained(GAN, first_values(SHAPES))
    assert losses.shape == (STEPS, 2)
    assert_golden("gan", losses, made)
    assert [group.name for group in made.graphs.groups] == ["generator", "critic"]


def test_steps_that_share_parameters_keep_moments_of_their_own():
    losses, made = trained(SHARED, first_values(SHAPES))
    assert_golden("shared", losses, made)
    slots = {group.name: group.slots for group in made.graphs.groups}
    assert slots == {
        "critic+generator": ("critic.m", "critic.v", "generator.velocity"),
        "critic": ("critic.m", "critic.v"),
    }


@pytest.mark.parametrize("case", LINES)
def test_clipping_penalties_and_frozen_parameters_equal_those_of_pytorch(case: str):
    line = LINES[case]
    text = NET.replace("PENALTY", line.penalty).replace("SETTINGS", line.settings)
    losses, made = trained(text, first_values(NET_SHAPES))
    assert_golden(case, losses[:, 0], made)


def test_the_cases_lead_to_different_places():
    ends = [GOLDEN[f"{case}/after/fc2.weight"] for case in LINES if case not in ("ema", "ema_warmup")]
    ends += [GOLDEN[f"{case}/after/average of fc2.weight"] for case in ("ema", "ema_warmup")]
    assert min(np.abs(a - b).max() for i, a in enumerate(ends) for b in ends[:i]) > 1e-3


def test_without_limits_the_training_of_the_clipping_cases_goes_elsewhere():
    losses, _ = trained(NET.replace("PENALTY", "").replace("SETTINGS", ""), first_values(NET_SHAPES))
    for case in ("clip_norm", "clip_value"):
        assert not np.allclose(losses[-1], GOLDEN[f"{case}/losses"][-1], rtol=1e-3)
