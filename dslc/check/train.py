"""Train blocks -> `TypedTrain`: the joins between models, data, losses and optimizers.

Input: the syntax tree of a train block and the file's typed data blocks. Output: its steps, each with an objective over the
data's fields, what all of them report in inference mode, and the settings resolved. Builds no gradient and no update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.data import whole
from dslc.check.early import check_early_stop
from dslc.check.id_limits import check_ids
from dslc.check.near import near, proposed, quoted
from dslc.check.objectives import Parts, objective
from dslc.check.optimizer import check_optimizer, default_optimizer
from dslc.check.options import number
from dslc.check.recipes import check_accumulate, check_average
from dslc.check.settings import TRAIN, Setting, collect, missing, report_statement
from dslc.check.steps import StepBlock, check_steps, prefixed
from dslc.check.typed import (
    Average,
    Body,
    Evaluation,
    Objective,
    ParamSpec,
    TypedData,
    TypedStep,
    TypedTrain,
    TypedValue,
)
from dslc.check.uses import Use, batch_symbol, check_uses, starts_of
from dslc.check.values import FileScope
from dslc.check.watching import Reported
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.record import record, replace
from dslc.syntax import tree

DEFAULT_BATCH = 32


def check_train(
    file: FileScope, decl: tree.TrainDecl, datas: Mapping[str, TypedData | None], sink: Sink
) -> TypedTrain | None:
    """The train block, or None after a report.

    Args:
        datas: the file's data blocks by name; None for one whose mistakes are reported already.
    """
    before = sum(d.is_error for d in sink)
    inner = (tree.UseStmt, tree.LetStmt, tree.StepStmt, tree.SampleStmt, tree.CallStmt)
    settings = collect("train", decl.body, TRAIN, inner, sink)
    stops = _early_stops(decl, sink)
    recipe = _recipe(settings, sink)
    data = _data(decl, settings, datas, sink)
    uses = check_uses(file, decl.body, sink)
    if uses is not None and not uses:
        missing("train", "use", decl, "use net = MLP()", sink)
    params = _params(uses or {})
    blocks = check_steps(decl, settings, uses, params, sink) if uses else _without_models(decl, settings, sink)
    if data is None or not uses or blocks is None:
        return None
    statements = [s for s in decl.body if isinstance(s, tree.LetStmt | tree.SampleStmt)]
    parts = Parts(file, statements, uses, data, settings["data"].name.span, params, batch_symbol(file, decl, uses))
    evaluation = _evaluation(parts, blocks, sink)
    reported = Reported(evaluation.quantities, data) if evaluation is not None else None
    steps = [_step(parts, block, reported, sink) for block in blocks]
    stop = check_early_stop(stops, reported, sink) if reported is not None else None
    made = tuple(step for step in steps if step is not None)
    if evaluation is None or len(made) < len(steps) or sum(d.is_error for d in sink) > before:
        return None
    if not _has_one_type(params, made, sink):
        return None
    for step in made:
        check_ids(step.training.body, data, sink)
    models = {name: use.model for name, use in uses.items()}
    return TypedTrain(
        decl.name.text,
        models,
        data,
        params,
        made,
        evaluation,
        stop,
        recipe.batch,
        recipe.epochs,
        recipe.seed,
        decl.name.span,
        recipe.accumulate,
        recipe.average,
        starts_of(uses),
    )


# ---------------------------------------------------------------------------------------------- settings


@record
class _Recipe:
    """How often what is updated, as `TypedTrain` says it."""

    batch: int | None
    epochs: int
    seed: int
    accumulate: int
    average: Average | None


def _recipe(settings: Mapping[str, Setting], sink: Sink) -> _Recipe:
    """The settings that are numbers, with their defaults in place of those that are reported."""
    batch = _batch(settings["batch"], sink) if "batch" in settings else DEFAULT_BATCH
    accumulate = check_accumulate(settings.get("accumulate"), batch, sink)
    average = check_average(settings.get("ema"), sink)
    epochs = whole(settings["epochs"], 1, sink) if "epochs" in settings else None
    seed = whole(settings["seed"], 0, sink) if "seed" in settings else None
    return _Recipe(batch, epochs or 1, seed or 0, accumulate, average)


def _batch(setting: Setting, sink: Sink) -> int | None:
    """Samples per step; None stands for all."""
    if isinstance(setting.value, tree.Name) and setting.value.id == "all":
        return None
    trial = Sink()
    size = whole(setting, 1, trial)
    for diagnostic in trial:
        sink.add(replace(diagnostic, message="`batch` takes a positive whole number, or `all`"))
    return size or DEFAULT_BATCH


def _data(
    decl: tree.TrainDecl, settings: Mapping[str, Setting], datas: Mapping[str, TypedData | None], sink: Sink
) -> TypedData | None:
    """The data block that is named, or None after a report (of its own mistakes, perhaps)."""
    if "data" not in settings:
        missing("train", "data", decl, f"data = {next(iter(datas), 'digits')}", sink)
        return None
    value = settings["data"].value
    name = _path(value)
    if name in datas:
        return datas[name]
    file = name.partition(".")[0]
    if file in datas and datas[file] is None:  # it could not be imported
        return None
    footers = proposed(near(name, datas), value.span)
    footers.append(
        Note(f"data blocks of this file: {quoted(datas, 'and')}" if datas else "this file has no data block")
    )
    message = f"there is no data block `{name}`" if name else "`data` takes the name of a data block"
    sink.report("DL3040", message, value.span, "not found" if name else "not a name", footers=footers)
    return None


def _path(value: tree.Expr) -> str:
    """The name of a data block, also that of an imported file (`sets.digits`); "" where it is none."""
    if isinstance(value, tree.Attribute) and isinstance(value.value, tree.Name):
        return f"{value.value.id}.{value.name.text}"
    return value.id if isinstance(value, tree.Name) else ""


def _early_stops(decl: tree.TrainDecl, sink: Sink) -> list[tree.CallStmt]:
    """The `early_stop(...)` of a block; other calls are reported."""
    found: list[tree.CallStmt] = []
    for statement in decl.body:
        if not isinstance(statement, tree.CallStmt):
            continue
        callee = statement.call.callee
        if isinstance(callee, tree.Name) and callee.id == "early_stop":
            found.append(statement)
        else:
            report_statement("train", statement, sink)
    return found


def _limit(settings: Mapping[str, Setting], name: str, sink: Sink) -> float | None:
    """A limit of gradients, or None where there is none or after a report."""
    if name not in settings:
        return None
    place = settings[name].value
    limit = number(name, place, sink)
    if limit is not None and limit <= 0:
        sink.report("DL3005", f"`{name}` must be greater than 0", place.span, f"this is {limit:g}")
    return limit


# ---------------------------------------------------------------------------------------------- steps


def _params(uses: Mapping[str, Use]) -> dict[str, ParamSpec]:
    """The parameters and buffers of all models by key, in the order of the source."""
    found: dict[str, ParamSpec] = {}
    for name, use in uses.items():
        for key, spec in use.model.body.params.items():
            key = prefixed(name, uses) + key
            found[key] = replace(spec, key=key)
    return found


def _without_models(decl: tree.TrainDecl, settings: Mapping[str, Setting], sink: Sink) -> None:
    """What can be said of the steps where the models are not known."""
    if "loss" not in settings and not any(isinstance(s, tree.StepStmt) for s in decl.body):
        missing("train", "loss", decl, "loss = mse(net.y, data.y)", sink)


def _step(parts: Parts, block: StepBlock, reported: Reported | None, sink: Sink) -> TypedStep | None:
    settings = block.settings
    optimizer = default_optimizer(block.span)
    if "optimizer" in settings:
        optimizer = check_optimizer(settings["optimizer"].value, reported, sink)
    training = objective(parts, block, True, sink)
    norm, value = (_limit(settings, name, sink) for name in ("clip_norm", "clip_value"))
    if training is None or optimizer is None:
        return None
    return TypedStep(block.name, block.updates, training, optimizer, norm, value, block.span)


def _evaluation(parts: Parts, blocks: Sequence[StepBlock], sink: Sink) -> Evaluation | None:
    """What all steps report in inference mode, in one body."""
    body = Body(training=False)
    quantities: dict[str, TypedValue] = {}
    for block in blocks:
        found = objective(parts, block, False, sink)
        if found is None:
            return None
        prefix = f"{block.name}." if block.name else ""
        quantities |= {prefix + name: value for name, value in _named(found).items()}
        body.values += found.body.values
        body.inputs |= found.body.inputs
        body.layers += found.body.layers
    body.params = dict(parts.params)
    return Evaluation(body, quantities)


def _named(found: Objective) -> dict[str, TypedValue]:
    return {"loss": found.loss, **found.metrics}


def _has_one_type(params: Mapping[str, ParamSpec], steps: Sequence[TypedStep], sink: Sink) -> bool:
    """Whether the parameters a step updates are of one element type, as one vector holds them; report it if not."""
    for step in steps:
        trained = [params[key] for key in step.updates]
        other = next((spec for spec in trained if spec.type.dtype is not trained[0].type.dtype), None)
        if other is not None:
            first = trained[0]
            label = Label(first.span, f"`{first.key}` is {first.type}")
            message = "trained parameters are of several element types"
            mend = Help("declare them in one type, and `cast` the value where it is used")
            sink.report("DL3043", message, other.span, f"`{other.key}` is {other.type}", label, footers=[mend])
            return False
    return True
