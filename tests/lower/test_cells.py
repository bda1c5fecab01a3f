"""Cells of programs, lowered and interpreted, against loops written out in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dslc.backends.interpret import interpret
from dslc.check import elaborate_model, file_scope
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import verify
from dslc.lower import lower
from dslc.source import Source
from dslc.syntax.parse import parse

Array = np.ndarray[Any, np.dtype[Any]]


def run(text: str, **inputs: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """The outputs of the model `M` of a text, with random parameters, and these parameters by key."""
    sink = Sink()
    model = elaborate_model(file_scope(parse(Source("m.dl", text), sink), sink), "M", {}, False, sink)
    assert model is not None, render(sink, color=False)
    graph = lower(model.body, model.outputs)
    verify(graph, "lower")
    rng = np.random.default_rng(3)
    sizes = {key: [int(str(size)) for size in spec.type.shape] for key, spec in model.body.params.items()}
    params = {key: rng.normal(size=shape) for key, shape in sizes.items()}
    return interpret(graph, {**inputs, **params}), params


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


MGU = """dim B, T
cell MGU(units: int) {
  dim D
  input  x: f64[B, D]
  state  h: f64[B, units] = zeros()
  output y: f64[B, units]
  param Wf: f64[D, units]     = glorot_uniform()
  param Uf: f64[units, units] = orthogonal()
  param bf: f64[units]        = ones()
  param Wh: f64[D, units]     = glorot_uniform()
  param Uh: f64[units, units] = orthogonal()
  f = sigmoid(x @ Wf + h @ Uf + bf)
  c = tanh(x @ Wh + (f * h) @ Uh)
  y = (1 - f) * h + f * c
  next h = y
}
model M {
  input  x: f64[B, T, 3]
  output y: f64[B, T, 4]
  output z: f64[B, T, 4]
  output last: f64[B, 4]
  layer fwd = scan(MGU(4))
  y = fwd(x)
  z = x |> bwd: scan(MGU(4), reverse = true)
  last = fwd.h
}
"""


def mgu(p: dict[str, Array], name: str, x: Array, order: range) -> Array:
    """Every step's output, at the place of its input."""
    h = np.zeros((x.shape[0], 4))
    out = np.zeros((x.shape[0], x.shape[1], 4))
    for t in order:
        f = sigmoid(x[:, t] @ p[f"{name}.Wf"] + h @ p[f"{name}.Uf"] + p[f"{name}.bf"])
        c = np.tanh(x[:, t] @ p[f"{name}.Wh"] + (f * h) @ p[f"{name}.Uh"])
        h = (1 - f) * h + f * c
        out[:, t] = h
    return out


@pytest.mark.parametrize("steps", [1, 3, 17])
def test_a_gated_unit_runs_forward_and_backward(steps):
    x = np.random.default_rng(1).normal(size=(2, steps, 3))
    found, params = run(MGU, x=x)
    forward = mgu(params, "fwd", x, range(steps))
    np.testing.assert_allclose(found["y"], forward, atol=1e-12)
    np.testing.assert_allclose(found["last"], forward[:, -1], atol=1e-12)
    np.testing.assert_allclose(found["z"], mgu(params, "bwd", x, range(steps)[::-1]), atol=1e-12)


SEVERAL = """dim B, T
cell Several(k: float = 0.5) {
  dim D
  input  a: f64[B, D]
  input  b: f64[B]
  state  s: f64[B, D] = full(k)
  state  count: i64[] = 3
  state  m: f64[B, D]
  output p: f64[B, D]
  output q: f64[B]
  p = s * a - m
  q = b + cast(count, f64)
  next s = s + m
  next m = p
  next count = count + 1
}
model M {
  input  a: f64[T, B, 2]
  input  b: f64[T, B]
  output p: f64[T, B, 2]
  output q: f64[T, B]
  output s: f64[B, 2]
  output count: i64[]
  layer run = scan(Several(), axis = 0, init = { m: a[0] }, return_state = true)
  p, q, s, count, _m = run(a, b)
}
"""


def test_several_states_sequences_and_outputs_keep_their_order():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 3))
    found, _ = run(SEVERAL, a=a, b=b)
    s, m, p, q = np.full((3, 2), 0.5), a[0], [], []
    for t in range(5):
        p.append(s * a[t] - m)
        q.append(b[t] + 3 + t)
        s, m = s + m, p[-1]
    np.testing.assert_allclose(found["p"], p, atol=1e-12)
    np.testing.assert_allclose(found["q"], q, atol=1e-12)
    np.testing.assert_allclose(found["s"], s, atol=1e-12)
    assert found["count"] == 8


NESTED = """dim B, N, T
cell Sum() {
  input  x: f64[B, 2]
  state  h: f64[B, 2] = zeros()
  output y: f64[B, 2]
  y = h + x
  next h = y
}
cell Lines() {
  input  line: f64[B, T, 2]
  param  h0: f64[2] = ones()
  state  seen: f64[B, 2] = h0
  output y: f64[B, T, 2]
  sums = line |> scan(Sum())
  y = sums * reshape(seen, [B, 1, 2]) |> fc: Dense(2)
  next seen = seen + mean(y, axis = 1)
}
model M {
  input  x: f64[B, N, T, 2]
  output y: f64[B, N, T, 2]
  y = x |> page: repeat(2) as i { lines: scan(Lines()) }
}
"""


def test_a_scan_in_a_cell_and_in_a_repeat():
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 2))
    found, p = run(NESTED, x=x)
    y = x
    for turn in ("page.0.lines", "page.1.lines"):
        seen, rows = np.ones((2, 2)) * p[f"{turn}.h0"], []
        for n in range(3):
            product = np.cumsum(y[:, n], axis=1) * seen[:, None]
            rows.append(product @ p[f"{turn}.fc.weight"] + p[f"{turn}.fc.bias"])
            seen = seen + rows[-1].mean(axis=1)
        y = np.stack(rows, axis=1)
    np.testing.assert_allclose(found["y"], y, atol=1e-12)
