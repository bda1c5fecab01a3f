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


def accuracy(program: str, data: Path, out: Path, rows: int = 10_000) -> float:
    """What `dslc eval` says of a program trained on other data than it ships with."""
    for arguments in (("train", MODELS / program, "--data", data, "--out", out, "-q"), ("eval", out, "--json")):
        result = CliRunner().invoke(commands, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["rows"] == rows
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


# ---------------------------------------------------------------------------------------------- the map


def nearest(places: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The labels of the rows of `places` that lie nearest to those of `asked`."""
    distances = np.sum(places**2, axis=1) - 2 * asked @ places.T
    return labels[distances.argmin(axis=1)]


@slow
def test_on_the_map_the_nearest_digit_is_oftener_the_same_than_among_pixels() -> None:
    """Learned from pairs alone: 0.968 of the test digits by the nearest of 4,000 places, 0.931 by that of 4,000 images."""
    with np.load(MODELS / "data" / "mnist24k.npz") as data:
        known, labels = np.float32(data["x_train"][:4000] / 255), data["y_train"][:4000]
        asked, wanted = np.float32(data["x_test"] / 255), data["y_test"]
    net = trained("contrastive", 1).models["net"]
    by_place = nearest(net(image=known)["place"], labels, net(image=asked)["place"])
    by_pixel = nearest(known.reshape(4000, -1), labels, asked.reshape(len(asked), -1))
    assert np.mean(by_place == wanted) > np.mean(by_pixel == wanted) + 0.02


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
    assert accuracy("cnn_mnist.dl", DATA / "mnist70k.npz", tmp_path / "r") >= 0.985


@slow
@pytest.mark.skipif(not (DATA / "cifar10.npz").exists(), reason="the photographs are not here; see DSLC_DATA")
def test_the_network_for_photographs_beats_its_tutorial(tmp_path: Path) -> None:
    assert accuracy("cifar_net.dl", DATA / "cifar10.npz", tmp_path / "r") >= 0.52


def test_utterances_are_read_from_the_archive_of_time_series(tmp_path: Path) -> None:
    vowels = maker("make_japanese_vowels")
    rng = np.random.default_rng(0)
    spoken = {"TRAIN": [rng.normal(size=(n, 12)) for n in (20, 29, 7)], "TEST": [rng.normal(size=(8, 12))]}
    for part, utterances in spoken.items():
        lines = [":".join([*(",".join(map(str, c)) for c in u.T), str(n + 1)]) for n, u in enumerate(utterances)]
        (tmp_path / part).write_text(
            "# a comment: of words\n@problemName JapaneseVowels\n@data\n" + "\n".join(lines) + "\n"
        )
    vowels.main(str(tmp_path / "TRAIN"), str(tmp_path / "TEST"), str(tmp_path / "made.npz"))
    with np.load(tmp_path / "made.npz") as made:
        assert made["length_train"].tolist() == [20, 29, 7]
        assert (made["y_train"].tolist(), made["y_test"].tolist()) == ([0, 1, 2], [0])
        assert made["x_test"].shape == (1, 29, 12)
        np.testing.assert_allclose(made["x_train"][2, :7], spoken["TRAIN"][2], rtol=1e-6)
        assert not made["x_train"][2, 7:].any()


@slow
@pytest.mark.skipif(not (DATA / "japanese_vowels.npz").exists(), reason="the utterances are not here; see DSLC_DATA")
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_recurrent_layers_know_who_speaks(tmp_path: Path, kind: str) -> None:
    """Seeds 1 to 3: 0.935 to 0.968 (lstm), 0.965 to 0.978 (gru), 0.914 to 0.954 (rnn); here seed 1."""
    assert accuracy(f"japanese_vowels.dl:{kind}", DATA / "japanese_vowels.npz", tmp_path / "r", rows=370) >= 0.92


@slow
@pytest.mark.skipif(not (DATA / "bbc_news.csv").exists(), reason="the articles are not here; see DSLC_DATA")
def test_the_reader_of_news_knows_their_topics(tmp_path: Path) -> None:
    assert accuracy("bbc_news.dl", DATA / "bbc_news.csv", tmp_path / "r", rows=425) >= 0.90


@slow
@pytest.mark.skipif(not (DATA / "shakespeare.txt").exists(), reason="the plays are not here; see DSLC_DATA")
def test_the_language_model_is_left_with_few_characters_to_choose_from(tmp_path: Path) -> None:
    arguments = ("train", MODELS / "char_lm.dl", "--data", DATA / "shakespeare.txt", "--out", tmp_path / "r", "-q")
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    last = (tmp_path / "r" / "history.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["val.perplexity"] < 6
