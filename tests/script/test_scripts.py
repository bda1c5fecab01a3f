"""Trainings written as files of their own: they run without `dslc`, and give its bytes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.backends.script.bundle import bundle
from dslc.backends.script.literals import literal, records
from dslc.backends.script.reached import reached
from dslc.check.typed import TypedTrain
from dslc.diagnostics import DslcError
from dslc.driver.frontend import check_program, read_source
from dslc.driver.scripting import script_of
from dslc.driver.stepping import one_step
from dslc.driver.training import Prepared, prepare, train
from dslc.source import Source
from dslc_runtime.face import Face, Solve, TensorSpec
from dslc_runtime.generated import namespace
from dslc_runtime.kernels import KERNELS
from dslc_runtime.random import DrawSpec

Array = npt.NDArray[Any]
MODELS = Path(__file__).parents[2] / "models"
SIZES = {"B": 3, "T": 4}

# A line through noise, with all that an update can be made of.
RICH = """
dim B
model Line { input x: f32[B, 3]; output y: f32[B]; y = x |> fc: Dense(1) |> Dropout(0.5) |> squeeze(axis = -1) }
data d { source = inline({ x: [[0, 1, 2]], y: [1] }); field x: f32[3] = source["x"]; field y: f32[] = source["y"] }
train line {
  use net = Line()
  data = d
  loss = mse(net.y, data.y) + l2(0.1)
  optimizer = adamw(lr = warmup(3 steps, to = 0.1) |> cosine(2 epochs, to = 0.01), weight_decay = 0.1)
  clip_norm = 0.5
  accumulate = 2
  ema = 0.9
}
"""

# A table of which a batch reads few rows.
WORDS = """
dim B
model Words { input x: i64[B, 4]; output y: f32[B]; y = mean(x |> Embedding(9_000, 12), axes = [1, 2]) }
data d { source = inline({ x: [[0, 1, 2, 3]], y: [1] }); field x: i64[4] = source["x"]; field y: f32[] = source["y"] }
train words { use net = Words(); data = d; loss = mse(net.y, data.y); optimizer = adagrad() }
"""


def train_of(program: str, name: str | None = None, *settings: str) -> TypedTrain:
    trains = check_program(read_source(MODELS / f"{program}.dl"), settings).file.trains
    return next(iter(trains.values())) if name is None else trains[name]


def text_of(program: str) -> TypedTrain:
    (train,) = check_program(Source("net.dl", program)).file.trains.values()
    return train


def loaded(text: str) -> Any:
    module = ModuleType("step")
    sys.modules["step"] = module  # where dataclasses look up names
    exec(compile(text, "step.py", "exec"), module.__dict__)
    return module


def batch(prepared: Prepared, seed: int) -> dict[str, Array]:
    """Numbers for the inputs of all steps; whole ones are 0 or 1."""
    generator = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for program in prepared.steps:
        for name, spec in program.inputs.items():
            shape = [size if isinstance(size, int) else SIZES[size] for size in spec.shape]
            values = generator.normal(size=shape) if spec.dtype.kind == "f" else generator.integers(0, 2, shape)
            found[name] = values.astype(spec.dtype)
    return found


def bytes_of(params: Mapping[str, Array]) -> dict[str, bytes]:
    return {key: value.tobytes() for key, value in params.items()}


@pytest.mark.parametrize(
    "train",
    [
        pytest.param(train_of("xor"), id="xor"),
        pytest.param(train_of("mnist_mlp", None, "hidden=9"), id="dropout"),
        pytest.param(train_of("gan", None, "train.gan.batch=3"), id="two steps"),
        pytest.param(train_of("cnn_mnist", None, "filters=[2, 3]", "hidden=4"), id="convolution"),
        pytest.param(train_of("resnet", None, "widths=[2, 2, 3]"), id="buffers"),
        pytest.param(train_of("rows_lstm", None, "units=5"), id="along time"),
        pytest.param(train_of("transformer", None, "d=8", "depth=1"), id="attention"),
        pytest.param(text_of(WORDS), id="rows of a table"),
        pytest.param(text_of(RICH), id="all an update can be"),
    ],
)
def test_a_script_gives_the_bytes_of_the_runtime(train: TypedTrain) -> None:
    prepared = prepare(train)
    run = loaded(script_of(train)).training(per_epoch=5)
    assert bytes_of(run.params) == bytes_of(prepared.state.params)
    gathered = 0
    for number in range(1, 5):
        given = batch(prepared, number)
        figures = one_step(prepared, given, number, lambda: 5, gathered)
        found = run.step(given)
        gathered = 0 if number % train.accumulate == 0 else gathered + SIZES["B"]
        assert {name: found[name] for name in figures if name in found} == {
            name: value for name, value in figures.items() if name in found
        }
        assert "loss" in found or "critic.loss" in found
        assert bytes_of(run.params) == bytes_of(prepared.state.params), number


def run_alone(folder: Path, script: str, *arguments: str) -> list[str]:
    """The lines that a script prints which is run on the rows of XOR, without `dslc` and its runtime."""
    (folder / "step.py").write_text(script, encoding="utf-8")
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    np.savez(folder / "rows.npz", x=x, y=x[:, :1] != x[:, 1:])
    (folder / "sitecustomize.py").write_text(
        "import sys\nfor name in ('dslc', 'dslc_runtime'):\n    sys.modules[name] = None\n", encoding="utf-8"
    )
    command = [sys.executable, "step.py", "rows.npz", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(folder)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_script_trains_from_the_command_line_with_numpy_alone(tmp_path: Path) -> None:
    script = script_of(train_of("xor"))
    last = run_alone(tmp_path, script, "--batch", "4", "--epochs", "500", "--save", "trained.npz")[-1]
    assert last.startswith("epoch 500  loss ")
    assert float(last.split()[3]) < 0.05
    with np.load(tmp_path / "trained.npz") as trained:
        assert set(trained) == set(prepare(train_of("xor")).state.params)


def test_a_script_prints_the_means_over_epochs_that_training_reports(tmp_path: Path) -> None:
    text = (MODELS / "xor.dl").read_text(encoding="utf-8").replace("batch     = all", "batch = 3")
    text = text.replace(
        "epochs    = 500", "epochs = 3\n  metrics = { off: mae(net.p, data.y), fit: r2(net.p, data.y) }"
    )
    checked = check_program(Source("xor.dl", text))
    script = script_of(checked.file.trains["xor"])
    lines = run_alone(tmp_path, script, "--batch", "3", "--epochs", "3")
    history = train(checked, threads=1).result.history
    assert lines == [f"epoch {row['epoch']}  loss {row['loss']:.6g}  off {row['off']:.6g}" for row in history]


def test_every_kernel_can_be_in_a_script() -> None:
    names = [name for name in namespace() if name != "__builtins__"]
    found = reached("\n".join(names))
    assert sorted(found) == sorted(names)
    made = bundle(sorted({need for each in found.values() for need in each.needs.values()}))
    module = loaded("\n".join(["import builtins", "import math", "import numpy as np", *made.imports, made.text]))
    known = namespace()
    for name, each in found.items():
        value = eval(each.text(made.called), module.__dict__)
        if isinstance(known[name], np.ufunc | float | np.dtype):
            assert repr(value) == repr(known[name])
    assert {name for name in KERNELS if name in found} == set(KERNELS)


def test_data_of_the_runtime_come_back_from_their_text() -> None:
    face = Face(
        {"x": TensorSpec(np.dtype("f4"), ("B", 2))},
        {},
        {"s": TensorSpec(np.dtype("?"), ())},
        {},
        (DrawSpec("normal", 'a "quoted"\\name', {"mean": float("-inf"), "std": 1e-300}),),
        ("lr",),
        {"B": Solve(0, 0), "T": None},
    )
    called = {name: name[1] for name in records(face)}
    scope = {"np": np, "Face": Face, "TensorSpec": TensorSpec, "DrawSpec": DrawSpec, "Solve": Solve}
    assert eval(literal(face, called), scope) == face
    array = np.array([[0.1, np.nan], [np.inf, -0.0]], np.float32)
    again = eval(literal((array, [1, True, None, "x"]), {}), scope)
    np.testing.assert_array_equal(again[0], array)
    assert (again[0].dtype, again[1]) == (array.dtype, [1, True, None, "x"])


def test_what_needs_scores_of_epochs_is_no_script() -> None:
    text = RICH.replace("cosine(2 epochs, to = 0.01)", 'plateau(on = "loss")')
    train = check_program(Source("rich.dl", text)).file.trains["line"]
    with pytest.raises(DslcError) as caught:
        script_of(train)
    assert [(each.code, "plateau" in each.message) for each in caught.value.diagnostics] == [("DL0058", True)]
