"""Make two small sets of the shipped digits: many images of 0 to 4, and few of 5 to 9.

Usage: python make_digits_halves.py mnist24k.npz digits_halves.npz

Labels count from 0 in both: those of `high` are the digit less 5. Training images are drawn from the training images, test images
from the test images, each digit equally often.
"""

import sys

import numpy as np

PARTS = {"low": (0, {"train": 500, "test": 100}), "high": (5, {"train": 5, "test": 200})}  # first digit, images of each


def main(source: str, target: str) -> None:
    """Write the two sets from `source` to `target`."""
    generator = np.random.Generator(np.random.Philox(59))
    arrays = {}
    with np.load(source, allow_pickle=False) as full:
        for name, (first, counts) in PARTS.items():
            for part, n in counts.items():
                images, labels = full[f"x_{part}"], full[f"y_{part}"]
                rows = [
                    generator.choice(np.flatnonzero(labels == digit), n, replace=False)
                    for digit in range(first, first + 5)
                ]
                chosen = np.sort(np.concatenate(rows))
                arrays[f"{name}_x_{part}"] = images[chosen]
                arrays[f"{name}_y_{part}"] = (labels[chosen] - first).astype(np.uint8)
        np.savez_compressed(target, about=full["about"], **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
