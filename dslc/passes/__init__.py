"""Graph -> equivalent, smaller graph. A pass never reports users' mistakes; after each one the graph is proved legal.

The result is for running and exporting, not for differentiating: `stop_gradient` is gone from it.
"""

from __future__ import annotations

from functools import partial

from dslc.graph import Graph, verify
from dslc.passes.algebra import ALGEBRA
from dslc.passes.dead import remove_dead
from dslc.passes.fold import FOLDING
from dslc.passes.joins import JOINS
from dslc.passes.moving import hoist, sink
from dslc.passes.prune import prune_scans
from dslc.passes.regroup import regroup_sums, split_products
from dslc.passes.rewrite import Rules, merged, rewrite
from dslc.passes.scans import Pass, everywhere, has_scans, where_scans_are
from dslc.passes.unite import unite_scans
from dslc.passes.views import VIEWS

RULES: dict[str, Rules] = {"folding": FOLDING, "views": VIEWS, "algebra": ALGEBRA}

_REWRITING = partial(rewrite, rules=merged(*RULES.values(), JOINS))

PASSES: tuple[tuple[str, Pass], ...] = (
    ("dead code", remove_dead),
    ("rewriting", _REWRITING),
    ("dead code", remove_dead),
)

# What a graph with recurrence goes through instead; bodies of scans are graphs too.
SCAN_PASSES: tuple[tuple[str, Pass], ...] = (
    # Scans around others are compared before those inside them change.
    ("uniting scans", where_scans_are(unite_scans, outer_first=True)),
    ("pruning scans", where_scans_are(prune_scans)),
    ("rewriting", everywhere(_REWRITING)),
    ("splitting products", where_scans_are(split_products)),
    ("regrouping sums", where_scans_are(regroup_sums)),
    ("hoisting", where_scans_are(hoist)),
    ("sinking", where_scans_are(sink)),
    ("pruning scans", where_scans_are(prune_scans)),
    ("rewriting", everywhere(_REWRITING)),
    ("dead code", everywhere(remove_dead)),
)


def optimize(graph: Graph) -> Graph:
    """Run all passes: equal nodes are shared, constants folded, rules applied, dead code removed."""
    for name, run in SCAN_PASSES if has_scans(graph) else PASSES:
        graph = run(graph)
        verify(graph, name)
    return graph


__all__ = ["PASSES", "RULES", "SCAN_PASSES", "optimize", "remove_dead", "rewrite"]
