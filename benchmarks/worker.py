"""One stack in one process: answers `results PATH`, `facts` and `segment STEPS` lines on stdin with a JSON line each."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.case import read_case
from benchmarks.stacks import STACKS
from benchmarks.stacks.built import Built


def resident() -> int:
    """Resident memory now, in bytes; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * resource.getpagesize() if status.exists() else 0


def peak() -> int:
    """The largest resident memory so far, in bytes, and what its worker processes have for themselves.

    Linux hands a process the `ru_maxrss` of the one that started it; its status counts from the start of the program.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 + sum(map(_private, _children()))
    value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return value if sys.platform == "darwin" else value * 1024


def _children() -> list[Path]:
    """The processes that this one has started; none where the system does not tell."""
    lists = Path("/proc/self/task").glob("*/children")
    return [Path("/proc", number) for each in lists for number in each.read_text().split()]


def _private(process: Path) -> int:
    """The bytes of a process that no other has."""
    lines = (process / "smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def _seconds() -> float:
    """CPU seconds of this process and of those it has started."""
    others = sum(int((process / "schedstat").read_text().split()[0]) for process in _children())
    return time.process_time() + others / 1e9


def segment(built: Built, steps: int) -> dict[str, float]:
    """Run steps; wall and CPU seconds, and memory."""
    wall, cpu = time.perf_counter(), _seconds()
    built.run(steps)
    return {"wall": time.perf_counter() - wall, "cpu": _seconds() - cpu, "peak": peak()}


def main(name: str, workload: str, case: str, threads: str, started: str) -> None:
    """Serve requests until stdin ends; `started` is when the process was asked for."""
    stack = STACKS[name]
    module = stack.imported()
    module.load(int(threads))
    baseline = resident()
    built = module.build(read_case(workload, Path(case)), stack.variant, int(threads))
    built.run(1)
    print(json.dumps({"baseline": baseline, "start_up": time.time() - float(started)}), flush=True)
    for line in sys.stdin:
        request, _, argument = line.strip().partition(" ")
        answer: dict[str, object] = {}
        if request == "results":
            np.savez(argument, **built.results())
        elif request == "facts":
            answer = dict(built.facts())
        else:
            answer = dict(segment(built, int(argument)))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
