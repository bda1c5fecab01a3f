"""Lengths, first and last states of recurrent layers, in values and gradients, against what PyTorch computed
(`goldens/make_padded_sequences.py`), in NumPy's program and in ONNX Runtime.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from layer_goldens import RATE, check
from layer_goldens import trained as steps
from padded_sequences_cases import CASES, LENGTHS

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.check.elaborate import elaborate_model
from dslc.check.files import file_scope
from dslc.check.typed import TypedModel
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import Builder, Graph, verify
from dslc.graph.retype import retype
from dslc.lower import lower_into
from dslc.passes import optimize
from dslc.source import Source
from dslc.syntax.parse import parse
from dslc.tensor_type import DType

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "padded_sequences.npz")
TYPES = {"lengths": "i64[B]", "h0": "f32[B, 4]", "c0": "f32[B, 4]"}


def stored(case: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a case by name."""
    return {name.removeprefix(f"{case}/"): GOLDENS[name] for name in GOLDENS.files if name.startswith(f"{case}/")}


def elaborated(case: str) -> TypedModel:
    """A model that is one case alone, for any batch and number of steps."""
    layer, operands, results = CASES[case]
    inputs = "".join(f" input {name}: {TYPES[name]}\n" for name in operands)
    width = GOLDENS[f"{case}/y"].shape[-1]
    types = dict.fromkeys(results, f"f32[B, {width}]")
    if "return_sequences = false" not in layer:
        types["y"] = f"f32[B, T, {width}]"
    outputs = "".join(f" output {name}: {type_}\n" for name, type_ in types.items())
    call = ", ".join(["x", *(f"{name} = {name}" for name in operands)])
    text = f"dim B, T\nmodel M {{\n input x: f32[B, T, 3]\n{inputs}{outputs}"
    text += f" layer it = {layer}\n {', '.join(results)} = it({call})\n}}\n"
    sink = Sink()
    model = elaborate_model(file_scope(parse(Source("m.dl", text), sink), sink), "M", {}, True, sink)
    assert model is not None, render(sink, color=False)
    return model


def trained(model: TypedModel) -> Graph:
    """The outputs of a model and the gradients of the sum of every one times what it is weighted by."""
    builder = Builder()
    values = lower_into(builder, model.body)
    outputs = {name: values[value] for name, value in model.outputs.items()}
    leaves = {node.attrs.str("name"): node.out for node in builder.graph.leaves("input")}
    leaves.pop("lengths", None)
    leaves |= {node.attrs.str("key").removeprefix("it."): node.out for node in builder.graph.leaves("param")}
    weighted = [
        builder.apply("sum", builder.apply("mul", value, builder.leaf("input", value.type, name=f"of_{name}")))
        for name, value in outputs.items()
    ]
    loss = weighted[0]
    for term in weighted[1:]:
        loss = builder.apply("add", loss, term)
    found = gradients(builder, loss, list(leaves.values()))
    builder.graph.outputs |= outputs | {f"d {name}": g for name, g in zip(leaves, found, strict=True)}
    return builder.graph


def feeds(case: str, dtype: type[np.floating[Any]]) -> dict[str, npt.NDArray[Any]]:
    """What a case computes with."""
    found = {
        name.replace("param ", "it."): value.astype(dtype)
        for name, value in stored(case).items()
        if name in ("x", "h0", "c0") or name.startswith(("of_", "param "))
    }
    return found | ({"lengths": np.array(LENGTHS)} if "lengths" in CASES[case][1] else {})


TRAINED = [name.split("/")[0] for name in GOLDENS.files if name.endswith("/trained shift")]
PROGRAM = """
dim B
model M {{
  input  x: f32[B, 5, 3]
  input  lengths: i64[B]
  output y: f32[B, {of_y}]
  param shift: f32[5, 3] = zeros()
  layer it = {layer}
  y = it(x + shift, lengths = lengths)
}}
data rows {{
  source = npz("rows.npz")
  field x: f32[5, 3]     = source["x"]
  field lengths: i64[]   = source["lengths"]
  field t: f32[{of_y}] = source["t"]
}}
train net {{
  use net   = M()
  data      = rows
  loss      = mean(square(net.y - data.t))
  optimizer = adam(lr = {rate})
}}
"""


@pytest.mark.parametrize("case", TRAINED)
def test_twenty_steps_in_float64_equal_those_of_pytorch(case: str) -> None:
    arrays = stored(case)
    of_y = ", ".join(map(str, arrays["of_y"].shape[1:]))
    block = check(PROGRAM.format(of_y=of_y, layer=CASES[case][0], rate=RATE)).trains["net"]
    first = {"shift": np.zeros((5, 3))}
    first |= {name.replace("param ", "it."): value for name, value in arrays.items() if name.startswith("param ")}
    found = steps(block, first, {"x": arrays["x"], "lengths": np.array(LENGTHS), "t": arrays["of_y"]})
    assert found.keys() == first.keys()
    for key, value in found.items():
        np.testing.assert_allclose(value, arrays[f"trained {key}"], rtol=1e-9, atol=1e-11, err_msg=key)


def test_lengths_are_trained_in_every_kind_of_layer() -> None:
    assert {"rnn", "lstm", "lstm-last", "lstm-reverse", "gru", "lstm-both-ways", "gru-both-ways-last"} <= set(TRAINED)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_pytorch(case: str, dtype: type[np.floating[Any]]) -> None:
    graph = optimize(trained(elaborated(case)))
    if dtype is np.float64:
        graph = retype(graph, {DType.F32: DType.F64})
    verify(graph, "test")
    found = interpret(graph, feeds(case, dtype))
    expected = {name for name in stored(case) if name.startswith("d ") or name in CASES[case][2]}
    assert set(found) == expected
    rtol, atol = (1e-9, 1e-12) if dtype is np.float64 else (1e-5, 1e-5)
    for name in expected:
        np.testing.assert_allclose(found[name], stored(case)[name], rtol=rtol, atol=atol, err_msg=name)
