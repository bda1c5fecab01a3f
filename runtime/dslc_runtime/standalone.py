"""A training as a command: rows of an `.npz` file in batches, losses and metrics on standard output. Scripts end with it.

What an epoch prints are means over its rows, as `dslc_runtime.loop` takes them; what batches contribute to a figure that is no
mean (`f1:0`) is left out.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc_runtime.errors import IdError, listed
from dslc_runtime.face import SizeError
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.random import permutation
from dslc_runtime.stepping import Training


class UsageError(Exception):
    """What the command was given cannot be used."""


def main(training: Callable[..., Training], inputs: Mapping[str, str], batch: int | None, accumulate: int) -> None:
    """Run a training from the command line.

    Args:
        training: makes it, from `seed` and `per_epoch`.
        inputs: the element types of the arrays it takes, by name.
        batch: rows of a batch, where nothing else is asked for; None: all.
        accumulate: how many batches make an update.
    """
    parser = argparse.ArgumentParser(
        description="Train on rows of an .npz file whose arrays are named as the inputs.",
        epilog="Linear algebra uses as many threads as the environment variable OMP_NUM_THREADS says.",
    )
    parser.add_argument("data", help=f"an .npz file with {', '.join(inputs)}; rows on the first axis of every array")
    parser.add_argument("--batch", type=int, default=batch, help=f"rows of a batch; by default {batch or 'all'}")
    parser.add_argument("--epochs", type=int, default=1, help="how often the rows are gone through; by default once")
    parser.add_argument("--seed", type=int, default=None, help="in place of the program's")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the trained weights to this .npz file")
    given = parser.parse_args()
    status, why, done, weights = 0, "", 0, dict[str, npt.NDArray[Any]]()
    try:
        _check(given)
        with np.errstate(all="ignore"):
            for line, run in _epochs(training, _read(given.data, inputs), given, accumulate):
                sys.stdout.write(f"epoch {done + 1}{line}\n")
                sys.stdout.flush()
                kept = {key: value.copy() for key, value in run.weights.items()} if given.save else {}
                done, weights = done + 1, kept
    except KeyboardInterrupt:
        status, why = 130, f"interrupted in epoch {done + 1}"
    except (UsageError, SizeError, IdError, NonFiniteError) as error:
        status, why = 2, str(error)
    if weights:
        try:
            with given.save.open("wb") as file:
                np.savez(file, allow_pickle=False, **weights)
        except OSError as error:
            status, why, weights = 2, f"{given.save} cannot be written: {error.strerror}", {}
    if status:
        after = f"; the weights after epoch {done} are in {given.save}" if weights else "; nothing was saved"
        parser.exit(status, f"{parser.prog}: {why}{after if done or status == 130 else ''}\n")


def _check(given: argparse.Namespace) -> None:
    for name in ("batch", "epochs"):
        value = getattr(given, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} must be at least 1, not {value}")
    if given.save and not given.save.parent.is_dir():
        raise UsageError(f"--save: there is no folder {given.save.parent}")


def _read(path: str, inputs: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file that the inputs are named as: of the right kind, and with one number of rows."""
    try:
        zipfile.ZipFile(path).close()
        with np.load(path, allow_pickle=False) as file:
            there = list(file.files)
            data = {name: file[name] for name in inputs if name in there}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read as an .npz file: {why}") from error
    missing = [name for name in inputs if name not in data]
    if missing:
        raise UsageError(f"{path} has no {listed(missing)}; it has {listed(there)}")
    first, rows = "", 0
    for name, array in data.items():
        if not np.can_cast(array.dtype, inputs[name], "same_kind"):
            raise UsageError(f"`{name}` in {path} is {array.dtype}, the program takes {inputs[name]}")
        if not array.ndim or not len(array):
            raise UsageError(f"`{name}` in {path} has no rows")
        if first and len(array) != rows:
            raise UsageError(f"`{first}` in {path} has {rows} rows, `{name}` has {len(array)}")
        first, rows = name, len(array)
    return data


def _epochs(
    training: Callable[..., Training],
    data: Mapping[str, npt.NDArray[Any]],
    given: argparse.Namespace,
    accumulate: int,
) -> Iterator[tuple[str, Training]]:
    """Train; after each epoch, its means in words, and the training."""
    rows = min(map(len, data.values()))
    batch = min(given.batch or rows, rows)
    starts = range(0, rows, batch)
    seeded = {} if given.seed is None else {"seed": given.seed}
    run = training(per_epoch=-(-len(starts) // accumulate), **seeded)
    for epoch in range(1, given.epochs + 1):
        order = permutation(rows, run.seed, "shuffle", step=epoch) if batch < rows else np.arange(rows)
        sums: dict[str, float] = {}
        for start in starts:
            some = order[start : start + batch]
            found = run.step({name: array[some] for name, array in data.items()}, last=start == starts[-1])
            for name, value in found.items():
                if isinstance(value, float) and ":" not in name:
                    sums[name] = sums.get(name, 0.0) + value * len(some)
        yield "".join(f"  {name} {total / rows:.6g}" for name, total in sums.items()), run
