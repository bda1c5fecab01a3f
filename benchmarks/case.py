"""A workload with first values of its parameters and a batch: what every stack starts from, as one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.workloads import WORKLOADS, Array, Workload


@dataclass(frozen=True, slots=True)
class Case:
    """Parameters by key, weights as dslc lays them out, and one batch by field."""

    workload: Workload
    params: Mapping[str, Array]
    batch: Mapping[str, Array]

    @property
    def inputs(self) -> list[Array]:
        """What the network reads."""
        return list(self.batch.values())[:-1]

    @property
    def target(self) -> Array:
        """What it is to answer: class numbers, or values."""
        return list(self.batch.values())[-1]

    @property
    def classifies(self) -> bool:
        """Whether the loss is cross entropy; it is the mean squared error otherwise."""
        return self.target.dtype.kind == "i"


def write_case(name: str, params: Mapping[str, Array], path: Path) -> None:
    """Write a case for the workers."""
    batch = {f"batch {field}": array for field, array in WORKLOADS[name].data().items()}
    np.savez(path, **batch, **{f"param {key}": array for key, array in params.items()})


def read_case(name: str, path: Path) -> Case:
    """The case in a file."""
    found: dict[str, dict[str, Array]] = {"param": {}, "batch": {}}
    with np.load(path) as arrays:
        for entry in arrays.files:
            kind, _, key = entry.partition(" ")
            found[kind][key] = arrays[entry]
    return Case(WORKLOADS[name], found["param"], found["batch"])
