"""What `dslc compile -o` writes of the graphs of a model or a training: pictures, and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from dslc.backends.drawing import Scene, dot_text, mermaid_text, paint, svg_text
from dslc.check.typed import TypedModel, TypedTrain
from dslc.graph import Graph
from dslc.graph.node_link import Json, node_link

_PICTURES: Mapping[str, Callable[[Scene], str]] = {".svg": svg_text, ".dot": dot_text, ".mmd": mermaid_text}

#: The endings of files that hold graphs in another form than their text.
FORMS = (*_PICTURES, ".json")


def drawn(graphs: Mapping[str, Graph], about: TypedModel | TypedTrain, form: str) -> str:
    """Graphs as a file of one of the `FORMS` holds them.

    Args:
        graphs: the graph of a model, or those of a training by step.
        about: what they are graphs of.
    """
    title = f"{'model' if isinstance(about, TypedModel) else 'train'} {about.name}"
    layers = _layers(about)
    if form in _PICTURES:
        return _PICTURES[form](paint(graphs, title, layers))
    facts: dict[str, Json] = {"title": title, "layers": dict(layers)}
    found = {name: node_link(graph, facts) for name, graph in graphs.items()}
    return json.dumps(found if len(found) > 1 else next(iter(found.values())), indent=1, allow_nan=False) + "\n"


def _layers(about: TypedModel | TypedTrain) -> dict[str, str]:
    """What the layers are, by the paths that nodes have."""
    models = {"": about} if isinstance(about, TypedModel) else {about.prefix(use): m for use, m in about.uses.items()}
    found = {p.removesuffix("."): model.name for p, model in models.items() if p}
    for prefix, model in models.items():
        for info in model.body.layers:
            if info.path:  # of several of one path the first is the one the program names: a stage `self` lies in it
                found.setdefault(prefix + info.path, info.kind)
    return found
