"""Every rule that takes an operator of one step to all steps: nothing is left in the loop, and the numbers are the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from recurrences import F64, B, Made, N, T

from dslc.backends.interpret import interpret
from dslc.graph import verify
from dslc.graph.region import ScanBody
from dslc.ops.ir import Value
from dslc.passes.batching import RULES
from dslc.passes.moving import hoist, sink
from dslc.passes.prune import prune_scans
from dslc.passes.views import POINTWISE
from dslc.tensor_type import Dim, DType, TensorType

Step = Callable[[Made, dict[str, Value]], Value]

# The elements of the sequences, and what all steps read.
ELEMENTS: dict[str, tuple[Dim, ...]] = {"m": (B, N), "r": (N,), "s": (), "q": (N, N), "t": (2, B, N), "l": (B, 1)}
SHARED: dict[str, tuple[Dim, ...]] = {"W": (N, 3), "V": (N,), "Q": (3, N), "K": (2, N, 5), "E": (7, N)}

CASES: dict[str, list[Step]] = {
    "sum": [lambda i, v: i("sum", v["m"], axes=(0,)), lambda i, v: i("sum", v["t"], axes=(0, 2), keepdims=True)],
    "mean": [lambda i, v: i("mean", v["m"], axes=(1,))],
    "max": [lambda i, v: i("max", v["t"], axes=(1,))],
    "min": [lambda i, v: i("min", v["r"], axes=(0,), keepdims=True)],
    "argmax": [lambda i, v: i("argmax", v["m"], axis=-1), lambda i, v: i("argmax", v["t"], axis=0)],
    "argmin": [lambda i, v: i("argmin", v["m"], axis=0)],
    "softmax": [lambda i, v: i("softmax", v["m"], axis=0), lambda i, v: i("softmax", v["t"], axis=-1)],
    "log_softmax": [lambda i, v: i("log_softmax", v["m"], axis=1)],
    "logsumexp": [lambda i, v: i("logsumexp", v["m"], axis=0)],
    "squeeze": [lambda i, v: i("squeeze", v["l"], axis=1)],
    "expand_dims": [lambda i, v: i("expand_dims", v["m"], axis=(0, 2)), lambda i, v: i("expand_dims", v["s"], axis=0)],
    "transpose": [lambda i, v: i("transpose", v["t"], axes=(2, 0, 1))],
    "reshape": [lambda i, v: i("reshape", v["t"], sizes=(B, 2 * N)), lambda i, v: i("reshape", v["s"], sizes=(1, 1))],
    "expand": [
        lambda i, v: i("expand", v["r"], sizes=(B, N)),
        lambda i, v: i("expand", v["s"], sizes=(2, 3)),
        lambda i, v: i("expand", v["l"], sizes=(B, 5)),
    ],
    "slice": [lambda i, v: i("slice", v["t"], starts=(1, None, 0), stops=(2, None, 3), steps=(1, 1, 2))],
    "pad_slice": [lambda i, v: i("pad_slice", v["r"], sizes=(9,), starts=(1,), steps=(2,))],
    "concat": [lambda i, v: i("concat", v["q"], v["Q"], axis=0), lambda i, v: i("concat", v["V"], v["r"], axis=0)],
    "sum_to": [lambda i, v: i("sum_to", v["t"], sizes=(B, N)), lambda i, v: i("sum_to", v["t"], sizes=(1, N))],
    "matmul": [
        lambda i, v: i("matmul", v["m"], v["W"]),
        lambda i, v: i("matmul", v["r"], v["W"]),
        lambda i, v: i("matmul", v["t"], v["W"]),
        lambda i, v: i("matmul", v["m"], v["V"]),
        lambda i, v: i("matmul", v["r"], v["V"]),
        lambda i, v: i("matmul", v["Q"], v["q"]),
        lambda i, v: i("matmul", v["Q"], v["r"]),
        lambda i, v: i("matmul", v["m"], v["q"]),
        lambda i, v: i("matmul", v["t"], v["K"]),
        lambda i, v: i("matmul", v["m"], v["K"]),
        lambda i, v: i("matmul", v["t"], v["q"]),
    ],
    "gather": [lambda i, v: i("gather", v["E"], i("argmax", v["m"], axis=-1))],
    "one_hot": [lambda i, v: i("one_hot", i("argmax", v["m"], axis=-1), classes=N, dtype=F64)],
    "stop_gradient": [lambda i, v: i("stop_gradient", v["m"])],
    "pointwise": [
        lambda i, v: i("add", v["r"], v["m"]),
        lambda i, v: i("mul", v["s"], v["t"]),
        lambda i, v: i("sub", v["V"], v["l"]),
        lambda i, v: i("where", i("gt", v["r"], v["s"]), v["m"], v["V"]),
        lambda i, v: i("cast", v["m"], dtype=DType.I64),
        lambda i, v: i("divide_by_size", v["m"], size=T),
        lambda i, v: i("leaky_relu", v["t"], slope=0.2),
    ],
}
STEPS = [pytest.param(step, id=f"{name}-{k}") for name, steps in CASES.items() for k, step in enumerate(steps)]


def made(step: Step, after: str) -> tuple[Made, Value]:
    """A scan whose outputs are a step's value and a state; `after` says whether the step reads the state before it."""
    m, body = Made(), ScanBody()
    values = {name: body.element(m.leaf(name, T, *shape)) for name, shape in ELEMENTS.items()}
    values |= {name: body.constant(m.leaf(name, *shape)) for name, shape in SHARED.items()}
    i = Made(body.builder)
    state = body.state(m.b.constant(0.0, F64))
    if after == "after":
        values |= {name: i("add", values[name], state) for name in ELEMENTS}
    result = step(i, values)
    _, all_ = body.finish(m.b, [i("add", state, values["s"] if after == "before" else 1.0)], [result], reverse=False)
    m.b.graph.outputs["y"] = all_
    return m, all_


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_done_for_all_steps_outside_of_the_loop(step: Step, when: str):
    m, _ = made(step, when)
    graph = prune_scans(sink(hoist(m.b.graph)))
    verify(graph, "test")
    inside = [node.op for scan in graph.nodes.values() if scan.op == "scan" for node in scan.attrs["body"].nodes]
    assert set(inside) <= {"input", "constant", "add"}
    for steps in (0, 1, 3):
        generator, sizes = np.random.default_rng(0), {"T": steps, "B": 2}
        feeds = {
            node.attrs.str("name"): generator.normal(size=[sizes.get(str(dim), dim) for dim in node.out.shape])
            for node in m.b.graph.leaves("input")
        }
        found, wanted = (interpret(g, feeds)["y"] for g in (graph, m.b.graph))
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_every_rule_has_a_case():
    assert set(CASES) - {"pointwise"} == set(RULES) - POINTWISE


def test_an_operator_without_a_rule_stays_in_the_loop():
    m, body = Made(), ScanBody()
    x = body.element(m.leaf("x", T, B, N))
    ids = body.element(m.b.leaf("input", TensorType(DType.I64, (T, B)), name="ids"))
    (y,) = body.finish(m.b, [], [body.builder.apply("pick", x, ids)], reverse=False)
    m.b.graph.outputs["y"] = y
    graph = prune_scans(sink(hoist(m.b.graph)))
    assert [node.op for node in graph.order()].count("scan") == 1
