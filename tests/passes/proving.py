"""A rule or pass is proved on random graphs that it changes: by itself, and by all others without it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from benchmarks.leaving_out import rules
from dslc.graph import Graph, print_graph, verify
from dslc.passes import rewrite
from dslc.passes.rewrite import Rules
from dslc.passes.scans import Pass

Make = Callable[[int], Graph]  # the graph of a seed

ENOUGH = 15  # graphs that a rule changes


def only(name: str, table: Rules) -> Rules:
    """One rule, for every operator it is listed under."""
    rule = rules()[name]
    return {op: (rule,) for op, alternatives in table.items() if rule in alternatives}


def names(table: Rules) -> list[str]:
    """The rules of a table."""
    return list(dict.fromkeys(rule.__name__ for alternatives in table.values() for rule in alternatives))


def changed_by(run: Pass, make: Make, seeds: int, enough: int = ENOUGH) -> list[tuple[int, Graph]]:
    """The first seeds whose graphs a pass changes, with what these become.

    Raises:
        AssertionError: of the graphs of all seeds, fewer than `enough` are changed.
    """
    found: list[tuple[int, Graph]] = []
    for seed in range(seeds):
        after = run(make(seed))
        if _text(after) != _untouched(make, seed):
            verify(after, f"seed {seed}")
            found.append((seed, after))
        if len(found) == enough:
            return found
    raise AssertionError(f"only {len(found)} of {seeds} graphs are changed")


@cache
def _untouched(make: Make, seed: int) -> str:
    return _text(make(seed))


def _text(graph: Graph) -> str:
    """A graph as it is written when equal nodes are one and nothing is dead."""
    return print_graph(rewrite(graph, {}))
