"""A step that adds products to weights in memory: its plan is proved, and a script of it gives the bytes of the runtime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan_check import check_program
from dslc.backends.script import Script, write_script
from dslc.backends.script.writer import Update
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph, verify
from dslc.ops.ir import Value
from dslc.tensor_type import DType, TensorType, symbol
from dslc_runtime.arena import Layout
from dslc_runtime.schedules import Stage, schedule
from dslc_runtime.state import Group, State
from dslc_runtime.stepping import Objective, Training

ROWS, COLUMNS, BATCH = 20, 30, 5
RATE = (Stage("constant", None, None, 0.125, {}),)
GROUP = Group("all", Layout.of({"w": (ROWS, COLUMNS)}), np.dtype(np.float32))


def step() -> Graph:
    """w <- w - lr * x^T (x w - y), as one operator, with the mean error as the loss."""
    b, f32, size = Builder(), DType.F32, symbol("B")

    def leaf(op: str, dtype: DType, *shape: Any, name: str) -> Value:
        return b.leaf(op, TensorType(dtype, shape), name=name)

    vector, lr = leaf("state", f32, ROWS * COLUMNS, name="params/all"), leaf("input", DType.F64, name="lr")
    x, y = leaf("input", f32, size, ROWS, name="x"), leaf("input", f32, size, COLUMNS, name="y")
    w = b.apply("segment", vector, offset=0, sizes=(ROWS, COLUMNS))
    error = b.apply("sub", b.apply("matmul", x, w), y)
    by = b.apply("neg", b.apply("cast", lr, dtype=f32))
    new = b.apply("gemm", w, b.apply("transpose", x, axes=(1, 0)), error, by, b.constant(1.0, f32))
    b.graph.outputs = {"loss": b.apply("mean", b.apply("square", error))}
    b.graph.updates = {"params/all": b.apply("pack", new)}
    verify(b.graph, "test")
    return b.graph


def batch(seed: int) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=(BATCH, n)).astype(np.float32) for name, n in (("x", ROWS), ("y", COLUMNS))}


def script() -> str:
    program = compile_numpy(step())
    made = {"w": ((ROWS, COLUMNS), np.dtype(np.float32), "glorot_uniform", {}, None)}
    return write_script(Script(["A step."], [Update("", program, RATE)], made, (GROUP,), (), 3, 1, None, False))


def loaded(text: str) -> Any:
    module = ModuleType("step")
    sys.modules["step"] = module  # where dataclasses look up names
    exec(compile(text, "step.py", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("poison", [False, True])
def test_a_plan_with_products_in_memory_is_proved(poison: bool) -> None:
    graph = step()
    program = compile_numpy(graph, poison=poison)
    for size in (1, BATCH):
        check_program(specialise(graph), program, {"B": size})


def test_a_script_gives_the_bytes_of_the_runtime_and_what_the_formula_says() -> None:
    alone = loaded(script()).training()
    state = State.of({key: value.copy() for key, value in alone.params.items()}, (GROUP,))
    run = Training((Objective("", compile_numpy(step()), schedule(RATE, 1)),), state, 3)
    for number in range(4):
        given = batch(number)
        before, x = run.params["w"].astype(np.float64), given["x"].astype(np.float64)
        assert run.step(given) == alone.step(given)
        assert run.params["w"].tobytes() == alone.params["w"].tobytes()
        expected = before - 0.125 * x.T @ (x @ before - given["y"])
        np.testing.assert_allclose(run.params["w"], expected, rtol=2e-5, atol=2e-5 * np.abs(expected).max())


def test_a_script_with_products_in_memory_needs_numpy_alone(tmp_path: Path) -> None:
    (tmp_path / "step.py").write_text(script(), encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nfor name in ('dslc', 'dslc_runtime', 'threadpoolctl'):\n    sys.modules[name] = None\n",
        encoding="utf-8",
    )
    np.savez(tmp_path / "rows.npz", **batch(1))
    done = subprocess.run(
        [sys.executable, "step.py", "rows.npz", "--batch", "5", "--epochs", "2"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("epoch 2  loss ")
