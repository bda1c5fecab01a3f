"""Layers and functions on images, in values and gradients, against what PyTorch computed (`goldens/make_image_layers.py`)."""

from __future__ import annotations

import numpy as np
import pytest
from image_layers_cases import CASES
from layer_goldens import TOLERANCES, Goldens, elaborated, typed

from dslc.backends.interpret import interpret
from dslc.check.typed import TypedModel
from dslc.lower import lower
from dslc.passes import optimize

GOLDENS = Goldens.of("image_layers.npz")


def model(case: str, dtype: str, training: bool) -> TypedModel:
    """A model that is one case alone."""
    x, y = (typed(GOLDENS.shape(case, name), dtype) for name in ("x", "y"))
    return elaborated(f"input x: {x}\noutput y: {y}\ny = x |> {CASES[case][0]}", training)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES)
def test_values_gradients_and_updates_are_those_of_pytorch(case: str, dtype: str):
    GOLDENS.assert_learns(case, {"x": GOLDENS.arrays[f"{case}/x"]}, model(case, dtype, training=True), dtype)


@pytest.mark.parametrize("case", CASES)
def test_twenty_steps_of_training_come_to_the_parameters_of_pytorch(case: str):
    GOLDENS.assert_trains(case, CASES[case][0])


@pytest.mark.parametrize("case", [case for case in CASES if f"{case}/inferred y" in GOLDENS.arrays])
def test_inference_takes_the_running_statistics(case: str):
    inferred = model(case, "f64", training=False)
    after = {f"it.{name}": value for name, value in GOLDENS.stored(case, "after").items()}
    feeds = GOLDENS.feeds(case, {"x": GOLDENS.arrays[f"{case}/x"]}, "f64") | after
    found = interpret(optimize(lower(inferred.body, inferred.outputs)), feeds)
    np.testing.assert_allclose(found["y"], GOLDENS.arrays[f"{case}/inferred y"], rtol=1e-9, atol=1e-12)
