"""Attention, Transformer layers and gates, in values and gradients, against PyTorch (`goldens/make_attention_layers.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from attention_layers_cases import CASES

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.check.elaborate import elaborate_model
from dslc.check.files import file_scope
from dslc.check.typed import TypedModel
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import Builder, Graph, verify
from dslc.lower import lower_into
from dslc.passes import optimize
from dslc.source import Source
from dslc.syntax.parse import parse

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "attention_layers.npz")
TOLERANCES = {"f64": (1e-9, 1e-12), "f32": (1e-5, 1e-5)}


def stored(case: str, kind: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a case whose names begin with a word, by the rest of the name."""
    prefix = f"{case}/{kind} "
    return {name.removeprefix(prefix): GOLDENS[name] for name in GOLDENS.files if name.startswith(prefix)}


def elaborated(case: str, dtype: str) -> TypedModel:
    """A model that is one case alone, in training mode."""
    facts, lines = CASES[case], list[str]()
    for name, shape in facts.shapes.items():
        lines.append(f"input {name}: {'bool' if name == 'mask' else dtype}[{', '.join(map(str, shape))}]")
    lines.append(f"output y: {dtype}[{', '.join(map(str, GOLDENS[f'{case}/y'].shape))}]")
    lines += [f"layer it = {facts.layer}"] if facts.layer else []
    text = "\n".join(["model M {", *lines, f"y = {facts.value}", "}\n"])
    sink = Sink()
    scope = file_scope(parse(Source("m.dl", text), sink), sink)
    model = elaborate_model(scope, "M", {}, True, sink)
    assert model is not None, render(sink, color=False)
    return model


def trained(model: TypedModel) -> Graph:
    """The output of a model and the gradients of ``sum(y * of_y)``."""
    builder = Builder()
    y = lower_into(builder, model.body)[model.outputs["y"]]
    leaves = {node.attrs.str("name"): node.out for node in builder.graph.leaves("input") if node.out.dtype.is_float}
    leaves |= {node.attrs.str("key").removeprefix("it."): node.out for node in builder.graph.leaves("param")}
    loss = builder.apply("sum", builder.apply("mul", y, builder.leaf("input", y.type, name="of_y")))
    found = gradients(builder, loss, list(leaves.values()))
    builder.graph.outputs |= {"y": y} | {f"d {name}": g for name, g in zip(leaves, found, strict=True)}
    return builder.graph


def feeds(case: str, dtype: str) -> dict[str, npt.NDArray[Any]]:
    """What a case computes with; masks stay as they are."""
    arrays = {"of_y": GOLDENS[f"{case}/of_y"], **stored(case, "input")}
    arrays |= {f"it.{name}": value for name, value in stored(case, "param").items()}
    real = np.float64 if dtype == "f64" else np.float32
    return {name: value.astype(real) if value.dtype.kind == "f" else value for name, value in arrays.items()}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_pytorch(case: str, dtype: str) -> None:
    graph = optimize(trained(elaborated(case, dtype)))
    verify(graph, "test")
    found = interpret(graph, feeds(case, dtype))
    expected = {"y": GOLDENS[f"{case}/y"]} | {f"d {name}": value for name, value in stored(case, "d").items()}
    assert set(found) == set(expected)
    rtol, atol = TOLERANCES[dtype]
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=atol, err_msg=name)
