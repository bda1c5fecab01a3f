"""What `--set` can reach in a file: every settable place by its full path, and the edits that set it.

Input: the syntax tree. Output: `Target`s in source order. Resolving a path a user wrote is `overrides`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dslc.check.edits import argument, insert, set_argument, set_entry, set_statement
from dslc.check.settings import DATA, EARLY_STOP, PARTS, STEP, TRAIN
from dslc.diagnostics import Edit
from dslc.ops.optimizers import OPTIMIZERS
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree


@record
class Target:
    """One settable place.

    Attributes:
        path: its full path (`train.mlp.optimizer.lr`).
        edits: from the text of a value to the edits that set it.
        type: the hyper-parameter's declared type, or None for settings.
        model: the model whose hyper-parameter it is, or "".
        default: whether it is the default in the model's head rather than the argument of a `use`.
    """

    path: str
    edits: Callable[[str], tuple[Edit, ...]]
    type: tree.HyperType | None = None
    model: str = ""
    default: bool = False


def targets(file: tree.File) -> tuple[Target, ...]:
    """Every settable place of a file."""
    models = {d.name.text: d for d in file.decls if isinstance(d, tree.Definition) and d.kind == "model"}
    trains = [d for d in file.decls if isinstance(d, tree.TrainDecl)]
    found: list[Target] = []
    for decl in file.decls:
        if isinstance(decl, tree.Definition) and decl.kind == "model":
            found += (_default(decl, position, hyper, trains) for position, hyper in enumerate(decl.hypers))
        elif isinstance(decl, tree.DataDecl):
            found += _data(decl)
        elif isinstance(decl, tree.TrainDecl):
            found += _train(decl, models)
    return tuple(found)


def _default(model: tree.Definition, position: int, hyper: tree.Hyper, trains: list[tree.TrainDecl]) -> Target:
    """A hyper-parameter's default. It wins over `use`: train blocks that give it another value are set too."""
    given = [
        found.value.span
        for train in trains
        for _, call in uses(train)
        if _callee(call) == model.name.text and (found := argument(call, hyper.name.text, position)) is not None
    ]

    def edits(value: str) -> tuple[Edit, ...]:
        if hyper.default is None:
            first = insert(hyper.span.source, hyper.span.end, f" = {value}")
        else:
            first = Edit(hyper.default.span, value)
        return (first, *(Edit(span, value) for span in given))

    path = f"model.{model.name.text}.{hyper.name.text}"
    return Target(path, edits, hyper.type, model.name.text, default=True)


def uses(train: tree.TrainDecl) -> Iterator[tuple[str, tree.Call]]:
    """The `use` names of a train block, each with the call that makes its model."""
    for statement in train.body:
        if isinstance(statement, tree.UseStmt) and isinstance(statement.value, tree.Call):
            call = statement.value
            while isinstance(call.callee, tree.Call):
                call = call.callee
            yield statement.name.text, call


def _callee(call: tree.Call) -> str:
    return call.callee.id if isinstance(call.callee, tree.Name) else ""


def _data(data: tree.DataDecl) -> Iterator[Target]:
    path = f"data.{data.name.text}"
    for name in DATA:
        yield _setting(path, data.span, data.body, name)
    split = _value(data.body, "split")
    for part in PARTS:
        yield _entry(f"{path}.split", data.span, data.body, split, part)


def _train(train: tree.TrainDecl, models: dict[str, tree.Definition]) -> Iterator[Target]:
    path = f"train.{train.name.text}"
    for use, call in uses(train):
        model = models.get(_callee(call))
        for position, hyper in enumerate(model.hypers if model is not None else ()):
            yield _use_argument(f"{path}.{use}", call, position, hyper)
    for name in TRAIN:
        yield _setting(path, train.span, train.body, name)
    yield from _optimizer(path, train.span, train.body)
    for statement in train.body:
        if isinstance(statement, tree.StepStmt):
            yield from _step(f"{path}.{statement.name.text}", statement)
        elif isinstance(statement, tree.CallStmt) and _callee(statement.call) == "early_stop":
            for position, name in enumerate(EARLY_STOP):
                yield _argument(f"{path}.early_stop", statement.call, position, name)


def _step(path: str, step: tree.StepStmt) -> Iterator[Target]:
    for name in STEP:
        yield _setting(path, step.span, step.body, name)
    if _value(step.body, "optimizer") is not None:
        yield from _optimizer(path, step.span, step.body)


def _optimizer(path: str, span: Span, body: tuple[tree.Stmt, ...]) -> Iterator[Target]:
    """The options of a block's optimizer; of the default one where the block names none."""
    optimizer = _value(body, "optimizer")
    name = _callee(optimizer) if isinstance(optimizer, tree.Call) else "adam"
    options = OPTIMIZERS[name].options if name in OPTIMIZERS else ()
    for position, option in enumerate(options):
        yield _optimizer_option(f"{path}.optimizer", span, body, position, option.name)


def _argument(path: str, call: tree.Call, position: int, name: str) -> Target:
    return Target(f"{path}.{name}", lambda value: (set_argument(call, name, value, position),))


def _setting(path: str, span: Span, body: tuple[tree.Stmt, ...], name: str) -> Target:
    return Target(f"{path}.{name}", lambda value: (set_statement(span, body, name, value),))


def _entry(path: str, span: Span, body: tuple[tree.Stmt, ...], record: tree.Expr | None, key: str) -> Target:
    def edits(value: str) -> tuple[Edit, ...]:
        if isinstance(record, tree.Record):
            return (set_entry(record, key, value),)
        return (set_statement(span, body, path.rpartition(".")[2], f"{{ {key}: {value} }}"),)

    return Target(f"{path}.{key}", edits)


def _use_argument(path: str, call: tree.Call, position: int, hyper: tree.Hyper) -> Target:
    name = hyper.name.text
    return Target(
        f"{path}.{name}", lambda value: (set_argument(call, name, value, position),), hyper.type, _callee(call)
    )


def _optimizer_option(path: str, span: Span, body: tuple[tree.Stmt, ...], position: int, name: str) -> Target:
    optimizer = _value(body, "optimizer")

    def edits(value: str) -> tuple[Edit, ...]:
        if isinstance(optimizer, tree.Call):
            return (set_argument(optimizer, name, value, position),)
        made = optimizer.id if isinstance(optimizer, tree.Name) else "adam"
        return (set_statement(span, body, "optimizer", f"{made}({name} = {value})"),)

    return Target(f"{path}.{name}", edits)


def _value(body: tuple[tree.Stmt, ...], name: str) -> tree.Expr | None:
    """The value a block gives a setting, if it does."""
    for statement in body:
        if isinstance(statement, tree.AssignStmt) and [target.text for target in statement.targets] == [name]:
            return statement.value
    return None
