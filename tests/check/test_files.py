"""Whole files: what is found, in which order, and what does not follow from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dslc.check import library
from dslc.check.library import FOLDER, LAYERS
from dslc.ops.initializers import INITIALIZERS
from dslc_runtime.initializers import INITIALIZERS as DRAWN

HEAD = "dim B\nmodel M {\n input x: f32[B, 8]\n output y: f32[B, 8]\n"


def test_one_mistake_does_not_cascade(codes):
    assert codes(HEAD + "h = x |> fc: Dens(8)\ng = h @ h + 3\ny = g |> out: Dense(2)\n}") == ["DL1003"]


def test_independent_mistakes_are_all_found(codes):
    assert codes(HEAD + "h = x @ x\ng = relu(q)\ny = x |> fc: Dense(9)\n}") == ["DL2001", "DL1001", "DL2005"]


def test_a_mistake_in_a_block_is_reported_once(codes):
    block = "block A {\n input x: f32[..., 8]\n output y: f32[..., 8]\n y = x + q\n}\n"
    assert codes(block + HEAD + "y = x |> a: A() |> b: A() |> c: A()\n}") == ["DL1001"]


def test_a_mistake_in_both_modes_is_reported_once(codes):
    assert codes(HEAD + "h = x |> Dropout(0.1)\ny = h @ x\n}") == ["DL2001"]


def test_a_mistake_in_the_training_branch_is_found(codes):
    assert codes(HEAD + "y = if training then x @ x else x\n}") == ["DL2001"]


def test_names_read_by_train_and_test_blocks_are_used(codes):
    model = HEAD + "logits = x * 2\nside = x * 3\ny = x\n}\n"
    test = 'test "t" {\n use net = M()\n given x = zeros([2, 8])\n expect shape(net.logits) == [2, 8]\n}\n'
    assert codes(model + test) == ["DL4001"]


def test_a_file_of_nothing_is_fine(codes):
    assert codes("") == []


def test_every_library_file_is_in_the_table_and_is_right(codes):
    assert {path.name for path in FOLDER.glob("*.dl")} == set(LAYERS.values())
    for name in LAYERS:
        found = library.library_layer(name)
        assert found is not None
        assert found[1].doc


def test_the_runtime_draws_every_initialiser_of_the_language():
    assert set(INITIALIZERS) == set(DRAWN)


def test_checking_imports_nothing_heavy():
    code = (
        "import sys\nfrom dslc.check import check_source\nfrom dslc.source import Source\n"
        "text = 'dim B\\nmodel M { input x: f32[B, 2]\\n output y: f32[B, 2]\\n y = x |> fc: Dense(2) }'\n"
        "found, sink = check_source(Source('m.dl', text))\nassert not sink.found and found.models\n"
        "print([name for name in ('numpy', 'networkx', 'onnx', 'lark') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert out.stdout.strip() == "[]"
