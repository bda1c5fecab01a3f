"""Training through cells of a program's own: gradients against central differences in float64."""

from __future__ import annotations

import numpy as np
import pytest

import dslc

PROGRAM = """dim B, T
cell Pair(units: int) {{
  dim D
  input  a: f64[B, D]
  input  b: f64[B]
  param  h0: f64[units] = ones()
  state  h: f64[B, units] = h0
  state  c: f64[B, units] = full(0.3)
  output y: f64[B, units]
  gate = concat(a, h, axis = -1) |> gate: Dense(units) |> sigmoid
  new  = a |> new: Dense(units) |> tanh
  y = gate * c + (1 - gate) * new * reshape(b, [B, 1])
  next h = y + sin(h)
  next c = c * gate + h
}}
model Net {{
  input  x: f64[B, T, 2]
  output y: f64[B, T, 2]
  layer pair = Pair(3)
  layer down = scan(Pair(2), return_state = true)
  up = scan(pair)(x, x[:, :, 0])
  around = scan(pair, reverse = true)(up[:, :, :2], x[:, :, 1])
  z, h, c = down(around, x[:, :, 0])
  y = z + reshape(h * c, [B, 1, 2])
}}
data rows {{
  source = npz("rows.npz")
  field x: f64[{steps}, 2] = source["x"]
  field t: f64[{steps}, 2] = source["t"]
}}
train net {{
  use net   = Net()
  data      = rows
  loss      = mse(net.y, data.t)
  optimizer = sgd(lr = 0.1)
}}
"""


@pytest.mark.parametrize("steps", [1, 2, 17])
def test_gradients_through_shared_and_nested_scans_are_those_of_central_differences(steps: int) -> None:
    rng = np.random.default_rng(steps)
    batch = {name: rng.normal(size=(2, steps, 2)) for name in ("x", "t")}
    trainer = dslc.parse(PROGRAM.format(steps=steps)).trainer("net")
    params = trainer.models["net"].params
    _, gradient = trainer.gradients(batch)
    assert set(gradient) == set(params)
    for key, value in params.items():
        for place in [*np.ndindex(value.shape)][::3]:
            sides: list[float] = []
            for step in (1e-6, -2e-6):
                value[place] += step
                sides.append(trainer.gradients(batch)[0])
            value[place] += 1e-6
            assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(gradient[key][place], abs=1e-7, rel=1e-6)
