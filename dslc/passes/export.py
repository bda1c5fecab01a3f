"""Graph as it was lowered -> the one that is written as ONNX.

It goes through the same passes as any other, after scans that an operator of ONNX computes became that operator: then they still
say plainly what they compute. Afterwards convolutions take in their biases. The result holds operators that no engine of ours has.
"""

from __future__ import annotations

from dslc.graph import Graph, verify
from dslc.passes import optimize
from dslc.passes.image_forms import image_operators
from dslc.passes.pipeline import Pipeline, run_all
from dslc.passes.prune import prune_scans
from dslc.passes.recurrent import recurrent_operators
from dslc.passes.scans import has_scans, where_scans_are

EXPORT_PASSES: Pipeline = (
    ("pruning scans", where_scans_are(prune_scans)),
    ("operators for scans", recurrent_operators),
)


def optimize_for_export(graph: Graph) -> Graph:
    """Run all passes over a graph that becomes ONNX."""
    graph = run_all(graph, EXPORT_PASSES) if has_scans(graph) else graph
    graph = image_operators(optimize(graph))
    verify(graph, "operators on images")
    return graph
