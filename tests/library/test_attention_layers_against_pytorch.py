"""Attention, Transformer layers and gates, in values and gradients, against PyTorch (`goldens/make_attention_layers.py`)."""

from __future__ import annotations

import pytest
from attention_layers_cases import CASES
from layer_goldens import TOLERANCES, Goldens, elaborated, typed

GOLDENS = Goldens.of("attention_layers.npz")


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_pytorch(case: str, dtype: str):
    facts = CASES[case]
    inputs = [
        f"input {name}: {typed(shape, 'bool' if name == 'mask' else 'f32')}" for name, shape in facts.shapes.items()
    ]
    output = f"output y: {typed(GOLDENS.shape(case, 'y'), 'f32')}"
    layer = [f"layer it = {facts.layer}"] if facts.layer else []
    model = elaborated("\n".join([*inputs, output, *layer, f"y = {facts.value}"]), training=True)
    GOLDENS.assert_learns(case, GOLDENS.stored(case, "input"), model, dtype)
