"""Layers against stored arrays of PyTorch: a model that is one layer alone, its gradients, and what training makes of it.

A golden file holds the arrays of many cases, `case/kind name`. The kinds are `param`, `buffer`, `d` (a gradient of sum(y * of_y)),
`after` (a buffer after one step of training) and `trained` (what it is after `STEPS` steps of Adam towards of_y).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.to_numpy import compile_numpy
from dslc.check import CheckedFile, check_source
from dslc.check.elaborate import elaborate_model
from dslc.check.files import file_scope
from dslc.check.typed import TypedModel, TypedTrain
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import Builder, Graph, verify
from dslc.graph.retype import retype
from dslc.lower import lower_into
from dslc.passes import optimize
from dslc.source import Source
from dslc.syntax.parse import parse
from dslc.tensor_type import DType
from dslc.training import training_graphs
from dslc_runtime.state import State

Arrays = dict[str, npt.NDArray[Any]]

TOLERANCES = {"f64": (1e-9, 1e-12), "f32": (1e-5, 1e-5)}
STEPS = 20
RATE = 0.01


@dataclass(frozen=True)
class Goldens:
    """The arrays of a golden file."""

    arrays: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def of(cls, name: str) -> Goldens:
        return cls(dict(np.load(Path(__file__).parents[1] / "goldens" / name)))

    def stored(self, case: str, kind: str) -> Arrays:
        """The arrays of a kind by name."""
        prefix = f"{case}/{kind} "
        return {name.removeprefix(prefix): a for name, a in self.arrays.items() if name.startswith(prefix)}

    def shape(self, case: str, name: str) -> tuple[int, ...]:
        return self.arrays[f"{case}/{name}"].shape

    def feeds(self, case: str, inputs: Mapping[str, npt.NDArray[Any]], dtype: str) -> Arrays:
        """Inputs, parameters and buffers; what is no float stays as it is."""
        arrays = {**inputs, "of_y": self.arrays[f"{case}/of_y"]}
        for kind in ("param", "buffer"):
            arrays |= {f"it.{name}": value for name, value in self.stored(case, kind).items()}
        real = np.float64 if dtype == "f64" else np.float32
        return {name: value.astype(real) if value.dtype.kind == "f" else value for name, value in arrays.items()}

    def assert_learns(self, case: str, inputs: Mapping[str, npt.NDArray[Any]], model: TypedModel, dtype: str) -> None:
        """Output, gradients and updates of buffers are the stored ones."""
        graph = optimize(differentiated(model))
        graph = in_float64(graph) if dtype == "f64" else graph
        verify(graph, "test")
        found = interpret(graph, self.feeds(case, inputs, dtype))
        expected = {"y": self.arrays[f"{case}/y"]}
        for kind in ("d", "after"):
            expected |= {f"{kind} {name}": value for name, value in self.stored(case, kind).items()}
        assert set(found) == set(expected)
        rtol, atol = TOLERANCES[dtype]
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=rtol, atol=atol, err_msg=name)

    def assert_trains(self, case: str, stage: str, dtype: str = "f32") -> None:
        """Steps of training in float64 come to the stored parameters; `dtype` is that of the input `x`."""
        x, of_y = self.arrays[f"{case}/x"], self.arrays[f"{case}/of_y"]
        block = check(training_program(stage, x.shape[1:], of_y.shape[1:], dtype)).trains["net"]
        first = {"shift": np.zeros(x.shape[1:])} if dtype == "f32" else {}
        first |= {f"it.{name}": value for kind in ("param", "after") for name, value in self.stored(case, kind).items()}
        found = trained(block, first, {"x": x, "t": of_y})
        expected = self.stored(case, "trained")
        assert found.keys() == expected.keys() - ({"shift"} if dtype != "f32" else set())
        for key, value in found.items():
            # A shift before a norm has no gradient but what rounding leaves.
            np.testing.assert_allclose(value, expected[key], rtol=1e-9, atol=1e-8, err_msg=key)


def trained(block: TypedTrain, first: Arrays, fields: Arrays) -> Mapping[str, npt.NDArray[Any]]:
    """The parameters and buffers after steps in float64, each on the same batch."""
    made = training_graphs(block)
    state = State.of(first, [replace(group, dtype=np.float64) for group in made.groups], made.buffers)
    program = compile_numpy(optimize(in_float64(made.steps[0])))
    bound = program.bind(program.sizes_of({name: fields[name].shape for name in program.inputs}), state.for_training)
    for name in program.inputs:
        bound.inputs[name][...] = fields[name]
    for number in range(1, STEPS + 1):
        scalars = {"lr": RATE, "step": float(number)}
        bound.run(**{name: scalars[name] for name in bound.scalars})
    return state.params


def in_float64(graph: Graph) -> Graph:
    return retype(graph, {DType.F32: DType.F64})


def elaborated(body: str, training: bool) -> TypedModel:
    """A model of these statements."""
    sink = Sink()
    scope = file_scope(parse(Source("m.dl", f"model M {{\n{body}\n}}\n"), sink), sink)
    model = elaborate_model(scope, "M", {}, training, sink)
    assert model is not None, render(sink, color=False)
    return model


def check(text: str) -> CheckedFile:
    """A program without errors."""
    checked, sink = check_source(Source("m.dl", text))
    assert not sink.failed, render(sink, color=False)
    return checked


def typed(shape: tuple[int | str, ...], dtype: str) -> str:
    """A tensor's type as the language writes it."""
    return f"{dtype}[{', '.join(map(str, shape))}]"


def training_program(stage: str, x: tuple[int, ...], y: tuple[int, ...], dtype: str) -> str:
    """A layer that is trained towards `t`; samples of `x` are moved by a parameter where they are floats."""
    shift = f"param shift: {typed(x, dtype)} = zeros()" if dtype == "f32" else ""
    return f"""
dim B
model M {{
  input  x: {typed(("B", *x), dtype)}
  output y: {typed(("B", *y), "f32")}
  {shift}
  y = {"(x + shift)" if shift else "x"} |> {stage}
}}
data rows {{
  source = npz("rows.npz")
  field x: {typed(x, dtype)} = source["x"]
  field t: {typed(y, "f32")} = source["t"]
}}
train net {{
  use net   = M()
  data      = rows
  loss      = mean(square(net.y - data.t))
  optimizer = adam(lr = {RATE})
}}
"""


def differentiated(model: TypedModel) -> Graph:
    """The output of a model, the gradients of ``sum(y * of_y)`` by input and parameter, and what it updates."""
    builder = Builder()
    values = lower_into(builder, model.body)
    y = values[model.outputs["y"]]
    leaves = {node.attrs.str("name"): node.out for node in builder.graph.leaves("input") if node.out.dtype.is_float}
    trainable = {key for key, spec in model.body.params.items() if spec.trainable}
    for node in builder.graph.leaves("param"):
        if node.attrs.str("key") in trainable:
            leaves[node.attrs.str("key").removeprefix("it.")] = node.out
    loss = builder.apply("sum", builder.apply("mul", y, builder.leaf("input", y.type, name="of_y")))
    found = gradients(builder, loss, list(leaves.values()))
    builder.graph.outputs |= {"y": y} | {f"d {name}": g for name, g in zip(leaves, found, strict=True)}
    updates = {f"after {key.removeprefix('it.')}": values[value] for key, value in model.body.updates.items()}
    builder.graph.outputs |= updates
    return builder.graph
