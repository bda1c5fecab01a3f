"""The generated source: what it looks like, that nothing of a program's text can reach it, and what running it promises."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from graphs import OPTIMIZERS, B, assert_close, run_both, training_step
from hypothesis import given, settings
from hypothesis import strategies as st

from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph
from dslc.source import Source, Span
from dslc.tensor_type import DType, TensorType, symbol
from dslc_runtime.face import SizeError
from dslc_runtime.generated import NonFiniteError, load
from dslc_runtime.program import Program

F32 = DType.F32
HOSTILE = [
    "\r__import__('os')",
    "'); boom(); ('",
    '"""',
    "{d0}",
    "\n    boom()",
    "\\",
    "\x00",
    "x\u2028y",
    "# 1:1",
    "out=b0",
]


def small_step(name: Callable[[str], str]) -> Graph:
    """One of everything that carries a name of the user's."""
    b = Builder()
    text = name("source") + "x"
    with b.at(Span(Source(name("file"), text), 0, len(text))):
        x = b.leaf("input", TensorType(F32, (symbol(name("B")), 2)), name=name("x"))
        w = b.leaf("param", TensorType(F32, (2, 2)), key=name("w"))
        s = b.leaf("state", TensorType(F32, (2,)), name=name("s"))
        r = b.leaf("draw", x.type, dist="normal", stream=name("r"), mean=0.0, std=1.0)
        h = b.named(b.apply("mul", b.apply("gelu", b.apply("matmul", x, w)), r), name("value"))
        b.graph.outputs = {name("y"): h, "loss": b.apply("mean", h)}
        b.graph.updates = {name("s"): b.apply("add", s, b.apply("sum", h, axes=(0,)))}
    return b.graph


def source_with(name: Callable[[str], str]) -> str:
    return compile_numpy(small_step(name)).source


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_leave_the_source_as_it_was(text: str) -> None:
    benign = source_with(lambda kind: f"name_{kind}")
    hostile = source_with(lambda kind: f"{text}{kind}")
    assert ast.dump(ast.parse(hostile)) == ast.dump(ast.parse(benign))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=20), st.sampled_from(HOSTILE))
def test_any_name_leaves_the_source_as_it_was(text: str, hostile: str) -> None:
    found = source_with(lambda kind: f"{text}{hostile}{kind}")
    assert ast.dump(ast.parse(found)) == ast.dump(ast.parse(source_with(str)))


def test_comments_hold_positions_and_nothing_else() -> None:
    source = source_with(lambda kind: f"name_{kind}\r\n{kind}")
    comments = [line.split("#", 1)[1] for line in source.splitlines() if "#" in line]
    assert comments
    assert all(comment.strip().replace(":", "").isdigit() for comment in comments)


def test_generated_source_reaches_no_builtins() -> None:
    program = compile_numpy(small_step(str))
    stolen = program.source.replace("    def run(", "    __import__('os')\n    def run(", 1)
    wrong = Program(program.face, load(stolen), program.constants)
    arrays = {"w": np.ones((2, 2), np.float32), "s": np.ones(2, np.float32)}
    with pytest.raises(NameError, match="__import__"):
        wrong.bind({"B": 1}, arrays)


def test_the_source_of_a_chain() -> None:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (symbol("B"), 3)), name="x")
    b.graph.outputs = {"y": b.apply("add", b.apply("tanh", b.apply("neg", x)), b.constant(2.0, F32))}
    assert compile_numpy(b.graph).source == (
        "def sizes(d0):\n"
        "    return (d0,)\n"
        "\n\n"
        "def shapes(all_sizes):\n"
        "    (d0,) = all_sizes\n"
        "    return (((d0, 3),), (), (), ())\n"
        "\n\n"
        "def memory(all_sizes):\n"
        "    (d0,) = all_sizes\n"
        "    return (), (12 * d0,)\n"
        "\n\n"
        "def bind(all_sizes, scratch, at, kept, kept_at, inputs, draws, params, states, constants, scan, work):\n"
        "    if all_sizes:\n"
        "        pass\n"
        "    (d0,) = all_sizes\n"
        "    (x0,) = inputs\n"
        "    (c0,) = constants\n"
        "    k0 = ndarray((d0, 3), f32, kept, kept_at[0])\n"
        "\n"
        "    def run():\n"
        "        neg(x0, out=k0)\n"
        "        tanh(k0, out=k0)\n"
        "        add(k0, c0, out=k0)\n"
        "\n"
        "    return run, (k0,)\n"
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [DType.F32, DType.F64])
def test_training_steps_follow_the_interpreter(optimizer: str, dtype: DType) -> None:
    graph = training_step(optimizer, dtype)
    program = compile_numpy(graph)
    for size in (1, 7):
        pairs = run_both(graph, program, {"B": size}, steps=5)
        assert_close(pairs, 1e-5 if dtype is DType.F32 else 1e-12)


def test_poison_changes_no_bit_of_a_training_step() -> None:
    graph = training_step()
    clean = run_both(graph, compile_numpy(graph), {"B": 4})
    poisoned = run_both(graph, compile_numpy(graph, poison=True), {"B": 4})
    for (_, a), (_, b) in zip(clean, poisoned, strict=True):
        for name, value in a.items():
            np.testing.assert_array_equal(b[name], value, err_msg=name)


def test_sizes_change_and_come_back_within_one_program() -> None:
    graph = training_step()
    program = compile_numpy(graph)
    first = run_both(graph, program, {"B": 64})
    run_both(graph, program, {"B": 3})
    again = run_both(graph, program, {"B": 64})
    for (_, a), (_, b) in zip(first, again, strict=True):
        for name, value in a.items():
            np.testing.assert_array_equal(b[name], value)


def step_with(loss: float) -> tuple[Program, Mapping[str, np.ndarray]]:
    program = compile_numpy(small_step(str))
    arrays = {"w": np.full((2, 2), loss, np.float32), "s": np.ones(2, np.float32)}
    bound = program.bind({"B": 3}, arrays)
    bound.inputs["x"][...] = 1
    for _, buffer in bound.draws:
        buffer[...] = 1
    return program, arrays


def test_a_loss_that_is_not_finite_leaves_the_state_as_it_was() -> None:
    program, arrays = step_with(float("nan"))
    with pytest.raises(NonFiniteError, match="loss"):
        program.bind({"B": 3}, arrays).run()
    np.testing.assert_array_equal(arrays["s"], [1, 1])


def test_a_finite_loss_goes_on_to_the_state() -> None:
    program, arrays = step_with(1.0)
    program.bind({"B": 3}, arrays).run()
    assert (arrays["s"] > 1).all()


def test_states_may_swap() -> None:
    b = Builder()
    s, t = (b.leaf("state", TensorType(F32, (2,)), name=name) for name in "st")
    b.graph.outputs = {"sum": b.apply("add", s, t)}
    b.graph.updates = {"s": t, "t": s}
    program = compile_numpy(b.graph)
    arrays = {"s": np.array([1, 2], np.float32), "t": np.array([3, 4], np.float32)}
    program.bind({}, arrays).run()
    assert arrays["s"].tolist() == [3, 4]
    assert arrays["t"].tolist() == [1, 2]


def test_integer_sizes_are_values_too() -> None:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B, 2)), name="x")
    n = b.leaf("size", TensorType(F32), size=2 * B)
    m = b.leaf("size", TensorType(DType.I64), size=B + 1)
    b.graph.outputs = {"mean": b.apply("div", b.apply("sum", x), n), "m": m, "y": b.apply("mul", x, n)}
    program = compile_numpy(b.graph)
    for size in (1, 5):
        assert_close(run_both(b.graph, program, {"B": size}))


def test_worked_out_sizes_are_refused_where_they_do_not_work_out() -> None:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B,)), name="x")
    b.graph.outputs = {"tail": b.apply("neg", b.apply("slice", x, starts=(3,), stops=(B,)))}
    program = compile_numpy(b.graph)
    with pytest.raises(SizeError, match="B - 3"):
        program.bind(program.sizes_of({"x": (2,)}), {})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_long_vectors_run_in_tiles_and_compute_the_same(optimizer: str) -> None:
    graph = training_step(optimizer, widths=(400, 400, 3))
    program = compile_numpy(graph)
    assert program.source.count(" in tiles0:") == 1
    assert_close(run_both(graph, program, {"B": 2}))
    assert_close(run_both(graph, compile_numpy(graph, poison=True), {"B": 2}))
