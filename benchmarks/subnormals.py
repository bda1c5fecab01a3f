"""Steps of Adam on a table most of whose rows are no longer used: `python -m benchmarks.subnormals`.

The moments of a row without gradient decay into subnormal numbers and, by rounding, never reach 0; arithmetic on those is many
times slower. The training loop sets tiny moments to 0 every `TIDY_STEPS` steps. This trains with and without it, in turns, and
prints the median time of a step as the training goes on. The processes of others show in the figures, ratios excepted.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

import numpy as np

from dslc.check import check_source
from dslc.driver.training import prepare
from dslc.source import Source
from dslc_runtime.loop import TIDY_STEPS
from dslc_runtime.program import Bound
from dslc_runtime.state import State
from dslc_runtime.threads import limited

WIDTH, BATCH, EARLY = 32, 64, 100
PROGRAM = f"""
dim B
model Table(rows: int) {{
  input  ids: i64[B]
  output y: f32[B]
  y = ids |> table: Embedding(rows, {WIDTH}) |> sum(axis = -1)
}}
data words {{
  source = npz("words.npz")
  field ids: i64[] = source["ids"]
  field t: f32[]   = source["t"]
}}
train table {{
  use net = Table(rows = ROWS)
  data    = words
  loss    = mse(net.y, data.t)
}}
"""


@dataclass
class Training:
    """One training; after `EARLY` steps its batches hold a tenth of the rows."""

    rows: int
    tidy: bool
    state: State
    bound: Bound
    numbers: np.random.Generator
    step: int = 0
    seconds: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, rows: int, tidy: bool) -> Training:
        checked, sink = check_source(Source("table.dl", PROGRAM.replace("ROWS", str(rows))))
        sink.raise_errors()
        made = prepare(checked.trains["table"])
        bound = made.steps[0].bind({"B": BATCH}, made.state.for_training)
        return cls(rows, tidy, made.state, bound, np.random.default_rng(0))

    def go(self, steps: int) -> None:
        """Train on; only the steps themselves are timed."""
        for _ in range(steps):
            self.step += 1
            used = self.rows if self.step <= EARLY else self.rows // 10
            self.bound.inputs["ids"][...] = self.numbers.integers(0, used, BATCH)
            self.bound.inputs["t"][...] = self.numbers.standard_normal(BATCH)
            begun = perf_counter()
            self.bound.run(lr=1e-3, step=float(self.step))
            if self.tidy and self.step % TIDY_STEPS == 0:
                self.state.drop_tiny()
            self.seconds.append(perf_counter() - begun)

    def subnormal(self) -> float:
        """The share of the first moments that is neither 0 nor normal."""
        moments = np.abs(self.state.arenas["m/all"])
        return float(np.mean((moments > 0) & (moments < np.finfo(np.float32).tiny)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.subnormals", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--rows", type=int, default=2_000)
    asked = parser.parse_args()
    print(f"{asked.rows} rows of {WIDTH}, load {os.getloadavg()[0]:.1f}")
    print(f"{'steps':>12} {'tiny set to 0':>18} {'left alone':>18} {'ratio':>7}   subnormal moments")
    trainings = [Training.of(asked.rows, tidy) for tidy in (True, False)]
    window = max(asked.steps // 10, 1)
    with limited(1):
        for first in range(0, asked.steps, window):
            for training in trainings:
                training.seconds.clear()
            for _ in range(0, window, 25):
                for training in trainings:
                    training.go(min(25, window))
            kept, left = (median(training.seconds) * 1e6 for training in trainings)
            shares = " and ".join(f"{training.subnormal():.0%}" for training in trainings)
            print(
                f"{first + 1:>5}-{first + window:<6} {kept:>15.0f} us {left:>15.0f} us {left / kept:>7.2f}   {shares}",
                flush=True,
            )
        begun = perf_counter()
        for _ in range(50):
            trainings[0].state.drop_tiny()
        print(f"setting them to 0 takes {(perf_counter() - begun) / 50 * 1e6:.0f} us, every {TIDY_STEPS} steps")


if __name__ == "__main__":
    main()
