"""What a graph goes through, as data: passes with their names, in order."""

from __future__ import annotations

from typing import TypeAlias

from dslc.graph import Graph, verify
from dslc.passes.rewrite import Rules, rewrite
from dslc.passes.scans import Pass, everywhere
from dslc.record import record

Pipeline: TypeAlias = tuple[tuple[str, Pass], ...]


@record
class Rewriting:
    """The pass that applies rules.

    Attributes:
        inside: whether to the bodies of scans too.
    """

    rules: Rules
    inside: bool = False

    def __call__(self, graph: Graph) -> Graph:
        run: Pass = everywhere(self._over) if self.inside else self._over
        return run(graph)

    def _over(self, graph: Graph) -> Graph:
        return rewrite(graph, self.rules)


def run_all(graph: Graph, pipeline: Pipeline) -> Graph:
    """The graph after all passes, which is proved legal.

    Raises:
        InternalError: it is not, or a pass stumbled; the first pass that made an illegal graph is named.
    """
    made = graph
    try:
        for _, run in pipeline:
            made = run(made)
        verify(made, "passes")
    except Exception:
        _prove_each(graph, pipeline)
        raise
    return made


def _prove_each(graph: Graph, pipeline: Pipeline) -> None:
    for name, run in pipeline:
        graph = run(graph)
        verify(graph, name)
