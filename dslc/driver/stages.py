"""The stages of the compiler as text, and what `dslc compile -o` writes."""

from __future__ import annotations

from pathlib import Path

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan, plan_text
from dslc.backends.to_numpy import compile_numpy
from dslc.check.text import model_text
from dslc.diagnostics import Diagnostic, DslcError, Note
from dslc.driver import exporting
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
        graphs = _training(checked, name)
        if len(graphs) == 1:
            return _text(next(iter(graphs.values())), stage)
        return "\n\n".join(f"# step {step}\n{_text(graph, stage)}" for step, graph in graphs.items())
    typed = choose_model(checked, name, {})
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


def _training(checked: Checked, name: str | None) -> dict[str, Graph]:
    """The graphs of a train block's steps by name; two for each where several batches make an update."""
    typed = choose_train(checked, name if name in checked.file.trains else None)
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
        if stage is not None:
            write_atomic(target, (emit_stage(checked, name, stage).rstrip("\n") + "\n").encode())
            return f"{target}: {stage}"
        if target.suffix == ".onnx":
            compiled = compile_model(choose_model(checked, name, {}))
            exporting.export_model(compiled, initial_params(compiled.typed.body.params, 0), target)
            return f"{target}: inference, with initial parameters"
        if target.suffix == ".py":
            typed = choose_train(checked, name)
            write_atomic(target, script_of(typed).encode())
            return f"{target}: the training `{typed.name}`, standing alone"
        if target.suffix == ".txt":
            write_atomic(target, (emit_stage(checked, name, "optimized") + "\n").encode())
            return f"{target}: the optimised graph"
    notes = (Note("the endings are .onnx, .py and .txt; `--emit STAGE` says what else to write"),)
    raise DslcError([Diagnostic("DL0055", f"nothing is written to files that end in `{target.suffix}`", (), notes)])
