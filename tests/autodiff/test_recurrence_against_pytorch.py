"""Recurrent layers written by hand, in values and gradients, against what PyTorch computed (`goldens/make_recurrences.py`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from recurrences import F64, Made

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Graph
from dslc.graph.region import ScanBody
from dslc.ops.ir import Value
from dslc.passes import optimize

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "recurrences.npz")
CASES = sorted({name.split("/")[0] for name in GOLDENS.files})
N = 4

# The step: (body, element, states, weights and biases by name) -> the states after it; the first one is the output.
Cell: TypeAlias = Callable[[Made, Value, list[Value], dict[str, Value]], list[Value]]


def _affine(m: Made, x: Value, own: dict[str, Value], which: str) -> Value:
    return m("add", m("matmul", x, own[f"weight_{which}"]), own[f"bias_{which}"])


def rnn(m: Made, x: Value, states: list[Value], own: dict[str, Value]) -> list[Value]:
    return [m("tanh", m("add", _affine(m, x, own, "ih"), _affine(m, states[0], own, "hh")))]


def lstm(m: Made, x: Value, states: list[Value], own: dict[str, Value]) -> list[Value]:
    h, c = states
    z = m("add", _affine(m, x, own, "ih"), _affine(m, h, own, "hh"))
    i, f, g, o = (m.part(z, k * N, (k + 1) * N) for k in range(4))
    cell = m("add", m("mul", m("sigmoid", f), c), m("mul", m("sigmoid", i), m("tanh", g)))
    return [m("mul", m("sigmoid", o), m("tanh", cell)), cell]


def gru(m: Made, x: Value, states: list[Value], own: dict[str, Value]) -> list[Value]:
    (h,) = states
    of_x, of_h = _affine(m, x, own, "ih"), _affine(m, h, own, "hh")
    r, z = (m("sigmoid", m("add", *(m.part(v, k * N, (k + 1) * N) for v in (of_x, of_h)))) for k in (0, 1))
    n = m("tanh", m("add", m.part(of_x, 2 * N, 3 * N), m("mul", r, m.part(of_h, 2 * N, 3 * N))))
    return [m("add", m("mul", m("sub", 1.0, z), n), m("mul", z, h))]


CELLS: dict[str, tuple[Cell, int]] = {"lstm": (lstm, 2), "gru": (gru, 1), "rnn": (rnn, 1)}


def golden(case: str, name: str) -> Any:
    return GOLDENS[f"{case}/{name}"]


def layer(m: Made, case: str, x: Value, ending: str) -> tuple[Value, Value]:
    """One layer in one direction: the outputs of all steps, and the final hidden state."""
    cell, states = CELLS[case.split("-", maxsplit=1)[0]]
    zero = m("full", sizes=(2, N), value=0.0, dtype=F64)
    step = ScanBody()
    before = [step.state(zero) for _ in range(states)]
    own = {
        name: step.constant(m.leaf(name + ending, *golden(case, name + ending).shape))
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    after = cell(Made(step.builder), step.element(x), before, own)
    results = step.finish(m.b, after, after[:1], reverse=ending.endswith("reverse"))
    return results[states], results[0]


def network(case: str) -> Graph:
    m = Made()
    y = x = m.leaf("x", *golden(case, "x").shape)
    finals: list[Value] = []
    while f"{case}/weight_ih_l{len(finals)}" in GOLDENS:
        y, last = layer(m, case, y, f"_l{len(finals)}")
        finals.append(last)
    if f"{case}/weight_ih_l0_reverse" in GOLDENS:
        back, last = layer(m, case, x, "_l0_reverse")
        y = m("concat", y, back, axis=-1)
        finals.append(last)
    h = m("stack", *finals, axis=0)
    of = [m.leaf(name, *value.shape) for name, value in (("of_y", y), ("of_h", h))]
    loss = m("add", *(m("sum", m("mul", value, weight)) for value, weight in zip((y, h), of, strict=True)))
    leaves = [node for node in m.b.graph.leaves("input") if f"{case}/d {node.attrs['name']}" in GOLDENS]
    found = gradients(m.b, loss, [node.out for node in leaves])
    m.b.graph.outputs |= {"y": y, "h": h} | {f"d {n.attrs['name']}": g for n, g in zip(leaves, found, strict=True)}
    return m.b.graph


@pytest.mark.parametrize("prepared", [lambda graph: graph, optimize], ids=["as built", "optimised"])
@pytest.mark.parametrize("case", CASES)
def test_values_states_and_gradients_are_those_of_pytorch(case: str, prepared: Callable[[Graph], Graph]):
    graph = prepared(network(case))
    feeds = {str(n.attrs["name"]): golden(case, str(n.attrs["name"])) for n in graph.leaves("input")}
    found = interpret(graph, feeds)
    wanted = [name.split("/")[1] for name in GOLDENS.files if name.startswith(f"{case}/d ")]
    assert set(found) == {"y", "h", *wanted}
    for name, array in found.items():
        np.testing.assert_allclose(array, golden(case, name), rtol=1e-9, atol=1e-12, err_msg=name)
