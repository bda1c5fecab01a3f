"""Matrix products of whole models cost what PyTorch counts, forward and in a training step: no product is done twice.

The counts are `tests/goldens/flops.json`, made by `tests/goldens/make_flops.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dslc.driver.frontend import check_program
from dslc.driver.models import choose_model
from dslc.graph import Graph
from dslc.lower import lower
from dslc.ops import OPS
from dslc.passes import optimize
from dslc.source import Source
from dslc.tensor_type import Dim, evaluate
from dslc.training import training_graphs

GOLDENS = json.loads((Path(__file__).parent.parent / "goldens" / "flops.json").read_text("utf-8"))
BATCH = 6

MODELS = {
    "mlp": """
  input  x: f32[B, 20]
  output y: f32[B, 3]
  y = x |> a: Dense(30) |> relu |> b: Dense(10) |> c: Dense(3)""",
    "tied": """
  input  x: f32[B, 20]
  output y: f32[B, 20]
  layer enc = Dense(4)
  z = relu(enc(x))
  y = sigmoid(z @ transpose(enc.weight))""",
    "attention": """
  input  x: f32[B, 7, 8]
  output y: f32[B, 7, 5]
  layer query = Dense(5)
  layer key   = Dense(5)
  layer value = Dense(5)
  y = softmax(query(x) @ transpose(key(x), [0, 2, 1])) @ value(x)""",
    "twice": """
  input  x: f32[B, 9]
  output y: f32[B, 9]
  layer shared = Dense(9, bias = false)
  y = shared(tanh(shared(x)))""",
}


def _program(name: str) -> Source:
    shape = "7, 8" if name == "attention" else {"mlp": "20", "tied": "20", "twice": "9"}[name]
    return Source(
        "net.dl",
        f"""dim B
model Net {{{MODELS[name]}
}}
data rows {{ source = npz("rows.npz"); field x: f32[{shape}] = source["x"] }}
train net {{ use net = Net(); data = rows; loss = mean(net.y) }}
""",
    )


def _products(graph: Graph) -> int:
    total: Dim = 0
    for node in graph.order():
        if node.op == "matmul":
            total = total + OPS["matmul"].flops(tuple(value.type for value in node.inputs), node.out.type)
    return evaluate(total, {"B": BATCH})


@pytest.mark.parametrize("name", MODELS)
def test_products_forward_are_those_that_pytorch_counts(name: str) -> None:
    typed = choose_model(check_program(_program(name)), None, {})
    assert _products(optimize(lower(typed.body, typed.outputs))) == GOLDENS[name]["inference"]


@pytest.mark.parametrize("name", MODELS)
def test_products_of_a_step_are_those_that_pytorch_counts(name: str) -> None:
    (graph,) = training_graphs(check_program(_program(name)).file.trains["net"]).steps
    assert _products(optimize(graph)) == GOLDENS[name]["training step"]
