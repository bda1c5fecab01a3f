"""Graph -> equivalent, smaller graph. A pass never reports users' mistakes; after each one the graph is proved legal.

The result is for running and exporting, not for differentiating: `stop_gradient` is gone from it.
"""

from __future__ import annotations

from dslc.graph import Graph
from dslc.ops import FAMILIES
from dslc.passes.algebra import ALGEBRA
from dslc.passes.arenas import ARENAS
from dslc.passes.channels_last import channels_last
from dslc.passes.dead import remove_dead
from dslc.passes.fold import FOLDING
from dslc.passes.joins import JOINS
from dslc.passes.moving import hoist, sink
from dslc.passes.pipeline import Pipeline, Rewriting, run_all
from dslc.passes.pools import POOLS
from dslc.passes.prune import prune_scans
from dslc.passes.regroup import regroup_factors, regroup_sums, split_products
from dslc.passes.rewrite import Rules, merged, rewrite
from dslc.passes.scans import has_scans, where_scans_are
from dslc.passes.unite import unite_scans
from dslc.passes.views import VIEWS

IMAGE_OPERATORS = frozenset(op.name for family in ("convolution", "pooling") for op in FAMILIES[family])

RULES: dict[str, Rules] = {"folding": FOLDING, "views": VIEWS, "algebra": ALGEBRA, "arenas": ARENAS}

REWRITING = merged(*RULES.values(), JOINS)

PASSES: Pipeline = (("rewriting", Rewriting(REWRITING)),)

# What a graph with recurrence goes through instead; bodies of scans are graphs too.
SCAN_PASSES: Pipeline = (
    # Scans around others are compared before those inside them change.
    ("uniting scans", where_scans_are(unite_scans, outer_first=True)),
    ("pruning scans", where_scans_are(prune_scans)),
    ("rewriting", Rewriting(REWRITING, inside=True)),
    ("splitting products", where_scans_are(split_products)),
    ("regrouping sums", where_scans_are(regroup_sums)),
    ("regrouping factors", where_scans_are(regroup_factors)),
    ("hoisting", where_scans_are(hoist)),
    ("sinking", where_scans_are(sink)),
    ("pruning scans", where_scans_are(prune_scans)),
    ("rewriting", Rewriting(REWRITING, inside=True)),
)

# What an engine without a compiler of its own runs a graph with images through afterwards.
IMAGE_PASSES: Pipeline = (
    ("pooling first", Rewriting(POOLS)),
    ("channels last", channels_last),
)


def optimize(graph: Graph) -> Graph:
    """Run all passes: equal nodes are shared, constants folded, rules applied, dead code removed."""
    return run_all(graph, SCAN_PASSES if has_scans(graph) else PASSES)


def arrange_images(graph: Graph) -> Graph:
    """The graph as NumPy runs convolutions and pools; it is not for exporting. Others are returned as they are."""
    if not any(node.op in IMAGE_OPERATORS for node in graph.nodes.values()):
        return graph
    return run_all(graph, IMAGE_PASSES)


__all__ = [
    "IMAGE_PASSES",
    "PASSES",
    "REWRITING",
    "RULES",
    "SCAN_PASSES",
    "arrange_images",
    "optimize",
    "remove_dead",
    "rewrite",
]
