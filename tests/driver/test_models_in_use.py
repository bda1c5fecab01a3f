"""What `use` names in a train block: inputs bound by name or by hand, applications, and what can be read. Numbers by hand."""

from __future__ import annotations

import pytest

import dslc

PROGRAM = """
dim B
block Scale {
  dim D
  input  x: float[B, D]
  output y: float[B, D]
  param w: float[D] = [2, 3]
  y = x * w
}
model Sum(by: float = 1.0) {
  input  x: f32[B, 2]
  output y: f32[B]
  scaled = x |> inner: Scale()
  y = by * sum(scaled, axis = -1)
}
model Two {
  input  a: f32[B]
  input  b: f32[B]
  output y: f32[B]
  param p: f32[] = 10
  y = a * p + b
}
data points {
  source = inline({ x: [[1, 0], [1, 2]], other: [[1, 1], [3, 1]] })
  field x: f32[2]     = source["x"]
  field other: f32[2] = source["other"]
}
train t {
  use net = Sum()
  use far = Sum(by = 100.0)(data.other)
  use two = Two()
  data = points
  batch = all
  optimizer = sgd(lr = 1e-9)
  LINES
  loss = mean(net.y) + mean(far.y) + mean(two(net.y, far.y))
  metrics = { value: VALUE }
}
"""


def value(expression: str, *lines: str) -> float:
    """The value of an expression over the two points, before anything was learned."""
    text = PROGRAM.replace("VALUE", expression).replace("LINES", "\n  ".join(lines))
    trainer = dslc.parse(text).trainer()
    return trainer.step({"x": [[1, 0], [1, 2]], "other": [[1, 1], [3, 1]]})["value"]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("mean(net.y)", (2 + 8) / 2),
        ("mean(far.y)", (500 + 900) / 2),
        ("mean(net(data.other))", (5 + 9) / 2),
        ("mean(net(data.other)) + mean(net.y)", 7 + 5),
        ("mean(far(data.x))", 500.0),
        ("mean(far(data.x)) + mean(far.y)", 500.0 + 700.0),
        ("mean(net.scaled[:, 1])", 3.0),
        ("mean(net.inner.y[:, 0])", 2.0),
        ("sum(net.inner.w)", 5.0),
        ("mean(net(data.other)) + sum(net.inner.w)", 7 + 5.0),
        ("mean(two(data.x[:, 0], b = data.x[:, 1]))", 11.0),
        ("mean(two(b = data.x[:, 0], a = data.x[:, 1]))", 11.0),
        ("two.p * 1", 10.0),
        ("mean(stop_gradient(net.y))", 5.0),
    ],
)
def test_what_a_train_block_reads_of_its_models(expression: str, wanted: float):
    assert value(expression) == pytest.approx(wanted, rel=1e-6)


def test_let_names_a_value_that_others_read():
    assert value("mean(gap) + half", "let gap = far.y - net.y", "let half = 0.5") == pytest.approx(695.5)


def test_the_arguments_of_a_model_are_whatever_is_defined_above_it():
    lines = ("let doubled = 2 * data.x", "use twice = Sum()(doubled)", "use again = Sum()(twice.scaled)")
    assert value("mean(twice.y) + sum(doubled)", *lines) == pytest.approx(10.0 + 8.0)
    assert value("mean(again.y)", *lines) == pytest.approx((2 * 4 + 2 * 4 + 4 * 9) / 2)


def test_an_input_takes_the_sample_of_its_name():
    """A sample goes before a field: it is the one that is written in the train block."""
    text = PROGRAM.replace("VALUE", "mean(net.y)").replace("LINES", "sample x: f32[B, 2] ~ bernoulli(1.0)")
    step = dslc.parse(text).trainer().step({"other": [[1, 1], [3, 1]]})
    assert step["value"] == pytest.approx(5.0)


def test_the_keys_of_parameters_begin_with_the_use_name():
    text = PROGRAM.replace("VALUE", "mean(net.y)").replace("LINES", "")
    _, gradients = dslc.parse(text).trainer().gradients({"x": [[1, 0], [1, 2]], "other": [[1, 1], [3, 1]]})
    assert {key: gradient.tolist() for key, gradient in gradients.items()} == {
        "net.inner.w": [1 + 10, 1 + 10],  # mean of x, and ten times that through `two`
        "far.inner.w": pytest.approx([2 * 200, 2 * 100]),
        "two.p": pytest.approx(5.0),
    }
