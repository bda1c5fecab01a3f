"""`--set path=value`: overrides are spliced into the program's text, which is then compiled as if it had been written so.

Input: a program and the settings as written. Output: the program with valid .dl texts, comments kept; a run's `config.dl` is
made of them. Whether a value suits its place beyond its plain kind is found when the new text is checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dslc.check.near import near, proposed, quoted
from dslc.check.paths import Target, targets
from dslc.check.units import Unit, edited
from dslc.diagnostics import Diagnostic, Edit, Help, Label, Note, Sink
from dslc.source import Source, Span
from dslc.syntax import tree
from dslc.syntax.parse import parse

_PATH = re.compile(r"\s*([^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*)\s*=(?!=)")
_OPEN, _CLOSE = "train t {\n  v = ", "\n}\n"


def apply_overrides(unit: Unit, settings: Sequence[str], sink: Sink, about: str | None = None) -> Unit:
    """The program with every setting (`hidden=256`, `train.mlp.optimizer.lr=3e-4`) put in place, in order.

    A path may be any suffix of a full path that only one place has, or only one in the block that a command is `about`. Settings
    at fault are reported and left out.
    """
    for setting in settings:
        unit = edited(unit, _override(unit, Source("--set", setting), sink, about))
    return unit


def _override(unit: Unit, setting: Source, sink: Sink, about: str | None) -> tuple[Edit, ...]:
    """The edits that apply one setting; none after a report."""
    match = _PATH.match(setting.text)
    if match is None:
        whole = Span(setting, 0, len(setting.text))
        footers = [Help("write a path and a value:", code=("--set train.mlp.epochs=10",))]
        sink.report("DL3080", "this is not of the form `path=value`", whole, "no path before a `=`", footers=footers)
        return ()
    span = Span(setting, match.start(1), match.end(1))
    path = "".join(span.text.split())
    target = _resolve(unit, path, span, sink, about)
    place = _place(setting, match.end(), sink)
    value = None if place is None else _value(place, sink)
    if target is None or place is None or value is None or not _suits(target, value, place, sink):
        return ()
    return target.edits(place.text)


# ---------------------------------------------------------------------------------------------- the value


def _place(setting: Source, start: int, sink: Sink) -> Span | None:
    """Where the value stands, without white space around it."""
    text = setting.text[start:].strip()
    if not text:
        sink.report("DL3080", "there is no value after `=`", Span(setting, start - 1, start), "a value belongs here")
        return None
    begin = setting.text.index(text, start)
    return Span(setting, begin, begin + len(text))


def _value(place: Span, sink: Sink) -> tree.Expr | None:
    """The value, an expression of the language. Its spans lie in a frame; `place` is where it was written."""
    text = place.text
    found = Sink()
    expr = _one_value(parse(Source(place.source.name, _OPEN + text + _CLOSE), found))
    # In parentheses nothing in the text can close what it did not open, and no comment can end it.
    inside = Sink()
    enclosed = _one_value(parse(Source("", f"{_OPEN}({text}){_CLOSE}"), inside))
    if expr is not None and enclosed is not None and not found.failed and not inside.failed:
        return expr
    if not found.failed:
        sink.report("DL3080", "the value is not one expression", place, "only one expression can be set")
    for diagnostic in found:
        sink.add(_moved(diagnostic, place.source, place.start - len(_OPEN)))
    return None


def _one_value(file: tree.File) -> tree.Expr | None:
    """The value of the only statement of the only block."""
    match file.decls:
        case (tree.TrainDecl(body=(tree.AssignStmt(value=value),)),):
            return value
        case _:
            return None


def _moved(diagnostic: Diagnostic, setting: Source, by: int) -> Diagnostic:
    """A diagnostic about the value in its frame, moved into the text of the setting."""

    def place(span: Span) -> Span:
        start, end = (max(0, min(len(setting.text), at + by)) for at in (span.start, span.end))
        return Span(setting, start, max(start, end))

    labels = tuple(Label(place(label.span), label.text) for label in diagnostic.labels)
    footers = tuple(footer for footer in diagnostic.footers if isinstance(footer, Note) or not footer.edits)
    return Diagnostic(diagnostic.code, diagnostic.message, labels, footers, diagnostic.where)


def _suits(target: Target, value: tree.Expr, place: Span, sink: Sink) -> bool:
    """Whether a plain value is of the kind its hyper-parameter declares; anything else is left to the checker."""
    kind = _kind(value)
    if target.type is None or kind is None:
        return True
    kinds = {name.text for name, is_list in target.type.alternatives if not is_list}
    if kind in kinds or (kind == "int" and "float" in kinds) or (kind == "name" and kinds & {"fn", "layer", "cell"}):
        return True
    footers: list[Note | Help] = []
    if kind == "name" and "string" in kinds:
        footers.append(
            Help("write a string in quotes, and keep them from the shell:", code=(_quoting(target, place.text),))
        )
    what = f"`{place.text}` is a name" if kind == "name" else f"this is of kind `{kind}`"
    sink.report(
        "DL3083",
        f"`{target.path}` takes `{target.type.span.text}`",
        place,
        what,
        Label(target.type.span, "declared here"),
        footers=footers,
    )
    return False


def _quoting(target: Target, text: str) -> str:
    return f"--set '{target.path}=\"{text}\"'"


def _kind(value: tree.Expr) -> str | None:
    match value:
        case tree.Number(value=int()):
            return "int"
        case tree.Number():
            return "float"
        case tree.String():
            return "string"
        case tree.Constant(value=bool()):
            return "bool"
        case tree.Name():
            return "name"
        case tree.Unary(op="-", operand=operand):
            return _kind(operand)
        case _:
            return None


# ---------------------------------------------------------------------------------------------- the path


def _resolve(unit: Unit, path: str, span: Span, sink: Sink, about: str | None) -> Target | None:
    """The one place a path means, or None after a report."""
    every = targets(unit)
    found = [t for t in every if t.path == path] or [t for t in every if t.path.endswith(f".{path}")]
    if len(found) > 1:
        found = _by_defaults(found)
    if len(found) > 1:
        found = [t for t in found if t.path.split(".")[1] == about] or found
    if len(found) == 1:
        return found[0]
    if found:
        code = tuple(f"--set {t.path}={span.source.text[span.end :].strip().removeprefix('=').strip()}" for t in found)
        sink.report(
            "DL3082",
            f"`{path}` can mean {len(found)} places",
            span,
            f"could be {quoted(t.path for t in found)}",
            footers=[Help("write the path out:", code=code)],
        )
        return None
    _report_unknown(path, span, every, sink)
    return None


def _by_defaults(found: list[Target]) -> list[Target]:
    """`hidden` alone means the model's default, which wins over the argument of the one `use` that makes the model.

    So the same setting serves the commands that train and those about the model alone (`info`, `compile`, `export`).
    """
    used = [t for t in found if not t.default]
    if len(used) != 1:
        return found
    defaults = [t for t in found if t.default and t.model is used[0].model]
    return [t for t in found if t.default] if defaults else found


def _report_unknown(path: str, span: Span, every: tuple[Target, ...], sink: Sink) -> None:
    parts = path.count(".") + 1
    suffixes = {".".join(t.path.split(".")[-parts:]): None for t in every}
    close = near(path, [suffix for suffix in suffixes if _alike(path, suffix)])
    footers = proposed(close, span)
    inside = _longest_prefix(path, every)
    names = dict.fromkeys(t.path[len(inside) + 1 :].partition(".")[0] for t in every if t.path.startswith(f"{inside}."))
    if inside and names:
        footers.append(Note(f"`{inside}` has {quoted(names, 'and')}"))
    elif not close:
        shown = [t.path for t in every][:6]
        footers.append(Note(f"paths of this file: {', '.join(shown)}{', ...' if len(every) > 6 else ''}"))
    sink.report("DL3081", f"there is no setting `{path}`", span, "not found", footers=footers)


def _alike(path: str, suffix: str) -> bool:
    """Whether each name of one path is that of the other, or near it."""
    ours, theirs = path.split("."), suffix.split(".")
    return len(ours) == len(theirs) and all(a == b or near(a, [b]) for a, b in zip(ours, theirs, strict=True))


def _longest_prefix(path: str, every: tuple[Target, ...]) -> str:
    """The longest head of a path that something lies in."""
    head = path
    while head and not any(t.path.startswith(f"{head}.") for t in every):
        head = head.rpartition(".")[0]
    return head
