"""Train blocks -> `TypedTrain`: the joins between model, data, loss and optimizer.

Input: the syntax tree of a train block and the file's typed data blocks. Output: one objective per mode over the data's fields,
with equal parameters in equal order, and the settings resolved. Builds no gradient and no update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dslc.check.data import whole
from dslc.check.elaborate import context as new_context
from dslc.check.fields import scalars
from dslc.check.near import did_you_mean, near, quoted
from dslc.check.optimizer import check_optimizer, default_optimizer
from dslc.check.scope import Context, Scope
from dslc.check.settings import TRAIN, Setting, collect, missing, not_yet
from dslc.check.assigning import statement_value
from dslc.check.typed import Body, Objective, OptimizerSpec, TypedData, TypedTrain, TypedValue
from dslc.check.uses import Use, batch_symbol, bind, check_uses, field_input, field_lookup
from dslc.check.values import Failed, FileScope, Namespace, describe
from dslc.check.walk import names
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.record import record, replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Size

DEFAULT_BATCH = 32


@record
class _Block:
    """A train block with its parts found: what both modes are elaborated from."""

    file: FileScope
    decl: tree.TrainDecl
    settings: Mapping[str, Setting]
    uses: Mapping[str, Use]
    data: TypedData
    batch: Size


def check_train(
    file: FileScope, decl: tree.TrainDecl, datas: Mapping[str, TypedData | None], sink: Sink
) -> TypedTrain | None:
    """The train block, or None after a report.

    Args:
        datas: the file's data blocks by name; None for one whose mistakes are reported already.
    """
    before = sum(d.is_error for d in sink)
    settings = collect("train", decl.body, TRAIN, (tree.UseStmt, tree.LetStmt), sink)
    optimizer = _optimizer(decl, settings, sink)
    batch = _batch(settings["batch"], sink) if "batch" in settings else DEFAULT_BATCH
    epochs = whole(settings["epochs"], 1, sink) if "epochs" in settings else 1
    seed = whole(settings["seed"], 0, sink) if "seed" in settings else 0
    data = _data(decl, settings, datas, sink)
    uses = check_uses(file, decl.body, sink)
    if uses is not None and not uses:
        missing("train", "use", decl.name, "use net = MLP()", sink)
    if "loss" not in settings and not any(isinstance(s, tree.StepStmt) for s in decl.body):
        missing("train", "loss", decl.name, "loss = mse(net.y, data.y)", sink)
    if data is None or not uses or "loss" not in settings:
        return None
    if _has_penalty(decl, sink):
        return None
    block = _Block(file, decl, settings, uses, data, batch_symbol(uses))
    training = _objective(block, True, sink)
    inference = _objective(block, False, sink)
    if training is None or inference is None or optimizer is None or sum(d.is_error for d in sink) > before:
        return None
    if not _has_one_type(training, sink):
        return None
    _check_classes(training, data, sink)
    _align(training.body, inference.body)
    models = {name: use.model for name, use in uses.items()}
    return TypedTrain(
        decl.name.text, models, data, training, inference, optimizer, batch, epochs or 1, seed or 0, decl.name.span
    )


# ---------------------------------------------------------------------------------------------- settings


def _optimizer(decl: tree.TrainDecl, settings: Mapping[str, Setting], sink: Sink) -> OptimizerSpec | None:
    if "optimizer" not in settings:
        return default_optimizer(decl.name.span)
    return check_optimizer(settings["optimizer"].value, sink)


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
        missing("train", "data", decl.name, f"data = {next(iter(datas), 'digits')}", sink)
        return None
    value = settings["data"].value
    name = value.id if isinstance(value, tree.Name) else ""
    if name in datas:
        return datas[name]
    close = near(name, datas)
    footers: list[Note | Help] = [Help(did_you_mean(close), (Edit(value.span, close[0]),))] if close else []
    footers.append(
        Note(f"data blocks of this file: {quoted(datas, 'and')}" if datas else "this file has no data block")
    )
    message = f"there is no data block `{name}`" if name else "`data` takes the name of a data block"
    sink.report("DL3040", message, value.span, "not found" if name else "not a name", footers=footers)
    return None


def _has_penalty(decl: tree.TrainDecl, sink: Sink) -> bool:
    """Report penalties on parameters, which this version does not serve."""
    penalties = [
        node
        for statement in decl.body
        if isinstance(statement, tree.AssignStmt | tree.LetStmt)
        for node in names(statement.value)
        if node.id in ("l1", "l2")
    ]
    for node in penalties:
        not_yet(f"the penalty `{node.id}`", node, sink)
    return bool(penalties)


# ---------------------------------------------------------------------------------------------- the objective


def _objective(block: _Block, training: bool, sink: Sink) -> Objective | None:
    """Loss and metrics as a computation over batched fields."""
    context = new_context(sink, training)
    scope = _scope(block, context)
    for statement in block.decl.body:
        if isinstance(statement, tree.LetStmt):
            value = statement_value(context, scope, statement.name.text, statement.value, statement.span)
            scope.define(statement.name.text, value, statement.name.span, "let")
    loss = _scalar(context, scope, "loss", block.settings["loss"].value, "DL3035")
    metrics = _metrics(context, scope, block.settings.get("metrics"))
    if loss is None or metrics is None:
        return None
    if not _reads_parameter(loss):
        label = "reads no parameter of a model"
        context.report("DL3042", "the loss does not depend on a model", block.settings["loss"].value.span, label)
        return None
    return Objective(context.body, loss, metrics)


def _scope(block: _Block, context: Context) -> Scope:
    """The names a train block's expressions can read: `data`, and the models in use."""
    scope = Scope(block.file)
    data = block.data

    def read(name: str, _: Span) -> TypedValue:
        return field_input(context, data, name, block.batch)

    namespace = Namespace(f"data block `{data.name}`", tuple(data.fields), read)
    scope.define("data", namespace, block.settings["data"].name.span)
    for name, use in block.uses.items():
        path = name if len(block.uses) > 1 else ""
        bind(context, scope, use, path, field_lookup(context, data, use, block.batch))
    return scope


def _scalar(context: Context, scope: Scope, name: str, expr: tree.Expr, code: str) -> TypedValue | None:
    """The value of an expression that must be one floating number."""
    value = statement_value(context, scope, name, expr, expr.span)
    if isinstance(value, Failed):
        return None
    what = "the loss" if code == "DL3035" else f"metric `{name}`"
    if not isinstance(value, TypedValue):
        context.report(code, f"{what} must be computed from a model", expr.span, f"this is {describe(value)}")
        return None
    footers: list[Note | Help] = []
    if value.type.shape:
        message = f"{what} must be a single number, not {value.type}"
        if value.type.dtype.is_float:
            footers.append(Help("take the mean over all elements:", (Edit(expr.span, f"mean({expr.span.text})"),)))
    elif not value.type.dtype.is_float:
        message = f"{what} must be a floating-point number, not {value.type}"
        footers.append(Help("convert it:", (Edit(expr.span, f"cast({expr.span.text}, f32)"),)))
    else:
        return value
    context.report(code, message, expr.span, f"this is {value.type}", footers=footers)
    return None


def _metrics(context: Context, scope: Scope, setting: Setting | None) -> dict[str, TypedValue] | None:
    """The metrics by name, or None after a report."""
    if setting is None:
        return {}
    if not isinstance(setting.value, tree.Record):
        mend = Help("name each of them:", code=("metrics = { accuracy: accuracy(net.logits, data.label) }",))
        context.report("DL3004", "`metrics` takes a record", setting.value.span, "not a record", footers=[mend])
        return None
    found: dict[str, TypedValue] = {}
    good = True
    for entry in setting.value.entries:
        key = entry.key
        if key.text == "loss" or key.text in found:
            own = key.text == "loss"
            message = "a metric cannot be called `loss`" if own else f"metric `{key.text}` is given twice"
            context.report("DL3003", message, key.span, "the loss itself is reported so" if own else "given again here")
            good = False
            continue
        value = _scalar(context, scope, key.text, entry.value, "DL3036")
        good = good and value is not None
        if value is not None:
            found[key.text] = value
    return found if good else None


def _ancestors(value: TypedValue) -> Iterator[TypedValue]:
    """A value and all it is computed from, each once."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if id(value) not in seen:
            seen.add(id(value))
            yield value
            waiting.extend(value.inputs)


def _reads_parameter(value: TypedValue) -> bool:
    """Whether it reads one that can be trained; integers cannot."""
    return any(ancestor.op == "param" and ancestor.type.dtype.is_float for ancestor in _ancestors(value))


def _has_one_type(objective: Objective, sink: Sink) -> bool:
    """Whether all trained parameters are of one element type, as one vector holds them; report it if not."""
    trained = [spec for spec in objective.body.params.values() if spec.trainable]
    other = next((spec for spec in trained if spec.type.dtype is not trained[0].type.dtype), None)
    if other is not None:
        first = trained[0]
        label = Label(first.span, f"`{first.key}` is {first.type}")
        message = "trained parameters are of several element types"
        mend = Help("declare them in one type, and `cast` the value where it is used")
        sink.report("DL3043", message, other.span, f"`{other.key}` is {other.type}", label, footers=[mend])
    return other is None


def _align(training: Body, inference: Body) -> None:
    """Give both bodies the same parameters in the order of training, those first that training reads."""
    every = training.params | inference.params
    for body in (training, inference):
        body.params = dict(every)


# ---------------------------------------------------------------------------------------------- class ids


def class_limits(objective: Objective) -> dict[str, int]:
    """How many classes the ids of a field may name, by field: the class axis of the logits it is compared with."""
    limits: dict[str, int] = {}
    for value in objective.body.values:
        if value.op not in ("cross_entropy", "nll") or len(value.inputs) < 2:
            continue
        scores, ids = value.inputs[:2]
        axis = value.attrs.get("axis", -1)
        classes = scores.type.shape[axis if isinstance(axis, int) else -1]
        if ids.op == "input" and not ids.type.dtype.is_float and isinstance(classes, int):
            name = ids.attrs.str("name")
            limits[name] = min(classes, limits.get(name, classes))
    return limits


def _check_classes(objective: Objective, data: TypedData, sink: Sink) -> None:
    """Report inline class ids that lie beyond the logits; those of files are looked at when they are opened."""
    for name, classes in class_limits(objective).items():
        field = data.fields[name]
        match field.expr:
            case tree.Index(value=tree.Name(id="source"), items=(tree.String(value=column),)):
                pass
            case _:
                continue
        for source in data.sources.values():
            ids = scalars(source.columns[column]) if source.kind == "inline" else ()
            wrong = [i for i in ids if isinstance(i, int | float) and not 0 <= i < classes]
            if wrong:
                _report_class(name, wrong[0], classes, objective, source.span, field.span, sink)
                break


def _report_class(
    name: str, wrong: float, classes: int, objective: Objective, source: Span, field: Span, sink: Sink
) -> None:
    sink.report(
        "DL3041",
        f"field `{name}` holds the class id {wrong:g}, but there are logits for {classes} classes",
        source,
        f"holds {wrong:g}",
        Label(field, "the class ids"),
        Label(objective.loss.span, f"compared with logits of {classes} classes here"),
        footers=[Note(f"class ids count from 0: {classes} classes have the ids 0 to {classes - 1}")],
    )
