"""The stages of the compiler as text, and what `dslc compile -o` writes."""

from __future__ import annotations

from pathlib import Path

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan, plan_text
from dslc.backends.to_numpy import compile_numpy
from dslc.check.text import model_text
from dslc.check.typed import TypedTrain
from dslc.diagnostics import Diagnostic, DslcError, Note
from dslc.driver import exporting
from dslc.driver.drawing import FORMS, drawn
from dslc.driver.faults import as_diagnostics
from dslc.driver.frontend import Checked
from dslc.driver.models import choose_model, compile_model, initial_params
from dslc.driver.scripting import script_of
from dslc.driver.training import choose_train
from dslc.graph import Graph
from dslc.graph.text import print_graph
from dslc.lower import lower
from dslc.passes import optimize
from dslc.syntax.text import tree_text
from dslc.training import training_graphs
from dslc_runtime.files import write_atomic

#: Stages that are graphs, which can be drawn.
_GRAPHS = {
    "graph": "the graph as the program says it",
    "optimized": "the optimised graph",
    "training": "the graph of a training step",
}
#: What a name that is given is the name of.
_WHOSE = (
    "`.onnx`, `.txt`, `typed`, `graph` and `optimized` want a model, `.py` and `training` a train block; pictures, `.json`,"
    " `plan` and `python` are of either"
)


def emit_stage(checked: Checked, name: str | None, stage: str) -> str:
    """The text of a stage.

    `name` is a model or a train block. `plan` and `python` are those of the training step where a train block is meant (by
    its name, or because the program has one and no name is given), else of inference.

    Raises:
        DslcError: there is no such declaration (DL0053, DL0054).
    """
    if stage == "tree":
        return tree_text(checked.file.scope.file)
    if stage == "training" or (stage in ("plan", "python") and _means_training(checked, name)):
        graphs = _training(choose_train(checked, name if name in checked.file.trains else None))
        if len(graphs) == 1:
            return _text(next(iter(graphs.values())), stage)
        return "\n\n".join(f"# step {step}\n{_text(graph, stage)}" for step, graph in graphs.items())
    typed = choose_model(checked, name, {}, _WHOSE)
    return model_text(typed) if stage == "typed" else _text(lower(typed.body, typed.outputs), stage)


def _text(graph: Graph, stage: str) -> str:
    """A graph as it is, or optimised, or what it becomes."""
    if stage == "graph":
        return print_graph(graph)
    graph = optimize(graph)
    if stage == "plan":
        return plan_text(plan(specialise(graph)))
    return compile_numpy(graph).listing() if stage == "python" else print_graph(graph)


def _means_training(checked: Checked, name: str | None) -> bool:
    return name in checked.file.trains or (name is None and len(checked.file.trains) == 1)


def _training(typed: TypedTrain) -> dict[str, Graph]:
    """The graphs of a train block's steps by name; two for each where several batches make an update."""
    graphs = training_graphs(typed)
    names = [step.name for step in typed.steps]
    if not graphs.applied:
        return dict(zip(names, graphs.steps, strict=True))
    found = {f"{name} batch".lstrip(): graph for name, graph in zip(names, graphs.steps, strict=True)}
    return found | {f"{name} update".lstrip(): graph for name, graph in zip(names, graphs.applied, strict=True)}


def write_stage(checked: Checked, name: str | None, stage: str | None, target: Path) -> str:
    """Write a stage, or what the ending of a path says; a line that says what was written.

    Raises:
        DslcError: the ending is unknown (DL0055), or the file cannot be written.
    """
    with as_diagnostics():
        if target.suffix in FORMS and stage in (None, *_GRAPHS):
            shown = stage or ("training" if name in checked.file.trains else "optimized")
            write_atomic(target, _drawn(checked, name, shown, target.suffix).encode())
            return f"{target}: {_GRAPHS[shown]}"
        if stage is not None:
            write_atomic(target, (emit_stage(checked, name, stage).rstrip("\n") + "\n").encode())
            return f"{target}: {stage}"
        if target.suffix == ".onnx":
            compiled = compile_model(choose_model(checked, name, {}, _WHOSE))
            exporting.export_model(compiled, initial_params(compiled.typed.body.params, 0), target)
            return f"{target}: inference, with initial parameters"
        if target.suffix == ".py":
            typed = choose_train(checked, name, _WHOSE)
            write_atomic(target, script_of(typed).encode())
            return f"{target}: the training `{typed.name}`, standing alone"
        if target.suffix == ".txt":
            write_atomic(target, (emit_stage(checked, name, "optimized") + "\n").encode())
            return f"{target}: the optimised graph"
    endings = ", ".join([".onnx", ".py", ".txt", *FORMS[:-1]])
    notes = (Note(f"the endings are {endings} and {FORMS[-1]}; `--emit STAGE` says what else to write"),)
    raise DslcError([Diagnostic("DL0055", f"nothing is written to files that end in `{target.suffix}`", (), notes)])


def _drawn(checked: Checked, name: str | None, stage: str, form: str) -> str:
    """The graphs of a stage as a picture or as JSON."""
    if stage == "training":
        train = choose_train(checked, name if name in checked.file.trains else None)
        return drawn({step: optimize(graph) for step, graph in _training(train).items()}, train, form)
    model = choose_model(checked, name, {}, _WHOSE)
    graph = lower(model.body, model.outputs)
    return drawn({"": graph if stage == "graph" else optimize(graph)}, model, form)
