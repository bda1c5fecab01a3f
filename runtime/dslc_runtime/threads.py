"""How many threads the linear algebra uses. It changes speed and the last bits of sums, so it is set and recorded."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import product
from typing import Any, cast

import threadpoolctl  # pyright: ignore[reportMissingTypeStubs]

# Two OpenBLAS threads pay from about a millisecond of work; measured near 40 million multiply-adds a step.
_WORTH_SPLITTING = 40e6


def default_threads(work: float) -> int:
    """The number of threads for a step of `work` multiply-adds: a fact of the program and the machine, never of a timing."""
    return usable_cores() if is_worth_splitting(work) else 1


def is_worth_splitting(work: float) -> bool:
    """Whether a step of `work` multiply-adds is quicker on several threads."""
    return work >= _WORTH_SPLITTING


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limited(threads: int | None) -> AbstractContextManager[None]:
    """Run with so many BLAS threads; None leaves the setting as it is.

    It takes about a microsecond, so that every step of a training can have one. The setting is the process's, not a thread's.
    """
    return _Limited(threads)


@dataclass(frozen=True, slots=True)
class _Pool:
    """The threads of a BLAS library: how many there are, and what sets that."""

    get: Callable[[], int]
    set: Callable[[int], object]


@dataclass(slots=True)
class _Limited:
    threads: int | None
    before: Sequence[tuple[_Pool, int]] = ()

    def __enter__(self) -> None:
        if self.threads is not None:
            self.before = [(pool, before) for pool in _pools() if (before := pool.get()) != self.threads]
            for pool, _ in self.before:
                pool.set(self.threads)

    def __exit__(self, *_: object) -> None:
        for pool, before in self.before:
            pool.set(before)


@cache
def _pools() -> tuple[_Pool, ...]:
    """Those of the libraries that are loaded by now, NumPy's among them: to look for them takes milliseconds."""
    import_module("numpy")
    found = cast("Any", threadpoolctl.ThreadpoolController())
    return tuple(_pool(library) for library in found.select(user_api="blas").lib_controllers)


def _pool(library: Any) -> _Pool:
    """OpenBLAS's functions are called as they are: to look up their names at each call takes several times as long."""
    if library.info().get("threading_layer") == "pthreads":
        for prefix, suffix in product(("scipy_", ""), ("64_", "_64", "")):
            get, set_ = (
                cast("Any", getattr(library.dynlib, f"{prefix}openblas_{what}_num_threads{suffix}", None))
                for what in ("get", "set")
            )
            if get is not None and set_ is not None:
                return _Pool(get, set_)
    return _Pool(library.get_num_threads, library.set_num_threads)


def describe() -> list[dict[str, Any]]:
    """The BLAS libraries in use with their versions and thread counts, as they are now."""
    pools = cast("list[dict[str, Any]]", threadpoolctl.threadpool_info())
    return [
        {"library": pool["internal_api"], "version": pool["version"], "threads": pool["num_threads"]}
        for pool in pools
        if pool["user_api"] == "blas"
    ]
