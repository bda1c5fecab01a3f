"""Makes `ring.npz`: points around a circle of radius 2, for `gan.dl`.

python models/data/make_ring.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

POINTS = 2000


def main() -> None:
    generator = np.random.Generator(np.random.Philox(7))
    angle = generator.uniform(0, 2 * np.pi, POINTS)
    radius = generator.normal(2.0, 0.05, POINTS)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)
    np.savez_compressed(Path(__file__).parent / "ring.npz", x=x)


if __name__ == "__main__":
    main()
