"""What it is worth to update the rows of a table that a batch names: `python -m benchmarks.sparse_rows`.

Mean word vectors are trained by SGD and Adagrad, with the rule that only rows in a batch are updated and without it, in turns:
processor time of a step and memory of its plan. Words are drawn as those of texts fall, a few of them often. In brackets, where
the compiler leaves the table whole of itself (`dslc.backends.sparse_rows.pays`).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import process_time
from unittest.mock import patch

import numpy as np

from dslc.backends import pieces
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.check import check_source
from dslc.driver.training import prepare
from dslc.ops.ir import Node
from dslc.passes import optimize
from dslc.source import Source
from dslc_runtime.threads import limited

LENGTH = 50
PROGRAM = """
dim B
model Words {
  input  words: i64[B, LENGTH]
  output scores: f32[B, 5]
  scores = mean(words |> emb: Embedding(ROWS, COLUMNS), axes = 1) |> head: Dense(5)
}
data texts {
  source = npz("texts.npz")
  field words: i64[LENGTH] = source["words"]
  field label: i64[]       = source["label"]
}
train words {
  use net   = Words()
  data      = texts
  loss      = cross_entropy(net.scores, data.label)
  optimizer = OPTIMIZER(lr = 0.1)
}
"""
TABLES = ((5_000, 32), (10_000, 64), (20_000, 16), (20_000, 128), (50_000, 100), (100_000, 64))


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is bound, and the bytes it works in."""

    run: Callable[[], None]
    bytes: int

    def seconds(self, times: int) -> float:
        """Processor time of one run, over several."""
        begun = process_time()
        for _ in range(times):
            self.run()
        return (process_time() - begun) / times


@dataclass(frozen=True, slots=True)
class Case:
    """A table, what trains it, and the texts of a batch."""

    rows: int
    columns: int
    optimizer: str
    batch: int

    def program(self) -> str:
        text = PROGRAM.replace("ROWS", str(self.rows)).replace("COLUMNS", str(self.columns))
        return text.replace("LENGTH", str(LENGTH)).replace("OPTIMIZER", self.optimizer)

    def step(self, pays: Callable[[Node], bool]) -> Step:
        """A training step in which gradients that pay are kept by rows."""
        checked, sink = check_source(Source("words.dl", self.program()))
        sink.raise_errors()
        sizes, numbers = {"B": self.batch}, np.random.default_rng(0)
        with patch.object(pieces, "pays", pays):
            prepared = prepare(checked.trains["words"])
            memory = plan(specialise(optimize(prepared.graphs.steps[0]))).scratch_bytes(sizes)
            bound = prepared.steps[0].bind(sizes, prepared.state.for_training)
        bound.inputs["words"][...] = numbers.zipf(1.2, (self.batch, LENGTH)) % self.rows
        bound.inputs["label"][...] = numbers.integers(0, 5, self.batch)
        given = {name: {"lr": 1e-6, "step": 1.0}[name] for name in bound.scalars}
        return Step(lambda: bound.run(**given), memory)

    def pays(self) -> bool:
        """Whether the compiler keeps the gradient by rows."""
        return self.step(pieces.pays).bytes == self.step(_always).bytes


def _always(gradient: Node) -> bool:
    return gradient.op == "scatter_add"


def _never(_: Node) -> bool:
    return False


def row(case: Case, rounds: int) -> str:
    """What a case takes both ways."""
    whole, by_rows = case.step(_never), case.step(_always)
    times = max(round(0.05 / whole.seconds(3)), 1)
    found = [(whole.seconds(times), by_rows.seconds(times)) for _ in range(rounds)]
    a, b = (median(each) * 1e6 for each in zip(*found, strict=True))
    ratio = f"{a / b:.2f}" if case.pays() else f"({a / b:.2f})"
    table = f"{case.rows:>7} x {case.columns:<4} {case.batch:>5} {case.optimizer:8}"
    return f"{table} {a:>9.0f} {b:>9.0f} {ratio:>8} {whole.bytes / 1e6:>8.1f} {by_rows.bytes / 1e6:>8.1f}"


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sparse_rows", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=9, help="segments of either step (default 9)")
    options = parser.parse_args()
    print(f"{LENGTH} words a text, load {os.getloadavg()[0]:.2f}; times in us, memory in MB")
    print(f"{'table':>14} {'batch':>5} {'':8} {'whole':>9} {'by rows':>9} {'ratio':>8} {'memory':>8} {'by rows':>8}")
    with limited(1):
        for rows, columns in TABLES:
            for optimizer in ("sgd", "adagrad"):
                for batch in (32, 128):
                    print(row(Case(rows, columns, optimizer, batch), options.rounds), flush=True)
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
