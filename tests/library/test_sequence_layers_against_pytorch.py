"""Layers on sequences, in values and gradients, against what PyTorch computed (`goldens/make_sequence_layers.py`)."""

from __future__ import annotations

import pytest
from layer_goldens import TOLERANCES, Goldens, elaborated, typed
from sequence_layers_cases import CASES

GOLDENS = Goldens.of("sequence_layers.npz")


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_pytorch(case: str, dtype: str):
    stage, shape, element = CASES[case]
    y = typed(GOLDENS.shape(case, "y"), "f32")
    model = elaborated(f"input x: {typed(shape, element)}\noutput y: {y}\ny = x |> {stage}", training=True)
    GOLDENS.assert_learns(case, {"x": GOLDENS.arrays[f"{case}/x"]}, model, dtype)


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][1]])
def test_twenty_steps_of_training_come_to_the_parameters_of_pytorch(case: str):
    stage, _, element = CASES[case]
    GOLDENS.assert_trains(case, stage, element)
