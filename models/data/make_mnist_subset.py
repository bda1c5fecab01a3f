"""Make the shipped subset of MNIST from the full set: 20,000 training and 4,000 test images, chosen at random.

Usage: python make_mnist_subset.py mnist70k.npz mnist24k.npz

The full file holds the arrays x_train, y_train, x_test, y_test (uint8). Random choice matters: the first 2,000 test images
of MNIST are harder than the rest. Indices are kept sorted, so that the subset keeps the order of the full set.
"""

import sys

import numpy as np

ABOUT = (
    "Random subset (20,000 + 4,000 images) of MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, "
    "licensed under CC BY-SA 3.0, https://creativecommons.org/licenses/by-sa/3.0/. See README.md beside this file."
)


def main(source: str, target: str) -> None:
    """Write the subset of `source` to `target`."""
    generator = np.random.Generator(np.random.Philox(20_000))
    arrays = {}
    with np.load(source, allow_pickle=False) as full:
        for part, n in (("train", 20_000), ("test", 4_000)):
            images, labels = full[f"x_{part}"], full[f"y_{part}"]
            chosen = np.sort(generator.choice(len(images), n, replace=False))
            arrays[f"x_{part}"], arrays[f"y_{part}"] = images[chosen], labels[chosen].astype(np.uint8)
    np.savez_compressed(target, about=np.array(ABOUT), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
