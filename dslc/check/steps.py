"""The steps of a train block: who learns in each, and which settings it has.

Input: the block's statements, its settings and models. Output: `StepBlock`s in the order of the source; a train block without
`step`s has one, in which everything learns that is not frozen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.near import near, proposed, quoted
from dslc.check.patterns import select
from dslc.check.settings import PARTS, STEP, Setting, collect, missing
from dslc.check.typed import ParamSpec
from dslc.check.uses import Use
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree


@record
class StepBlock:
    """One update of every batch, as it is written.

    Attributes:
        name: "" where the train block has no `step`s.
        settings: its own, and those of the train block where it has none.
        statements: its own `let`s and `sample`s.
        learners: what its `update` names; none where everything learns.
        updates: the keys of the parameters that learn.
    """

    name: str
    settings: Mapping[str, Setting]
    statements: tuple[tree.Stmt, ...]
    learners: tuple[tree.Ident, ...]
    updates: tuple[str, ...]
    span: Span


def prefixed(use: str, uses: Mapping[str, Use]) -> str:
    """What stands in front of the keys of a model's parameters: its name, where there are several models."""
    return f"{use}." if len(uses) > 1 else ""


def check_steps(
    decl: tree.TrainDecl,
    settings: Mapping[str, Setting],
    uses: Mapping[str, Use],
    params: Mapping[str, ParamSpec],
    sink: Sink,
) -> list[StepBlock] | None:
    """The steps of a train block, or None after a report."""
    steps = [statement for statement in decl.body if isinstance(statement, tree.StepStmt)]
    if not steps:
        if "loss" not in settings:
            missing("train", "loss", decl, "loss = mse(net.y, data.y)", sink)
            return None
        updates = _unfrozen(settings.get("freeze"), params, [k for k, s in params.items() if s.trainable], sink)
        return None if updates is None else [StepBlock("", settings, (), (), updates, decl.name.span)]
    found: dict[str, StepBlock] = {}
    good = True
    for step in steps:
        if step.name.text in found:
            first = Label(found[step.name.text].span, "first here")
            sink.report("DL3003", f"`step {step.name.text}` is given twice", step.name.span, "given again here", first)
            good = False
            continue
        if step.name.text in PARTS:
            text = f"a step cannot be called `{step.name.text}`, which is a part of the data"
            sink.report("DL3003", text, step.name.span, f"`{step.name.text}.loss` would mean two things")
            good = False
            continue
        made = _step(step, settings, uses, params, sink)
        good = good and made is not None
        if made is not None:
            found[step.name.text] = made
    return list(found.values()) if good else None


def _step(
    step: tree.StepStmt,
    outer: Mapping[str, Setting],
    uses: Mapping[str, Use],
    params: Mapping[str, ParamSpec],
    sink: Sink,
) -> StepBlock | None:
    own = collect("step", step.body, STEP, (tree.UpdateStmt, tree.LetStmt, tree.SampleStmt), sink)
    settings = {name: setting for name, setting in outer.items() if name in STEP} | own
    learners = _learners(step, uses, sink)
    if "loss" not in settings:
        missing("step", "loss", step, "loss = bce_logits(d(data.x), 1)", sink)
    if learners is None or "loss" not in settings:
        return None
    prefixes = tuple(prefixed(ident.text, uses) for ident in learners)
    keys = [key for key, spec in params.items() if spec.trainable and key.startswith(prefixes)]
    updates = _unfrozen(settings.get("freeze"), params, keys, sink)
    statements = tuple(s for s in step.body if isinstance(s, tree.LetStmt | tree.SampleStmt))
    if updates is None:
        return None
    return StepBlock(step.name.text, settings, statements, learners, updates, step.name.span)


def _learners(step: tree.StepStmt, uses: Mapping[str, Use], sink: Sink) -> tuple[tree.Ident, ...] | None:
    """The models that a step updates, or None after a report."""
    statements = [statement for statement in step.body if isinstance(statement, tree.UpdateStmt)]
    if not statements and any(isinstance(s, tree.AssignStmt) and s.targets[0].text == "update" for s in step.body):
        return None  # reported as a setting
    if not statements:
        example = f"update {next(iter(uses), 'net')}"
        message = f"step `{step.name.text}` does not say what learns"
        sink.report("DL3057", message, step.name.span, "no `update`", footers=[Help("add it:", code=(f"  {example}",))])
        return None
    learners: dict[str, tree.Ident] = {}
    good = True
    for statement in statements:
        if statement.value is not None:
            message = "`update` in a step names the models that learn"
            sink.report("DL3057", message, statement.value.span, "new values are computed by the optimizer")
            good = False
            continue
        for ident in statement.names:
            if ident.text in learners:
                first = Label(learners[ident.text].span, "first here")
                sink.report("DL3057", f"`{ident.text}` is named twice", ident.span, "again here", first)
                good = False
            elif ident.text not in uses:
                _report_learner(ident, uses, sink)
                good = False
            learners.setdefault(ident.text, ident)
    return tuple(learners.values()) if good else None


def _report_learner(ident: tree.Ident, uses: Mapping[str, Use], sink: Sink) -> None:
    footers = proposed(near(ident.text, uses), ident.span)
    footers.append(Note(f"models in use here: {quoted(uses, 'and')}"))
    message = f"`update` takes a model in use, and there is no `use {ident.text}`"
    sink.report("DL3057", message, ident.span, "not found", footers=footers)


def _unfrozen(
    setting: Setting | None, params: Mapping[str, ParamSpec], keys: Sequence[str], sink: Sink
) -> tuple[str, ...] | None:
    """The keys without those that `freeze` names, or None after a report."""
    if setting is None:
        return tuple(keys)
    value = setting.value
    patterns = value.items if isinstance(value, tree.List) else (value,)
    wrong = next((item for item in patterns if not isinstance(item, tree.String)), None)
    if wrong is not None:
        mend = Help('write `freeze = ["fc1.*"]`')
        sink.report("DL3004", "`freeze` takes patterns of keys", wrong.span, "not a string", footers=[mend])
        return None
    every = [key for key, spec in params.items() if spec.trainable]
    frozen: set[str] = set()
    good = True
    for item in patterns:
        if isinstance(item, tree.String):
            found = select(item.value, item.span, every, "parameter", sink)
            frozen |= set(found)
            good = good and bool(found)
    left = tuple(key for key in keys if key not in frozen)
    if good and keys and not left:
        sink.report("DL3055", "every parameter is frozen, so nothing learns", value.span, "matches all of them")
        return None
    return left if good else None
