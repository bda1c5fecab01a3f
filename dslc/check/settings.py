"""The settings of data, train and test blocks: which exist, what they take, and which belong to later versions.

Tables of names and their look-up; `setting_defs` declares the settings. What one means is checked in `data`, `train` and
`tests`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dslc.check.foreign_settings import setting_meant
from dslc.check.near import near, proposed, quoted
from dslc.check.setting_defs import options_of, settings_of
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.record import record
from dslc.syntax import tree

DATA, TRAIN, STEP, TEST = map(settings_of, ("data", "train", "step", "test"))
EARLY_STOP = tuple(option.name for option in options_of("early_stop"))
LATER = ("precision",)
PARTS = ("train", "val", "test")


@record
class Setting:
    """One `name = value` of a block."""

    name: tree.Ident
    value: tree.Expr


def collect(
    block: str, body: Sequence[tree.Stmt], known: Sequence[str], allowed: tuple[type, ...], sink: Sink
) -> dict[str, Setting]:
    """The settings of a block by name. Reports unknown and repeated ones, and statements that do not belong.

    Args:
        block: "data", "train", "step" or "test", for messages.
        known: the names of its settings.
        allowed: the kinds of other statements the block may hold; the caller looks at them.
    """
    found: dict[str, Setting] = {}
    for statement in body:
        if isinstance(statement, allowed):
            continue
        if not isinstance(statement, tree.AssignStmt) or statement.type is not None or len(statement.targets) != 1:
            report_statement(block, statement, sink)
            continue
        target = statement.targets[0]
        if target.text in found:
            first = found[target.text].name
            sink.report(
                "DL3003",
                f"`{target.text}` is set twice",
                target.span,
                "set again here",
                Label(first.span, "first here"),
            )
        elif target.text in LATER and block in ("train", "step"):
            not_yet(f"`{target.text}`", target, sink)
        elif target.text not in known:
            _unknown(block, target, statement.value, _names_set(body), known, sink)
        else:
            found[target.text] = Setting(target, statement.value)
    return found


def _names_set(body: Sequence[tree.Stmt]) -> frozenset[str]:
    """The names that a block assigns to."""
    return frozenset(target.text for stmt in body if isinstance(stmt, tree.AssignStmt) for target in stmt.targets)


def _unknown(
    block: str, target: tree.Ident, value: tree.Expr, given: frozenset[str], known: Sequence[str], sink: Sink
) -> None:
    meant = setting_meant(block, target, value, given)
    close = () if meant is not None else near(target.text, known)
    footers: list[Note | Help] = []
    if meant is not None:
        footers.append(meant)
    elif block == "step" and target.text in TRAIN:
        footers.append(Help(f"`{target.text}` is the same for all steps: set it beside them"))
    elif close:
        footers += proposed(close, None if close[0] in given else target.span)
    elif block in ("train", "test") and _is_made(value):
        footers.append(Help("a model is named by `use`:", (Edit(target.span, f"use {target.text}"),)))
    elif block == "test" and not _is_literal(value):
        footers.append(Help(f"name a value with `let {target.text} = ...`, an input's value with `given`"))
    elif block == "test":
        footers.append(Help(f"an input's value: `given {target.text} = ...`"))
    elif block in ("train", "step") and not _is_literal(value):
        footers.append(Help(f"name a value with `let {target.text} = ...`"))
    footers.append(Note(f"a {block} block has the setting{'s' * (len(known) > 1)} {quoted(known, 'and')}"))
    sink.report(
        "DL3001",
        f"a {block} block has no setting `{target.text}`",
        target.span,
        "not a setting",
        footers=footers,
    )


def _is_made(value: tree.Expr) -> bool:
    """Whether a value is a model being made: ``Net()``."""
    return isinstance(value, tree.Call) and isinstance(value.callee, tree.Name) and value.callee.id[:1].isupper()


def _is_literal(value: tree.Expr) -> bool:
    """Whether a value is written out: a number, a truth value or a string, which nobody names to use it once."""
    return literal_number(value) is not None or isinstance(value, tree.Constant | tree.String)


_WORDS: Mapping[type, str] = {
    tree.DimStmt: "dim",
    tree.InputStmt: "input",
    tree.OutputStmt: "output",
    tree.ParamStmt: "param",
    tree.BufferStmt: "buffer",
    tree.StateStmt: "state",
    tree.NextStmt: "next",
    tree.UpdateStmt: "update",
    tree.LayerStmt: "layer",
    tree.LetStmt: "let",
    tree.RequireStmt: "require",
    tree.IfStmt: "if",
    tree.FieldStmt: "field",
    tree.UseStmt: "use",
    tree.StepStmt: "step",
    tree.SampleStmt: "sample",
    tree.TrainRef: "train",
    tree.GivenStmt: "given",
    tree.ExpectStmt: "expect",
    tree.ExpectErrorStmt: "expect error",
}
_HOLDS: Mapping[str, str] = {
    "data": "`field`s and the settings",
    "train": "`use`, `step`, `sample`, `let`, `early_stop(...)` and the settings",
    "step": "`update`, `sample`, `let` and the settings",
    "test": "`use`, `train`, `given`, `let`, `expect` and the setting",
}
_KNOWN: Mapping[str, Sequence[str]] = {"data": DATA, "train": TRAIN, "step": STEP, "test": TEST}


def report_statement(block: str, statement: tree.Stmt, sink: Sink) -> None:
    """Report a statement that a block cannot hold."""
    mend: list[Note | Help] = []
    if isinstance(statement, tree.CallStmt):
        callee = statement.call.callee
        if block == "train" and isinstance(callee, tree.Name) and callee.id in LATER:
            not_yet(f"`{callee.id}`", callee, sink)
            return
        if block == "step" and isinstance(callee, tree.Name) and callee.id == "early_stop":
            mend.append(Help("`early_stop` ends the training of all steps: set it beside them"))
        if block == "train" and isinstance(callee, tree.Name) and near(callee.id, ("early_stop",)):
            mend += proposed(("early_stop",), callee.span)
        what = "a call"
    else:
        word = _WORDS.get(type(statement))
        what = f"`{word}`" if word else "an assignment of this form"
    sink.report(
        "DL3006",
        f"{what} cannot stand in a {block} block",
        statement.span,
        "not allowed here",
        footers=[*mend, Note(f"a {block} block holds {_HOLDS[block]} {quoted(_KNOWN[block], 'and')}")],
    )


def not_yet(what: str, place: tree.Ident | tree.Expr, sink: Sink) -> None:
    """Report a construct of the language that this version does not serve."""
    sink.report("DL3090", f"{what} is not supported by this version yet", place.span, "not supported yet")


def _proposed(sink: Sink) -> Iterator[Edit]:
    """The edits that mends of unknown settings make."""
    for known in sink:
        if known.code == "DL3001":
            yield from (edit for footer in known.footers if isinstance(footer, Help) for edit in footer.edits)


def missing(
    block: str, name: str, decl: tree.DataDecl | tree.TrainDecl | tree.StepStmt, example: str, sink: Sink
) -> None:
    """Report a setting that must be given, unless a line of the block is told to be meant as it."""
    if any(edit.text.split()[:1] == [name] and edit.span.within(decl.span) for edit in _proposed(sink)):
        return
    place = decl.name
    sink.report(
        "DL3002",
        f"{block} `{place.text}` has no `{name}`",
        place.span,
        f"needs a line `{example.partition('=')[0].strip()} = ...`",
        footers=[Help("add it:", code=(f"  {example}",))],
    )


def literal_number(expr: tree.Expr) -> int | float | None:
    """The value of a number, with a sign or without, or None for anything else."""
    if isinstance(expr, tree.Number):
        return expr.value
    if isinstance(expr, tree.Unary) and expr.op == "-" and isinstance(expr.operand, tree.Number):
        return -expr.operand.value
    return None
