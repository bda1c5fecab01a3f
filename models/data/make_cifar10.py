"""Makes `cifar10.npz` of the archive that CIFAR-10's author hands out, for `cifar_net.dl`.

python models/data/make_cifar10.py cifar-10-binary.tar.gz

The archive is "CIFAR-10 binary version (suitable for C programs)" of https://www.cs.toronto.edu/~kriz/cifar.html. A record of
its files is one byte for the class and 3,072 for the image: all of its red, then green, then blue, row by row.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PARTS = {"train": [f"data_batch_{n}.bin" for n in range(1, 6)], "test": ["test_batch.bin"]}
RECORD = 1 + 3 * 32 * 32


def records(archive: tarfile.TarFile, name: str) -> NDArray[np.uint8]:
    """The records of one file of the archive, a row each."""
    found = archive.extractfile(f"cifar-10-batches-bin/{name}")
    if found is None:
        raise SystemExit(f"{name} is not a file in this archive")
    return np.frombuffer(found.read(), np.uint8).reshape(-1, RECORD)


def main(source: str, target: str) -> None:
    """Write the images and classes of `source` to `target`."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    with tarfile.open(source) as archive:
        for part, names in PARTS.items():
            rows = np.concatenate([records(archive, name) for name in names])
            arrays[f"x_{part}"] = rows[:, 1:].reshape(-1, 3, 32, 32)
            arrays[f"y_{part}"] = rows[:, 0]
    np.savez_compressed(target, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], str(Path(__file__).parent / "cifar10.npz"))
