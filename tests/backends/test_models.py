"""The programs that ship: their training steps are proved, and follow the interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphs import assert_close, assert_close_in_size, run_both

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.driver.frontend import check_program as check_text
from dslc.driver.frontend import read_source
from dslc.graph import Graph
from dslc.graph.retype import retype
from dslc.lower import lower
from dslc.passes import optimize
from dslc.tensor_type import DType
from dslc.training import training_graphs

# Fewer units than ship, where a network is wide: the proof looks at every byte of its memory.
SMALLER = {
    "bbc_news": ("vocab=40", "d=6", "units=5"),
    "char_lm": ("d=4", "units=5"),
    "japanese_vowels": ("train.lstm.net.inner=LSTM(4)", "train.gru.net.inner=GRU(4)", "train.rnn.net.inner=RNN(4)"),
    "cifar_net": ("filters=[3, 4]", "hidden=[12, 8]"),
    "cnn_dropout": ("filters=[3, 4]", "hidden=8"),
    "cnn_mnist": ("filters=[3, 4]", "hidden=8"),
    "denoising": ("hidden=16", "code=8"),
    "resnet": ("widths=[3, 4, 5]",),
    "rows_lstm": ("units=8",),
    "transformer": ("d=16",),
}
WEIGHTS = 0.1  # the spread of trained ones, about: larger ones make sums whose order shows in float32
MODELS = sorted((Path(__file__).parents[2] / "models").glob("*.dl"))


def graphs(path: Path) -> list[Graph]:
    """Training steps, evaluations and models of a program."""
    file = check_text(read_source(path), SMALLER.get(path.stem, ())).file
    found: list[Graph] = []
    for train in file.trains.values():
        found.append(optimize(training_graphs(train).steps[0]))
        found.append(optimize(lower(train.inference.body, train.inference.quantities)))
        found += [optimize(lower(model.body, model.outputs)) for model in train.uses.values()]
    return found


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_programs_of_a_shipped_model_are_proved_and_right(path: Path) -> None:
    """Every number in float64; in float32, where tiles are, as closely as the sums in it allow."""
    for graph in graphs(path):
        program, exact = compile_numpy(graph), retype(graph, {DType.F32: DType.F64})
        for size in (1, 5):
            sizes = dict.fromkeys(program.face.sizes, size)
            check_program(specialise(graph), program, sizes)
            assert_close_in_size(run_both(graph, program, sizes, 2, WEIGHTS), 1e-5)
            assert_close(run_both(exact, compile_numpy(exact), sizes, 2, WEIGHTS), 1e-9)
