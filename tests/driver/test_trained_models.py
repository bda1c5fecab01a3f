"""What shipped models have learned, asked of the trained models: coverage, play, and scores on data that may not ship."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import tarfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner

import dslc
from dslc.cli.commands import commands

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
DATA = Path(os.environ.get("DSLC_DATA", ROOT.parent / "shared" / "data"))

slow = pytest.mark.skipif(not os.environ.get("DSLC_SLOW"), reason="takes minutes; set DSLC_SLOW=1 to run it")


def maker(name: str) -> ModuleType:
    """A script that makes data of `models/data`, as a module."""
    spec = importlib.util.spec_from_file_location(name, MODELS / "data" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trained(program: str, seed: int) -> dslc.Run:
    loaded = dslc.load(MODELS / f"{program}.dl")
    return loaded.trainer(set={f"train.{loaded.trainers[0]}.seed": seed}).fit()


def accuracy(program: str, data: Path, out: Path) -> float:
    """What `dslc eval` says of a program trained on other data than it ships with."""
    for arguments in (("train", MODELS / f"{program}.dl", "--data", data, "--out", out, "-q"), ("eval", out, "--json")):
        result = CliRunner().invoke(commands, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["rows"] == 10_000
    return found["accuracy"]


# ---------------------------------------------------------------------------------------------- the generator


@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=slow) for seed in range(7))])
def test_what_the_generator_draws_lies_on_the_whole_ring(seed: int) -> None:
    """Of 4,000 points, the share within three deviations of the data from the circle, and the shares of its eight arcs.

    Seeds 0 to 14: 0.973 to 0.988, and 0.10 to 0.15 in each arc.
    """
    noise = np.random.Generator(np.random.Philox(1)).standard_normal((4000, 16)).astype(np.float32)
    x, y = trained("gan", seed).models["g"](z=noise)["x"].T
    on_ring = np.abs(np.hypot(x, y) - 2) < 3 * 0.05
    arcs = np.floor(8 * (np.arctan2(y, x) / (2 * np.pi) + 0.5)).astype(int) % 8
    shares = np.bincount(arcs[on_ring], minlength=8) / on_ring.sum()
    assert on_ring.mean() > 0.95
    assert shares.min() > 0.08
    assert shares.max() < 0.18


# ---------------------------------------------------------------------------------------------- the policy


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_policy_balances_the_pole_four_times_as_long_as_those_it_learned_from(seed: int) -> None:
    """Episodes of at most 200 steps; the recorded ones are 22 steps long on average."""
    cartpole = maker("make_cartpole")
    policy = trained("policy_gradient", seed).models["net"]
    generator = np.random.Generator(np.random.Philox(5))
    played = [
        cartpole.episode(lambda state: int(policy(observed=state[None])["logits"].argmax()), generator)[0]
        for _ in range(20)
    ]
    assert np.mean([len(states) for states in played]) > 80


def test_the_episodes_that_ship_are_those_of_their_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cartpole = maker("make_cartpole")
    monkeypatch.setattr(cartpole, "__file__", str(tmp_path / "make_cartpole.py"))
    cartpole.main()
    with np.load(tmp_path / "cartpole.npz") as made, np.load(MODELS / "data" / "cartpole.npz") as shipped:
        assert set(made) == set(shipped)
        for name in made:
            np.testing.assert_allclose(made[name], shipped[name], rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------------------------------------- data that does not ship


def test_the_photographs_are_read_from_their_authors_archive(tmp_path: Path) -> None:
    cifar = maker("make_cifar10")
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (4, 3, 32, 32), np.uint8) for part in cifar.PARTS.values() for name in part}
    with tarfile.open(tmp_path / "cifar.tar.gz", "w:gz") as archive:
        for n, (name, image) in enumerate(images.items()):
            content = b"".join(bytes([n]) + photo.tobytes() for photo in image)
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    cifar.main(str(tmp_path / "cifar.tar.gz"), str(tmp_path / "cifar10.npz"))
    with np.load(tmp_path / "cifar10.npz") as made:
        assert made["x_train"].shape == (20, 3, 32, 32)
        np.testing.assert_array_equal(made["x_train"][4:8], images["data_batch_2.bin"])
        np.testing.assert_array_equal(made["x_test"], images["test_batch.bin"])
        assert made["y_train"].tolist() == [n for n in range(5) for _ in range(4)]
        assert made["y_test"].tolist() == [5] * 4


@slow
@pytest.mark.skipif(not (DATA / "mnist70k.npz").exists(), reason="the 60,000 digits are not here; see DSLC_DATA")
def test_the_convolutional_network_knows_sixty_thousand_digits(tmp_path: Path) -> None:
    assert accuracy("cnn_mnist", DATA / "mnist70k.npz", tmp_path / "r") >= 0.985


@slow
@pytest.mark.skipif(not (DATA / "cifar10.npz").exists(), reason="the photographs are not here; see DSLC_DATA")
def test_the_network_for_photographs_beats_its_tutorial(tmp_path: Path) -> None:
    assert accuracy("cifar_net", DATA / "cifar10.npz", tmp_path / "r") >= 0.52
