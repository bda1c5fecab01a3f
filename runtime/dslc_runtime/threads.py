"""How many threads the linear algebra uses. It changes speed and the last bits of sums, so it is set and recorded."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import threadpoolctl  # pyright: ignore[reportMissingTypeStubs]

# Two OpenBLAS threads pay from about a millisecond of work; measured near 40 million multiply-adds a step.
_WORTH_SPLITTING = 40e6


def default_threads(work: float) -> int:
    """The number of threads for a step of `work` multiply-adds: a fact of the program and the machine, never of a timing."""
    return 1 if work < _WORTH_SPLITTING else usable_cores()


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited(threads: int | None) -> Generator[None]:
    """Run with so many BLAS threads; None leaves the setting as it is."""
    if threads is None:
        yield
        return
    with threadpoolctl.threadpool_limits(limits=threads, user_api="blas"):
        yield


def describe() -> list[dict[str, Any]]:
    """The BLAS libraries in use with their versions and thread counts, as they are now."""
    pools = cast("list[dict[str, Any]]", threadpoolctl.threadpool_info())
    return [
        {"library": pool["internal_api"], "version": pool["version"], "threads": pool["num_threads"]}
        for pool in pools
        if pool["user_api"] == "blas"
    ]
