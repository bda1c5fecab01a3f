"""A training as a command: rows of an `.npz` file in batches, losses and metrics on standard output. Scripts end with it.

What an epoch prints are means over its rows, as `dslc_runtime.loop` takes them; what batches contribute to a figure that is no
mean (`f1:0`) is left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np

from dslc_runtime.random import permutation
from dslc_runtime.stepping import Training


def main(training: Callable[..., Training]) -> None:
    """Run a training from the command line.

    Args:
        training: makes it, from `seed` and `per_epoch`.
    """
    parser = argparse.ArgumentParser(description="Train on rows of an .npz file whose arrays are named as the inputs.")
    parser.add_argument("data", help="an .npz file, rows on the first axis of every array")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None, help="in place of the program's")
    parser.add_argument("--save", help="write the parameters to this .npz file")
    given = parser.parse_args()
    with np.load(given.data, allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    rows = min(len(array) for array in data.values())
    starts = range(0, rows, given.batch)
    seeded = {} if given.seed is None else {"seed": given.seed}
    run = training(per_epoch=len(starts), **seeded)
    for epoch in range(1, given.epochs + 1):
        order = permutation(rows, run.seed, "shuffle", step=epoch) if given.batch < rows else np.arange(rows)
        sums: dict[str, float] = {}
        for start in starts:
            some = order[start : start + given.batch]
            found = run.step({name: array[some] for name, array in data.items()})
            for name, value in found.items():
                if isinstance(value, float) and ":" not in name:
                    sums[name] = sums.get(name, 0.0) + value * len(some)
        figures = [f"{name} {total / rows:.6g}" for name, total in sums.items()]
        sys.stdout.write("  ".join([f"epoch {epoch}", *figures]) + "\n")
    if given.save:
        np.savez(given.save, allow_pickle=False, **run.params)
