"""The programs that ship do what they promise; with real data, so do the accuracies."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from dslc.cli.commands import commands
from dslc_runtime import ort

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
DATA = Path(os.environ.get("DSLC_DATA", ROOT.parent / "shared" / "data"))
ENGINES = 2 if ort.is_installed() else 1

slow = pytest.mark.skipif(not os.environ.get("DSLC_SLOW"), reason="takes half a minute; set DSLC_SLOW=1 to run it")


def dslc(*arguments: str | Path) -> str:
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.dl")), ids=lambda path: path.stem)
def test_the_tests_in_the_shipped_programs_pass(path: Path) -> None:
    passed, failed = dslc("test", path, "-q").strip().split(", ")[:2]
    assert failed == "0 failed"
    assert int(passed.split()[0]) >= ENGINES


@pytest.mark.parametrize("seed", range(10))
def test_xor_is_learned_from_every_seed(seed: int) -> None:
    out = dslc("test", MODELS / "xor.dl", "-k", "learns xor", "--set", f"train.xor.seed={seed}", "-q")
    assert out.startswith(f"{ENGINES} passed, 0 failed")


def test_the_shipped_digits_are_learned_in_an_epoch(tmp_path: Path) -> None:
    dslc("train", MODELS / "mnist_mlp.dl", "--epochs", 1, "--out", tmp_path / "r", "-q")
    assert json.loads(dslc("eval", tmp_path / "r", "--json"))["accuracy"] > 0.88


@slow
def test_the_readme_reaches_its_accuracy(tmp_path: Path) -> None:
    dslc("train", MODELS / "mnist_mlp.dl", "--out", tmp_path / "r", "-q")
    assert json.loads(dslc("eval", tmp_path / "r", "--json"))["accuracy"] >= 0.95


@slow
@pytest.mark.skipif(not (DATA / "mnist70k.npz").exists(), reason="the 60,000 digits are not here; see DSLC_DATA")
def test_sixty_thousand_digits_reach_their_accuracy(tmp_path: Path) -> None:
    """All of MNIST, 5 epochs: 0.9745 to 0.9772 was measured with another implementation."""
    options = ("--data", DATA / "mnist70k.npz", "--epochs", 5)
    dslc("train", MODELS / "mnist_mlp.dl", *options, "--out", tmp_path / "r", "-q")
    found = json.loads(dslc("eval", tmp_path / "r", "--json"))
    assert found["rows"] == 10_000
    assert found["accuracy"] >= 0.972
