"""What `--set` can reach in a program: every settable place by its full path, and the edits that set it.

Input: the syntax trees of a program. Output: `Target`s in source order. Resolving a path a user wrote is `overrides`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dslc.check.edits import argument, insert, set_argument, set_entry, set_statement
from dslc.check.settings import DATA, EARLY_STOP, PARTS, STEP, TRAIN
from dslc.check.units import Unit, Visible, visible
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
        model: the model whose hyper-parameter it is, or None.
        default: whether it is the default in the model's head rather than the argument of a `use`.
    """

    path: str
    edits: Callable[[str], tuple[Edit, ...]]
    type: tree.HyperType | None = None
    model: tree.Definition | None = None
    default: bool = False


def targets(unit: Unit) -> tuple[Target, ...]:
    """Every settable place of a program: in a file and in what it imports."""
    every = _settable(unit)
    made = [
        use for item in every if isinstance(item.decl, tree.TrainDecl) for use in _models_made(item.decl, item.home)
    ]
    found: list[Target] = []
    for item in every:
        decl = item.decl
        if isinstance(decl, tree.DataDecl):
            found += _data(item.name, decl)
        elif isinstance(decl, tree.TrainDecl):
            found += _train(decl, item.home)
        elif decl.kind == "model":
            calls = [call for _, call, model in made if model is decl]
            found += (_default(item.name, decl, position, hyper, calls) for position, hyper in enumerate(decl.hypers))
    return tuple(found)


def _settable(unit: Unit) -> list[Visible]:
    """What a file may name, and what the train blocks that it imports name where they stand."""
    found = visible(unit)
    for item in tuple(found):
        if isinstance(item.decl, tree.TrainDecl) and item.home is not unit:
            taken = {other.name for other in found}
            known = {id(other.decl) for other in found}
            found += [other for other in visible(item.home) if other.name not in taken and id(other.decl) not in known]
    return found


def _models_made(train: tree.TrainDecl, home: Unit) -> list[tuple[str, tree.Call, tree.Definition]]:
    """The `use` names of a train block, each with the call that makes its model, and the model."""
    models = {item.name: item.decl for item in visible(home) if isinstance(item.decl, tree.Definition)}
    return [(use, call, models[_callee(call)]) for use, call in uses(train) if _callee(call) in models]


def _default(name: str, model: tree.Definition, position: int, hyper: tree.Hyper, calls: list[tree.Call]) -> Target:
    """A hyper-parameter's default. It wins over `use`: calls that give it another value are set too."""
    given = [found.value.span for call in calls if (found := argument(call, hyper.name.text, position)) is not None]

    def edits(value: str) -> tuple[Edit, ...]:
        if hyper.default is None:
            first = insert(hyper.span.source, hyper.span.end, f" = {value}")
        else:
            first = Edit(hyper.default.span, value)
        return (first, *(Edit(span, value) for span in given))

    return Target(f"model.{name}.{hyper.name.text}", edits, hyper.type, model, default=True)


def uses(train: tree.TrainDecl) -> Iterator[tuple[str, tree.Call]]:
    """The `use` names of a train block, each with the call that makes its model."""
    for statement in train.body:
        if isinstance(statement, tree.UseStmt) and isinstance(statement.value, tree.Call):
            call = statement.value
            while isinstance(call.callee, tree.Call):
                call = call.callee
            yield statement.name.text, call


def _callee(call: tree.Call) -> str:
    """The name of what is called, `nets.MLP` of an imported file; "" where it has none."""
    callee = call.callee
    if isinstance(callee, tree.Attribute) and isinstance(callee.value, tree.Name):
        return f"{callee.value.id}.{callee.name.text}"
    return callee.id if isinstance(callee, tree.Name) else ""


def _data(name: str, data: tree.DataDecl) -> Iterator[Target]:
    path = f"data.{name}"
    for name in DATA:
        yield _setting(path, data.span, data.body, name)
    split = _value(data.body, "split")
    for part in PARTS:
        yield _entry(f"{path}.split", data.span, data.body, split, part)


def _train(train: tree.TrainDecl, home: Unit) -> Iterator[Target]:
    path = f"train.{train.name.text}"
    for use, call, model in _models_made(train, home):
        for position, hyper in enumerate(model.hypers):
            yield _use_argument(f"{path}.{use}", call, position, hyper, model)
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


def _use_argument(path: str, call: tree.Call, position: int, hyper: tree.Hyper, model: tree.Definition) -> Target:
    name = hyper.name.text
    return Target(f"{path}.{name}", lambda value: (set_argument(call, name, value, position),), hyper.type, model)


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
