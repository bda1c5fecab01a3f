"""Attention, Transformer layers and gates, in values and gradients, against PyTorch (`goldens/make_attention_layers.py`)."""

from __future__ import annotations

import numpy as np
import pytest
from attention_layers_cases import CASES
from layer_goldens import RATE, TOLERANCES, Goldens, check, elaborated, trained, typed

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


def training_program(case: str) -> str:
    """The layer of a case trained towards `t`; every input has a field."""
    facts = CASES[case]
    types = {name: "bool" if name == "mask" else "f32" for name in facts.shapes}
    inputs = [f"input {name}: {typed(('B', *shape[1:]), types[name])}" for name, shape in facts.shapes.items()]
    y = GOLDENS.shape(case, "y")
    fields = [f'field {n}: {typed(shape[1:], types[n])} = source["{n}"]' for n, shape in facts.shapes.items()]
    model = [*inputs, f"output y: {typed(('B', *y[1:]), 'f32')}", f"layer it = {facts.layer}", f"y = {facts.value}"]
    data = ['source = npz("rows.npz")', *fields, f'field t: {typed(y[1:], "f32")} = source["t"]']
    train = ["use net = M()", "data = rows", "loss = mse(net.y, data.t)", f"optimizer = adam(lr = {RATE})"]
    parts = {"model M": model, "data rows": data, "train net": train}
    return "dim B\n" + "\n".join(f"{head} {{\n" + "\n".join(lines) + "\n}" for head, lines in parts.items())


TRAINED = [case for case in CASES if GOLDENS.stored(case, "trained")]


@pytest.mark.parametrize("case", TRAINED)
def test_twenty_steps_of_training_come_to_the_parameters_of_pytorch(case: str):
    block = check(training_program(case)).trains["net"]
    first = {f"it.{name}": value for name, value in GOLDENS.stored(case, "param").items()}
    fields = {**GOLDENS.stored(case, "input"), "t": GOLDENS.arrays[f"{case}/of_y"]}
    found, expected = trained(block, first, fields), GOLDENS.stored(case, "trained")
    assert found.keys() == expected.keys()
    for key, value in found.items():
        # The bias of keys moves all scores of a query alike: it has no gradient but what rounding leaves.
        atol = 1e-8 if key.endswith("key.bias") else 1e-11
        np.testing.assert_allclose(value, expected[key], rtol=1e-9, atol=atol, err_msg=key)


def test_every_layer_with_parameters_is_trained():
    without = {case for case, facts in CASES.items() if not facts.layer} | {"sinusoids"}
    assert set(TRAINED) == set(CASES) - without
