"""Graph -> equivalent, smaller graph. A pass never reports users' mistakes; after each one the graph is proved legal.

The result is for running and exporting, not for differentiating: `stop_gradient` is gone from it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dslc.graph import Graph, verify
from dslc.passes.algebra import ALGEBRA
from dslc.passes.dead import remove_dead
from dslc.passes.fold import FOLDING
from dslc.passes.rewrite import Rules, merged, rewrite
from dslc.passes.views import VIEWS

RULES: dict[str, Rules] = {"folding": FOLDING, "views": VIEWS, "algebra": ALGEBRA}

PASSES: tuple[tuple[str, Callable[[Graph], Graph]], ...] = (
    ("dead code", remove_dead),
    ("rewriting", partial(rewrite, rules=merged(*RULES.values()))),
    ("dead code", remove_dead),
)


def optimize(graph: Graph) -> Graph:
    """Run all passes: equal nodes are shared, constants folded, rules applied, dead code removed."""
    for name, run in PASSES:
        graph = run(graph)
        verify(graph, name)
    return graph


__all__ = ["PASSES", "RULES", "optimize", "remove_dead", "rewrite"]
