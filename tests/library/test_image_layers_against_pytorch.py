"""Layers and functions on images, in values and gradients, against what PyTorch computed (`goldens/make_image_layers.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from image_layers_cases import CASES

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.check.elaborate import elaborate_model
from dslc.check.files import file_scope
from dslc.check.typed import TypedModel
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import Builder, Graph, verify
from dslc.lower import lower, lower_into
from dslc.passes import optimize
from dslc.source import Source
from dslc.syntax.parse import parse

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "image_layers.npz")
TOLERANCES = {"f64": (1e-9, 1e-12), "f32": (1e-5, 1e-5)}


def stored(case: str, kind: str) -> dict[str, Any]:
    """The arrays of a case whose names begin with a word, by the rest of the name."""
    prefix = f"{case}/{kind} "
    return {name.removeprefix(prefix): GOLDENS[name] for name in GOLDENS.files if name.startswith(prefix)}


def elaborated(case: str, dtype: str, training: bool) -> TypedModel:
    """A model that is one case alone."""
    sizes = [", ".join(map(str, GOLDENS[f"{case}/{name}"].shape)) for name in ("x", "y")]
    text = (
        f"model M {{\n input x: {dtype}[{sizes[0]}]\n output y: {dtype}[{sizes[1]}]\n y = x |> {CASES[case][0]}\n}}\n"
    )
    sink = Sink()
    scope = file_scope(parse(Source("m.dl", text), sink), sink)
    model = elaborate_model(scope, "M", {}, training, sink)
    assert model is not None, render(sink, color=False)
    return model


def trained(model: TypedModel) -> Graph:
    """The outputs of a model, the gradients of ``sum(y * of_y)``, and what it updates."""
    builder = Builder()
    values = lower_into(builder, model.body)
    y = values[model.outputs["y"]]
    loss = builder.apply("sum", builder.apply("mul", y, builder.leaf("input", y.type, name="of_y")))
    leaves = {"x": next(node.out for node in builder.graph.leaves("input") if node.attrs["name"] == "x")}
    trainable = {key for key, spec in model.body.params.items() if spec.trainable}
    for node in builder.graph.leaves("param"):
        if node.attrs.str("key") in trainable:
            leaves[node.attrs.str("key").removeprefix("it.")] = node.out
    found = gradients(builder, loss, list(leaves.values()))
    builder.graph.outputs |= {"y": y} | {f"d {name}": g for name, g in zip(leaves, found, strict=True)}
    updates = {f"after {key.removeprefix('it.')}": values[value] for key, value in model.body.updates.items()}
    builder.graph.outputs |= updates
    return builder.graph


def feeds(case: str, dtype: str) -> dict[str, npt.NDArray[Any]]:
    arrays = {name: GOLDENS[f"{case}/{name}"] for name in ("x", "of_y")}
    for kind in ("param", "buffer"):
        arrays |= {f"it.{name}": value for name, value in stored(case, kind).items()}
    return {name: value.astype(np.float64 if dtype == "f64" else np.float32) for name, value in arrays.items()}


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("case", CASES)
def test_values_gradients_and_updates_are_those_of_pytorch(case: str, dtype: str):
    graph = optimize(trained(elaborated(case, dtype, training=True)))
    verify(graph, "test")
    found = interpret(graph, feeds(case, dtype))
    expected = {"y": GOLDENS[f"{case}/y"]}
    for kind in ("d", "after"):
        expected |= {f"{kind} {name}": value for name, value in stored(case, kind).items()}
    assert set(found) == set(expected)
    rtol, atol = TOLERANCES[dtype]
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("case", [case for case in CASES if f"{case}/inferred y" in GOLDENS])
def test_inference_takes_the_running_statistics(case: str):
    model = elaborated(case, "f64", training=False)
    after = {f"it.{name}": value for name, value in stored(case, "after").items()}
    found = interpret(optimize(lower(model.body, model.outputs)), feeds(case, "f64") | after)
    np.testing.assert_allclose(found["y"], GOLDENS[f"{case}/inferred y"], rtol=1e-9, atol=1e-12)
