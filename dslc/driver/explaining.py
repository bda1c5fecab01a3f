"""`dslc explain FILE`: a model's formulas forward and backward, or those of a training's loss."""

from __future__ import annotations

from dslc.autodiff.reverse import pullback
from dslc.check.text import literal_text
from dslc.check.typed import TypedModel, TypedTrain
from dslc.driver.frontend import Checked
from dslc.driver.models import choose_model
from dslc.driver.training import choose_train
from dslc.graph import Builder, Graph
from dslc.graph.formulas import Formula, formulas
from dslc.lower import lower_into
from dslc.passes import optimize
from dslc.training import GRADIENT, gradient_graph

SIGN = "d "  # before the name of what a gradient belongs to


def explain_program(checked: Checked, name: str | None) -> str:
    """The formulas of the model or train block of a name; of all models where there is none.

    Raises:
        DslcError: there is no such declaration, or no model at all (DL0053).
    """
    if name in checked.file.trains:
        return "\n".join(_of_training(choose_train(checked, name)))
    names = [name] if name is not None else list(checked.file.models) or [None]
    return "\n\n".join("\n".join(_of_model(choose_model(checked, each, {}))) for each in names)


def _of_model(model: TypedModel) -> list[str]:
    return [_title(model), "", *_sections(_both_ways(model), set(model.outputs), "a loss")]


def _title(model: TypedModel) -> str:
    hypers = ", ".join(f"{name} = {literal_text(value)}" for name, value in model.hypers.items())
    return f"model {model.name}({hypers})" if hypers else f"model {model.name}"


def _both_ways(model: TypedModel) -> Graph:
    """The outputs, and the gradients of all parameters given those of the outputs."""
    builder = Builder()
    values = lower_into(builder, model.body)
    outputs = {name: values[value] for name, value in model.outputs.items()}
    seeds = [
        (out, builder.leaf("input", out.type, name=SIGN + name)) for name, out in outputs.items() if out.dtype.is_float
    ]
    params = {node.attrs.str("key"): node.out for node in builder.graph.leaves("param")}
    trained = {key: value for key, value in params.items() if model.body.params[key].trainable}
    found = pullback(builder, seeds, list(trained.values()))
    gradients = {SIGN + key: g for key, g in zip(trained, found, strict=True) if g is not None}
    builder.graph.outputs |= {**outputs, **gradients}
    return optimize(builder.graph)


def _of_training(train: TypedTrain) -> list[str]:
    lines: list[str] = []
    for step in train.steps:
        graph = optimize(gradient_graph(train, step))
        graph.outputs = {
            f"{SIGN}{name.removeprefix(GRADIENT)}" if name.startswith(GRADIENT) else name: value
            for name, value in graph.outputs.items()
        }
        forward = {name for name in graph.outputs if not name.startswith(SIGN)}
        title = f"step {step.name} of train {train.name}" if step.name else f"train {train.name}"
        lines += [*([""] if lines else []), title, "", *_sections(graph, forward, "the loss")]
    return lines


def _sections(graph: Graph, forward: set[str], loss: str) -> list[str]:
    """What results need, and then what only gradients need."""
    needed = graph.ancestors(value for name, value in graph.outputs.items() if name in forward)
    lines = formulas(graph)
    return [
        "forward",
        *_table([line for line in lines if line.id in needed]),
        "",
        f"backward: `{SIGN}v` is the gradient of {loss} with respect to v",
        *_table([line for line in lines if line.id not in needed]),
    ]


def _table(lines: list[Formula]) -> list[str]:
    """Formulas in columns: name, formula, type."""
    name = max((len(line.name) for line in lines), default=0)
    text = min(max((len(line.text) for line in lines), default=0), 90)
    return [f"  {line.name:{name}} = {line.text:{text}}  {line.type}" for line in lines]
