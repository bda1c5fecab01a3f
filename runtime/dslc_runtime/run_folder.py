"""The folder a training writes: which files there are, what `run.json` says, and how weights are read from it.

It stands alone: it can be moved to another machine and used there.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.learned import as_bytes, read_learned
from dslc_runtime.data.learning import Learned
from dslc_runtime.errors import RuntimeFault, why
from dslc_runtime.files import sweep, write_atomic

Array: TypeAlias = npt.NDArray[Any]

FORMAT_VERSION = 1
WEIGHTS, TRAINING = "weights", "training state"  # kinds of checkpoints

_FILES = (
    "model.safetensors",
    "last.safetensors",
    "history.jsonl",
    "report.html",
    "run.json",
    "config.dl",
    "fields.json",
)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run's files."""

    path: Path

    @property
    def model(self) -> Path:
        """The weights to use: those of the best epoch where the training says what is best, else of the last."""
        return self.path / "model.safetensors"

    @property
    def last(self) -> Path:
        """Everything needed to go on after the last finished epoch."""
        return self.path / "last.safetensors"

    @property
    def history(self) -> Path:
        return self.path / "history.jsonl"

    @property
    def config(self) -> Path:
        """The program, resolved: it stands alone."""
        return self.path / "config.dl"

    @property
    def about(self) -> Path:
        """Facts of the run: versions, seed, engine, threads, hashes of program and data."""
        return self.path / "run.json"

    @property
    def fields(self) -> Path:
        """What the data's fields learned from the training part; not there where nothing was learned."""
        return self.path / "fields.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def read_about(self) -> dict[str, Any]:
        """The facts in `run.json`.

        Raises:
            RuntimeFault: DL5024 it is not there or not readable, DL5022 a newer dslc wrote it.
        """
        try:
            about: object = json.loads(self.about.read_text("utf-8"))
        except OSError as error:
            raise self._no_run(f"`run.json` cannot be read: {why(error)}") from error
        except (ValueError, RecursionError) as error:
            raise self._no_run("`run.json` is damaged") from error
        if not isinstance(about, dict):
            raise self._no_run("`run.json` is damaged")
        facts = cast("dict[str, Any]", about)
        version: object = facts.get("format_version")
        if not isinstance(version, int):
            raise self._no_run("`run.json` has no format version")
        if version > FORMAT_VERSION:
            raise RuntimeFault(
                "DL5022",
                f"the run has format version {version}; this dslc reads up to {FORMAT_VERSION}",
                str(self.path),
                help="update dslc",
            )
        return facts

    def read_learned(self) -> dict[str, Learned]:
        """What the data's fields learned, proved to be what the weights were trained with.

        Raises:
            RuntimeFault: DL5068, it is not.
        """
        expected: object = self.read_about().get("fields", "")
        return read_learned(self.fields, str(expected))

    def _no_run(self, reason: str) -> RuntimeFault:
        return RuntimeFault(
            "DL5024", "this folder holds no run", str(self.path), [reason], "give the folder that `dslc train` wrote"
        )


def require_no_run(path: Path) -> None:
    """Check that a folder holds no trained weights that a new run would replace.

    Raises:
        RuntimeFault: DL5026, it does.
    """
    folder = RunFolder(path)
    if folder.last.exists():
        mend = "`--resume` goes on with this run, `--force` replaces it"
    elif folder.model.exists():
        mend = f"`--force` replaces this run, which cannot go on: it has no `{folder.last.name}`"
    else:
        return
    raise RuntimeFault("DL5026", "this folder holds a run already", str(path), help=f"name another folder; {mend}")


def create_run(
    path: Path, config: str, about: Mapping[str, Any], learned: Mapping[str, Learned] | None = None
) -> RunFolder:
    """Make a run's folder, or clear the one that is there of an earlier run, and write what is known before the first epoch.

    Args:
        learned: what the data's fields learned; `about` holds its digest.

    Raises:
        RuntimeFault: DL5023, the folder cannot be made or written.
    """
    folder = RunFolder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        sweep(path)
        for name in _FILES:
            (path / name).unlink(missing_ok=True)
    except OSError as error:
        raise RuntimeFault(
            "DL5023",
            f"the run folder `{path.name or path}` cannot be made or written: {why(error)}",
            str(path),
            help="name another folder with `--out`",
        ) from error
    if learned:
        write_atomic(folder.fields, as_bytes(learned))
    write_program(folder, config, about)
    return folder


def write_program(folder: RunFolder, config: str, about: Mapping[str, Any]) -> None:
    """Write `config.dl` and `run.json` anew: at the start of a run, and when it was resumed with other settings.

    Raises:
        RuntimeFault: DL5023, one of them cannot be written.
    """
    write_atomic(folder.config, config.encode("utf-8", "surrogatepass"))
    write_about(folder, about)


def open_run(path: Path) -> RunFolder:
    """The run in a folder, proved to be one this version reads.

    Raises:
        RuntimeFault: DL5024 there is none, DL5022 a newer dslc wrote it.
    """
    folder = RunFolder(path)
    folder.read_about()
    return folder


def write_about(folder: RunFolder, about: Mapping[str, Any]) -> None:
    """Write `run.json` anew."""
    facts = {"format_version": FORMAT_VERSION, **about}
    write_atomic(folder.about, (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode())


def machine() -> dict[str, str]:
    """What the numbers of a run may depend on: versions and platform."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": f"{sys.platform}-{platform.machine()}",
    }
