"""A folder with a small program, a trained run, and `dslc` as a function."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dslc.cli.commands import commands

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from toy import write_toy

Dslc = Callable[..., Result]


def invoke(*arguments: str | Path) -> Result:
    """Run a command in this process. Whatever goes wrong, no traceback and no internal error may reach the user."""
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.stderr
    assert "internal error" not in result.stderr, result.stderr
    return result


@pytest.fixture
def dslc() -> Dslc:
    return invoke


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`toy.dl` and its data, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_toy(tmp_path).relative_to(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `toy.dl`, its data, and a run of it; not to be written."""
    folder = tmp_path_factory.mktemp("trained")
    assert invoke("train", write_toy(folder), "--out", folder / "run", "-q").exit_code == 0
    return folder


@pytest.fixture
def run(toy: Path, trained: Path) -> Path:
    """`run`, a copy of the trained run, in the current folder beside the data it was trained on."""
    copied = shutil.copytree(trained / "run", toy.resolve().parent / "run")
    config = copied / "config.dl"
    config.write_text(config.read_text("utf-8").replace(str(trained), str(toy.resolve().parent)), "utf-8")
    return Path("run")
