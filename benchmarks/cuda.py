"""Check and time inference on CUDA, on a machine that has it: `python -m benchmarks.cuda models/mnist_mlp.dl`.

The program's model is exported, opened on CUDA (an error if that cannot be had, never a silent fall-back), compared with
the NumPy engine and timed against ONNX Runtime on the CPU, inputs and outputs bound, at several batch sizes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

import dslc
from dslc_runtime import ort
from dslc_runtime.errors import RuntimeFault

SIZES = (1, 7, 32, 256, 1024)


def seconds(session: ort.Session, feeds: dict[str, np.ndarray], runs: int = 30) -> float:
    """Median seconds of a run, after three that are not counted."""
    taken: list[float] = []
    for number in range(runs + 3):
        start = time.perf_counter()
        session.run(feeds)
        if number >= 3:
            taken.append(time.perf_counter() - start)
    return median(taken)


def compare(model: dslc.Model, file: Path) -> bool:
    """Print a line per batch size; whether every output agrees with NumPy within 1e-4."""
    data = file.read_bytes()
    cuda, cpu = ort.open_session(data, "cuda"), ort.open_session(data, "cpu")
    good = True
    print(f"{'batch':>6} {'worst difference':>17} {'cuda us':>9} {'cpu us':>9}")
    for size in SIZES:
        generator = np.random.Generator(np.random.Philox(size))
        feeds = {
            name: generator.standard_normal([size if isinstance(d, str) else d for d in shape]).astype(np.float32)
            for name, shape in model.inputs.items()
        }
        expected, found = model(**feeds), cuda.run(feeds)
        worst = max(
            float(np.max(np.abs(found[k] - expected[k]) / (1 + np.abs(expected[k])), initial=0)) for k in expected
        )
        good &= worst <= 1e-4
        print(f"{size:>6} {worst:>17.2e} {seconds(cuda, feeds) * 1e6:>9.1f} {seconds(cpu, feeds) * 1e6:>9.1f}")
    return good


def main() -> int:
    """Exit status 0 if CUDA computes what NumPy computes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda", description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path, help="a .dl file whose model has float inputs")
    parser.add_argument("model", nargs="?", help="which model, where there are several")
    options = parser.parse_args()
    model = dslc.load(options.program).model(options.model)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        model.export(file)
        try:
            return 0 if compare(model, file) else 1
        except RuntimeFault as fault:
            print(f"{fault.message}\n{fault.help}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
