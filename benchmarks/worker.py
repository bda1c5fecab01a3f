"""One stack in one process: answers `gradients PATH` and `segment STEPS` lines on stdin with a JSON line each."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import stacks
from benchmarks.workloads import WORKLOADS


def resident() -> int:
    """Resident memory now, in bytes; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * resource.getpagesize() if status.exists() else 0


def peak() -> int:
    """The largest resident memory so far, in bytes."""
    value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return value if sys.platform == "darwin" else value * 1024


def segment(built: stacks.Built, steps: int) -> dict[str, float]:
    """Run steps; wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        built.step()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def main(stack: str, name: str, threads: str) -> None:
    """Serve requests until stdin ends."""
    stacks.load(stack, int(threads))
    baseline = resident()
    start = time.perf_counter()
    built = stacks.build(stack, WORKLOADS[name])
    built.step()
    print(json.dumps({"baseline": baseline, "start_up": time.perf_counter() - start}), flush=True)
    for line in sys.stdin:
        request, _, argument = line.strip().partition(" ")
        if request == "gradients":
            np.savez(argument, **built.gradients())
            answer: dict[str, float] = {}
        else:
            answer = segment(built, int(argument)) | {"peak": peak(), "growth": peak() - baseline}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
