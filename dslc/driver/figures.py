"""Losses and metrics in the runtime's terms: what a batch contributes to them, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dslc.backends.interpret import interpret
from dslc.check.typed import Evaluation
from dslc.figures import Figured, put_out
from dslc.graph import Builder, Graph
from dslc.lower import lower_into
from dslc_runtime.figures import ALL_MEANS, Figures


def inference(evaluation: Evaluation) -> tuple[Graph, Figures]:
    """What a batch contributes to losses and metrics in inference mode, from the parameters by key, and how they come of it.

    The graph is as it was lowered.
    """
    builder = Builder()
    figured = put_out(builder, evaluation.body, evaluation.quantities, lower_into(builder, evaluation.body))
    return builder.graph, figures_of(figured)


def figures_of(figured: Figured) -> Figures:
    """How the runtime makes figures of what batches put out."""
    if not figured.graph.outputs:
        return ALL_MEANS
    inputs = [node.attrs.str("name") for node in figured.graph.leaves("input")]

    def finish(joined: Mapping[str, Any]) -> dict[str, float]:
        found = interpret(figured.graph, {name: np.asarray(joined[name], np.float64) for name in inputs})
        return {name: float(found[name] if name in found else joined[name]) for name in figured.names}

    return Figures(figured.joined, finish)
