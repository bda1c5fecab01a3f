"""Makes `sorting.npz`: lists of six digits from 0 to 4, and the same digits sorted.

    python models/data/make_sorting.py

`tokens` holds a list and behind it its sorted digits but the last: what a causal model reads. `sorted` holds the six sorted digits:
what it answers from the sixth step on. No list is in both parts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

DIGITS, LENGTH = 5, 6
TRAIN, TEST = 4000, 1000


def main() -> None:
    chosen = np.random.default_rng(0).choice(DIGITS**LENGTH, TRAIN + TEST, replace=False)
    lists = np.stack([chosen // DIGITS**place % DIGITS for place in range(LENGTH)], 1)
    ordered = np.sort(lists, axis=1)
    tokens = np.concatenate([lists, ordered[:, :-1]], 1)
    arrays = {
        "tokens_train": tokens[:TRAIN],
        "sorted_train": ordered[:TRAIN],
        "tokens_test": tokens[TRAIN:],
        "sorted_test": ordered[TRAIN:],
    }
    np.savez_compressed(
        Path(__file__).parent / "sorting.npz", **{name: array.astype(np.uint8) for name, array in arrays.items()}
    )


if __name__ == "__main__":
    main()
